/* tests/unit/test_pvh_info.c - hvm_start_info and what it points to. */
#include "tests/unit/unit.h"

#include <string.h>

#include "firmware/pvh_info.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum { GPA = 0x9000 };

static void fields_are_where_the_interface_has_them(void **state)
{
	struct e820_map map;
	const struct pvh_info p = {
		.e820 = &map,
		.cmdline = 0x10000,
		.initrd = 0x7000000,
		.initrd_len = 0x1234,
		.rsdp = 0xe0000,
	};
	uint8_t page[PVH_INFO_LEN], *mod;

	(void)state;
	e820_machine(MIB(128), &map);
	memset(page, 0xff, sizeof(page));
	pvh_info_build(&p, GPA, page);
	assert_int_equal(load_le32(page), 0x336ec578);
	assert_int_equal(load_le32(page + 4), 1);  /* version */
	assert_int_equal(load_le32(page + 8), 0);  /* flags */
	assert_int_equal(load_le32(page + 12), 1); /* modules */
	assert_int_equal(load_le64(page + 24), 0x10000);
	assert_int_equal(load_le64(page + 32), 0xe0000);
	assert_int_equal(load_le32(page + 52), 0); /* reserved */
	mod = page + (load_le64(page + 16) - GPA);
	assert_int_equal(load_le64(mod), 0x7000000);
	assert_int_equal(load_le64(mod + 8), 0x1234);
	assert_int_equal(load_le64(mod + 16), 0); /* no command line */
	assert_int_equal(load_le64(mod + 24), 0);
}

static void without_initrd_there_is_no_module(void **state)
{
	struct e820_map map = {0};
	const struct pvh_info p = {.e820 = &map};
	uint8_t page[PVH_INFO_LEN];

	(void)state;
	pvh_info_build(&p, GPA, page);
	assert_int_equal(load_le32(page + 12), 0);
	assert_int_equal(load_le64(page + 16), 0);
}

static void the_largest_memory_map_fits(void **state)
{
	struct e820_map map = {0};
	const struct pvh_info p = {.e820 = &map, .initrd_len = 1};
	uint8_t page[PVH_INFO_LEN];
	gpa_t memmap;

	(void)state;
	for (uint64_t i = 0; i < E820_MAX; i++)
		e820_add(&map, i * 0x2000, 0x1000 + i, E820_RESERVED);
	pvh_info_build(&p, GPA, page);
	memmap = load_le64(page + 40);
	assert_int_equal(load_le32(page + 48), E820_MAX);
	/* behind the module list */
	assert_true(memmap >= load_le64(page + 16) + 32);
	for (uint64_t i = 0; i < E820_MAX; i++) {
		const uint8_t *e = page + (memmap - GPA) + i * 24;

		assert_int_equal(load_le64(e), i * 0x2000);
		assert_int_equal(load_le64(e + 8), 0x1000 + i);
		assert_int_equal(load_le32(e + 16), E820_RESERVED);
		assert_int_equal(load_le32(e + 20), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_the_interface_has_them),
		cmocka_unit_test(without_initrd_there_is_no_module),
		cmocka_unit_test(the_largest_memory_map_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
