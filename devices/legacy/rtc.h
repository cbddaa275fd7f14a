/*
 * devices/legacy/rtc.h - the MC146818 real-time clock with its CMOS memory.
 *
 * The time is the host's, in UTC; what a guest sets (1970 to 2200) is kept as
 * a difference to it. The update-in-progress bit is derived from the clock (the
 * last 244 us of each second, as in the chip), so it can neither stick nor be
 * missed.
 *
 * Alarm and update-ended interrupts work, since `hwclock` and `rtcwake` of
 * Linux wait for them; the periodic interrupt, which Linux replaces by a
 * high-resolution timer, does not exist: its enable bit reads as zero.
 */
#ifndef DEVICES_LEGACY_RTC_H
#define DEVICES_LEGACY_RTC_H

#include <stdint.h>

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct clock_src;
struct err;
struct irq_sink;
struct rtc; /* opaque */
struct rtc_host;

enum { RTC_PORTS = 2 }; /* index and data */

struct rtc_host_ops {
	/*
	 * Call rtc_tick() once, @delay_ns from now (0 .. 86400 s); replaces
	 * what was asked before. UINT64_MAX: never. Called under the rtc's
	 * lock from a vCPU thread or from rtc_tick(); must not call the rtc.
	 */
	void (*arm)(struct rtc_host *h, uint64_t delay_ns);
};

/* Embedded in the implementation. */
struct rtc_host {
	const struct rtc_host_ops *ops;
};

struct rtc_config {
	/*
	 * RAM below and above 4 GiB: firmware reads the sizes from CMOS
	 * (0x15-0x18, 0x30-0x31, 0x34-0x35, 0x5b-0x5d).
	 */
	uint64_t ram_low;
	uint64_t ram_high;
	struct clock_src *clock; /* borrowed; CLOCK_REALTIME in a VM */
	struct irq_sink *irq;	 /* borrowed */
	unsigned int gsi;	 /* edge-triggered */
	struct rtc_host *host;	 /* borrowed; NULL: no interrupts at all */
};

/* -ENOMEM. */
int rtc_create(const struct rtc_config *c, struct rtc **ret, struct err *err);
/* NULL is fine. */
void rtc_destroy(struct rtc *r);
DEFINE_CLEANUP(struct rtc, rtc_destroy)

/* The RTC_PORTS ports. Valid as long as the rtc. */
struct bus_dev *rtc_bus_dev(struct rtc *r);

/* The time asked for by arm() has come (or about so). Any thread. */
void rtc_tick(struct rtc *r);

#endif
