/*
 * vmm/config_boot.h - from the options of `coffer run` to a launch plan: the
 * one way, for the run, for --print-plan, for `coffer plan` and for the guest's
 * owner.
 */
#ifndef VMM_CONFIG_BOOT_H
#define VMM_CONFIG_BOOT_H

#include "firmware/flash_image.h"
#include "firmware/image_file.h"
#include "vmm/base/own.h"
#include "vmm/config.h"
#include "vmm/measured_boot.h"

/* The images that a configuration names. */
struct config_images {
	struct kernel_image *kernel; /* owned; NULL: not opened yet */
	struct image_file initrd;    /* len 0: none */
	struct flash_image firmware; /* file.len 0: a direct boot */
	bool open;
};

/*
 * Open what @c names and parse the kernel's headers; nothing when that is done
 * already. The descriptors are @c's.
 * -EINVAL with ERR_USAGE: it names no kernel, which a direct boot needs
 * and the errors of run_config_open() and kernel_image_open().
 */
int config_images_open(struct config_images *i, struct run_config *c,
		       struct err *err);
void config_images_close(struct config_images *i);

/* Everything that is measured, from @c; the rest is zero. All borrowed. */
void config_boot_args(const struct run_config *c, const struct config_images *i,
		      struct measured_boot_args *ret);

#endif
