/* vmm/monitor/seccomp_report.h - a forbidden call in words, for the operator.
 */
#ifndef VMM_MONITOR_SECCOMP_REPORT_H
#define VMM_MONITOR_SECCOMP_REPORT_H

#include <stddef.h>

struct monitor_msg_trap;

enum { SECCOMP_REPORT_MAX = 320 }; /* bytes of the longest line */

/*
 * One line without a newline: "its thread 'vcpu 0' (vcpu) made the system call
 * openat(0x..., ...), number 257, which is on no list for it". Every field of
 * @t may have been chosen by an attacker.
 */
void seccomp_report_text(const struct monitor_msg_trap *t, char *buf,
			 size_t len);

/* The name of an x86-64 system call, or NULL. */
const char *seccomp_call_name(int nr);

#endif
