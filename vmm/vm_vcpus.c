/* vmm/vm_vcpus.c - the VM's CPUs: one CPUID table for all, threads, entry. */
#include "vmm/vm_impl.h"

#include <errno.h>
#include <stdlib.h>

#include "firmware/boot_entry.h"
#include "firmware/flash_image.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/cpuid.h"
#include "vmm/kvm/kvm_vcpu.h"
#include "vmm/kvm/kvm_vm.h"
#include "vmm/launch.h"
#include "vmm/machine_q35.h"
#include "vmm/vm_sev.h"

/* As KVM says, which cpuid_for_machine() leaves as it is. */
static unsigned int phys_bits(const struct vm *vm)
{
	unsigned int bits = cpuid_phys_bits(vm->p.supported_cpuid);

	return vm->c_bit && vm->c_bit < bits ? vm->c_bit : bits;
}

int vm_check_phys_bits(const struct vm *vm, struct err *err)
{
	unsigned int bits = phys_bits(vm);
	uint64_t end_gpa =
		vm->p.ram_bytes <= MEM_RAM_LOW_MAX
			? vm->p.ram_bytes
			: vm->p.ram_bytes - MEM_RAM_LOW_MAX + MEM_RAM_HIGH_BASE;

	if (bits < 64 && end_gpa > BIT64(bits))
		return err_set_kind(
			err, ERR_HOST, -E2BIG,
			"--memory: this CPU has %u physical "
			"address bits, too few for %llu MiB",
			bits, (unsigned long long)(vm->p.ram_bytes >> 20));
	return 0;
}

/* The table all vCPUs start from. @v: the first one, which knows the TSC. */
static int make_cpuid(struct vm *vm, struct kvm_vcpu *v,
		      struct cpuid_table *ret, struct err *err)
{
	struct cpuid_params cp = {
		.n_cpus = vm->p.n_cpus,
		.tsc_deadline = kvm_vm_has_tsc_deadline(vm->kvm),
		.tsc_khz = kvm_vcpu_tsc_khz(v),
		.c_bit = vm->c_bit,
		.c_bit_reduction = vm->sev ? vm_sev_reduction(vm->sev) : 0,
		.c_bit_emulated = vm->p.emulate_c_bit,
		.sev_es = vm->sev && vm->p.launch->kind == LAUNCH_SEV_ES,
	};
	int r;

	*ret = *vm->p.supported_cpuid;
	r = cpuid_for_machine(ret, &cp, err);
	return r < 0 ? r : machine_finish(vm->machine, phys_bits(vm), err);
}

static int create_vcpu(struct vm *vm, unsigned int id,
		       struct cpuid_table *cpuid, struct err *err)
{
	AUTO(kvm_vcpu_destroyp) struct kvm_vcpu *v = NULL;
	int r = kvm_vcpu_create(vm->kvm, id, &v, err);

	if (!r && id == 0)
		r = make_cpuid(vm, v, cpuid, err);
	if (r < 0)
		return r;
	cpuid_set_apic_id(cpuid, id);
	r = kvm_vcpu_set_cpuid(v, cpuid, err);
	if (!r && !vm->p.firmware) /* which does it itself */
		r = kvm_vcpu_init_platform(v, err);
	if (!r)
		vcpu_give(vm->vcpu[id], TAKE(v));
	return r;
}

/* They begin, and get their filters, while KVM makes what they will run. */
static int start_threads(struct vm *vm, struct err *err)
{
	int r = 0;

	for (unsigned int i = 0; i < vm->p.n_cpus && !r; i++) {
		r = vcpu_create(i, machine_pio(vm->machine),
				machine_mmio(vm->machine), &vm->vcpu_owner,
				&vm->vcpu[i], err);
		if (r < 0)
			return r;
		vm->n_vcpus++;
		r = vcpu_start(vm->vcpu[i], err);
	}
	return r;
}

/* SEV-ES: a SIPI cannot set registers that are encrypted by then. */
static int set_other_entries(struct vm *vm, const struct boot_entry *first,
			     struct err *err)
{
	struct boot_entry e;
	int r = 0;

	if (!vm->sev || vm->p.launch->kind != LAUNCH_SEV_ES || !vm->p.firmware)
		return 0;
	e = boot_entry_reset(vm->p.firmware->footer.reset);
	e.rdx = first->rdx;
	for (unsigned int i = 1; i < vm->n_vcpus && !r; i++)
		r = kvm_vcpu_set_entry(vcpu_kvm(vm->vcpu[i]), &e, err);
	return r;
}

int vm_create_vcpus(struct vm *vm, const struct boot_entry *entry,
		    struct err *err)
{
	AUTO(freep) struct cpuid_table *cpuid = malloc(sizeof(*cpuid));
	int r;

	if (!cpuid)
		return err_set(err, -ENOMEM, "out of memory");
	r = start_threads(vm, err);
	for (unsigned int i = 0; i < vm->p.n_cpus && !r; i++)
		r = create_vcpu(vm, i, cpuid, err);
	if (!r)
		r = kvm_vcpu_set_entry(vcpu_kvm(vm->vcpu[0]), entry, err);
	return r < 0 ? r : set_other_entries(vm, entry, err);
}
