/*
 * vmm/device_files.h - opens what the devices of a configuration need: disk
 * images, network back ends, sockets. The side of the VMM that may use paths.
 */
#ifndef VMM_DEVICE_FILES_H
#define VMM_DEVICE_FILES_H

#include "vmm/base/own.h"
#include "vmm/vm_devices.h"

struct device_files; /* opaque */
struct devices_config;
struct err;
struct loop;

/*
 * Open everything. Messages name the option and what to do.
 * @c, @loop    borrowed until device_files_close()
 * @uuid        of the VM, 16 bytes, or NULL
 */
int device_files_open(const struct devices_config *c, const uint8_t *uuid,
		      struct loop *loop, struct device_files **ret,
		      struct err *err);
/* Closes, unlocks, removes sockets, ends children. NULL is fine. */
void device_files_close(struct device_files *f);
DEFINE_CLEANUP(struct device_files, device_files_close)

/* The VM has duplicates of what it was lent: keep no second ends. */
void device_files_lent(struct device_files *f);

/*
 * Look again how long the image at @lun is: somebody has made it longer or
 * shorter. This VM and the next have *ret bytes from here on.
 * -ENOENT (ERR_INPUT): no disk there; -EINVAL (ERR_INPUT): less than a block
 */
int device_files_resize(struct device_files *f, unsigned int lun, uint64_t *ret,
			struct err *err);

/*
 * What the next VM gets. Once for each start: a vsock device needs a channel
 * or a vhost descriptor of its own. @ret and all it lends is valid until the
 * next call.
 */
int device_files_config(struct device_files *f, struct vm_devices_config *ret,
			struct err *err);

#endif
