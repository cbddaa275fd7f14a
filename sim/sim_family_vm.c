/* sim/sim_family_vm.c - KVM's VMs: creation, launch, memory regions. */
#include <errno.h>
#include <inttypes.h>
#include <sys/syscall.h>
#include <time.h>

#include "sim/sim_host.h"
#include "vmm/base/log.h"

static const struct sim_rule rules[] = {
	{SYS_ioctl, SIM_KVM_CREATE_VM, 0},
	{SYS_ioctl, SIM_KVM_CREATE_VCPU, 0},
	{SYS_ioctl, SIM_KVM_MEMORY_ENCRYPT_OP, 0},
	{SYS_ioctl, SIM_KVM_MEMORY_ENCRYPT_REG_REGION, 0},
	{SYS_ioctl, SIM_KVM_MEMORY_ENCRYPT_UNREG_REGION, 0},
};

/* The security processor does one thing at a time, and so do we. */
static void take_time(uint64_t us)
{
	struct timespec ts = {(time_t)(us / 1000000),
			      (long)(us % 1000000) * 1000};

	if (us)
		nanosleep(&ts, NULL);
}

static void report_touched(struct sim_host *h, const struct sim_event *e,
			   const struct sim_kvm_report *rep)
{
	h->touched += rep->touched;
	if (rep->touched)
		log_error("sim: vm %u: %" PRIu64
			  " launched pages were written to before "
			  "LAUNCH_FINISH, the first at 0x%" PRIx64
			  " of process %d: on hardware the guest would find "
			  "garbage there",
			  e->vm, rep->touched, rep->first_touched, (int)e->tid);
}

static void trace(struct sim_host *h, struct sim_event *e,
		  const struct sim_kvm_report *rep)
{
	e->command = rep->command;
	e->has_status = rep->has_status;
	e->status = rep->status;
	e->handle = rep->handle;
	e->asid = rep->asid;
	e->addr = rep->addr;
	e->len = rep->len;
	e->touched = rep->touched;
	e->digest = rep->digest;
	sim_trace_event(h->trace, e);
}

/* An ioctl that is answered here entirely. */
static int launch(struct sim_host *h, const struct sim_call *c,
		  struct sim_event *e)
{
	struct sim_target *t = &c->proc->target;
	uint32_t request = (uint32_t)c->args[1];
	struct sim_kvm_report rep = {0};
	struct sim_vms_entry vm;
	int r = sim_vms_find(h->vms, e->tid, (uint32_t)c->args[0], &vm);

	if (r < 0)
		return r;
	e->vm = vm.number;
	if (request == SIM_KVM_MEMORY_ENCRYPT_OP)
		r = sim_kvm_op(vm.vm, t, c->args[2], &rep);
	else
		r = sim_kvm_region(vm.vm, t,
				   request == SIM_KVM_MEMORY_ENCRYPT_REG_REGION,
				   c->args[2], &rep);
	e->result = r;
	take_time(rep.psp_us);
	report_touched(h, e, &rep);
	trace(h, e, &rep);
	return r;
}

static bool is_full(const struct sim_host *h, bool es)
{
	return sim_kvm_asids_used(h->kvm, es) == sim_kvm_asids(h->kvm, es);
}

static void handle_launch(struct sim_host *h, const struct sim_call *c,
			  struct sim_answer *a)
{
	bool is_op = (uint32_t)c->args[1] == SIM_KVM_MEMORY_ENCRYPT_OP;
	struct sim_event e = {.tid = c->proc->tid,
			      .call = is_op ? "KVM_MEMORY_ENCRYPT_OP"
					    : "KVM_MEMORY_ENCRYPT_REGION"};

	/* Before an ASID is refused: perhaps one only looks taken. */
	if (is_full(h, true) || is_full(h, false))
		sim_vms_revalidate(h->vms);
	sim_return(a, launch(h, c, &e));
}

/* The kernel makes the vCPU; we only remember it. */
static void handle_vcpu(struct sim_host *h, const struct sim_call *c)
{
	struct sim_event e = {.tid = c->proc->tid,
			      .call = "KVM_CREATE_VCPU",
			      .continued = true,
			      .has_vcpu = true,
			      .vcpu = (uint32_t)c->args[2]};
	struct sim_vms_entry vm;
	int r = sim_vms_find(h->vms, e.tid, (uint32_t)c->args[0], &vm);

	if (r >= 0) {
		e.vm = vm.number;
		r = sim_kvm_vcpu_create(vm.vm, e.vcpu);
	}
	if (r < 0)
		e.note = "not remembered";
	sim_trace_event(h->trace, &e);
}

/* Linux 6.1 knows one type of VM on x86. */
static void handle_create_vm(struct sim_host *h, const struct sim_call *c,
			     struct sim_answer *a)
{
	struct sim_event e = {.tid = c->proc->tid,
			      .call = "KVM_CREATE_VM",
			      .continued = true};

	sim_vms_revalidate(h->vms);
	if (c->args[2]) {
		e.continued = false;
		e.result = -EINVAL;
		sim_return(a, e.result);
	}
	sim_trace_event(h->trace, &e);
}

static void handle(struct sim_host *h, const struct sim_call *c,
		   struct sim_answer *a)
{
	uint32_t unused;

	if ((uint32_t)c->args[1] == SIM_KVM_CREATE_VM) {
		handle_create_vm(h, c, a);
		return;
	}
	if (sim_proc_fd_kind(c->proc->tid, (uint32_t)c->args[0], &unused) !=
	    SIM_FD_VM)
		return;
	if ((uint32_t)c->args[1] == SIM_KVM_CREATE_VCPU)
		handle_vcpu(h, c);
	else
		handle_launch(h, c, a);
}

const struct sim_family sim_family_vm = {rules, ARRAY_SIZE(rules), handle};
