/*
 * vmm/vm_sev.h - what is different in a VM that SEV protects: vm.c calls these
 * in the order in which they stand here.
 */
#ifndef VMM_VM_SEV_H
#define VMM_VM_SEV_H

#include <stdbool.h>

#include "vmm/base/own.h"

struct boot_entry;
struct cpuid_table;
struct err;
struct guest_mem;
struct kvm_vm;
struct launch;
struct vm_params;
struct vm_sev; /* opaque */

/*
 * Make @kvm, which has no vCPU yet, a protected guest by the way that was
 * chosen for it. @p and @kvm are borrowed; p->launch is not NULL.
 * -EINVAL with ERR_USAGE: the emulated C-bit on a real security processor
 */
int vm_sev_create(const struct vm_params *p, struct kvm_vm *kvm, bool init2,
		  struct vm_sev **ret, struct err *err);
/* Unpins. NULL is fine. Before kvm_vm_destroy(). */
void vm_sev_destroy(struct vm_sev *s);
DEFINE_CLEANUP(struct vm_sev, vm_sev_destroy)

/*
 * The C-bit, by what KVM supports; compared with what the operator has said.
 * -EINVAL with ERR_USAGE: it, or the reduction, is another; both are named
 * -EOPNOTSUPP with ERR_HOST: KVM does not offer SEV to guests
 */
int vm_sev_c_bit(struct vm_sev *s, struct cpuid_table *supported,
		 unsigned int *ret, struct err *err);
/* For struct cpuid_params. */
unsigned int vm_sev_reduction(const struct vm_sev *s);

/* Plan the launch of what @p names, and put it into memory. */
int vm_sev_load(struct vm_sev *s, const struct vm_params *p,
		struct guest_mem *mem, struct boot_entry *ret, struct err *err);

/* Launch and measure it. All vCPUs are there, with their registers. */
int vm_sev_measure(struct vm_sev *s, struct guest_mem *mem, struct err *err);

/* Secrets and the end of the launch. Borrowed. */
struct launch *vm_sev_launch(struct vm_sev *s);

#endif
