/* sim/sim_kvm_impl.h - what the files of sim_kvm share. */
#ifndef SIM_SIM_KVM_IMPL_H
#define SIM_SIM_KVM_IMPL_H

#include "sim/sim_kvm.h"
#include "sim/sim_scramble.h"

enum { SIM_PAGE = 4096 };

struct sim_kvm {
	struct sim_kvm_config c;
	struct sim_fw *fw;	  /* borrowed */
	struct sim_fault *faults; /* borrowed */
	uint8_t *asid_used;	  /* owned; by ASID, from 1 */
};

struct sim_region {
	uint64_t addr, size;
};

struct sim_vcpu {
	uint32_t id;
	struct sim_vmsa vmsa;
};

struct sim_kvm_vm {
	struct sim_kvm *k; /* borrowed */
	bool is_sev, is_es;
	uint32_t asid;	 /* 0: none */
	uint32_t handle; /* 0: not started */
	uint32_t sev_fd; /* the number LAUNCH_START was given */
	uint64_t pages_locked;
	struct sim_region *region; /* owned */
	size_t n_regions;
	struct sim_vcpu **vcpu; /* owned, each */
	size_t n_vcpus;
	bool vcpus_launched;
	struct sim_scramble *scramble; /* owned; NULL: none */
};

/* An operation: its VM, its caller, and its report. */
struct sim_op {
	struct sim_kvm_vm *vm;
	struct sim_target *t;
	struct sim_kvm_report *rep;
	uint64_t data;	 /* address of the command's structure */
	uint32_t sev_fd; /* as given */
};

/*
 * May the guest's memory [addr, addr + len) be pinned now? Counts nothing.
 * -EINVAL, -ENOMEM; *ret_pages is what it would add.
 */
int sim_kvm_pin(const struct sim_op *op, uint64_t addr, uint64_t len,
		uint64_t *ret_pages);
/* -EBADF: the number that LAUNCH_START was given is not /dev/sev (any more). */
int sim_kvm_check_fd(const struct sim_op *op, uint32_t fd);
/* The firmware has answered: what the ioctl returns. */
int sim_kvm_status(const struct sim_op *op, uint32_t status);
/* psp_copy_user_blob(): a blob of 1 to SIM_BLOB_MAX bytes. */
int sim_kvm_read_blob(const struct sim_op *op, uint64_t addr, uint32_t len,
		      uint8_t buf[static SIM_BLOB_MAX]);

int sim_kvm_launch_start(struct sim_op *op);
int sim_kvm_update_data(struct sim_op *op);
int sim_kvm_update_vmsa(struct sim_op *op);
int sim_kvm_measure(struct sim_op *op);
int sim_kvm_secret(struct sim_op *op);
int sim_kvm_finish(struct sim_op *op);
int sim_kvm_guest_status(struct sim_op *op);
int sim_kvm_attestation(struct sim_op *op);
int sim_kvm_dbg_decrypt(struct sim_op *op);
int sim_kvm_dbg_encrypt(struct sim_op *op);
int sim_kvm_migrate(struct sim_op *op);

#endif
