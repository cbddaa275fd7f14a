/*
 * vmm/monitor/seccomp_filter.h - puts the filter of its kind on a thread. The
 * filters were made by libseccomp when coffer was built (seccomp_gen.c): the
 * monitor neither links nor runs it.
 */
#ifndef VMM_MONITOR_SECCOMP_FILTER_H
#define VMM_MONITOR_SECCOMP_FILTER_H

#include <stdbool.h>

#include "vmm/base/thread_start.h"

/*
 * From here on the calling thread, and those it creates, make calls of @kind's
 * list only; the others trap or kill. Nothing undoes it. The thread must have
 * no_new_privs.
 * @log  kill nothing, and let calls of seccomp_trap_redo_ip() through
 * Returns 0 or the errno of seccomp(2).
 */
int seccomp_filter_enter(enum thread_kind kind, bool log);

#endif
