/*
 * vmm/monitor/monitor_guest.h - from START to RESULT: makes the VM, lets it
 * run, and does what the supervisor asks meanwhile.
 */
#ifndef VMM_MONITOR_MONITOR_GUEST_H
#define VMM_MONITOR_MONITOR_GUEST_H

struct err;
struct monitor_setup;
struct timing;

/*
 * Ends the process when the guest has ended and the supervisor knows how, and
 * when the supervisor goes: then there is nobody to run for. Negative errno:
 * nothing ran, or we failed; @err is still to be told.
 */
int monitor_guest_run(struct monitor_setup *setup, int channel,
		      struct timing *timing, struct err *err);

#endif
