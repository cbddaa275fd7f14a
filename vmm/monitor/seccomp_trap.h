/*
 * vmm/monitor/seccomp_trap.h - catches calls that no list has and tells the
 * supervisor of them.
 */
#ifndef VMM_MONITOR_SECCOMP_TRAP_H
#define VMM_MONITOR_SECCOMP_TRAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/thread_start.h"
#include "vmm/monitor/monitor_proto.h"

/* How a process ends that made such a call: 128 + SIGSYS. */
enum { SECCOMP_TRAP_STATUS = 159 };

/*
 * For the whole process, before its first thread: SIGSYS sends a
 * MONITOR_MSG_TRAP over @channel, and then ends the process, or, with @go_on,
 * makes the call all the same. Each call is then reported once for each kind
 * of thread. 0 or the errno of sigaction(2).
 */
int seccomp_trap_install(int channel, bool go_on);

/*
 * Reports of the calling thread say @kind and the name it has now. SIGSYS is
 * not blocked in it from here on: blocked, it would kill without a report.
 */
void seccomp_trap_prepare_thread(enum thread_kind kind);

/*
 * The address that the kernel sees in a call that is made all the same: the
 * filters of --seccomp log let it through.
 */
uintptr_t seccomp_trap_redo_ip(void);

#endif
