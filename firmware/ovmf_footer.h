/*
 * firmware/ovmf_footer.h - what a firmware image says of itself in its last
 * bytes: a table of GUIDs, by which a VMM finds where a table of kernel hashes
 * and secrets go, and where the CPUs of an SEV-ES guest start.
 *
 * Source: edk2, OvmfPkg/ResetVector/Ia16/ResetVectorVtf0.nasm.inc; QEMU,
 * hw/i386/pc_sysfw_ovmf.c. The table ends 32 bytes before the image's end and
 * is read backwards: each entry is data, its length with 18 bytes of head (2),
 * GUID (16); the first one read gives the length of all. Older images have
 * nothing but the reset block in its place.
 */
#ifndef FIRMWARE_OVMF_FOOTER_H
#define FIRMWARE_OVMF_FOOTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* The longest table there can be, and what is behind it. */
enum { OVMF_FOOTER_TAIL_MAX = 0xffff + 32 };

/* size 0: this firmware has none. base + size is within 32 bits. */
struct ovmf_area {
	uint32_t base, size;
};

struct ovmf_footer {
	bool has_reset; /* the block is there */
	uint32_t reset; /* CS base in bits 31:16, IP in bits 15:0 */
	struct ovmf_area secret;
	struct ovmf_area hashes; /* at least 176 bytes, or none */
};

/*
 * @tail: the last @len bytes of an image, of which @len is all or at least
 * OVMF_FOOTER_TAIL_MAX. An image without a table is fine, and has nothing.
 * -EBADMSG     lengths that lie, an entry that is there twice, an area that
 *              wraps or is too small; the message (ERR_INPUT) does not name
 *              the file
 */
int ovmf_footer_parse(const uint8_t *tail, size_t len, struct ovmf_footer *ret,
		      struct err *err);

#endif
