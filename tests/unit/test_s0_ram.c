/* tests/unit/test_s0_ram.c - what a host may say of its RAM. */
#include "tests/unit/unit.h"

#include <string.h>

#include "firmware/stage0/s0_ram.h"
#include "tests/fake/fake_s0_io.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum { RAM = 1, RESERVED = 2, ACPI = 3 };

struct entry {
	uint64_t base, len;
	uint32_t type;
};

static enum stage0_reason parse(const struct entry *e, size_t n,
				struct s0_ram *ret)
{
	uint8_t file[S0_RAM_FILE_MAX + S0_RAM_ENTRY_LEN];

	assert_true(n * S0_RAM_ENTRY_LEN <= sizeof(file));
	for (size_t i = 0; i < n; i++) {
		uint8_t *p = file + i * S0_RAM_ENTRY_LEN;

		store_le64(p, e[i].base);
		store_le64(p + 8, e[i].len);
		store_le32(p + 16, e[i].type);
	}
	return s0_ram_parse(file, n * S0_RAM_ENTRY_LEN, ret);
}

#define PARSE(ret, ...)                                                        \
	parse((const struct entry[]){__VA_ARGS__},                             \
	      sizeof((const struct entry[]){__VA_ARGS__}) /                    \
		      sizeof(struct entry),                                    \
	      ret)
#define LIES(...)                                                              \
	do {                                                                   \
		struct s0_ram r_ = {7, 8};                                     \
		assert_int_equal(PARSE(&r_, __VA_ARGS__), STAGE0_RAM_MAP);     \
		assert_int_equal(r_.low_end, 7);                               \
		assert_int_equal(r_.high_end, 8);                              \
	} while (0)

static void low_ram_alone_is_fine(void **state)
{
	struct s0_ram r;

	(void)state;
	assert_int_equal(PARSE(&r, {0, MIB(512), RAM}), STAGE0_OK);
	assert_int_equal(r.low_end, MIB(512));
	assert_int_equal(r.high_end, GIB(4));
}

static void both_ranges_in_any_order_with_reserved_ones(void **state)
{
	struct s0_ram r;

	(void)state;
	assert_int_equal(PARSE(&r, {0xfeffc000, 0x4000, RESERVED},
			       {GIB(4), GIB(6), RAM}, {0, GIB(2), RAM}),
			 STAGE0_OK);
	assert_int_equal(r.low_end, GIB(2));
	assert_int_equal(r.high_end, GIB(10));
}

static void no_ram_is_a_lie(void **state)
{
	struct s0_ram r;

	(void)state;
	assert_int_equal(s0_ram_parse(NULL, 0, &r), STAGE0_RAM_MAP);
	LIES({0xfeffc000, 0x4000, RESERVED});
	LIES({GIB(4), GIB(1), RAM});
}

static void ram_where_devices_are_is_a_lie(void **state)
{
	(void)state;
	LIES({0, GIB(3) + 4096, RAM});
	LIES({0, GIB(4), RAM});
	LIES({0, MIB(512), RAM}, {0xfee00000, 4096, RAM});
	LIES({0, MIB(512), RAM}, {GIB(1), MIB(512), RAM});
	LIES({0, MIB(512), RAM}, {GIB(4), GIB(508) + 4096, RAM});
	LIES({4096, MIB(512), RAM});
}

static void ranges_that_overlap_are_a_lie(void **state)
{
	(void)state;
	LIES({0, MIB(512), RAM}, {0, MIB(512), RAM});
	LIES({0, MIB(512), RAM}, {MIB(511), MIB(2), RESERVED});
	LIES({GIB(4), GIB(1), RAM}, {0, MIB(512), RAM},
	     {GIB(4) + MIB(1), 4096, RESERVED});
}

static void odd_numbers_are_a_lie(void **state)
{
	(void)state;
	LIES({0, MIB(512) + 1, RAM});
	LIES({0, 0, RAM});
	LIES({0, MIB(512), RAM}, {MIB(600), 0, RESERVED});
	LIES({0, MIB(512), RAM}, {GIB(4), UINT64_MAX, RAM});
	LIES({0, MIB(512), RAM}, {UINT64_MAX, 2, RESERVED});
	LIES({0, MIB(512), RAM}, {MIB(600), 4096, ACPI});
	LIES({0, MIB(512), 0});
}

static void a_file_that_is_cut_or_endless_is_a_lie(void **state)
{
	struct entry e[S0_RAM_ENTRIES_MAX + 1];
	uint8_t file[40] = {0};
	struct s0_ram r;

	(void)state;
	assert_int_equal(s0_ram_parse(file, 19, &r), STAGE0_RAM_MAP);
	store_le64(file + 8, MIB(512));
	store_le32(file + 16, RAM);
	assert_int_equal(s0_ram_parse(file, 20, &r), STAGE0_OK);
	assert_int_equal(s0_ram_parse(file, 21, &r), STAGE0_RAM_MAP);
	assert_int_equal(s0_ram_parse(file, 39, &r), STAGE0_RAM_MAP);
	e[0] = (struct entry){0, MIB(512), RAM};
	for (uint64_t i = 1; i <= S0_RAM_ENTRIES_MAX; i++)
		e[i] = (struct entry){GIB(3) + i * 4096, 4096, RESERVED};
	assert_int_equal(parse(e, S0_RAM_ENTRIES_MAX, &r), STAGE0_OK);
	assert_int_equal(parse(e, S0_RAM_ENTRIES_MAX + 1, &r), STAGE0_RAM_MAP);
}

static void cmos_tells_both_sizes(void **state)
{
	struct fake_s0_io f;
	struct s0_ram r;

	(void)state;
	fake_s0_io_init(&f);
	store_le16(f.cmos + 0x34, (uint16_t)((GIB(2) - MIB(16)) >> 16));
	store_le16(f.cmos + 0x5b, (uint16_t)(GIB(5) >> 16));
	f.cmos[0x5d] = (uint8_t)(GIB(5) >> 32);
	assert_int_equal(s0_ram_cmos(&f.io, &r), STAGE0_OK);
	assert_int_equal(r.low_end, GIB(2));
	assert_int_equal(r.high_end, GIB(9));
}

static void cmos_that_is_not_there_is_a_lie(void **state)
{
	struct fake_s0_io f;
	struct s0_ram r;

	(void)state;
	fake_s0_io_init(&f);
	memset(f.cmos, 0xff, sizeof(f.cmos));
	assert_int_equal(s0_ram_cmos(&f.io, &r), STAGE0_RAM_MAP);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(low_ram_alone_is_fine),
		cmocka_unit_test(both_ranges_in_any_order_with_reserved_ones),
		cmocka_unit_test(no_ram_is_a_lie),
		cmocka_unit_test(ram_where_devices_are_is_a_lie),
		cmocka_unit_test(ranges_that_overlap_are_a_lie),
		cmocka_unit_test(odd_numbers_are_a_lie),
		cmocka_unit_test(a_file_that_is_cut_or_endless_is_a_lie),
		cmocka_unit_test(cmos_tells_both_sizes),
		cmocka_unit_test(cmos_that_is_not_there_is_a_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
