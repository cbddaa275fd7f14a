/*
 * sim/sim_vmsa.h - the page of registers that a SEV-ES guest starts with, as
 * KVM would build it from the ioctls that set a vCPU's registers.
 *
 * A model: registers of a vCPU cannot be read from another process, so what
 * the ioctls were given is applied to the state after reset, by the rules of
 * Linux, arch/x86/kvm/svm (sev_es_sync_vmsa(), svm_set_segment()), for a VM of
 * the default type: there, no FPU state is in it. It agrees with the rules, not
 * with hardware.
 */
#ifndef SIM_SIM_VMSA_H
#define SIM_SIM_VMSA_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sev_abi.h"

struct sim_vmsa {
	uint8_t page[SEV_VMSA_LEN];
};

/* Registers after reset, as KVM_CREATE_VCPU leaves them. */
void sim_vmsa_reset(struct sim_vmsa *v);

/* What the argument of an ioctl consists of. */
struct sim_vmsa_arg {
	const char *name;
	size_t fixed; /* bytes before the entries */
	size_t entry; /* bytes of each entry, of which the first le32 says
			 how many there are; 0: none */
	size_t max;   /* entries that KVM takes */
};

/* How large is what sim_vmsa_set() wants? NULL: it sets no registers. */
const struct sim_vmsa_arg *sim_vmsa_arg(uint32_t request);

/*
 * KVM_SET_REGS and its like with the argument @data, of at least arg->fixed
 * bytes and of @len in all. Entries that are cut off are ignored.
 */
void sim_vmsa_set(struct sim_vmsa *v, uint32_t request, const void *data,
		  size_t len);

/* KVM refuses to launch a vCPU that is being debugged. */
int sim_vmsa_check(const struct sim_vmsa *v);

#endif
