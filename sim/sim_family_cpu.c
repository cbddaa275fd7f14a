/*
 * sim/sim_family_cpu.c - KVM's capabilities, the CPUID leaf of SEV, and the
 * registers that a SEV-ES guest is going to start with.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

#include "sim/sim_cpuid.h"
#include "sim/sim_host.h"
#include "vmm/base/bytes.h"

static const struct sim_rule rules[] = {
	{SYS_ioctl, SIM_KVM_CHECK_EXTENSION, SIM_KVM_CAP_VM_TYPES},
	{SYS_ioctl, SIM_KVM_GET_SUPPORTED_CPUID, 0},
	{SYS_ioctl, SIM_KVM_SET_CPUID2, 0},
	{SYS_ioctl, SIM_KVM_SET_REGS, 0},
	{SYS_ioctl, SIM_KVM_SET_SREGS, 0},
	{SYS_ioctl, SIM_KVM_SET_SREGS2, 0},
	{SYS_ioctl, SIM_KVM_SET_MSRS, 0},
	{SYS_ioctl, SIM_KVM_SET_XCRS, 0},
	{SYS_ioctl, SIM_KVM_SET_FPU, 0},
	{SYS_ioctl, SIM_KVM_SET_XSAVE, 0},
	{SYS_ioctl, SIM_KVM_SET_DEBUGREGS, 0},
};

/* --- KVM_GET_SUPPORTED_CPUID ---------------------------------------------- */

/* With the C-bit aliased, it is a bit that the host's guests really have. */
static unsigned int choose_c_bit(const struct sim_host *h,
				 const uint8_t *entries, size_t n)
{
	if (h->c.c_bit)
		return h->c.c_bit;
	return h->c.cbit_alias ? sim_cpuid_phys_bits(entries, n) - 2 : 51;
}

/* What KVM says to us, on the caller's descriptor, and SEV. */
static int supported(const struct sim_host *h, const struct sim_call *c,
		     uint8_t buf[static SIM_CPUID_MAX], size_t *ret_n)
{
	AUTO(fd_closep)
	int fd = sim_proc_get_fd(c->proc->tid, (uint32_t)c->args[0]);
	uint8_t *entries = buf + SIM_CPUID_HEADER_LEN;
	struct sim_cpuid_sev sev = {
		.has_es = h->c.fw.has_es,
		.asids = h->c.fw.asids,
		.min_sev_asid = h->c.fw.min_sev_asid,
	};

	if (fd < 0)
		return fd;
	memset(buf, 0, SIM_CPUID_MAX);
	store_le32(buf, SIM_CPUID_ENTRIES_MAX);
	if (ioctl(fd, SIM_KVM_GET_SUPPORTED_CPUID, buf) < 0)
		return -errno;
	*ret_n = load_le32(buf);
	sev.c_bit = choose_c_bit(h, entries, *ret_n);
	return sim_cpuid_add_sev(entries, ret_n, &sev);
}

/* The caller says how many entries it has room for, and is told how many. */
static int get_supported(struct sim_host *h, const struct sim_call *c)
{
	AUTO(freep) uint8_t *buf = malloc(SIM_CPUID_MAX);
	struct sim_target *t = &c->proc->target;
	uint64_t addr = c->args[2];
	uint8_t header[SIM_CPUID_HEADER_LEN];
	size_t n = 0;
	int r;

	if (!buf)
		return -ENOMEM;
	if (sim_read(t, addr, header, sizeof(header)) < 0)
		return -EFAULT;
	r = supported(h, c, buf, &n);
	if (r < 0)
		return r;
	if (load_le32(header) < n)
		return -E2BIG;
	store_le32(buf, (uint32_t)n);
	return sim_write(t, addr, buf,
			 SIM_CPUID_HEADER_LEN + n * SIM_CPUID_ENTRY_LEN);
}

static void handle_supported(struct sim_host *h, const struct sim_call *c,
			     struct sim_answer *a)
{
	struct sim_event e = {.tid = c->proc->tid,
			      .call = "KVM_GET_SUPPORTED_CPUID"};

	if (!h->c.kvm.has_sev)
		return;
	e.result = get_supported(h, c);
	sim_return(a, e.result);
	sim_trace_event(h->trace, &e);
}

/* --- KVM_SET_CPUID2 --------------------------------------------------------
 */

/*
 * The guest is not told of SEV, which it would look for in vain: its leaf is
 * zeroed where the caller keeps it, and then the kernel reads it there.
 */
static int hide_sev(const struct sim_call *c)
{
	static const uint8_t zeros[16];
	AUTO(freep) uint8_t *buf = malloc(SIM_CPUID_MAX);
	uint64_t addr = c->args[2];
	size_t n;
	long off;

	if (!buf)
		return -ENOMEM;
	if (sim_read(&c->proc->target, addr, buf, SIM_CPUID_HEADER_LEN) < 0)
		return -EFAULT;
	n = load_le32(buf);
	if (n > SIM_CPUID_ENTRIES_MAX)
		return 0; /* KVM refuses it */
	addr += SIM_CPUID_HEADER_LEN;
	if (sim_read(&c->proc->target, addr, buf, n * SIM_CPUID_ENTRY_LEN) < 0)
		return -EFAULT;
	off = sim_cpuid_find_sev(buf, n);
	if (off < 0)
		return 0;
	/* EAX to EDX are at 12. */
	return sim_proc_poke(c->proc, addr + (uint64_t)off + 12, zeros,
			     sizeof(zeros));
}

/* --- registers -------------------------------------------------------------
 */

static int read_arg(const struct sim_call *c, const struct sim_vmsa_arg *arg,
		    uint8_t *buf, size_t *ret_len)
{
	struct sim_target *t = &c->proc->target;
	size_t n = 0;

	if (sim_read(t, c->args[2], buf, arg->fixed) < 0)
		return -EFAULT;
	if (arg->entry)
		n = load_le32(buf);
	if (n > arg->max)
		n = 0; /* KVM refuses it */
	*ret_len = arg->fixed + n * arg->entry;
	return sim_read(t, c->args[2] + arg->fixed, buf + arg->fixed,
			n * arg->entry);
}

/* Record what the kernel is about to set. */
static int record(struct sim_host *h, const struct sim_call *c,
		  const struct sim_vmsa_arg *arg, uint32_t vcpu)
{
	struct sim_event e = {.tid = c->proc->tid,
			      .call = "KVM_SET",
			      .command = arg->name,
			      .continued = true,
			      .has_vcpu = true,
			      .vcpu = vcpu};
	AUTO(freep) uint8_t *buf = malloc(SIM_CPUID_MAX);
	struct sim_vms_entry vm;
	struct sim_vmsa *v;
	size_t len = 0;
	int r;

	v = sim_vms_vcpu(h->vms, e.tid, (uint32_t)c->args[0], vcpu, &vm);
	if (!v) /* not a SEV-ES guest's */
		return 0;
	r = buf ? read_arg(c, arg, buf, &len) : -ENOMEM;
	if (r >= 0)
		sim_vmsa_set(v, (uint32_t)c->args[1], buf, len);
	e.vm = vm.number;
	e.continued = r >= 0;
	e.result = r;
	sim_trace_event(h->trace, &e);
	return r;
}

static void handle_vcpu(struct sim_host *h, const struct sim_call *c,
			struct sim_answer *a)
{
	const struct sim_vmsa_arg *arg = sim_vmsa_arg((uint32_t)c->args[1]);
	uint32_t vcpu;
	int r = 0;

	if (!arg || sim_proc_fd_kind(c->proc->tid, (uint32_t)c->args[0],
				     &vcpu) != SIM_FD_VCPU)
		return;
	r = record(h, c, arg, vcpu);
	if (r >= 0 && (uint32_t)c->args[1] == SIM_KVM_SET_CPUID2 &&
	    !h->c.cbit_alias)
		r = hide_sev(c);
	if (r < 0)
		sim_return(a, r);
}

/* KVM_CAP_VM_TYPES came with the types themselves, after Linux 6.1. */
static void handle_types(const struct sim_call *c, struct sim_answer *a)
{
	uint32_t unused;
	enum sim_fd_kind kind =
		sim_proc_fd_kind(c->proc->tid, (uint32_t)c->args[0], &unused);

	if (kind == SIM_FD_KVM || kind == SIM_FD_VM)
		sim_return(a, 0);
}

static void handle(struct sim_host *h, const struct sim_call *c,
		   struct sim_answer *a)
{
	uint32_t unused;

	switch ((uint32_t)c->args[1]) {
	case SIM_KVM_CHECK_EXTENSION:
		handle_types(c, a);
		break;
	case SIM_KVM_GET_SUPPORTED_CPUID:
		if (sim_proc_fd_kind(c->proc->tid, (uint32_t)c->args[0],
				     &unused) == SIM_FD_KVM)
			handle_supported(h, c, a);
		break;
	default:
		handle_vcpu(h, c, a);
		break;
	}
}

const struct sim_family sim_family_cpu = {rules, ARRAY_SIZE(rules), handle};
