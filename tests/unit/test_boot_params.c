/* tests/unit/test_boot_params.c - the zero page and setup_data. */
#include "tests/unit/unit.h"

#include <string.h>

#include "firmware/boot_params.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

static struct bzimage header(void)
{
	struct bzimage bz = {.hdr_len = 0x26c - BZIMAGE_HDR_OFF};

	memset(bz.hdr, 0x5a, bz.hdr_len);
	return bz;
}

static void fields_are_where_the_protocol_has_them(void **state)
{
	struct bzimage bz = header();
	struct e820_map map;
	struct boot_params p = {
		.bz = &bz,
		.e820 = &map,
		.load = 0x1000000,
		.cmdline = 0x10000,
		.initrd = 0x123456000,
		.initrd_len = 0x1deadbeef,
		.setup_data = 0xa000,
		.rsdp = 0xe0000,
	};
	uint8_t page[BOOT_PARAMS_LEN];

	(void)state;
	e820_machine(MIB(128), &map);
	boot_params_build(&p, page);
	assert_int_equal(page[0x1f1], 0x5a); /* setup_header as it was */
	assert_int_equal(page[0x26b], 0x5a);
	assert_int_equal(page[0x26c], 0);
	assert_int_equal(load_le16(page + 0x1fa), 0xffff); /* vid_mode */
	assert_int_equal(page[0x210], 0xff);		   /* loader */
	assert_int_equal(load_le32(page + 0x214), 0x1000000);
	assert_int_equal(load_le32(page + 0x218), 0x23456000); /* ramdisk */
	assert_int_equal(load_le32(page + 0x0c0), 1);
	assert_int_equal(load_le32(page + 0x21c), 0xdeadbeef);
	assert_int_equal(load_le32(page + 0x0c4), 1);
	assert_int_equal(load_le32(page + 0x228), 0x10000); /* cmd_line */
	assert_int_equal(load_le32(page + 0x0c8), 0);
	assert_int_equal(load_le64(page + 0x250), 0xa000);  /* setup_data */
	assert_int_equal(load_le64(page + 0x070), 0xe0000); /* RSDP */
	/* sentinel: what is before the header must not come from the file */
	assert_int_equal(page[0x1ef], 0);
}

static void a_list_that_came_with_the_kernel_is_left_out(void **state)
{
	struct bzimage bz = header();
	struct e820_map map = {0};
	struct boot_params p = {.bz = &bz, .e820 = &map};
	uint8_t page[BOOT_PARAMS_LEN];

	(void)state;
	boot_params_build(&p, page);
	assert_int_equal(load_le64(page + 0x250), 0);
}

static void the_memory_map_is_copied(void **state)
{
	struct bzimage bz = header();
	struct e820_map map = {0};
	struct boot_params p = {.bz = &bz, .e820 = &map};
	uint8_t page[BOOT_PARAMS_LEN];

	(void)state;
	for (uint64_t i = 0; i < E820_MAX; i++)
		e820_add(&map, i * 0x2000, 0x1000 + i, E820_ACPI);
	boot_params_build(&p, page);
	assert_int_equal(page[0x1e8], E820_MAX);
	for (uint64_t i = 0; i < E820_MAX; i++) {
		const uint8_t *e = page + 0x2d0 + i * 20;

		assert_int_equal(load_le64(e), i * 0x2000);
		assert_int_equal(load_le64(e + 8), 0x1000 + i);
		assert_int_equal(load_le32(e + 16), E820_ACPI);
	}
	assert_int_equal(load_le64(page + 0xcd0), 0);
}

static void setup_data_ends_its_list(void **state)
{
	uint8_t out[SETUP_DATA_HEADER_LEN + 4];

	(void)state;
	memset(out, 0xff, sizeof(out));
	setup_data_build(SETUP_RNG_SEED, "seed", 4, out);
	assert_int_equal(load_le64(out), 0);
	assert_int_equal(load_le32(out + 8), 9);
	assert_int_equal(load_le32(out + 12), 4);
	assert_memory_equal(out + 16, "seed", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_the_protocol_has_them),
		cmocka_unit_test(a_list_that_came_with_the_kernel_is_left_out),
		cmocka_unit_test(the_memory_map_is_copied),
		cmocka_unit_test(setup_data_ends_its_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
