/*
 * firmware/pvh_info.h - what a PVH kernel is told at its entry.
 *
 * Source: Xen, xen/include/public/arch-x86/hvm/start_info.h.
 */
#ifndef FIRMWARE_PVH_INFO_H
#define FIRMWARE_PVH_INFO_H

#include <stdint.h>

#include "firmware/e820.h"
#include "mem/mem_map.h"

enum {
	PVH_MODLIST_OFF = 0x40, /* from the start of the page */
	PVH_MEMMAP_OFF = 0x80,
	PVH_INFO_LEN = 4096, /* E820_MAX entries of 24 bytes fit */
};

struct pvh_info {
	const struct e820_map *e820;
	gpa_t cmdline; /* zero-terminated string */
	gpa_t initrd;  /* with initrd_len 0: no module */
	uint64_t initrd_len;
	gpa_t rsdp; /* 0: none */
};

/*
 * hvm_start_info, its module list and its memory map, for a page that will be
 * at @gpa.
 */
void pvh_info_build(const struct pvh_info *p, gpa_t gpa,
		    uint8_t ret[static PVH_INFO_LEN]);

#endif
