/* tests/unit/test_bus.c - routing of accesses, and ranges that move. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "vmm/bus.h"

struct probe {
	struct bus_dev dev;
	struct bus *bus;
	uint64_t off, val;
	unsigned int width, n;
};

static uint64_t probe_read(struct bus_dev *d, uint64_t off, unsigned int width)
{
	struct probe *p = container_of(d, struct probe, dev);

	p->off = off;
	p->width = width;
	p->n++;
	return UINT64_C(0x1122334455667788);
}

/* A write moves the device to the address written, as a BAR would. */
static void probe_write(struct bus_dev *d, uint64_t off, unsigned int width,
			uint64_t val)
{
	struct probe *p = container_of(d, struct probe, dev);

	p->off = off;
	p->width = width;
	p->val = val;
	p->n++;
	if (val) {
		bus_remove(p->bus, 0x100, d);
		assert_int_equal(bus_add(p->bus, val, 0x10, d), 0);
	}
}

static const struct bus_dev_ops probe_ops = {probe_read, probe_write};

static int setup(void **state)
{
	static struct probe p;

	p = (struct probe){.dev = {&probe_ops}};
	assert_int_equal(bus_create(0x10000, &p.bus, NULL), 0);
	assert_int_equal(bus_add(p.bus, 0x100, 0x10, &p.dev), 0);
	*state = &p;
	return 0;
}

static int teardown(void **state)
{
	struct probe *p = *state;

	bus_destroy(p->bus);
	return 0;
}

static void an_access_reaches_its_device_with_the_offset(void **state)
{
	struct probe *p = *state;

	assert_true(bus_read(p->bus, 0x104, 4) == 0x55667788);
	assert_int_equal(p->off, 4);
	assert_int_equal(p->width, 4);
	assert_true(bus_read(p->bus, 0x108, 8) == UINT64_C(0x1122334455667788));
	bus_write(p->bus, 0x10f, 1, 0);
	assert_int_equal(p->off, 0xf);
	assert_int_equal(p->n, 3);
}

static void nobody_home_reads_all_ones(void **state)
{
	struct probe *p = *state;

	assert_int_equal(bus_read(p->bus, 0xff, 1), 0xff);
	assert_int_equal(bus_read(p->bus, 0x110, 2), 0xffff);
	assert_true(bus_read(p->bus, UINT64_MAX, 8) == UINT64_MAX);
	assert_true(bus_read(p->bus, 0x5000, 3) == 0xffffff);
	bus_write(p->bus, 0x110, 4, 1);
	assert_int_equal(p->n, 0);
}

static void an_access_over_the_end_reaches_nobody(void **state)
{
	struct probe *p = *state;

	assert_int_equal(bus_read(p->bus, 0x10e, 4), 0xffffffff);
	assert_int_equal(bus_read(p->bus, 0xfe, 4), 0xffffffff);
	assert_int_equal(p->n, 0);
}

static void ranges_that_overlap_or_do_not_fit_are_refused(void **state)
{
	struct probe *p = *state;
	struct bus_dev other = {&probe_ops};

	assert_int_equal(bus_add(p->bus, 0x10f, 1, &other), -EEXIST);
	assert_int_equal(bus_add(p->bus, 0xf0, 0x11, &other), -EEXIST);
	assert_int_equal(bus_add(p->bus, 0, 0x10000, &other), -EEXIST);
	assert_int_equal(bus_add(p->bus, 0x200, 0, &other), -EINVAL);
	assert_int_equal(bus_add(p->bus, 0xffff, 2, &other), -EINVAL);
	assert_int_equal(bus_add(p->bus, UINT64_MAX, 2, &other), -EINVAL);
	assert_int_equal(bus_add(p->bus, 0x110, 1, &other), 0);
	assert_int_equal(bus_add(p->bus, 0xf0, 0x10, &other), 0);
}

static void only_the_owner_removes_a_range(void **state)
{
	struct probe *p = *state;
	struct bus_dev other = {&probe_ops};

	bus_remove(p->bus, 0x100, &other);
	bus_remove(p->bus, 0x104, &p->dev);
	bus_read(p->bus, 0x100, 1);
	assert_int_equal(p->n, 1);
	bus_remove(p->bus, 0x100, &p->dev);
	assert_int_equal(bus_read(p->bus, 0x100, 1), 0xff);
	assert_int_equal(p->n, 1);
}

static void a_device_may_move_from_inside_its_write(void **state)
{
	struct probe *p = *state;

	bus_write(p->bus, 0x100, 4, 0x4000);
	assert_int_equal(bus_read(p->bus, 0x100, 1), 0xff);
	assert_int_equal(bus_read(p->bus, 0x4000, 1), 0x88);
}

static void the_table_is_bounded(void **state)
{
	struct probe *p = *state;
	struct bus_dev other = {&probe_ops};

	for (unsigned int i = 1; i < BUS_MAX_RANGES; i++)
		assert_int_equal(bus_add(p->bus, 0xff00 - i * 2, 1, &other), 0);
	assert_int_equal(bus_add(p->bus, 0x10, 1, &other), -ENOSPC);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_access_reaches_its_device_with_the_offset),
		CASE(nobody_home_reads_all_ones),
		CASE(an_access_over_the_end_reaches_nobody),
		CASE(ranges_that_overlap_or_do_not_fit_are_refused),
		CASE(only_the_owner_removes_a_range),
		CASE(a_device_may_move_from_inside_its_write),
		CASE(the_table_is_bounded),
	};

	return cmocka_run_group_tests_name("bus", tests, NULL, NULL);
}
