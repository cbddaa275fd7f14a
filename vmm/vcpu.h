/* vmm/vcpu.h - a vCPU's thread: run, dispatch the exit, run again. */
#ifndef VMM_VCPU_H
#define VMM_VCPU_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct bus;
struct err;
struct kvm_vcpu;
struct vcpu; /* opaque */

/* What a vCPU's thread tells its VM. Any vCPU thread. */
struct vcpu_owner;
struct vcpu_owner_ops {
	/* Triple fault: the guest asks for nothing any more. */
	void (*shutdown)(struct vcpu_owner *o, unsigned int id);
	/* It executed what KVM cannot emulate; as above, @why is one line. */
	void (*not_emulated)(struct vcpu_owner *o, const char *why);
	/* KVM cannot go on; @why is one line. The thread ends. */
	void (*failed)(struct vcpu_owner *o, const char *why);
	/*
	 * The guest reports [gpa, gpa + len) as private or shared. Negative
	 * errno: it is told that the range is wrong.
	 */
	int (*map_gpa)(struct vcpu_owner *o, uint64_t gpa, uint64_t len,
		       bool is_private);
	/* Read or write an MSR we answer for; false: the guest gets #GP. */
	bool (*msr)(struct vcpu_owner *o, uint32_t index, bool is_write,
		    uint64_t *value);
	/* A port access is complete and no device lock is held. */
	void (*port_done)(struct vcpu_owner *o);
	/* vcpu_is_held() may have become true. Also from vcpu_hold(). */
	void (*held)(struct vcpu_owner *o);
};

struct vcpu_owner {
	const struct vcpu_owner_ops *ops;
};

/* The buses and @owner are borrowed. Nothing runs yet. */
int vcpu_create(unsigned int id, struct bus *pio, struct bus *mmio,
		struct vcpu_owner *owner, struct vcpu **ret, struct err *err);
/* After vcpu_join(), or when it never started. NULL is fine. */
void vcpu_destroy(struct vcpu *v);
DEFINE_CLEANUP(struct vcpu, vcpu_destroy)

/* Start the thread, named "vcpu N". It is held: no guest code runs yet. */
int vcpu_start(struct vcpu *v, struct err *err);
/* What it will run: taken over. Once, before vcpu_hold() or vcpu_release(). */
void vcpu_give(struct vcpu *v, struct kvm_vcpu *kvm);
/* Ask the thread to stop running guest code: vcpu_owner_ops.held. Any thread.
 */
void vcpu_hold(struct vcpu *v);
/* Has it, and was it not released since? Any thread. */
bool vcpu_is_held(struct vcpu *v);
/* Let it run, or go on. Any thread. */
void vcpu_release(struct vcpu *v);
/* Ask the thread to end, also one that blocks in a write. Any thread. */
void vcpu_stop(struct vcpu *v);
/* Wait until it has. Fine when it never started. */
void vcpu_join(struct vcpu *v);

/* What it was given. */
struct kvm_vcpu *vcpu_kvm(struct vcpu *v);

#endif
