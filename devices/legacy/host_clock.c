/* devices/legacy/host_clock.c - clock_gettime(2), which is no system call. */
#include "devices/legacy/host_clock.h"

#include <time.h>

static uint64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};

	/* cannot fail for these clocks; before 1970 would be 0 */
	clock_gettime(id, &ts);
	if (ts.tv_sec < 0)
		return 0;
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static uint64_t realtime_now(struct clock_src *c)
{
	(void)c;
	return read_clock(CLOCK_REALTIME);
}

static uint64_t monotonic_now(struct clock_src *c)
{
	(void)c;
	return read_clock(CLOCK_MONOTONIC);
}

struct clock_src *host_clock_realtime(void)
{
	static const struct clock_src_ops ops = {.now_ns = realtime_now};
	static struct clock_src clock = {.ops = &ops};

	return &clock;
}

struct clock_src *host_clock_monotonic(void)
{
	static const struct clock_src_ops ops = {.now_ns = monotonic_now};
	static struct clock_src clock = {.ops = &ops};

	return &clock;
}
