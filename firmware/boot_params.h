/*
 * firmware/boot_params.h - what a bzImage is told at its entry: the zero page
 * and setup_data.
 *
 * Source: Linux, Documentation/arch/x86/boot.rst and zero-page.rst.
 */
#ifndef FIRMWARE_BOOT_PARAMS_H
#define FIRMWARE_BOOT_PARAMS_H

#include <stdint.h>

#include "firmware/bzimage.h"
#include "firmware/e820.h"
#include "mem/mem_map.h"

enum {
	BOOT_PARAMS_LEN = 4096,
	SETUP_DATA_HEADER_LEN = 16, /* next, type, len */
	SETUP_RNG_SEED = 9,
};

struct boot_params {
	const struct bzimage *bz;
	const struct e820_map *e820;
	uint32_t load;	  /* where the protected-mode code is */
	uint32_t cmdline; /* zero-terminated string */
	gpa_t initrd;	  /* with initrd_len 0: no initrd */
	uint64_t initrd_len;
	gpa_t setup_data; /* first element, 0: none */
	gpa_t rsdp;	  /* 0: none */
};

void boot_params_build(const struct boot_params *p,
		       uint8_t ret[static BOOT_PARAMS_LEN]);

/* One setup_data element, the last of its list: header and @len bytes. */
void setup_data_build(uint32_t type, const void *data, uint32_t len,
		      uint8_t *ret);

#endif
