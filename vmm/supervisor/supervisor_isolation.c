/*
 * vmm/supervisor/supervisor_isolation.c - what the monitor may do, and what is
 * said when it tried something else.
 */
#include "vmm/supervisor/supervisor_impl.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>

#include "vmm/base/log.h"
#include "vmm/build_id.h"
#include "vmm/config.h"
#include "vmm/monitor/seccomp_report.h"
#include "vmm/supervisor/guest_cgroup.h"

enum monitor_seccomp supervisor_seccomp(const struct supervisor *s)
{
	switch (s->p.config->seccomp) {
	case SECCOMP_CHOICE_LOG:
	case SECCOMP_CHOICE_FORCE_LOG:
		return MONITOR_SECCOMP_LOG;
	case SECCOMP_CHOICE_OFF:
	case SECCOMP_CHOICE_FORCE_OFF:
		return MONITOR_SECCOMP_OFF;
	default:
		return MONITOR_SECCOMP_ON;
	}
}

void supervisor_take_trap(struct supervisor *s,
			  const struct monitor_msg_trap *m)
{
	char text[SECCOMP_REPORT_MAX];

	seccomp_report_text(m, text, sizeof(text));
	if (m->logged) {
		log_warn("the monitor: %s", text);
		return;
	}
	s->has_error = true;
	err_set_kind(&s->error, ERR_INTERNAL, -EPERM,
		     "the monitor was ended: %s", text);
}

void supervisor_set_death(struct supervisor *s, int status)
{
	s->has_error = true;
	if (s->p.cgroup >= 0 && guest_cgroup_out_of_memory(s->p.cgroup))
		err_set_kind(&s->error, ERR_HOST, -ENOMEM,
			     "the monitor was killed (SIGKILL): its cgroup has "
			     "reached memory.max; what coffer plan says is "
			     "not enough for this guest");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
		err_set_kind(&s->error, ERR_HOST, -ECHILD,
			     "the monitor was killed (SIGKILL): the host or "
			     "its cgroup ran out of memory, or somebody ended "
			     "it");
	else if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		err_set_kind(&s->error, ERR_INTERNAL, -ECHILD,
			     "the monitor was killed (SIGSYS): it tried a "
			     "system call that only an attacker makes, or one "
			     "on no list while signals were blocked");
	else if (WIFSIGNALED(status))
		err_set_kind(&s->error, ERR_INTERNAL, -ECHILD,
			     "the monitor died of SIG%s",
			     sigabbrev_np(WTERMSIG(status))
				     ? sigabbrev_np(WTERMSIG(status))
				     : "RT");
	else if (WEXITSTATUS(status) == MONITOR_EXIT_OTHER_BUILD)
		err_set_kind(&s->error, ERR_HOST, -ENOEXEC,
			     "coffer-monitor, beside this program or in its "
			     "libexec directory, is not of this build (%s): "
			     "install both anew",
			     coffer_build_id());
	else
		err_set_kind(&s->error, ERR_INTERNAL, -ECHILD,
			     "the monitor ended with status %d and did not say "
			     "why",
			     WEXITSTATUS(status));
}
