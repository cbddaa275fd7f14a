/*
 * sim/sim_kvm.h - what KVM on a SEV host does with KVM_MEMORY_ENCRYPT_OP and
 * memory regions, simulated for the interface of Linux 6.1: VMs of the default
 * type, KVM_SEV_INIT and KVM_SEV_ES_INIT.
 *
 * It keeps to the kernel's rules (Linux, arch/x86/kvm/svm/sev.c), so that a
 * monitor's mistake meets the errno that it would meet there: ASIDs, locked
 * memory, the stored number of the /dev/sev descriptor, which errors write
 * back what.
 */
#ifndef SIM_SIM_KVM_H
#define SIM_SIM_KVM_H

#include "sim/sim_abi.h"
#include "sim/sim_fault.h"
#include "sim/sim_fw.h"
#include "sim/sim_target.h"
#include "sim/sim_vmsa.h"

struct sim_kvm;	   /* opaque: the host's kvm_amd */
struct sim_kvm_vm; /* opaque: a VM of it */

enum { SIM_KVM_VCPUS_MAX = 1024, SIM_KVM_REGIONS_MAX = 4096 };

struct sim_kvm_config {
	bool has_sev;		 /* module parameter sev */
	bool scramble;		 /* launched memory is encrypted meanwhile */
	uint32_t psp_us_per_kib; /* of LAUNCH_UPDATE; 0: no time */
};

/* All borrowed. NULL: no memory. */
struct sim_kvm *sim_kvm_create(const struct sim_kvm_config *c,
			       struct sim_fw *fw, struct sim_fault *faults);
/* After the last of its VMs. */
void sim_kvm_destroy(struct sim_kvm *k);
DEFINE_CLEANUP(struct sim_kvm, sim_kvm_destroy)

/* ASIDs in use by SEV-ES guests, or by those that are not. */
uint32_t sim_kvm_asids_used(const struct sim_kvm *k, bool es);
/* ASIDs that there are. */
uint32_t sim_kvm_asids(const struct sim_kvm *k, bool es);

/* A VM that is no SEV guest yet. NULL: no memory. */
struct sim_kvm_vm *sim_kvm_vm_create(struct sim_kvm *k);
/* Its last descriptor was closed: the ASID is free again. */
void sim_kvm_vm_destroy(struct sim_kvm_vm *vm);
DEFINE_CLEANUP(struct sim_kvm_vm, sim_kvm_vm_destroy)

/* KVM_CREATE_VCPU with @id. -EEXIST, -EINVAL as the kernel. */
int sim_kvm_vcpu_create(struct sim_kvm_vm *vm, uint32_t id);
/* The registers of vCPU @id; NULL: no SEV-ES guest, no such vCPU. */
struct sim_vmsa *sim_kvm_vmsa(struct sim_kvm_vm *vm, uint32_t id);

/* What happened, for the trace. */
struct sim_kvm_report {
	const char *command; /* "LAUNCH_START"; NULL: not understood */
	uint32_t status;     /* of the firmware */
	bool has_status;     /* it was called */
	uint32_t handle, asid;
	uint64_t addr, len; /* of memory, when there is some */
	uint64_t psp_us;    /* time that the processor would have needed */
	/* Scrambled pages that were written to before LAUNCH_FINISH. */
	uint64_t touched, first_touched;
	const uint8_t *digest; /* of a launch that was measured; borrowed */
};

/*
 * KVM_MEMORY_ENCRYPT_OP with argument @arg. Returns what the ioctl returns;
 * *rep is filled in any case.
 */
int sim_kvm_op(struct sim_kvm_vm *vm, struct sim_target *t, uint64_t arg,
	       struct sim_kvm_report *rep);
/* KVM_MEMORY_ENCRYPT_REG_REGION, or _UNREG_REGION. */
int sim_kvm_region(struct sim_kvm_vm *vm, struct sim_target *t, bool add,
		   uint64_t arg, struct sim_kvm_report *rep);

#endif
