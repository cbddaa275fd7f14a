/* vmm/kvm/kvm_vm.h - one VM: its memory slots, interrupt chips, doorbells. */
#ifndef VMM_KVM_KVM_VM_H
#define VMM_KVM_KVM_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct err;
struct guest_mem;
struct kvm_vm; /* opaque */

/* MSRs that the VMM answers for after kvm_vm_take_reports(). */
enum {
	/* AMD64_SEV, "SEV_STATUS" (AMD APM vol. 2, 15.34.10): bit 0, SEV on */
	KVM_MSR_AMD64_SEV = (int)0xc0010131,
	/* Linux, Documentation/virt/kvm/x86/msr.rst */
	KVM_MSR_MIGRATION_CONTROL = 0x4b564d08,
};

/*
 * Create a VM on the open /dev/kvm @kvm_fd (borrowed for the call), with an
 * empty memory map and without interrupt chips. *ret is the caller's.
 * @type        0, or what kvm_sev_choose() says
 * Errors are the host's (ERR_HOST), as negative errno.
 */
int kvm_vm_create(int kvm_fd, unsigned int type, struct kvm_vm **ret,
		  struct err *err);
/* Ends the VM. NULL is fine. Its vCPUs must be destroyed before. */
void kvm_vm_destroy(struct kvm_vm *vm);
DEFINE_CLEANUP(struct kvm_vm, kvm_vm_destroy)

/*
 * Give KVM every region of @mem, which outlives the VM and keeps its regions.
 * Once, and before kvm_vm_create_chips(): each slot waits for the readers of
 * the VM's lists, and what the chips put on these lists makes Linux do that in
 * no hurry, 5 ms and more (6.18) instead of 0.2.
 * @alias_bit   0, or n: the same memory appears a second time with bit n of
 *              the guest-physical address set (the emulated C-bit)
 */
int kvm_vm_set_memory(struct kvm_vm *vm, const struct guest_mem *mem,
		      unsigned int alias_bit, struct err *err);

/* APICs, IOAPIC, PICs and PIT in the kernel. Once, before the first vCPU. */
int kvm_vm_create_chips(struct kvm_vm *vm, struct err *err);

/*
 * A guest that was held up gets no burst of the PIT's ticks that it missed.
 * After kvm_vm_create_chips().
 * For firmware, which alone still uses this timer and does not count them: the
 * kernel takes milliseconds for it, as it waits for all readers of its lists.
 */
void kvm_vm_forget_ticks(struct kvm_vm *vm);

/*
 * Let what a confidential guest says to its hypervisor reach us as exits: the
 * hypercall that shares pages, and the MSRs above. Before
 * the first vCPU. -EOPNOTSUPP: this KVM cannot.
 */
int kvm_vm_take_reports(struct kvm_vm *vm, struct err *err);

/* KVM_CHECK_EXTENSION on the VM. */
int kvm_vm_cap(const struct kvm_vm *vm, int cap);
bool kvm_vm_has_tsc_deadline(const struct kvm_vm *vm);

/*
 * A guest write of @len bytes (1, 2, 4, 8; 0: any) to @addr wakes eventfd @fd
 * without an exit. @pio: @addr is a port. The same arguments remove it.
 */
int kvm_vm_ioeventfd(struct kvm_vm *vm, int fd, uint64_t addr, uint32_t len,
		     bool pio, bool add);

/* The VM's descriptor, for the other files of vmm/kvm. Borrowed. */
int kvm_vm_fd(const struct kvm_vm *vm);
/* Bytes to map of each vCPU descriptor (KVM_GET_VCPU_MMAP_SIZE). */
uint32_t kvm_vm_run_size(const struct kvm_vm *vm);

#endif
