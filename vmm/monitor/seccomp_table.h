/*
 * vmm/monitor/seccomp_table.h - which system calls a thread of the monitor may
 * make once the guest runs. Data only: seccomp_build turns it into filters,
 * docs/seccomp.md is printed from it.
 */
#ifndef VMM_MONITOR_SECCOMP_TABLE_H
#define VMM_MONITOR_SECCOMP_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/thread_start.h"

enum { SECCOMP_ARGS_MAX = 2 }; /* of a call that an entry checks */

/* Argument @index, masked, must equal @value. */
struct seccomp_arg {
	unsigned int index; /* 0..5 */
	uint64_t mask;
	uint64_t value;
};

/* One way in which a call is allowed. */
struct seccomp_entry {
	int nr;
	const char *call;   /* its name, "ioctl" */
	const char *detail; /* the arguments in words, "KVM_RUN", or "" */
	const char *who;    /* who needs it and what for */
	unsigned int n_args;
	struct seccomp_arg args[SECCOMP_ARGS_MAX]; /* all must hold */
	/*
	 * Whether it is made depends on the host: the C library, the clock
	 * source, what the kernel offers. No test can insist on it.
	 */
	const char *host; /* on what, or NULL */
};

struct seccomp_list {
	const struct seccomp_entry *e;
	size_t n;
};

/* What threads of @kind may do. */
struct seccomp_list seccomp_table(enum thread_kind kind);

/*
 * What builds with sanitizers may do besides, whichever the kind: their
 * run-time library's calls. Never part of what is installed.
 */
struct seccomp_list seccomp_table_sanitized(void);

/*
 * Calls that no part of coffer makes by mistake: whoever makes one is an
 * attacker, and the process ends without a report of its own. nr, call and
 * who are set.
 */
struct seccomp_list seccomp_table_kill(void);

/* "main", "vcpu", "io", "worker" */
const char *seccomp_kind_name(enum thread_kind kind);

/* Was this file compiled with sanitizers? */
bool seccomp_table_is_sanitized_build(void);

#endif
