/*
 * sim/sim_vms.h - which VM a descriptor is.
 *
 * Descriptors are numbers that are used again, close(2) is not seen, and a
 * duplicate of ours would keep a VM alive. So a VM is known by where its
 * descriptor was seen, and a new descriptor is compared with those by kcmp(2).
 * What is no VM's any more is dropped whenever a VM is about to be created and
 * whenever somebody wants to know how many there are; a VM whose process has
 * ended, at once.
 *
 * Not seen: a VM's descriptor duplicated, the original closed, and another VM
 * created before the duplicate is used; and two threads of a process, one of
 * which closes a VM while the other is inside KVM_CREATE_VM.
 */
#ifndef SIM_SIM_VMS_H
#define SIM_SIM_VMS_H

#include <sys/types.h>

#include "sim/sim_kvm.h"

struct loop;
struct sim_vms; /* opaque */

struct sim_vms_entry {
	struct sim_kvm_vm *vm;
	uint32_t number; /* counted from 1, for the trace */
};

/* @kvm and @loop are borrowed. NULL: no memory. */
struct sim_vms *sim_vms_create(struct sim_kvm *kvm, struct loop *loop);
void sim_vms_destroy(struct sim_vms *v);
DEFINE_CLEANUP(struct sim_vms, sim_vms_destroy)

/*
 * The VM behind descriptor @fd of @tid, which is a VM's. One not yet known is
 * added.
 * -EIO         it is another process' VM, as KVM says
 * -ESRCH, -ENOMEM
 */
int sim_vms_find(struct sim_vms *v, pid_t tid, uint32_t fd,
		 struct sim_vms_entry *ret);

/*
 * The SEV-ES VM of vCPU descriptor @fd of @tid, which is number @vcpu. NULL:
 * none. In a process with several VMs, descriptors are taken to be used first
 * in the order in which the vCPUs were created.
 */
struct sim_vmsa *sim_vms_vcpu(struct sim_vms *v, pid_t tid, uint32_t fd,
			      uint32_t vcpu, struct sim_vms_entry *ret);

/* Drop what is gone. */
void sim_vms_revalidate(struct sim_vms *v);

#endif
