/*
 * vmm/vm_impl.h - one VM's state, shared by vm.c (assembly and life),
 * vm_guest.c (what the guest makes happen) and vm_vcpus.c (its CPUs). Nobody
 * else.
 */
#ifndef VMM_VM_IMPL_H
#define VMM_VM_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "devices/legacy/debugcon.h"
#include "devices/power_sink.h"
#include "vmm/vcpu.h"
#include "vmm/vm.h"
#include "vmm/vm_firmware.h"

struct boot_entry;
struct err;

enum {
	VM_MAX_CPUS = 64,
	VM_DEBUG_LINE_MAX = 200, /* bytes of a debug port line we log */
};

struct vm {
	struct vm_params p;
	struct power_sink power;
	struct vcpu_owner vcpu_owner;
	struct debugcon_sink debugcon;
	struct vm_firmware_owner firmware_owner;

	struct kvm_vm *kvm;
	unsigned int c_bit; /* 0: none */
	struct vm_sev *sev; /* NULL: not protected */
	struct guest_mem *mem;
	struct dma_view *dma;
	struct kvm_irq *irq;
	struct kvm_doorbell *doorbells;
	struct machine *machine;
	struct vm_firmware *firmware; /* NULL: there is none */
	struct vm_devices *devices;
	struct vcpu *vcpu[VM_MAX_CPUS];
	unsigned int n_vcpus;
	struct loop_source *held_wake;
	struct loop_source *event_wake;
	atomic_bool crash_kernel; /* to be told */
	unsigned int n_events;	  /* loop's thread: told */
	bool pausing; /* loop's thread: vm_pause() without an answer yet */

	pthread_mutex_t lock; /* ended, result, debug_line, n_debug */
	bool ended;
	struct run_result result;
	char debug_line[VM_DEBUG_LINE_MAX + 1];
	size_t n_debug;
};

/* vm_guest.c: fill in the sinks that devices and vCPUs report to. */
void vm_guest_init(struct vm *vm);

/*
 * vm_vcpus.c: RAM above what a CPU can address would be there and not work, or
 * KVM would say no more than EINVAL. -E2BIG; after the C-bit is known.
 */
int vm_check_phys_bits(const struct vm *vm, struct err *err);

/* vm_vcpus.c: all of them; the boot CPU starts at @entry. */
int vm_create_vcpus(struct vm *vm, const struct boot_entry *entry,
		    struct err *err);

#endif
