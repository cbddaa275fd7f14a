/* firmware/acpi_loader.c - takes addresses out of tables, and says where. */
#include "firmware/acpi_loader.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/acpi_tables.h"
#include "mem/mem_map.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

/* ACPI 6.5, 5.2.5 to 5.2.9; what acpi_tables.c builds. */
enum {
	RSDP_CHECKSUM = 8,
	RSDP_XSDT = 24,
	RSDP_EXT_CHECKSUM = 32,
	RSDP_V1_LEN = 20,
	HDR_LENGTH = 4,
	HDR_CHECKSUM = 9,
	HDR_LEN = 36,
	FADT_FIRMWARE_CTRL = 36,
	FADT_DSDT = 40,
	FADT_X_DSDT = 140,
	MCFG_BASE = 44,	 /* PCI Firmware 3.3, 4.1.2 */
	TABLES_OFF = 64, /* behind the RSDP, where the FACS may be */
	TABLES_ALIGN = 64,
	RSDP_ALIGN = 16,
};

enum { ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_F_SEGMENT = 2 };
/* Where in an entry the names end and the numbers start. */
enum { NAME = 4, SECOND_NAME = 60, AFTER_NAME = 60, AFTER_NAMES = 116 };

static uint8_t *entry(struct acpi_loader *l, uint32_t command, const char *file)
{
	uint8_t *e = l->script + l->script_len;

	assert(l->script_len + ACPI_LOADER_ENTRY <= sizeof(l->script));
	l->script_len += ACPI_LOADER_ENTRY;
	store_le32(e, command);
	memcpy(e + NAME, file, strlen(file) + 1);
	return e;
}

static void allocate(struct acpi_loader *l, const char *file, uint32_t align,
		     uint8_t zone)
{
	uint8_t *e = entry(l, ALLOCATE, file);

	store_le32(e + AFTER_NAME, align);
	e[AFTER_NAME + 4] = zone;
}

/* The pointer of @size bytes at @off of @file leads into the tables. */
static void pointer(struct acpi_loader *l, const char *file, size_t off,
		    uint8_t size)
{
	uint8_t *e = entry(l, ADD_POINTER, file);

	memcpy(e + SECOND_NAME, ACPI_LOADER_TABLES_FILE,
	       sizeof(ACPI_LOADER_TABLES_FILE));
	store_le32(e + AFTER_NAMES, (uint32_t)off);
	e[AFTER_NAMES + 4] = size;
}

/* The byte at @at of @file, which must be 0, makes [start, + len) sum to 0. */
static void checksum(struct acpi_loader *l, const char *file, size_t at,
		     size_t start, size_t len)
{
	uint8_t *e = entry(l, ADD_CHECKSUM, file);

	store_le32(e + AFTER_NAME, (uint32_t)at);
	store_le32(e + AFTER_NAME + 4, (uint32_t)start);
	store_le32(e + AFTER_NAME + 8, (uint32_t)len);
}

/* Addresses of acpi_tables_build() into offsets into the tables' file. */
static uint64_t offset_of(uint64_t gpa)
{
	assert(gpa >= MEM_RSDP + TABLES_OFF);
	return gpa - MEM_RSDP - TABLES_OFF;
}

static void pointer32(struct acpi_loader *l, size_t at)
{
	uint8_t *p = l->tables + at;

	store_le32(p, (uint32_t)offset_of(load_le32(p)));
	pointer(l, ACPI_LOADER_TABLES_FILE, at, 4);
}

static void pointer64(struct acpi_loader *l, size_t at)
{
	uint8_t *p = l->tables + at;

	store_le64(p, offset_of(load_le64(p)));
	pointer(l, ACPI_LOADER_TABLES_FILE, at, 8);
}

static void reseal(struct acpi_loader *l, size_t table)
{
	uint8_t *t = l->tables + table;

	t[HDR_CHECKSUM] = 0;
	checksum(l, ACPI_LOADER_TABLES_FILE, table + HDR_CHECKSUM, table,
		 load_le32(t + HDR_LENGTH));
}

/* The DSDT's Memory32Fixed of it (ACPI 6.5, 6.4.3.4): tag, address, length. */
static size_t find_window(const struct acpi_loader *l, size_t dsdt)
{
	uint8_t want[12] = {0x86, 9, 0, 1};
	const uint8_t *found;

	store_le32(want + 4, (uint32_t)MEM_ECAM_BASE);
	store_le32(want + 8, (uint32_t)MEM_ECAM_SIZE);
	found = memmem(l->tables + dsdt,
		       load_le32(l->tables + dsdt + HDR_LENGTH), want,
		       sizeof(want));
	assert(found); /* the build's own table */
	return (size_t)(found - l->tables) + 4;
}

static void fadt(struct acpi_loader *l, size_t at)
{
	pointer32(l, at + FADT_FIRMWARE_CTRL);
	pointer32(l, at + FADT_DSDT);
	pointer64(l, at + FADT_X_DSDT);
	l->ecam.dsdt = load_le32(l->tables + at + FADT_DSDT);
	l->ecam.window = find_window(l, l->ecam.dsdt);
	reseal(l, at);
}

static void xsdt(struct acpi_loader *l, size_t at)
{
	size_t len = load_le32(l->tables + at + HDR_LENGTH);

	for (size_t i = HDR_LEN; i < len; i += 8) {
		size_t table;

		pointer64(l, at + i);
		table = (size_t)load_le64(l->tables + at + i);
		if (!memcmp(l->tables + table, "FACP", 4))
			fadt(l, table);
		if (!memcmp(l->tables + table, "MCFG", 4))
			l->ecam.mcfg = table;
	}
	reseal(l, at);
}

static void make(struct acpi_loader *l)
{
	size_t root = (size_t)offset_of(load_le64(l->rsdp + RSDP_XSDT));

	allocate(l, ACPI_LOADER_RSDP_FILE, RSDP_ALIGN, ZONE_F_SEGMENT);
	allocate(l, ACPI_LOADER_TABLES_FILE, TABLES_ALIGN, ZONE_HIGH);
	xsdt(l, root);
	store_le64(l->rsdp + RSDP_XSDT, root);
	pointer(l, ACPI_LOADER_RSDP_FILE, RSDP_XSDT, 8);
	l->rsdp[RSDP_CHECKSUM] = l->rsdp[RSDP_EXT_CHECKSUM] = 0;
	checksum(l, ACPI_LOADER_RSDP_FILE, RSDP_CHECKSUM, 0, RSDP_V1_LEN);
	checksum(l, ACPI_LOADER_RSDP_FILE, RSDP_EXT_CHECKSUM, 0,
		 ACPI_LOADER_RSDP_LEN);
}

static void seal(uint8_t *t)
{
	uint32_t len = load_le32(t + HDR_LENGTH);
	uint8_t sum = 0;

	t[HDR_CHECKSUM] = 0;
	for (uint32_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + t[i]);
	t[HDR_CHECKSUM] = (uint8_t)-sum;
}

void acpi_loader_move_ecam(const struct acpi_loader_ecam *at, uint8_t *tables,
			   uint32_t base)
{
	store_le64(tables + at->mcfg + MCFG_BASE, base);
	seal(tables + at->mcfg);
	store_le32(tables + at->window, base);
	seal(tables + at->dsdt);
}

int acpi_loader_create(unsigned int n_cpus, struct acpi_loader **ret,
		       struct err *err)
{
	AUTO(acpi_loader_destroyp) struct acpi_loader *l = NULL;
	AUTO(freep) uint8_t *all = NULL;
	size_t len = 0;
	int r = acpi_tables_build(n_cpus, &all, &len, err);

	if (r < 0)
		return r;
	l = calloc(1, sizeof(*l));
	if (l)
		l->tables = malloc(len - TABLES_OFF);
	if (!l || !l->tables)
		return err_set(err, -ENOMEM, "ACPI tables: out of memory");
	memcpy(l->rsdp, all, sizeof(l->rsdp));
	l->tables_len = len - TABLES_OFF;
	memcpy(l->tables, all + TABLES_OFF, l->tables_len);
	make(l);
	*ret = TAKE(l);
	return 0;
}

void acpi_loader_destroy(struct acpi_loader *l)
{
	if (!l)
		return;
	free(l->tables);
	free(l);
}
