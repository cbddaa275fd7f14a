/* tests/unit/test_e820.c - memory maps. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "firmware/e820.h"
#include "vmm/base/bits.h"
#include "vmm/base/own.h"

static void map_is(const struct e820_map *map, const struct e820_entry *want,
		   size_t n)
{
	assert_int_equal(map->n, n);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(map->entry[i].base, want[i].base);
		assert_int_equal(map->entry[i].len, want[i].len);
		assert_int_equal(map->entry[i].type, want[i].type);
	}
}

#define MAP_IS(map, ...)                                                       \
	do {                                                                   \
		const struct e820_entry want_[] = {__VA_ARGS__};               \
		map_is(map, want_, ARRAY_SIZE(want_));                         \
	} while (0)

static void a_small_machine_has_no_high_ram(void **state)
{
	struct e820_map map;

	(void)state;
	e820_machine(MIB(128), &map);
	MAP_IS(&map, {0, 0x9fc00, E820_RAM}, {0x9fc00, 0x60400, E820_RESERVED},
	       {0x100000, MIB(127), E820_RAM},
	       {0xe0000000, 0x10000000, E820_RESERVED},
	       {0xfeffc000, 0x4000, E820_RESERVED});
}

static void ram_beyond_two_gib_is_above_four(void **state)
{
	struct e820_map map;

	(void)state;
	e820_machine(GIB(2), &map);
	assert_int_equal(map.n, 5);
	e820_machine(GIB(3) + 4096, &map);
	assert_int_equal(map.n, 6);
	assert_int_equal(map.entry[2].len, GIB(2) - MIB(1));
	assert_int_equal(map.entry[5].base, GIB(4));
	assert_int_equal(map.entry[5].len, GIB(1) + 4096);
	assert_int_equal(map.entry[5].type, E820_RAM);
	e820_machine(MEM_RAM_MAX, &map);
	assert_int_equal(map.entry[5].base + map.entry[5].len,
			 GIB(4) + MEM_RAM_MAX - GIB(2));
}

static void a_range_replaces_what_it_covers(void **state)
{
	struct e820_map map = {0};

	(void)state;
	assert_int_equal(e820_add(&map, 0, 0x1000, E820_RAM), 0);
	assert_int_equal(e820_add(&map, 0x3000, 0x1000, E820_RAM), 0);
	assert_int_equal(e820_add(&map, 0x5000, 0x1000, E820_RAM), 0);
	/* ends inside the first and the last, swallows the middle one */
	assert_int_equal(e820_add(&map, 0x800, 0x5000, E820_NVS), 0);
	MAP_IS(&map, {0, 0x800, E820_RAM}, {0x800, 0x5000, E820_NVS},
	       {0x5800, 0x800, E820_RAM});
	/* inside one: it is split */
	assert_int_equal(e820_add(&map, 0x1000, 0x1000, E820_ACPI), 0);
	MAP_IS(&map, {0, 0x800, E820_RAM}, {0x800, 0x800, E820_NVS},
	       {0x1000, 0x1000, E820_ACPI}, {0x2000, 0x3800, E820_NVS},
	       {0x5800, 0x800, E820_RAM});
	/* exactly one */
	assert_int_equal(e820_add(&map, 0x1000, 0x1000, E820_NVS), 0);
	MAP_IS(&map, {0, 0x800, E820_RAM}, {0x800, 0x5000, E820_NVS},
	       {0x5800, 0x800, E820_RAM});
}

static void neighbours_of_one_type_become_one(void **state)
{
	struct e820_map map = {0};

	(void)state;
	assert_int_equal(e820_add(&map, 0x2000, 0x1000, E820_RAM), 0);
	assert_int_equal(e820_add(&map, 0, 0x1000, E820_RAM), 0);
	assert_int_equal(e820_add(&map, 0x1000, 0x1000, E820_RAM), 0);
	MAP_IS(&map, {0, 0x3000, E820_RAM});
	assert_int_equal(e820_add(&map, 0x3000, 0x1000, E820_RESERVED), 0);
	MAP_IS(&map, {0, 0x3000, E820_RAM}, {0x3000, 0x1000, E820_RESERVED});
}

static void a_range_that_wraps_is_refused(void **state)
{
	struct e820_map map = {0};

	(void)state;
	assert_int_equal(e820_add(&map, UINT64_MAX, 2, E820_RAM), -EINVAL);
	assert_int_equal(e820_add(&map, 1, UINT64_MAX, E820_RAM), -EINVAL);
	assert_int_equal(map.n, 0);
	assert_int_equal(e820_add(&map, 0x1000, 0, E820_RAM), 0);
	assert_int_equal(map.n, 0);
}

static void a_full_map_stays_as_it_is(void **state)
{
	struct e820_map map = {0}, before;

	(void)state;
	for (uint64_t i = 0; i < E820_MAX; i++)
		assert_int_equal(e820_add(&map, i * 0x2000, 0x1000, E820_RAM),
				 0);
	before = map;
	assert_int_equal(e820_add(&map, 0x1000000, 0x1000, E820_RAM), -ENOSPC);
	assert_int_equal(e820_add(&map, 0x400, 0x100, E820_NVS), -ENOSPC);
	assert_memory_equal(&map, &before, sizeof(map));
	/* merging makes room */
	assert_int_equal(e820_add(&map, 0x1000, 0x1000, E820_RAM), 0);
	assert_int_equal(map.n, E820_MAX - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_small_machine_has_no_high_ram),
		cmocka_unit_test(ram_beyond_two_gib_is_above_four),
		cmocka_unit_test(a_range_replaces_what_it_covers),
		cmocka_unit_test(neighbours_of_one_type_become_one),
		cmocka_unit_test(a_range_that_wraps_is_refused),
		cmocka_unit_test(a_full_map_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
