/*
 * firmware/acpi_loader.h - the ACPI tables for firmware that places them
 * itself: two files without addresses, and the script that puts them in.
 *
 * The script is that of QEMU, hw/acpi/bios-linker-loader.c: entries of 128
 * bytes that allocate a file, add its address to a pointer, or compute a
 * checksum. A pointer in a file holds an offset until then.
 */
#ifndef FIRMWARE_ACPI_LOADER_H
#define FIRMWARE_ACPI_LOADER_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct err;

/* Their names in fw_cfg. */
#define ACPI_LOADER_RSDP_FILE "etc/acpi/rsdp"
#define ACPI_LOADER_TABLES_FILE "etc/acpi/tables"
#define ACPI_LOADER_SCRIPT_FILE "etc/table-loader"

enum {
	ACPI_LOADER_ENTRY = 128,
	ACPI_LOADER_ENTRIES_MAX = 24,
	ACPI_LOADER_RSDP_LEN = 36,
};

/* Where the tables say where ECAM is: offsets into them. */
struct acpi_loader_ecam {
	size_t mcfg, dsdt; /* tables */
	size_t window;	   /* the address in the DSDT */
};

struct acpi_loader {
	uint8_t rsdp[ACPI_LOADER_RSDP_LEN];
	uint8_t *tables; /* owned */
	size_t tables_len;
	uint8_t script[ACPI_LOADER_ENTRY * ACPI_LOADER_ENTRIES_MAX];
	size_t script_len;
	struct acpi_loader_ecam ecam;
};

/*
 * The tables that acpi_tables_build() makes for @n_cpus, and its errors. *ret
 * is the caller's: acpi_loader_destroy().
 */
int acpi_loader_create(unsigned int n_cpus, struct acpi_loader **ret,
		       struct err *err);
/* NULL is fine. */
void acpi_loader_destroy(struct acpi_loader *l);
DEFINE_CLEANUP(struct acpi_loader, acpi_loader_destroy)

/*
 * ECAM is at @base now, by which @tables, a copy of acpi_loader.tables, are
 * changed: firmware places it as it likes, and reads the tables afterwards.
 */
void acpi_loader_move_ecam(const struct acpi_loader_ecam *at, uint8_t *tables,
			   uint32_t base);

#endif
