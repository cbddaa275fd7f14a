/* firmware/e820.h - the memory map a kernel is given. */
#ifndef FIRMWARE_E820_H
#define FIRMWARE_E820_H

#include <stddef.h>
#include <stdint.h>

#include "mem/mem_map.h"

/*
 * E820_MAX is what fits into the zero page (E820_MAX_ENTRIES_ZEROPAGE) and
 * what a PVH kernel takes. The machine has eight entries or so; SETUP_E820_EXT,
 * which would carry more, is not needed.
 */
enum { E820_MAX = 128 };

enum e820_type { /* ACPI 6.5, 15 "System Address Map Interfaces" */
		 E820_RAM = 1,
		 E820_RESERVED = 2,
		 E820_ACPI = 3,
		 E820_NVS = 4,
};

struct e820_entry {
	gpa_t base;
	uint64_t len;
	enum e820_type type;
};

/* Sorted, without overlaps; neighbours of one type are one entry. */
struct e820_map {
	size_t n;
	struct e820_entry entry[E820_MAX];
};

/*
 * [base, base + len) becomes @type, whatever it was. @len 0 changes nothing.
 * -EINVAL      the range wraps
 * -ENOSPC      more than E820_MAX entries; the map is as before
 */
int e820_add(struct e820_map *map, gpa_t base, uint64_t len,
	     enum e820_type type);

/*
 * The map of a machine with @ram_bytes of RAM (MEM_RAM_MIN..MEM_RAM_MAX): RAM
 * up to the EBDA, reserved to 1 MiB (ACPI and SMBIOS tables are there), RAM,
 * ECAM (Linux ignores MCFG otherwise) and the pages kvm_intel uses reserved,
 * RAM above 4 GiB. Add further reservations with e820_add().
 */
void e820_machine(uint64_t ram_bytes, struct e820_map *ret);

/*
 * The same for RAM at [0, low_end) and [4 GiB, high_end), as other machines
 * split it. @low_end up to MEM_PCI32_BASE; @high_end 4 GiB: none there.
 */
void e820_machine_split(gpa_t low_end, gpa_t high_end, struct e820_map *ret);

#endif
