/*
 * devices/legacy/debugcon.h - a port that takes bytes: firmware's debug
 * console (PORT_DEBUGCON), which reads as 0xe9 so that a guest can tell that
 * it is there.
 */
#ifndef DEVICES_LEGACY_DEBUGCON_H
#define DEVICES_LEGACY_DEBUGCON_H

#include <stdint.h>

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct debugcon; /* opaque */
struct debugcon_sink;
struct err;

enum { DEBUGCON_PORTS = 1, DEBUGCON_READBACK = 0xe9 };

struct debugcon_sink_ops {
	/*
	 * The guest wrote @byte, any value. From any vCPU thread, several at
	 * once: the sink locks, and collects lines.
	 */
	void (*put)(struct debugcon_sink *s, uint8_t byte);
};

/* Embedded in the implementation. */
struct debugcon_sink {
	const struct debugcon_sink_ops *ops;
};

/* @sink is borrowed; NULL: the bytes are dropped. -ENOMEM. */
int debugcon_create(struct debugcon_sink *sink, struct debugcon **ret,
		    struct err *err);
/* NULL is fine. */
void debugcon_destroy(struct debugcon *d);
DEFINE_CLEANUP(struct debugcon, debugcon_destroy)

/* DEBUGCON_PORTS ports. Valid as long as the device. */
struct bus_dev *debugcon_bus_dev(struct debugcon *d);

#endif
