/*
 * vmm/monitor/monitor_lockdown.h - the last step before a thread of the
 * monitor meets the guest: from here on it may do only what its kind needs.
 */
#ifndef VMM_MONITOR_MONITOR_LOCKDOWN_H
#define VMM_MONITOR_MONITOR_LOCKDOWN_H

#include "vmm/base/thread_start.h"

struct err;

/*
 * Make everything ready that cannot be made in a thread that is locked down:
 * no_new_privs, and the handler that reports calls on no list. Main thread,
 * once, before any other thread.
 * @seccomp  enum monitor_seccomp
 * @channel  to the supervisor, for reports
 */
int monitor_lockdown_prepare(unsigned int seccomp, int channel,
			     struct err *err);

/*
 * Lock the calling thread down, for good. A thread calls it first of all, the
 * main thread when everything is open and mapped and all threads exist.
 * Ends the process when that fails: there is no going on without it.
 */
void monitor_lockdown(enum thread_kind kind);

#endif
