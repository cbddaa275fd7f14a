/* vmm/kvm/kvm_irq.h - the irq_sink over KVM's interrupt chips. */
#ifndef VMM_KVM_KVM_IRQ_H
#define VMM_KVM_KVM_IRQ_H

#include "vmm/base/own.h"

struct err;
struct irq_sink;
struct kvm_irq; /* opaque */
struct kvm_vm;

enum {
	/*
	 * Bindings of an eventfd to a message, of all devices together. KVM's
	 * own limit is 4096 entries, with those of the chips.
	 */
	KVM_IRQ_MAX_BINDINGS = 2048,
};

/* Routes the lines. @vm is borrowed, has its chips, and outlives it. */
int kvm_irq_create(struct kvm_vm *vm, struct kvm_irq **ret, struct err *err);
/* Every binding must be gone. NULL is fine. */
void kvm_irq_destroy(struct kvm_irq *irq);
DEFINE_CLEANUP(struct kvm_irq, kvm_irq_destroy)

/* Valid until kvm_irq_destroy(). */
struct irq_sink *kvm_irq_sink(struct kvm_irq *irq);

#endif
