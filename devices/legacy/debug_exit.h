/*
 * devices/legacy/debug_exit.h - a port that ends the guest with a value: how
 * a test inside the guest reports (--debug-exit, PORT_DEBUG_EXIT).
 */
#ifndef DEVICES_LEGACY_DEBUG_EXIT_H
#define DEVICES_LEGACY_DEBUG_EXIT_H

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct debug_exit; /* opaque */
struct err;
struct power_sink;

enum { DEBUG_EXIT_PORTS = 4 };

/*
 * @power is borrowed: debug_exit(value) for each write of 1, 2 or 4 bytes at
 * the first port. Writes to the others are dropped, reads give 0. -ENOMEM.
 */
int debug_exit_create(struct power_sink *power, struct debug_exit **ret,
		      struct err *err);
/* NULL is fine. */
void debug_exit_destroy(struct debug_exit *d);
DEFINE_CLEANUP(struct debug_exit, debug_exit_destroy)

/* DEBUG_EXIT_PORTS ports. Valid as long as the device. */
struct bus_dev *debug_exit_bus_dev(struct debug_exit *d);

#endif
