/* tests/unit/test_host_clock.c - each name is the clock it says. */
#include "tests/unit/unit.h"

#include <time.h>

#include "devices/legacy/host_clock.h"

static uint64_t by_libc(clockid_t id)
{
	struct timespec ts;

	assert_int_equal(clock_gettime(id, &ts), 0);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void the_monotonic_clock_is_between_two_readings(void **state)
{
	struct clock_src *c = host_clock_monotonic();
	uint64_t before = by_libc(CLOCK_MONOTONIC);
	uint64_t now = c->ops->now_ns(c);

	(void)state;
	assert_in_range(now, before, by_libc(CLOCK_MONOTONIC));
}

static void the_realtime_clock_counts_from_1970(void **state)
{
	struct clock_src *c = host_clock_realtime();
	uint64_t now = c->ops->now_ns(c);
	uint64_t libc = by_libc(CLOCK_REALTIME);

	(void)state;
	/* it may step between the readings, but not by a day */
	assert_in_range(now / 86400000000000u, libc / 86400000000000u - 1,
			libc / 86400000000000u + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_monotonic_clock_is_between_two_readings),
		cmocka_unit_test(the_realtime_clock_counts_from_1970),
	};

	return cmocka_run_group_tests_name("host_clock", tests, NULL, NULL);
}
