/* tests/unit/test_boot_tables.c - GDT and page tables, read as a CPU would. */
#include "tests/unit/unit.h"

#include <stdbool.h>

#include "firmware/boot_tables.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

static uint64_t descriptor(const uint8_t *gdt, unsigned int selector)
{
	return load_le64(gdt + selector);
}

/* Base, limit in bytes - 1, and type of a descriptor (SDM 3, 3.4.5). */
static uint32_t base_of(uint64_t d)
{
	return (uint32_t)((d >> 16 & 0xffffff) | (d >> 32 & 0xff000000));
}

static uint32_t limit_of(uint64_t d)
{
	uint32_t limit = (uint32_t)((d & 0xffff) | (d >> 32 & 0xf0000));

	return d >> 55 & 1 ? limit << 12 | 0xfff : limit;
}

static void segments_are_flat_and_of_the_mode(void **state)
{
	uint8_t gdt[BOOT_GDT_LEN];
	uint64_t cs, ds, tr;

	(void)state;
	for (int mode = BOOT_LONG64; mode <= BOOT_PROT32; mode++) {
		boot_gdt_build((enum boot_mode)mode, gdt);
		cs = descriptor(gdt, BOOT_CS);
		ds = descriptor(gdt, BOOT_DS);
		tr = descriptor(gdt, BOOT_TR);
		assert_int_equal(descriptor(gdt, 0), 0);
		assert_int_equal(base_of(cs), 0);
		assert_int_equal(limit_of(cs), UINT32_MAX);
		assert_int_equal(cs >> 40 & 0xff, 0x9b); /* exec, read */
		assert_int_equal(cs >> 53 & 1, mode == BOOT_LONG64); /* L */
		assert_int_equal(cs >> 54 & 1, mode == BOOT_PROT32); /* D */
		assert_int_equal(base_of(ds), 0);
		assert_int_equal(limit_of(ds), UINT32_MAX);
		assert_int_equal(ds >> 40 & 0xff, 0x93); /* read, write */
		assert_int_equal(base_of(tr), 0);
		assert_int_equal(limit_of(tr), 0x67);
		assert_int_equal(tr >> 40 & 0xff, 0x8b); /* busy TSS */
	}
}

/* Walk the tables at @gpa for @addr; false: not present or not 2 MiB. */
static bool walk(const uint8_t *tables, gpa_t gpa, uint64_t addr, gpa_t *ret)
{
	uint64_t e = gpa;

	for (int shift = 39; shift >= 21; shift -= 9) {
		uint64_t at = (e & ~UINT64_C(0xfff)) - gpa +
			      (addr >> shift & 511) * 8;

		if (at >= BOOT_PAGE_TABLES_LEN)
			return false;
		e = load_le64(tables + at);
		if ((e & 3) != 3 || (e >> 7 & 1) != (shift == 21))
			return false;
	}
	*ret = (e & ~(MIB(2) - 1)) | (addr & (MIB(2) - 1));
	return true;
}

static void the_low_four_gib_map_to_themselves(void **state)
{
	uint8_t tables[BOOT_PAGE_TABLES_LEN];
	const gpa_t gpa = 0x2000;
	gpa_t to = 0;

	(void)state;
	boot_page_tables_build(gpa, tables);
	for (uint64_t addr = 0x1234; addr < GIB(4); addr += MIB(2)) {
		assert_true(walk(tables, gpa, addr, &to));
		assert_int_equal(to, addr);
	}
	assert_false(walk(tables, gpa, GIB(4), &to));
	assert_false(walk(tables, gpa, BIT64(39), &to));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_are_flat_and_of_the_mode),
		cmocka_unit_test(the_low_four_gib_map_to_themselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
