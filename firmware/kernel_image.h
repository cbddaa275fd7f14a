/*
 * firmware/kernel_image.h - what a kernel file is and what it asks for.
 *
 * The file decides by its content, never by its name: a bzImage, an ELF
 * vmlinux with a PVH note, or a unified kernel image, whose .linux section is
 * a bzImage. How the kernel inside a bzImage is compressed does not matter: it
 * decompresses itself. Only headers are read here, into bounded buffers, once;
 * the bytes go from the file into guest memory later (linux_boot.h).
 */
#ifndef FIRMWARE_KERNEL_IMAGE_H
#define FIRMWARE_KERNEL_IMAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "firmware/bzimage.h"
#include "firmware/elf_image.h"
#include "firmware/image_file.h"
#include "vmm/base/own.h"

struct err;

enum kernel_image_kind {
	KERNEL_IMAGE_BZIMAGE, /* Linux boot protocol */
	KERNEL_IMAGE_ELF_PVH, /* ELF64 with an entry point for PVH */
};

/* Plain data, all of it checked: a launch plan may read it. */
struct kernel_image {
	enum kernel_image_kind kind;
	struct image_file file; /* the kernel itself; in a UKI, .linux */
	union {
		struct bzimage bz;    /* KERNEL_IMAGE_BZIMAGE */
		struct elf_image elf; /* KERNEL_IMAGE_ELF_PVH */
	};
	/* Bytes of command line the kernel takes, without the final zero. */
	uint32_t cmdline_max;
	bool unified;		  /* came as a unified kernel image, with */
	struct image_file initrd; /* its .initrd; len 0 when it has none */
	char *cmdline;		  /* its .cmdline, owned; NULL: it has none */
};

/*
 * Recognise and check the kernel in @fd. @fd and @name are borrowed until
 * kernel_image_destroy(). *ret is owned by the caller.
 * -ENOEXEC     not a kernel image we can start; the message says what the file
 *              looks like
 * -EBADMSG     it is one, but its headers contradict themselves or the file,
 *              which may have been cut
 * -ENOMEM      on the host
 * and those of image_file_open() and image_file_read(). The kind is ERR_INPUT,
 * but for -ENOMEM.
 */
int kernel_image_open(int fd, const char *name, struct kernel_image **ret,
		      struct err *err);
/*
 * What @k is started with. The command line: @given, or its own where that is
 * NULL or empty; "" when there is neither. The initial RAM disk: @given, or its
 * own where that has no bytes; it may have none.
 */
const char *kernel_image_cmdline(const struct kernel_image *k,
				 const char *given);
const struct image_file *kernel_image_initrd(const struct kernel_image *k,
					     const struct image_file *given);
/* NULL is fine. */
void kernel_image_destroy(struct kernel_image *k);
DEFINE_CLEANUP(struct kernel_image, kernel_image_destroy)

#endif
