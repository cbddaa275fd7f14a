/* vmm/monitor/seccomp_report.c - puts names to numbers. */
#include "vmm/monitor/seccomp_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "vmm/monitor/monitor_proto.h"
#include "vmm/monitor/seccomp_bpf.h"
#include "vmm/monitor/seccomp_table.h"

const char *seccomp_call_name(int nr)
{
	return nr >= 0 && nr < SECCOMP_NAMES_MAX ? seccomp_names[nr] : NULL;
}

void seccomp_report_text(const struct monitor_msg_trap *t, char *buf,
			 size_t len)
{
	const char *call = seccomp_call_name(t->nr);
	const uint64_t *a = t->args;
	char thread[sizeof(t->thread) + 1];

	memcpy(thread, t->thread, sizeof(t->thread));
	thread[sizeof(t->thread)] = 0;
	monitor_text_clean(thread);
	snprintf(buf, len,
		 "its thread '%s' (%s) made the system call %s(0x%" PRIx64
		 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64 ", 0x%" PRIx64
		 ", 0x%" PRIx64 "), number %d, which is on no list for it%s",
		 thread, seccomp_kind_name((enum thread_kind)t->kind),
		 call ? call : "?", a[0], a[1], a[2], a[3], a[4], a[5], t->nr,
		 t->logged ? " (made all the same: --seccomp log)" : "");
}
