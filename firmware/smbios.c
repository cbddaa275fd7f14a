/*
 * firmware/smbios.c - writes the SMBIOS entry point and its structures.
 *
 * DSP0134 3.0: a structure is a formatted area, whose string fields are
 * numbers, followed by its strings, each ended by a zero, and one more zero.
 */
#include "firmware/smbios.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* 5.2.2 "SMBIOS 3.0 (64-bit) Entry Point" */
enum {
	SM3_CHECKSUM = 5,
	SM3_LENGTH = 6,
	SM3_MAJOR = 7,
	SM3_REVISION = 0x0a,
	SM3_TABLE_MAX_SIZE = 0x0c,
	SM3_TABLE_ADDRESS = 0x10,
	SM3_LEN = SMBIOS_ANCHOR_LEN,
	TABLE_OFF = SMBIOS_TABLES_OFF,
};

/* 7.1 "BIOS Information (Type 0)" */
enum {
	BIOS_VENDOR = 0x04,
	BIOS_VERSION = 0x05,
	BIOS_DATE = 0x08,
	BIOS_CHARACTERISTICS = 0x0a,
	BIOS_CHARACTERISTICS_NONE = 1 << 3,
	BIOS_EXTENSION_2 = 0x13,
	BIOS_IS_VIRTUAL_MACHINE = 1 << 4,
	BIOS_RELEASES = 0x14, /* four bytes; 0xff: not supported */
	BIOS_LEN = 0x18,
};

/* 7.2 "System Information (Type 1)" */
enum {
	SYSTEM_MANUFACTURER = 0x04,
	SYSTEM_PRODUCT = 0x05,
	SYSTEM_SERIAL = 0x07,
	SYSTEM_UUID = 0x08,
	SYSTEM_WAKE_UP = 0x18,
	SYSTEM_WAKE_UP_POWER_SWITCH = 6,
	SYSTEM_LEN = 0x1b,
};

/* 7.12 "OEM Strings (Type 11)", 7.45 "End-of-Table (Type 127)" */
enum { OEM_COUNT = 4, OEM_LEN = 5, END_LEN = 4 };

enum { TYPE_BIOS = 0, TYPE_SYSTEM = 1, TYPE_OEM = 11, TYPE_END = 127 };

/*
 * The day the machine version was defined: Linux treats firmware from before
 * 2023 as if its PCI windows could not be trusted (arch/x86/pci/acpi.c).
 */
static const char machine_date[] = "11/21/2025";
static const char machine_name[] = "q35-coffer-1";

struct out {
	uint8_t *buf; /* MEM_SMBIOS_SIZE bytes, zeroed */
	size_t len;
	uint16_t handle; /* of the next structure */
	bool full;	 /* something did not fit; nothing is written then */
};

static void put(struct out *o, const void *p, size_t n)
{
	if (o->full || n > MEM_SMBIOS_SIZE - o->len) {
		o->full = true;
		return;
	}
	memcpy(o->buf + o->len, p, n);
	o->len += n;
}

/* @area starts with room for the four bytes of the header. */
static void put_structure(struct out *o, uint8_t type, uint8_t *area,
			  uint8_t len, const char *const *strings,
			  size_t n_strings)
{
	area[0] = type;
	area[1] = len;
	store_le16(area + 2, o->handle++);
	put(o, area, len);
	for (size_t i = 0; i < n_strings; i++)
		put(o, strings[i], strlen(strings[i]) + 1);
	put(o, "\0", n_strings ? 1 : 2);
}

static void put_bios(struct out *o)
{
	const char *const strings[] = {"coffer", machine_name, machine_date};
	uint8_t area[BIOS_LEN] = {0};

	area[BIOS_VENDOR] = 1;
	area[BIOS_VERSION] = 2;
	area[BIOS_DATE] = 3;
	store_le64(area + BIOS_CHARACTERISTICS, BIOS_CHARACTERISTICS_NONE);
	area[BIOS_EXTENSION_2] = BIOS_IS_VIRTUAL_MACHINE;
	memset(area + BIOS_RELEASES, 0xff, 4);
	put_structure(o, TYPE_BIOS, area, BIOS_LEN, strings,
		      ARRAY_SIZE(strings));
}

/* 7.2.1 "System - UUID": the first three fields are little-endian. */
static void put_uuid(uint8_t *p, const uint8_t uuid[static 16])
{
	store_le32(p, load_be32(uuid));
	store_le16(p + 4, load_be16(uuid + 4));
	store_le16(p + 6, load_be16(uuid + 6));
	memcpy(p + 8, uuid + 8, 8);
}

static void put_system(struct out *o, const struct smbios_config *c)
{
	const char *const strings[] = {"coffer", machine_name, c->serial};
	uint8_t area[SYSTEM_LEN] = {0};

	area[SYSTEM_MANUFACTURER] = 1;
	area[SYSTEM_PRODUCT] = 2;
	area[SYSTEM_SERIAL] = c->serial ? 3 : 0;
	put_uuid(area + SYSTEM_UUID, c->uuid);
	area[SYSTEM_WAKE_UP] = SYSTEM_WAKE_UP_POWER_SWITCH;
	put_structure(o, TYPE_SYSTEM, area, SYSTEM_LEN, strings,
		      c->serial ? 3 : 2);
}

static void put_oem(struct out *o, const struct smbios_config *c)
{
	uint8_t area[OEM_LEN] = {0};

	if (!c->n_oem)
		return;
	area[OEM_COUNT] = (uint8_t)c->n_oem; /* checked: <= SMBIOS_OEM_MAX */
	put_structure(o, TYPE_OEM, area, OEM_LEN, c->oem, c->n_oem);
}

static void put_end(struct out *o)
{
	uint8_t area[END_LEN] = {0};

	put_structure(o, TYPE_END, area, END_LEN, NULL, 0);
}

static void put_entry_point(struct out *o)
{
	static const uint8_t anchor[] = {'_', 'S', 'M', '3', '_'};
	uint8_t *p = o->buf, sum = 0;

	memcpy(p, anchor, sizeof(anchor));
	p[SM3_LENGTH] = SM3_LEN;
	p[SM3_MAJOR] = 3;
	p[SM3_REVISION] = 1;
	store_le32(p + SM3_TABLE_MAX_SIZE, (uint32_t)(o->len - TABLE_OFF));
	store_le64(p + SM3_TABLE_ADDRESS, MEM_SMBIOS + TABLE_OFF);
	for (size_t i = 0; i < SM3_LEN; i++)
		sum = (uint8_t)(sum + p[i]);
	p[SM3_CHECKSUM] = (uint8_t)(0u - sum);
}

/*
 * An empty string would end the list of strings, and a control character has
 * no business in an inventory: sysfs shows these files line by line.
 */
static const char *why_bad(const char *s)
{
	if (!*s)
		return "is empty";
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return "has a control character";
	return NULL;
}

static int check(const struct smbios_config *c, struct err *err)
{
	const char *why;

	if (c->serial && (why = why_bad(c->serial)))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "SMBIOS serial number %s", why);
	if (c->n_oem > SMBIOS_OEM_MAX)
		return err_set_kind(
			err, ERR_USAGE, -E2BIG,
			"--oem-string: %zu are given; at most %d are "
			"possible",
			c->n_oem, SMBIOS_OEM_MAX);
	for (size_t i = 0; i < c->n_oem; i++)
		if ((why = why_bad(c->oem[i])))
			return err_set_kind(err, ERR_USAGE, -EINVAL,
					    "--oem-string: number %zu %s",
					    i + 1, why);
	return 0;
}

int smbios_build(const struct smbios_config *c, uint8_t **ret, size_t *ret_len,
		 struct err *err)
{
	AUTO(freep) uint8_t *buf = NULL;
	struct out o;
	int r = check(c, err);

	if (r < 0)
		return r;
	buf = calloc(1, MEM_SMBIOS_SIZE);
	if (!buf)
		return err_set(err, -ENOMEM, "SMBIOS tables: out of memory");
	o = (struct out){.buf = buf, .len = TABLE_OFF};
	put_bios(&o);
	put_system(&o, c);
	put_oem(&o, c);
	put_end(&o);
	if (o.full) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): AUTO frees */
		return err_set_kind(
			err, ERR_USAGE, -E2BIG,
			"the SMBIOS strings do not fit: use less than %d KiB",
			(int)(MEM_SMBIOS_SIZE / KIB(1)) - 1);
	put_entry_point(&o);
	*ret_len = o.len;
	*ret = TAKE(buf);
	return 0;
}
