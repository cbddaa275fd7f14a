/*
 * firmware/acpi_layout.h - the bytes of the ACPI tables of q35-coffer-1.
 *
 * The VMM builds them here for a guest without firmware, and stage0, in the
 * guest, for itself: no allocation, no messages.
 */
#ifndef FIRMWARE_ACPI_LAYOUT_H
#define FIRMWARE_ACPI_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

enum { ACPI_LAYOUT_CPUS_MAX = 64 };

/*
 * Lay out the tables for CPUs with APIC ids 0 .. n_cpus - 1 (1 to
 * ACPI_LAYOUT_CPUS_MAX), for MEM_RSDP.
 * @area    MEM_ACPI_SIZE bytes, zeroed
 * Returns how many of them are used.
 */
size_t acpi_layout(unsigned int n_cpus, uint8_t *area);

#endif
