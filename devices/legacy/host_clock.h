/* devices/legacy/host_clock.h - the host's clocks as a clock_src. */
#ifndef DEVICES_LEGACY_HOST_CLOCK_H
#define DEVICES_LEGACY_HOST_CLOCK_H

#include "devices/clock_src.h"

/* CLOCK_REALTIME (UTC, since 1970) and CLOCK_MONOTONIC. Stateless, shared. */
struct clock_src *host_clock_realtime(void);
struct clock_src *host_clock_monotonic(void);

#endif
