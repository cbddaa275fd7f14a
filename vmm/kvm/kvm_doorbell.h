/* vmm/kvm/kvm_doorbell.h - a guest's write that wakes a thread, by KVM. */
#ifndef VMM_KVM_KVM_DOORBELL_H
#define VMM_KVM_KVM_DOORBELL_H

#include "vmm/base/own.h"

struct doorbell_sink;
struct err;
struct kvm_doorbell; /* opaque */
struct kvm_vm;

/* @vm is borrowed and outlives it. -ENOMEM. */
int kvm_doorbell_create(struct kvm_vm *vm, struct kvm_doorbell **ret,
			struct err *err);
/* NULL is fine. */
void kvm_doorbell_destroy(struct kvm_doorbell *d);
DEFINE_CLEANUP(struct kvm_doorbell, kvm_doorbell_destroy)

/* For devices/virtio/virtio_pci.h. Valid until kvm_doorbell_destroy(). */
struct doorbell_sink *kvm_doorbell_sink(struct kvm_doorbell *d);

#endif
