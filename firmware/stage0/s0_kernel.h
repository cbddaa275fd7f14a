/*
 * firmware/stage0/s0_kernel.h - the setup header of the kernel, and where
 * kernel and initial RAM disk go.
 *
 * Source: Linux, Documentation/arch/x86/boot.rst. The header decides where the
 * rest is loaded, so it is used before its hash is known: nothing it says leads
 * outside of the RAM above S0_LOW_END.
 */
#ifndef FIRMWARE_STAGE0_S0_KERNEL_H
#define FIRMWARE_STAGE0_S0_KERNEL_H

#include <stdint.h>

#include "firmware/bzimage.h"
#include "firmware/stage0/s0_ram.h"
#include "firmware/stage0_reason.h"

/*
 * Check the setup part of a bzImage, @len bytes, behind which @code_len bytes
 * come. STAGE0_KERNEL_KIND, STAGE0_KERNEL_HEADER.
 */
enum stage0_reason s0_kernel_parse(const uint8_t *setup, uint32_t len,
				   uint32_t code_len, struct bzimage *ret);

struct s0_place {
	uint64_t kernel; /* where the code goes; its entry is behind it */
	uint64_t initrd; /* page-aligned; @initrd_len bytes are free there */
};

/*
 * Find room in low RAM. @initrd_len is with what is put behind it; 0: none.
 * STAGE0_NO_ROOM.
 */
enum stage0_reason s0_kernel_place(const struct bzimage *bz,
				   const struct s0_ram *ram, uint32_t code_len,
				   uint64_t initrd_len, struct s0_place *ret);

#endif
