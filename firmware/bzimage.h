/*
 * firmware/bzimage.h - the header of a Linux bzImage.
 *
 * Source: Linux, Documentation/arch/x86/boot.rst. Names in the setup header are
 * those of that document.
 */
#ifndef FIRMWARE_BZIMAGE_H
#define FIRMWARE_BZIMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct image_file;

enum {
	BZIMAGE_HDR_OFF = 0x1f1, /* setup_header, in the file and zero page */
	BZIMAGE_HDR_END = 0x290, /* its end in the zero page, at most */
	BZIMAGE_HDR_MAX = BZIMAGE_HDR_END - BZIMAGE_HDR_OFF,
	BZIMAGE_ENTRY64 = 0x200, /* 64-bit entry, from the load address */
};

/* xloadflags */
enum {
	XLF_KERNEL_64 = 1 << 0,
	XLF_CAN_BE_LOADED_ABOVE_4G = 1 << 1,
};

struct bzimage {
	uint16_t version;      /* boot protocol, 0x020c or later */
	uint16_t xloadflags;   /* XLF_*; XLF_KERNEL_64 is set */
	bool relocatable;      /* may run elsewhere than at pref_address */
	uint64_t pref_address; /* 0: no preference */
	uint64_t alignment;    /* kernel_alignment, a power of two */
	uint64_t init_size;    /* memory it needs from where it runs, bytes */
	uint64_t code_off;     /* protected-mode code, in the window */
	uint64_t code_len;     /* > BZIMAGE_ENTRY64; <= init_size */
	uint64_t payload_off;  /* compressed kernel, from code_off */
	uint64_t payload_len;  /* 0: not said */
	uint32_t cmdline_size; /* > 0, without the final zero */
	uint32_t initrd_addr_max; /* highest byte an initrd may occupy */
	size_t hdr_len;
	uint8_t hdr[BZIMAGE_HDR_MAX]; /* the setup_header as in the file */
};

/*
 * Does a file that starts with @head look like a bzImage? @len >= 0x206 is
 * needed for a yes.
 */
bool bzimage_probe(const uint8_t *head, size_t len);

/*
 * Check the header of @f, for which bzimage_probe() said yes.
 * -ENOEXEC     a Linux image we do not start: zImage, 32-bit, before protocol
 *              2.12 (Linux 3.8)
 * -EBADMSG     the header contradicts itself, or the file ends too early
 * and those of image_file_read(). The kind is ERR_INPUT.
 */
int bzimage_parse(const struct image_file *f, struct bzimage *ret,
		  struct err *err);

#endif
