/* vmm/kvm/kvm_vcpu.c - vCPU ioctls and the shared run page. */
#include "vmm/kvm/kvm_vcpu.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "firmware/boot_entry.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/cpuid.h"
#include "vmm/kvm/kvm_abi.h"
#include "vmm/kvm/kvm_vm.h"

/* Intel SDM vol. 4, "Model-Specific Registers" */
enum {
	MSR_IA32_MISC_ENABLE = 0x1a0,
	MISC_ENABLE_FAST_STRINGS = 1 << 0,
	MSR_IA32_MTRR_DEF_TYPE = 0x2ff,
	MTRR_DEF_TYPE_ON_WB = 0x806, /* enabled, default write-back */
};

/* Local APIC registers (Intel SDM vol. 3A, "Local Vector Table") */
enum {
	APIC_LVT_LINT0 = 0x350,
	APIC_LVT_LINT1 = 0x360,
	APIC_DM_NMI = 4 << 8,
	APIC_DM_EXTINT = 7 << 8,
};

enum {
	CR4_PAE = 1 << 5,
	EFER_LME = 1 << 8,
	EFER_LMA = 1 << 10,
	EFER_NX = 1 << 11,
	SEG_TYPE_CODE = 0xb, /* execute, read, accessed */
	SEG_TYPE_DATA = 0x3, /* read, write, accessed */
	SEG_TYPE_TSS_BUSY = 0xb,
	SEG_TYPE_LDT = 0x2,
	RFLAGS_FIXED = 2,
};
#define CR0_PG BIT64(31)

/*
 * KVM_RUN says EAGAIN to a CPU that was waiting for INIT: which the boot CPU
 * never does. To it, that is the thread that KVM starts for a VM at its first
 * run (Linux 6.13 and later), and could not: the host's limit of processes.
 */
enum { RUN_AGAIN_MAX = 1000 };

struct kvm_vcpu {
	int fd;
	unsigned int id;
	int vm_fd; /* borrowed */
	struct kvm_run *run;
	size_t run_size;
	int run_errno;	      /* of the last failed KVM_RUN */
	unsigned int n_again; /* boot CPU: EAGAIN, one after the other */
	atomic_bool stop;
};

static int fail(struct err *err, const struct kvm_vcpu *v, const char *what)
{
	int r = -errno;

	return err_set_kind(err, ERR_HOST, r, "vCPU %u: %s: %s", v->id, what,
			    strerror(-r));
}

int kvm_vcpu_create(struct kvm_vm *vm, unsigned int id, struct kvm_vcpu **ret,
		    struct err *err)
{
	AUTO(kvm_vcpu_destroyp) struct kvm_vcpu *v = calloc(1, sizeof(*v));
	void *p;

	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	v->id = id;
	v->vm_fd = kvm_vm_fd(vm);
	v->fd = ioctl(v->vm_fd, KVM_CREATE_VCPU, id);
	if (v->fd < 0)
		return fail(err, v, "KVM_CREATE_VCPU");
	p = mmap(NULL, kvm_vm_run_size(vm), PROT_READ | PROT_WRITE, MAP_SHARED,
		 v->fd, 0);
	if (p == MAP_FAILED)
		return fail(err, v, "mapping the run page");
	v->run = p;
	v->run_size = kvm_vm_run_size(vm);
	*ret = TAKE(v);
	return 0;
}

void kvm_vcpu_destroy(struct kvm_vcpu *v)
{
	if (!v)
		return;
	if (v->run)
		munmap(v->run, v->run_size);
	fd_closep(&v->fd);
	free(v);
}

uint32_t kvm_vcpu_tsc_khz(const struct kvm_vcpu *v)
{
	int khz = ioctl(v->fd, KVM_GET_TSC_KHZ, 0);

	return khz > 0 ? (uint32_t)khz : 0;
}

int kvm_vcpu_set_cpuid(struct kvm_vcpu *v, const struct cpuid_table *t,
		       struct err *err)
{
	AUTO(freep) struct kvm_cpuid2 *c = NULL;

	c = calloc(1, sizeof(*c) + t->n * sizeof(c->entries[0]));
	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	c->nent = (uint32_t)t->n;
	for (size_t i = 0; i < t->n; i++) {
		const struct cpuid_entry *e = &t->e[i];

		c->entries[i] = (struct kvm_cpuid_entry2){
			.function = e->function,
			.index = e->index,
			.flags = e->flags,
			.eax = e->eax,
			.ebx = e->ebx,
			.ecx = e->ecx,
			.edx = e->edx,
		};
	}
	if (ioctl(v->fd, KVM_SET_CPUID2, c) < 0)
		return fail(err, v, "KVM_SET_CPUID2");
	return 0;
}

static void set_optional_msr(struct kvm_vcpu *v, uint32_t index, uint64_t val)
{
	uint8_t buf[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)] = {
		0};
	struct kvm_msrs *m = (struct kvm_msrs *)(void *)buf;

	m->nmsrs = 1;
	m->entries[0] = (struct kvm_msr_entry){.index = index, .data = val};
	/* The result is the number of MSRs set. */
	if (ioctl(v->fd, KVM_SET_MSRS, m) != 1)
		log_debug("vCPU %u: KVM refuses MSR 0x%x", v->id, index);
}

/* Virtual wire mode: the 8259 on LINT0 of the boot CPU, NMI on LINT1. */
static int init_lapic(struct kvm_vcpu *v, struct err *err)
{
	struct kvm_lapic_state l;

	if (ioctl(v->fd, KVM_GET_LAPIC, &l) < 0)
		return fail(err, v, "KVM_GET_LAPIC");
	if (v->id == 0)
		store_le32(l.regs + APIC_LVT_LINT0, APIC_DM_EXTINT);
	store_le32(l.regs + APIC_LVT_LINT1, APIC_DM_NMI);
	if (ioctl(v->fd, KVM_SET_LAPIC, &l) < 0)
		return fail(err, v, "KVM_SET_LAPIC");
	return 0;
}

int kvm_vcpu_init_platform(struct kvm_vcpu *v, struct err *err)
{
	set_optional_msr(v, MSR_IA32_MTRR_DEF_TYPE, MTRR_DEF_TYPE_ON_WB);
	set_optional_msr(v, MSR_IA32_MISC_ENABLE, MISC_ENABLE_FAST_STRINGS);
	return init_lapic(v, err);
}

static struct kvm_segment segment(uint16_t selector, uint8_t type, bool is_code,
				  bool is_long)
{
	return (struct kvm_segment){
		.limit = 0xffffffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.db = !(is_code && is_long),
		.s = 1,
		.l = is_code && is_long,
		.g = 1,
	};
}

static int set_boot(struct kvm_vcpu *v, const struct boot_entry *entry,
		    struct err *err)
{
	bool is_long = entry->mode == BOOT_LONG64;
	struct kvm_sregs s;
	struct kvm_regs r = {
		.rip = entry->rip,
		.rsp = entry->rsp,
		.rsi = entry->rsi,
		.rbx = entry->rbx,
		.rflags = RFLAGS_FIXED,
	};

	if (ioctl(v->fd, KVM_GET_SREGS, &s) < 0)
		return fail(err, v, "KVM_GET_SREGS");
	s.cs = segment(BOOT_CS, SEG_TYPE_CODE, true, is_long);
	s.ds = segment(BOOT_DS, SEG_TYPE_DATA, false, is_long);
	s.es = s.fs = s.gs = s.ss = s.ds;
	s.tr = (struct kvm_segment){
		.selector = BOOT_TR,
		.limit = BOOT_TR_LIMIT,
		.type = SEG_TYPE_TSS_BUSY,
		.present = 1,
	};
	s.gdt.base = entry->gdt_base;
	s.gdt.limit = entry->gdt_limit;
	s.idt.base = 0;
	s.idt.limit = 0;
	s.cr0 = BOOT_CR0;
	if (is_long) {
		s.cr0 |= CR0_PG;
		s.cr3 = entry->cr3;
		s.cr4 |= CR4_PAE;
		s.efer |= EFER_LME | EFER_LMA;
	}
	if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0)
		return fail(err, v, "KVM_SET_SREGS");
	if (ioctl(v->fd, KVM_SET_REGS, &r) < 0)
		return fail(err, v, "KVM_SET_REGS");
	return 0;
}

static struct kvm_segment real_segment(uint16_t selector, uint64_t base,
				       uint8_t type, bool is_system)
{
	return (struct kvm_segment){
		.base = base,
		.limit = 0xffff,
		.selector = selector,
		.type = type,
		.present = 1,
		.s = !is_system,
	};
}

/*
 * KVM's own reset state differs in the type of TR, which an SEV-ES guest has
 * measured.
 */
static int set_reset(struct kvm_vcpu *v, const struct boot_entry *entry,
		     struct err *err)
{
	struct kvm_sregs s;
	struct kvm_regs r;

	if (ioctl(v->fd, KVM_GET_SREGS, &s) < 0)
		return fail(err, v, "KVM_GET_SREGS");
	if (ioctl(v->fd, KVM_GET_REGS, &r) < 0)
		return fail(err, v, "KVM_GET_REGS");
	s.cs = real_segment(BOOT_RESET_CS, entry->cs_base, SEG_TYPE_CODE,
			    false);
	s.ds = real_segment(0, 0, SEG_TYPE_DATA, false);
	s.es = s.fs = s.gs = s.ss = s.ds;
	s.tr = real_segment(0, 0, SEG_TYPE_TSS_BUSY, true);
	s.ldt = real_segment(0, 0, SEG_TYPE_LDT, true);
	s.gdt.base = s.idt.base = 0;
	s.gdt.limit = s.idt.limit = 0xffff;
	r = (struct kvm_regs){
		.rip = entry->rip,
		.rdx = entry->rdx ? entry->rdx : r.rdx,
		.rflags = RFLAGS_FIXED,
	};
	if (ioctl(v->fd, KVM_SET_SREGS, &s) < 0)
		return fail(err, v, "KVM_SET_SREGS");
	if (ioctl(v->fd, KVM_SET_REGS, &r) < 0)
		return fail(err, v, "KVM_SET_REGS");
	return 0;
}

int kvm_vcpu_set_entry(struct kvm_vcpu *v, const struct boot_entry *entry,
		       struct err *err)
{
	if (entry->mode == BOOT_RESET)
		return set_reset(v, entry, err);
	return set_boot(v, entry, err);
}

static void decode_msr(struct kvm_run *run, bool is_write, struct kvm_exit *ret)
{
	ret->kind = KVM_EXIT_KIND_MSR;
	ret->is_write = is_write;
	ret->addr = run->msr.index;
	ret->value = (uint64_t *)&run->msr.data;
	ret->refuse = &run->msr.error;
}

/* Linux, Documentation/virt/kvm/x86/hypercalls.rst, KVM_HC_MAP_GPA_RANGE */
static void decode_hypercall(struct kvm_run *run, struct kvm_exit *ret)
{
	uint64_t n_pages = run->hypercall.args[1];

	run->hypercall.ret = (uint64_t)KVM_RESULT_EINVAL;
	if (run->hypercall.nr != KVM_HC_MAP_GPA_RANGE ||
	    n_pages > UINT64_MAX / 4096) {
		ret->kind = KVM_EXIT_KIND_NONE;
		return;
	}
	ret->kind = KVM_EXIT_KIND_MAP_GPA;
	ret->addr = run->hypercall.args[0];
	ret->len = n_pages * 4096;
	ret->is_private = run->hypercall.args[2] & KVM_MAP_GPA_RANGE_ENCRYPTED;
	ret->value = (uint64_t *)&run->hypercall.ret;
}

/*
 * Linux, Documentation/virt/kvm/api.rst, KVM_EXIT_INTERNAL_ERROR: an
 * instruction (or what lies where an SMI or a jump led) that KVM's emulator
 * does not know, or an exception with its stack or table where no RAM is. A
 * guest does that at will, so it is the guest that failed.
 */
static enum kvm_exit_kind internal_error_kind(const struct kvm_run *run)
{
	switch (run->internal.suberror) {
	case KVM_INTERNAL_ERROR_EMULATION:
	case KVM_INTERNAL_ERROR_SIMUL_EX:
	case KVM_INTERNAL_ERROR_DELIVERY_EV:
		return KVM_EXIT_KIND_NOT_EMULATED;
	default:
		return KVM_EXIT_KIND_ERROR;
	}
}

static void decode(struct kvm_vcpu *v, struct kvm_exit *ret)
{
	struct kvm_run *run = v->run;

	switch (run->exit_reason) {
	case KVM_EXIT_IO:
		ret->kind = KVM_EXIT_KIND_IO;
		ret->is_write = run->io.direction == KVM_EXIT_IO_OUT;
		ret->width = run->io.size;
		ret->addr = run->io.port;
		ret->count = run->io.count;
		ret->data = (uint8_t *)run + run->io.data_offset;
		return;
	case KVM_EXIT_MMIO:
		ret->kind = KVM_EXIT_KIND_MMIO;
		ret->is_write = run->mmio.is_write;
		ret->width = run->mmio.len;
		ret->addr = run->mmio.phys_addr;
		ret->count = 1;
		ret->data = run->mmio.data;
		return;
	case KVM_EXIT_X86_RDMSR:
		decode_msr(run, false, ret);
		return;
	case KVM_EXIT_X86_WRMSR:
		decode_msr(run, true, ret);
		return;
	case KVM_EXIT_HYPERCALL:
		decode_hypercall(run, ret);
		return;
	case KVM_EXIT_SHUTDOWN:
	case KVM_EXIT_SYSTEM_EVENT: /* a crash that KVM itself reports */
		ret->kind = KVM_EXIT_KIND_SHUTDOWN;
		return;
	case KVM_EXIT_INTERNAL_ERROR:
		ret->kind = internal_error_kind(run);
		return;
	case KVM_EXIT_INTR:
	case KVM_EXIT_IRQ_WINDOW_OPEN:
	case KVM_EXIT_SET_TPR:
		ret->kind = KVM_EXIT_KIND_NONE;
		return;
	default:
		ret->kind = KVM_EXIT_KIND_ERROR;
		return;
	}
}

static bool may_go_on(struct kvm_vcpu *v, int code)
{
	return code == EAGAIN && (v->id || v->n_again++ < RUN_AGAIN_MAX);
}

void kvm_vcpu_run(struct kvm_vcpu *v, struct kvm_exit *ret)
{
	*ret = (struct kvm_exit){.kind = KVM_EXIT_KIND_NONE};
	v->run_errno = 0;
	if (ioctl(v->fd, KVM_RUN, 0) == 0) {
		v->n_again = 0;
		decode(v, ret);
		return;
	}
	if (atomic_load(&v->stop)) {
		ret->kind = KVM_EXIT_KIND_STOPPED;
	} else if (errno != EINTR && !may_go_on(v, errno)) {
		v->run_errno = errno;
		ret->kind = KVM_EXIT_KIND_ERROR;
	}
}

void kvm_vcpu_error(const struct kvm_vcpu *v, char *buf, size_t len)
{
	const struct kvm_run *run = v->run;
	struct kvm_regs r = {0};

	ioctl(v->fd, KVM_GET_REGS, &r);
	if (v->run_errno == EAGAIN)
		snprintf(buf, len,
			 "vCPU %u: KVM could not start its thread: %s (limits "
			 "that apply: ulimit -u, pids.max of the cgroup)",
			 v->id, strerror(v->run_errno));
	else if (v->run_errno)
		snprintf(buf, len, "vCPU %u: KVM_RUN: %s (rip 0x%llx)", v->id,
			 strerror(v->run_errno), r.rip);
	else if (run->exit_reason == KVM_EXIT_FAIL_ENTRY)
		snprintf(buf, len,
			 "vCPU %u: the CPU refuses the guest's state, hardware "
			 "reason 0x%llx (rip 0x%llx)",
			 v->id, run->fail_entry.hardware_entry_failure_reason,
			 r.rip);
	else if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR &&
		 internal_error_kind(run) == KVM_EXIT_KIND_NOT_EMULATED)
		snprintf(buf, len,
			 "CPU %u executed what KVM cannot emulate (suberror "
			 "%u, rip 0x%llx)",
			 v->id, run->internal.suberror, r.rip);
	else if (run->exit_reason == KVM_EXIT_INTERNAL_ERROR)
		snprintf(
			buf, len,
			"vCPU %u: KVM internal error, suberror %u (rip 0x%llx)",
			v->id, run->internal.suberror, r.rip);
	else
		snprintf(buf, len, "vCPU %u: unexpected exit %u (rip 0x%llx)",
			 v->id, run->exit_reason, r.rip);
}

void kvm_vcpu_stop(struct kvm_vcpu *v)
{
	atomic_store(&v->stop, true);
	/* KVM reads it on entry: a run that has not begun returns at once. */
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
}

void kvm_vcpu_go_on(struct kvm_vcpu *v)
{
	atomic_store(&v->stop, false);
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
	/* Fails where the guest has no kvmclock, which then has no watchdog
	 * that KVM could calm. */
	ioctl(v->fd, KVM_KVMCLOCK_CTRL, 0);
}
