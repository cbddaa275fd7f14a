/* tests/unit/test_host_cost.c - sums, and what they depend on. */
#include "tests/unit/unit.h"

#include "vmm/base/bits.h"
#include "vmm/host_cost.h"
#include "vmm/memlock.h"

static struct host_cost cost(struct host_cost_args a)
{
	struct host_cost c;

	host_cost(&a, &c);
	return c;
}

static void a_plain_guest_pins_nothing(void **state)
{
	struct host_cost c = cost(
		(struct host_cost_args){.ram_bytes = MIB(512), .n_cpus = 1});

	(void)state;
	assert_int_equal(c.ram, MIB(512));
	assert_int_equal(c.pinned, 0);
	assert_int_equal(c.memlock_need, 0);
	assert_int_equal(c.measured, 0);
	assert_int_equal(c.psp_ms, 0);
}

static void the_total_is_the_sum(void **state)
{
	struct host_cost c =
		cost((struct host_cost_args){.ram_bytes = GIB(2),
					     .n_cpus = 4,
					     .n_disks = 2,
					     .n_nets = 1,
					     .firmware_bytes = MIB(4),
					     .bundle_bytes = MIB(50)});

	(void)state;
	assert_int_equal(c.total, c.ram + c.firmware + c.images + c.tables +
					  c.monitor + c.devices + c.kernel);
	assert_int_equal(c.images, MIB(50));
	assert_true(c.memory_max >= c.total + HOST_COST_CGROUP_MARGIN);
	assert_int_equal(c.memory_max % MIB(1), 0);
}

/* 2 MiB of tables for each GiB, twice, and its bitmap. */
static void page_tables_follow_the_size_of_pages(void **state)
{
	struct host_cost small =
		cost((struct host_cost_args){.ram_bytes = GIB(1), .n_cpus = 1});
	struct host_cost huge = cost((struct host_cost_args){
		.ram_bytes = GIB(1), .hugepage_size = MIB(2), .n_cpus = 1});

	(void)state;
	assert_true(small.tables >= 2 * MIB(2) + KIB(32));
	assert_true(small.tables < 2 * MIB(2) + KIB(96));
	assert_true(huge.tables < KIB(64));
}

static void a_protected_guest_is_pinned_and_measured(void **state)
{
	struct host_cost c = cost((struct host_cost_args){
		.ram_bytes = MIB(512),
		.n_cpus = 1,
		.is_protected = true,
		.measured_bytes = MIB(4),
	});

	(void)state;
	assert_int_equal(c.pinned, MIB(512));
	assert_int_equal(c.memlock_need, memlock_need(MIB(512), 0));
	assert_int_equal(c.memlock_set, c.memlock_need + MIB(1));
	assert_int_equal(c.measured, MIB(4));
	assert_int_equal(c.psp_ms, 4 * 257);
}

static void everything_that_is_added_costs(void **state)
{
	struct host_cost_args a = {.ram_bytes = MIB(64), .n_cpus = 1};
	uint64_t last = cost(a).total;

	(void)state;
	for (int i = 0; i < 5; i++) {
		a.n_cpus += i == 0;
		a.n_disks += i == 1;
		a.n_nets += i == 2;
		a.vsock |= i == 3;
		a.rng |= i == 4;
		assert_true(cost(a).total > last);
		last = cost(a).total;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plain_guest_pins_nothing),
		cmocka_unit_test(the_total_is_the_sum),
		cmocka_unit_test(page_tables_follow_the_size_of_pages),
		cmocka_unit_test(a_protected_guest_is_pinned_and_measured),
		cmocka_unit_test(everything_that_is_added_costs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
