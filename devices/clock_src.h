/* devices/clock_src.h - the time, as a device asks for it. */
#ifndef DEVICES_CLOCK_SRC_H
#define DEVICES_CLOCK_SRC_H

#include <stdint.h>

struct clock_src;

struct clock_src_ops {
	/* Nanoseconds since the epoch of this clock. Any thread, no locks. */
	uint64_t (*now_ns)(struct clock_src *c);
};

/*
 * Embedded in the implementation. The host's clocks are clock_realtime and
 * clock_monotonic of devices/legacy/host_clock.h; tests bring their own.
 */
struct clock_src {
	const struct clock_src_ops *ops;
};

#endif
