/*
 * sim/sim_host.h - the simulated host as a whole, and the families of system
 * calls that it answers. A family is a file: a list of calls and a function
 * that answers them. A further one (another protection) is a row in
 * sim_families[].
 */
#ifndef SIM_SIM_HOST_H
#define SIM_SIM_HOST_H

#include "sim/sim_dev.h"
#include "sim/sim_filter.h"
#include "sim/sim_kvm.h"
#include "sim/sim_mktme.h"
#include "sim/sim_proc.h"
#include "sim/sim_trace.h"
#include "sim/sim_vms.h"

struct loop;
struct sim_key_host;

/* Instead of a number, in a rule: what --mktme-syscall says. */
enum { SIM_NR_ENCRYPT_MPROTECT = -1 };

struct sim_mktme_config {
	enum sim_mktme_profile profile; /* SIM_MKTME_NONE: no such kernel */
	unsigned int n_keyids;		/* 1..SIM_MKTME_KEYIDS_MAX */
	int syscall;			/* of encrypt_mprotect; 0: none */
	bool poison; /* contents that are lost become poison, not zeroes */
};

struct sim_config {
	struct sim_fw_config fw;
	struct sim_kvm_config kvm;
	unsigned int c_bit; /* 0: chosen */
	struct sim_mktme_config mktme;
	bool cbit_alias;     /* leave the guest its CPUID leaf */
	const char *state;   /* borrowed; NULL: a platform for this run only */
	const char *trace;   /* borrowed; NULL: none */
	char *const *faults; /* borrowed; n_faults of them */
	size_t n_faults;
};

struct sim_host {
	struct sim_config c;
	struct hash256 *h;
	struct sim_fault *faults;
	struct sim_trace *trace;
	struct sim_fw *fw;
	struct sim_kvm *kvm;
	struct sim_vms *vms;
	struct sim_key_host *mktme; /* NULL: no such kernel */
	struct loop *loop;	    /* borrowed */
	int sev_files[SIM_SEV_FILES];
	/* Launched pages that were written to: the monitor's fault. */
	uint64_t touched;
};

/* Options' mistakes are ERR_USAGE, the state file's ERR_INPUT or ERR_PERM. */
int sim_host_create(const struct sim_config *c, struct loop *loop,
		    struct sim_host **ret, struct err *err);
void sim_host_destroy(struct sim_host *h);
DEFINE_CLEANUP(struct sim_host, sim_host_destroy)

/* A call that waits for its answer. */
struct sim_call {
	int nr;
	uint64_t args[6];
	struct sim_proc *proc;
};

struct sim_answer {
	enum {
		SIM_CONTINUE, /* the kernel does it */
		SIM_RETURN,   /* value: result, or a negative errno */
		SIM_FD,	      /* value: a descriptor of ours to hand out */
	} kind;
	int value;
	bool close_fd; /* ours is to be closed afterwards */
	bool cloexec;
};

struct sim_family {
	const struct sim_rule *rules;
	size_t n_rules;
	void (*handle)(struct sim_host *h, const struct sim_call *c,
		       struct sim_answer *a);
};

extern const struct sim_family sim_family_open;	 /* devices and files */
extern const struct sim_family sim_family_dev;	 /* /dev/sev */
extern const struct sim_family sim_family_vm;	 /* KVM: VMs, launch */
extern const struct sim_family sim_family_cpu;	 /* KVM: CPUID, registers */
extern const struct sim_family sim_family_mktme; /* keys */

/* All of them; NULL ends. */
extern const struct sim_family *const sim_families[];

/* The filter for all families. */
int sim_host_filter(const struct sim_config *c,
		    struct sock_filter prog[static SIM_FILTER_MAX]);
/* Answer a call; one that no family knows is continued. */
void sim_host_answer(struct sim_host *h, const struct sim_call *c,
		     struct sim_answer *a);

static inline void sim_return(struct sim_answer *a, int value)
{
	a->kind = SIM_RETURN;
	a->value = value;
}

#endif
