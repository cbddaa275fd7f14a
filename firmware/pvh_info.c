/* firmware/pvh_info.c - writes hvm_start_info field by field. */
#include "firmware/pvh_info.h"

#include <assert.h>
#include <string.h>

#include "vmm/base/bytes.h"

enum {
	XEN_HVM_START_MAGIC_VALUE = 0x336ec578,
	/* struct hvm_start_info */
	MAGIC = 0,
	VERSION = 4,
	NR_MODULES = 12,
	MODLIST_PADDR = 16,
	CMDLINE_PADDR = 24,
	RSDP_PADDR = 32,
	MEMMAP_PADDR = 40,
	MEMMAP_ENTRIES = 48,
	/* struct hvm_modlist_entry */
	MODULE_PADDR = 0,
	MODULE_SIZE = 8,
	/* struct hvm_memmap_table_entry; its types are those of e820 */
	MEMMAP_ADDR = 0,
	MEMMAP_SIZE = 8,
	MEMMAP_TYPE = 16,
	MEMMAP_ENTRY_LEN = 24,
};

static_assert(PVH_MEMMAP_OFF + E820_MAX * MEMMAP_ENTRY_LEN <= PVH_INFO_LEN,
	      "the largest memory map fits into the page");

void pvh_info_build(const struct pvh_info *p, gpa_t gpa,
		    uint8_t ret[static PVH_INFO_LEN])
{
	memset(ret, 0, PVH_INFO_LEN);
	store_le32(ret + MAGIC, XEN_HVM_START_MAGIC_VALUE);
	store_le32(ret + VERSION, 1);
	store_le64(ret + CMDLINE_PADDR, p->cmdline);
	store_le64(ret + RSDP_PADDR, p->rsdp);
	if (p->initrd_len) {
		uint8_t *mod = ret + PVH_MODLIST_OFF;

		store_le32(ret + NR_MODULES, 1);
		store_le64(ret + MODLIST_PADDR, gpa + PVH_MODLIST_OFF);
		store_le64(mod + MODULE_PADDR, p->initrd);
		store_le64(mod + MODULE_SIZE, p->initrd_len);
	}
	store_le64(ret + MEMMAP_PADDR, gpa + PVH_MEMMAP_OFF);
	store_le32(ret + MEMMAP_ENTRIES, (uint32_t)p->e820->n);
	for (size_t i = 0; i < p->e820->n; i++) {
		const struct e820_entry *e = &p->e820->entry[i];
		uint8_t *to = ret + PVH_MEMMAP_OFF + i * MEMMAP_ENTRY_LEN;

		store_le64(to + MEMMAP_ADDR, e->base);
		store_le64(to + MEMMAP_SIZE, e->len);
		store_le32(to + MEMMAP_TYPE, (uint32_t)e->type);
	}
}
