/*
 * vmm/monitor/seccomp_build.h - from the table to the kernel's filter programs,
 * by libseccomp. Runs when coffer is built and in tests, never in the monitor:
 * three filters take libseccomp 0.4 ms, a fifteenth of what a start may take,
 * and its code would be there for an attacker to use.
 */
#ifndef VMM_MONITOR_SECCOMP_BUILD_H
#define VMM_MONITOR_SECCOMP_BUILD_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>

#include "vmm/base/thread_start.h"

struct err;

enum {
	SECCOMP_INSNS_MAX = 1024, /* of one filter; the kernel's is 4096 */
	SECCOMP_SKIP_NONE = -1,
};

/*
 * The filter of @kind: what is listed is allowed, what the kill list names
 * kills the process, everything else traps; a foreign architecture (i386, x32)
 * kills.
 * @sanitized  with the sanitizers' own list
 * @skip       index of an entry to leave out, or SECCOMP_SKIP_NONE
 * @ret        room for SECCOMP_INSNS_MAX; *ret_n are used
 * -E2BIG      it does not fit, or another errno of libseccomp's
 */
int seccomp_build(enum thread_kind kind, bool sanitized, int skip,
		  struct sock_filter *ret, size_t *ret_n, struct err *err);

#endif
