/* firmware/boot_tables.h - GDT and page tables for the boot vCPU. */
#ifndef FIRMWARE_BOOT_TABLES_H
#define FIRMWARE_BOOT_TABLES_H

#include <stdint.h>

#include "firmware/boot_entry.h"
#include "mem/mem_map.h"

enum {
	BOOT_GDT_LEN = 0x30,	       /* a 64-bit TSS takes two slots */
	BOOT_PAGE_TABLES_LEN = 0x6000, /* PML4, PDPT, four PDs */
};

/* Flat CS of the mode, flat DS, busy TSS, at the selectors of boot_entry.h. */
void boot_gdt_build(enum boot_mode mode, uint8_t ret[static BOOT_GDT_LEN]);

/*
 * Map the low 4 GiB to themselves in pages of 2 MiB (not every CPU has pages
 * of 1 GiB), for tables that will be at @gpa, a multiple of 4096.
 */
void boot_page_tables_build(gpa_t gpa,
			    uint8_t ret[static BOOT_PAGE_TABLES_LEN]);

#endif
