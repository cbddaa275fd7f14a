/* tests/unit/test_debug_exit.c */
#include "tests/unit/unit.h"

#include "devices/legacy/debug_exit.h"
#include "tests/fake/fake_legacy.h"

struct fixture {
	struct fake_power power;
	struct debug_exit *d;
	struct bus_dev *dev;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	fake_power_init(&f->power);
	if (debug_exit_create(&f->power.sink, &f->d, NULL) < 0)
		return -1;
	f->dev = debug_exit_bus_dev(f->d);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	debug_exit_destroy(f->d);
	free(f);
	return 0;
}

static void a_write_of_any_width_gives_its_value(void **state)
{
	struct fixture *f = *state;

	out(f->dev, 0, 1, 0x2a);
	assert_int_equal(f->power.exit_value, 0x2a);
	out(f->dev, 0, 2, 0xbeef);
	assert_int_equal(f->power.exit_value, 0xbeef);
	out(f->dev, 0, 4, 0xdeadbeef);
	assert_int_equal(f->power.exit_value, 0xdeadbeef);
	out(f->dev, 0, 4, 0);
	assert_int_equal(f->power.exit_value, 0);
	assert_int_equal(f->power.exits, 4);
}

static void bits_outside_the_width_do_not_count(void **state)
{
	struct fixture *f = *state;

	out(f->dev, 0, 1, UINT64_MAX);
	assert_int_equal(f->power.exit_value, 0xff);
	out(f->dev, 0, 2, UINT64_MAX);
	assert_int_equal(f->power.exit_value, 0xffff);
	out(f->dev, 0, 8, UINT64_MAX);
	assert_int_equal(f->power.exit_value, 0xffffffff);
}

static void the_other_ports_do_nothing(void **state)
{
	struct fixture *f = *state;

	for (uint64_t off = 1; off < DEBUG_EXIT_PORTS; off++)
		out(f->dev, off, 1, 1);
	assert_int_equal(f->power.exits, 0);
	assert_int_equal(in(f->dev, 0, 4), 0);
	assert_int_equal(f->power.exits, 0);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_write_of_any_width_gives_its_value),
		CASE(bits_outside_the_width_do_not_count),
		CASE(the_other_ports_do_nothing),
	};

	return cmocka_run_group_tests_name("debug_exit", tests, NULL, NULL);
}
