/* sim/sim_family_dev.c - ioctls on the simulated /dev/sev. */
#include <errno.h>
#include <sys/syscall.h>

#include "sim/sim_host.h"

static const struct sim_rule rules[] = {
	{SYS_ioctl, SIM_SEV_ISSUE_CMD, 0},
};

static void handle(struct sim_host *h, const struct sim_call *c,
		   struct sim_answer *a)
{
	struct sim_event e = {.tid = c->proc->tid,
			      .call = "SEV_ISSUE_CMD",
			      .has_status = true};
	struct sim_dev_report rep;
	int mode;

	if (!c->proc->target.ops->is_sev(&c->proc->target, (uint32_t)c->args[0],
					 &mode))
		return; /* another device's ioctl of this number */
	/* How many guests there are depends on who is gone. */
	sim_vms_revalidate(h->vms);
	e.result = sim_dev_ioctl(h->fw, h->faults, &c->proc->target, mode,
				 c->args[2], &rep);
	e.command = rep.command;
	e.status = rep.status;
	sim_trace_event(h->trace, &e);
	sim_return(a, e.result);
}

const struct sim_family sim_family_dev = {rules, ARRAY_SIZE(rules), handle};
