/* tests/unit/test_ram_place.c - finding room in a memory map. */
#include "tests/unit/unit.h"

#include "firmware/ram_place.h"
#include "vmm/base/bits.h"
#include "vmm/base/own.h"

/* RAM 0..64 KiB and 1..16 MiB, something else between, RAM 4 GiB..+1 MiB */
static const struct e820_map map = {
	.n = 4,
	.entry = {{0, KIB(64), E820_RAM},
		  {KIB(64), KIB(64), E820_RESERVED},
		  {MIB(1), MIB(15), E820_RAM},
		  {GIB(4), MIB(1), E820_RAM}},
};

static void only_ram_of_one_entry_is_contained(void **state)
{
	(void)state;
	assert_true(ram_contains(&map, 0, KIB(64)));
	assert_false(ram_contains(&map, 0, KIB(64) + 1));
	assert_false(ram_contains(&map, KIB(64), 1)); /* reserved */
	assert_true(ram_contains(&map, MIB(16) - 1, 1));
	assert_false(ram_contains(&map, MIB(16), 1));
	assert_false(ram_contains(&map, MIB(1), UINT64_MAX));
	assert_false(ram_contains(&map, UINT64_MAX, 1));
}

static void the_lowest_place_is_found(void **state)
{
	gpa_t at = 0xdead;

	(void)state;
	assert_true(ram_place_lowest(&map, 1, GIB(4), KIB(60), KIB(4), &at));
	assert_int_equal(at, KIB(4));
	assert_true(ram_place_lowest(&map, 1, GIB(4), KIB(61), KIB(4), &at));
	assert_int_equal(at, MIB(1)); /* not there any more */
	assert_true(ram_place_lowest(&map, MIB(1) + 1, GIB(4), MIB(14), MIB(2),
				     &at));
	assert_int_equal(at, MIB(2));
	at = 0xdead;
	assert_false(ram_place_lowest(&map, MIB(1) + 1, GIB(4), MIB(14) + 1,
				      MIB(2), &at));
	assert_false(ram_place_lowest(&map, 0, MIB(8), MIB(8), MIB(1), &at));
	assert_false(ram_place_lowest(&map, MIB(15), GIB(4), 1, MIB(16), &at));
	assert_false(ram_place_lowest(&map, MIB(15), GIB(4), 1, MIB(32), &at));
	assert_false(
		ram_place_lowest(&map, GIB(5), UINT64_MAX, 1, BIT64(63), &at));
	assert_false(ram_place_lowest(&map, 0, GIB(4), UINT64_MAX, 1, &at));
	assert_int_equal(at, 0xdead);
}

static void aligning_past_the_end_of_addresses_is_no_place(void **state)
{
	const struct e820_map top = {
		.n = 1,
		.entry = {{UINT64_MAX - KIB(8), KIB(8), E820_RAM}},
	};
	gpa_t at;

	(void)state;
	assert_false(ram_place_lowest(&top, 0, UINT64_MAX, 16, GIB(1), &at));
}

static void the_highest_place_is_found(void **state)
{
	gpa_t at = 0xdead;

	(void)state;
	assert_true(ram_place_highest(&map, 0, UINT64_MAX, 5, KIB(4), NULL, 0,
				      &at));
	assert_int_equal(at, GIB(4) + MIB(1) - KIB(4));
	assert_true(
		ram_place_highest(&map, 0, GIB(4), 5, KIB(4), NULL, 0, &at));
	assert_int_equal(at, MIB(16) - KIB(4));
	assert_true(ram_place_highest(&map, 0, MIB(8) + 1, KIB(4), KIB(4), NULL,
				      0, &at));
	assert_int_equal(at, MIB(8) - KIB(4));
	assert_true(ram_place_highest(&map, 0, GIB(4), MIB(15), KIB(4), NULL, 0,
				      &at));
	assert_int_equal(at, MIB(1));
	at = 0xdead;
	assert_false(ram_place_highest(&map, 0, GIB(4), MIB(15) + 1, KIB(4),
				       NULL, 0, &at));
	assert_false(ram_place_highest(&map, MIB(2), GIB(4), MIB(15), KIB(4),
				       NULL, 0, &at));
	assert_false(ram_place_highest(&map, MIB(1) + 1, MIB(2), MIB(1) - 1,
				       KIB(4), NULL, 0, &at));
	assert_int_equal(at, 0xdead);
}

static void taken_ranges_are_passed_below(void **state)
{
	static const struct ram_range taken[] = {
		{MIB(2), MIB(1)},
		{MIB(15), MIB(1)},
		{MIB(4), MIB(10)},
	};
	gpa_t at;

	(void)state;
	/* between 14 and 15, 3 and 4, then 1 and 2 */
	assert_true(ram_place_highest(&map, MIB(1), GIB(4), MIB(1), KIB(4),
				      taken, 3, &at));
	assert_int_equal(at, MIB(14));
	assert_true(ram_place_highest(&map, MIB(1), MIB(14), MIB(1), KIB(4),
				      taken, 3, &at));
	assert_int_equal(at, MIB(3));
	assert_true(ram_place_highest(&map, MIB(1), MIB(4) - 1, MIB(1), KIB(4),
				      taken, 3, &at));
	assert_int_equal(at, MIB(1));
	assert_false(ram_place_highest(&map, MIB(1), GIB(4), MIB(1) + 1, KIB(4),
				       taken, 3, &at));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_ram_of_one_entry_is_contained),
		cmocka_unit_test(the_lowest_place_is_found),
		cmocka_unit_test(
			aligning_past_the_end_of_addresses_is_no_place),
		cmocka_unit_test(the_highest_place_is_found),
		cmocka_unit_test(taken_ranges_are_passed_below),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
