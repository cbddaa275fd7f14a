/*
 * devices/power_sink.h - what a device needs in order to end the guest.
 *
 * Called from a vCPU thread, in the middle of the guest's access, with no lock
 * of the device held. The sink notes the request and returns at once; it stops
 * the vCPUs afterwards. Until they have stopped the guest may ask again, for
 * the same or for something else: the first request counts.
 */
#ifndef DEVICES_POWER_SINK_H
#define DEVICES_POWER_SINK_H

#include <stdint.h>

struct power_sink;

/* Events of panicked(): QEMU docs/specs/pvpanic, "Bit Definition". */
enum {
	POWER_PANICKED = 1 << 0,     /* the guest's kernel is dead */
	POWER_CRASH_LOADED = 1 << 1, /* it panicked, and a crash kernel runs */
};

struct power_sink_ops {
	/* The guest entered S5. */
	void (*power_off)(struct power_sink *s);
	/* The guest asked for a reset of the whole machine. */
	void (*reset)(struct power_sink *s);
	/* The guest reports that it crashed; @events is any byte it wrote. */
	void (*panicked)(struct power_sink *s, uint8_t events);
	/* The guest ends itself with a value (--debug-exit). */
	void (*debug_exit)(struct power_sink *s, uint32_t value);
};

/* Embedded in the implementation. */
struct power_sink {
	const struct power_sink_ops *ops;
};

#endif
