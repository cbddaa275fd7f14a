/*
 * firmware/acpi_tables.h - the ACPI tables of the machine q35-coffer-1.
 *
 * RSDP, XSDT, FADT, FACS, DSDT, MADT and MCFG in one piece that starts with
 * the RSDP at MEM_RSDP. The bytes depend on the number of CPUs and on nothing
 * else (not on memory, disks, network cards, or the release), since they go
 * into launch digests; the DSDT is the same for every VM.
 */
#ifndef FIRMWARE_ACPI_TABLES_H
#define FIRMWARE_ACPI_TABLES_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/acpi_layout.h"

struct err;

enum { ACPI_TABLES_CPUS_MAX = ACPI_LAYOUT_CPUS_MAX };

/*
 * Build the tables for CPUs with APIC ids 0 .. n_cpus - 1.
 * *ret, *ret_len   what to load at MEM_RSDP, at most MEM_ACPI_SIZE bytes;
 *                  the caller's, to be freed with free()
 * -EINVAL          n_cpus is 0 or more than ACPI_TABLES_CPUS_MAX
 * -ENOMEM
 */
int acpi_tables_build(unsigned int n_cpus, uint8_t **ret, size_t *ret_len,
		      struct err *err);

#endif
