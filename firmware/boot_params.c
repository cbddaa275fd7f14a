/* firmware/boot_params.c - writes the zero page field by field. */
#include "firmware/boot_params.h"

#include <string.h>

#include "vmm/base/bytes.h"

/* Offsets in struct boot_params (zero-page.rst; boot.rst from 0x1f1 on). */
enum {
	ACPI_RSDP_ADDR = 0x070,	   /* 8 bytes; Linux 5.0, ignored before */
	EXT_RAMDISK_IMAGE = 0x0c0, /* 4: upper halves */
	EXT_RAMDISK_SIZE = 0x0c4,
	E820_ENTRIES = 0x1e8, /* 1 */
	VID_MODE = 0x1fa,     /* 2 */
	TYPE_OF_LOADER = 0x210,
	CODE32_START = 0x214,
	RAMDISK_IMAGE = 0x218,
	RAMDISK_SIZE = 0x21c,
	CMD_LINE_PTR = 0x228,
	SETUP_DATA = 0x250,
	E820_TABLE = 0x2d0,
	E820_ENTRY_LEN = 20,
	LOADER_UNDEFINED = 0xff,
	VID_MODE_NORMAL = 0xffff,
};

void boot_params_build(const struct boot_params *p,
		       uint8_t ret[static BOOT_PARAMS_LEN])
{
	memset(ret, 0, BOOT_PARAMS_LEN);
	memcpy(ret + BZIMAGE_HDR_OFF, p->bz->hdr, p->bz->hdr_len);
	ret[TYPE_OF_LOADER] = LOADER_UNDEFINED;
	store_le16(ret + VID_MODE, VID_MODE_NORMAL);
	store_le32(ret + CODE32_START, p->load);
	store_le32(ret + CMD_LINE_PTR, p->cmdline);
	store_le64(ret + SETUP_DATA, p->setup_data);
	store_le64(ret + ACPI_RSDP_ADDR, p->rsdp);
	store_le32(ret + RAMDISK_IMAGE, (uint32_t)p->initrd);
	store_le32(ret + RAMDISK_SIZE, (uint32_t)p->initrd_len);
	store_le32(ret + EXT_RAMDISK_IMAGE, (uint32_t)(p->initrd >> 32));
	store_le32(ret + EXT_RAMDISK_SIZE, (uint32_t)(p->initrd_len >> 32));
	ret[E820_ENTRIES] = (uint8_t)p->e820->n; /* E820_MAX is 128 */
	for (size_t i = 0; i < p->e820->n; i++) {
		const struct e820_entry *e = &p->e820->entry[i];
		uint8_t *to = ret + E820_TABLE + i * E820_ENTRY_LEN;

		store_le64(to, e->base);
		store_le64(to + 8, e->len);
		store_le32(to + 16, (uint32_t)e->type);
	}
}

void setup_data_build(uint32_t type, const void *data, uint32_t len,
		      uint8_t *ret)
{
	store_le64(ret, 0);
	store_le32(ret + 8, type);
	store_le32(ret + 12, len);
	memcpy(ret + SETUP_DATA_HEADER_LEN, data, len);
}
