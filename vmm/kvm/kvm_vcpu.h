/*
 * vmm/kvm/kvm_vcpu.h - one vCPU: its initial state, and running it to the next
 * exit. An exit is handed over in our own words, so that nobody else needs
 * linux/kvm.h.
 *
 * A vCPU belongs to the thread that runs it; only kvm_vcpu_stop() is called
 * from others.
 */
#ifndef VMM_KVM_KVM_VCPU_H
#define VMM_KVM_KVM_VCPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct boot_entry;
struct cpuid_table;
struct err;
struct kvm_vcpu; /* opaque */
struct kvm_vm;

enum kvm_exit_kind {
	KVM_EXIT_KIND_NONE,	/* interrupted, or handled inside: run again */
	KVM_EXIT_KIND_STOPPED,	/* kvm_vcpu_stop() was called */
	KVM_EXIT_KIND_IO,	/* a port */
	KVM_EXIT_KIND_MMIO,	/* an address that is no RAM */
	KVM_EXIT_KIND_MSR,	/* an MSR that the VMM answers for */
	KVM_EXIT_KIND_MAP_GPA,	/* the guest shares pages, or takes them back */
	KVM_EXIT_KIND_SHUTDOWN, /* triple fault */
	/* the guest executes what KVM cannot emulate; see kvm_vcpu_error() */
	KVM_EXIT_KIND_NOT_EMULATED,
	KVM_EXIT_KIND_ERROR, /* KVM cannot go on; see kvm_vcpu_error() */
};

struct kvm_exit {
	enum kvm_exit_kind kind;
	bool is_write;
	unsigned int width; /* bytes an access: 1, 2, 4 (IO), 1..8 (MMIO) */
	uint64_t addr;	    /* port or guest-physical address */
	/*
	 * IO: @count accesses of @width bytes to the same port, one after the
	 * other (string instructions); MMIO: 1. @data is read or filled before
	 * the vCPU runs again.
	 */
	uint32_t count;
	uint8_t *data;
	/*
	 * MSR: @addr is its index; a read stores into *@value, a write has it
	 * there; *@refuse = 1 gives the guest #GP. MAP_GPA: @addr and @len
	 * bytes, and @is_private; *@value is the hypercall's result, 0 or a
	 * negative KVM_E number.
	 */
	uint64_t len;
	bool is_private;
	uint64_t *value;
	uint8_t *refuse;
};

/* Linux, include/uapi/linux/kvm_para.h: what a hypercall may return. */
enum { KVM_RESULT_OK = 0, KVM_RESULT_EINVAL = -22 };

/* @vm is borrowed. @id 0 is the boot CPU and the APIC ID. */
int kvm_vcpu_create(struct kvm_vm *vm, unsigned int id, struct kvm_vcpu **ret,
		    struct err *err);
/* NULL is fine. Not while it runs. */
void kvm_vcpu_destroy(struct kvm_vcpu *v);
DEFINE_CLEANUP(struct kvm_vcpu, kvm_vcpu_destroy)

/* TSC frequency in kHz as the guest sees it, or 0 when KVM does not say. */
uint32_t kvm_vcpu_tsc_khz(const struct kvm_vcpu *v);

/* KVM_SET_CPUID2. Before the first run. */
int kvm_vcpu_set_cpuid(struct kvm_vcpu *v, const struct cpuid_table *t,
		       struct err *err);

/*
 * State that firmware would set up on every CPU: MTRRs on and write-back,
 * fast strings, LINT pins. An MSR that this KVM refuses is a debug line.
 */
int kvm_vcpu_init_platform(struct kvm_vcpu *v, struct err *err);

/*
 * Let the boot vCPU start at @entry. The others wait for INIT and SIPI; under
 * SEV-ES, where these do not set registers, they have an entry, too.
 */
int kvm_vcpu_set_entry(struct kvm_vcpu *v, const struct boot_entry *entry,
		       struct err *err);

/* Run until the next exit. */
void kvm_vcpu_run(struct kvm_vcpu *v, struct kvm_exit *ret);

/* After KVM_EXIT_KIND_NOT_EMULATED or _ERROR: what KVM said, one line. */
void kvm_vcpu_error(const struct kvm_vcpu *v, char *buf, size_t len);

/*
 * Make kvm_vcpu_run() return KVM_EXIT_KIND_STOPPED, now or at its next call.
 * Any thread; the caller then also signals the vCPU's thread, which must have
 * a handler without SA_RESTART for that signal.
 */
void kvm_vcpu_stop(struct kvm_vcpu *v);
/*
 * Undo kvm_vcpu_stop(): the vCPU may run again, and its guest is told that it
 * was stopped for a while (KVM_KVMCLOCK_CTRL). The vCPU's thread.
 */
void kvm_vcpu_go_on(struct kvm_vcpu *v);

#endif
