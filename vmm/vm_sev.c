/* vmm/vm_sev.c - joins KVM's SEV commands, the plan and the launch. */
#include "vmm/vm_sev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/launch_plan.h"
#include "firmware/flash_image.h"
#include "vmm/base/err.h"
#include "vmm/cpuid.h"
#include "vmm/kvm/kvm_sev.h"
#include "vmm/kvm/kvm_vm.h"
#include "vmm/launch.h"
#include "vmm/measured_boot.h"
#include "vmm/vm.h"
#include "vmm/vm_load.h"

struct vm_sev {
	struct kvm_sev *kvm;
	struct launch *launch;
	struct measured_boot *boot; /* until it is measured */
	bool es, is_device, emulated, init2;
	unsigned int c_bit, reduction; /* what the operator said, or 0 */
	unsigned int told_reduction;   /* what the guest is told */
	uint32_t signature;	       /* CPUID 1 EAX, likewise */
};

static enum launch_firmware firmware_of(const struct vm_params *p)
{
	if (!p->firmware)
		return LAUNCH_FIRMWARE_NONE;
	return strcmp(p->firmware->file.name, "stage0") != 0
		       ? LAUNCH_FIRMWARE_FILE
		       : LAUNCH_FIRMWARE_STAGE0;
}

int vm_sev_create(const struct vm_params *p, struct kvm_vm *kvm, bool init2,
		  struct vm_sev **ret, struct err *err)
{
	AUTO(vm_sev_destroyp) struct vm_sev *s = calloc(1, sizeof(*s));
	struct launch_params lp = *p->launch;
	struct kvm_sev_params kp = {
		.vm_fd = kvm_vm_fd(kvm),
		.sev_fd = p->sev_fd,
		.es = lp.kind == LAUNCH_SEV_ES,
		.init2 = init2,
	};
	int r;

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	if (p->emulate_c_bit && p->sev_is_device)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--sev: emulate-cbit: this host has a "
				    "security processor, and the guest would "
				    "be protected by nothing");
	s->es = kp.es;
	s->init2 = init2;
	s->is_device = p->sev_is_device;
	s->emulated = p->emulate_c_bit;
	s->c_bit = p->c_bit;
	s->reduction = p->c_bit_reduction;
	lp.firmware = firmware_of(p);
	lp.init2 = init2;
	lp.emulated = p->emulate_c_bit;
	lp.origin = p->sev_is_device ? LAUNCH_HARDWARE : LAUNCH_SIMULATED;
	r = kvm_sev_create(&kp, &s->kvm, err);
	if (!r)
		r = launch_create(&lp, kvm_sev_fw(s->kvm), &s->launch, err);
	if (!r)
		r = launch_init(s->launch, err);
	if (!r)
		*ret = TAKE(s);
	return r;
}

void vm_sev_destroy(struct vm_sev *s)
{
	if (!s)
		return;
	measured_boot_destroy(s->boot);
	launch_destroy(s->launch);
	kvm_sev_destroy(s->kvm);
	free(s);
}

static int differs(struct err *err, const char *what, unsigned int given,
		   unsigned int is)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "--sev: %s=%u, but on this host it is %u (and "
			    "need not be given)",
			    what, given, is);
}

int vm_sev_c_bit(struct vm_sev *s, struct cpuid_table *supported,
		 unsigned int *ret, struct err *err)
{
	unsigned int c_bit = cpuid_sev_c_bit(supported, s->es);
	unsigned int reduction = cpuid_host_sev_reduction();

	if (!c_bit)
		return err_set_kind(err, ERR_HOST, -EOPNOTSUPP,
				    "KVM does not offer %s to guests (CPUID "
				    "0x8000001F); see coffer doctor",
				    s->es ? "SEV-ES" : "SEV");
	if (s->c_bit && s->c_bit != c_bit)
		return differs(err, "cbitpos", s->c_bit, c_bit);
	/*
	 * The CPU knows it; KVM says 0, since it has subtracted it already. A
	 * simulation on another CPU has the smallest there is.
	 */
	if (!reduction && !s->is_device)
		reduction = 1;
	if (s->emulated && c_bit < cpuid_phys_bits(supported))
		reduction = cpuid_phys_bits(supported) - c_bit;
	if (s->reduction && s->reduction != reduction)
		return differs(err, "reduced-phys-bits", s->reduction,
			       reduction);
	s->told_reduction = reduction;
	s->signature = cpuid_signature(supported);
	*ret = c_bit;
	return 0;
}

unsigned int vm_sev_reduction(const struct vm_sev *s)
{
	return s->told_reduction;
}

int vm_sev_load(struct vm_sev *s, const struct vm_params *p,
		struct guest_mem *mem, struct boot_entry *ret, struct err *err)
{
	int r = vm_load_plan(p, s->es,
			     s->init2 ? SEV_VMSA_INIT2 : SEV_VMSA_LEGACY,
			     s->signature, &s->boot, err);

	if (!r)
		r = launch_plan_load(s->boot->plan, mem, err);
	if (!r)
		*ret = s->boot->entry;
	return r;
}

int vm_sev_measure(struct vm_sev *s, struct guest_mem *mem, struct err *err)
{
	int r = launch_measure(s->launch, s->boot->plan, mem, err);

	measured_boot_destroy(s->boot);
	s->boot = NULL;
	return r;
}

struct launch *vm_sev_launch(struct vm_sev *s)
{
	return s->launch;
}
