/* vmm/monitor/monitor_lockdown.c - no_new_privs, the trap, and the filters. */
#include "vmm/monitor/monitor_lockdown.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/monitor/monitor_proto.h"
#include "vmm/monitor/seccomp_filter.h"
#include "vmm/monitor/seccomp_trap.h"

/* Static as the hook that leads here is: see thread_start.c. */
static enum monitor_seccomp mode = MONITOR_SECCOMP_OFF;

int monitor_lockdown_prepare(unsigned int seccomp, int channel, struct err *err)
{
	int r;

	if (seccomp == MONITOR_SECCOMP_OFF)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "PR_SET_NO_NEW_PRIVS: %s", strerror(errno));
	r = seccomp_trap_install(channel, seccomp == MONITOR_SECCOMP_LOG);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "SIGSYS: %s",
				    strerror(-r));
	mode = (enum monitor_seccomp)seccomp;
	return 0;
}

void monitor_lockdown(enum thread_kind kind)
{
	int r;

	if (mode == MONITOR_SECCOMP_OFF)
		return;
	seccomp_trap_prepare_thread(kind);
	r = seccomp_filter_enter(kind, mode == MONITOR_SECCOMP_LOG);
	if (!r)
		return;
	log_error("seccomp: %s; does this kernel have CONFIG_SECCOMP_FILTER?",
		  strerror(-r));
	_exit(1);
}
