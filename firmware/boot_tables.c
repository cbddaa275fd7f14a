/* firmware/boot_tables.c - descriptors and page tables, Intel SDM volume 3. */
#include "firmware/boot_tables.h"

#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

/* SDM 3, 3.4.5 "Segment Descriptors": base 0; accessed, as after loading. */
#define GDT_CODE64 UINT64_C(0x00af9b000000ffff)
#define GDT_CODE32 UINT64_C(0x00cf9b000000ffff)
#define GDT_DATA UINT64_C(0x00cf93000000ffff)
#define GDT_TSS_BUSY UINT64_C(0x00008b0000000067) /* limit 0x67 */

/* SDM 3, 4.5 "4-Level Paging". */
enum {
	PTE_PRESENT = 1 << 0,
	PTE_WRITE = 1 << 1,
	PTE_LARGE = 1 << 7,
	TABLE = 0x1000,
	ENTRIES = 512,
	N_PD = 4,
};

void boot_gdt_build(enum boot_mode mode, uint8_t ret[static BOOT_GDT_LEN])
{
	memset(ret, 0, BOOT_GDT_LEN);
	store_le64(ret + BOOT_CS,
		   mode == BOOT_LONG64 ? GDT_CODE64 : GDT_CODE32);
	store_le64(ret + BOOT_DS, GDT_DATA);
	store_le64(ret + BOOT_TR, GDT_TSS_BUSY);
}

void boot_page_tables_build(gpa_t gpa, uint8_t ret[static BOOT_PAGE_TABLES_LEN])
{
	uint8_t *pdpt = ret + TABLE, *pd = pdpt + TABLE;

	memset(ret, 0, BOOT_PAGE_TABLES_LEN);
	store_le64(ret, (gpa + TABLE) | PTE_PRESENT | PTE_WRITE);
	for (uint64_t i = 0; i < N_PD; i++)
		store_le64(pdpt + i * 8,
			   (gpa + (2 + i) * TABLE) | PTE_PRESENT | PTE_WRITE);
	for (uint64_t i = 0; i < (uint64_t)N_PD * ENTRIES; i++)
		store_le64(pd + i * 8,
			   i * MIB(2) | PTE_PRESENT | PTE_WRITE | PTE_LARGE);
}
