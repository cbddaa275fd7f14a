/*
 * vmm/monitor/seccomp_bpf.h - what seccomp_gen generates when coffer is built:
 * the filter programs, and the names of the system calls.
 */
#ifndef VMM_MONITOR_SECCOMP_BPF_H
#define VMM_MONITOR_SECCOMP_BPF_H

#include <linux/filter.h>

#include "vmm/base/thread_start.h"

enum { SECCOMP_NAMES_MAX = 512 }; /* above every number of x86-64 */

/* By enum thread_kind. */
extern const struct sock_fprog seccomp_bpf[THREAD_KIND_COUNT];
/* By number; NULL where there is none. */
extern const char *const seccomp_names[SECCOMP_NAMES_MAX];

#endif
