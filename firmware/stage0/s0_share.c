/* firmware/stage0/s0_share.c - one hypercall before, one after. */
#include "firmware/stage0/s0_share.h"

#include "firmware/stage0/s0_cpu.h"
#include "firmware/stage0/s0_map.h"
#include "vmm/base/bits.h"

enum {
	KVM_CPUID = 0x40000000,
	KVM_HC_MAP_GPA_RANGE = 12,
	MAP_GPA_PRIVATE = 1 << 4,
	PAGE_SHIFT = 12,
	GENUINE_INTEL_EBX = 0x756e6547,
};

/* CPUID 0x40000001, EAX 16: KVM_FEATURE_HC_MAP_GPA_RANGE */
static bool host_listens(void)
{
	struct s0_cpuid kvm;

	if (!(s0_cpuid(1).ecx & BIT32(31))) /* no hypervisor */
		return false;
	kvm = s0_cpuid(KVM_CPUID);
	if (kvm.ebx != 0x4b4d564b || kvm.ecx != 0x564b4d56 ||
	    kvm.edx != 0x4d) /* "KVMKVMKVM" */
		return false;
	return s0_cpuid(KVM_CPUID + 1).eax & BIT32(16);
}

static enum stage0_reason tell(uint64_t attributes)
{
	bool intel = s0_cpuid(0).ebx == GENUINE_INTEL_EBX;

	return s0_hypercall(intel, KVM_HC_MAP_GPA_RANGE, S0_SHARED,
			    S0_SHARED_LEN >> PAGE_SHIFT, attributes)
		       ? STAGE0_HYPERCALL
		       : STAGE0_OK;
}

enum stage0_reason s0_share_begin(bool sev)
{
	return sev && host_listens() ? tell(0) : STAGE0_OK;
}

enum stage0_reason s0_share_end(bool sev)
{
	enum stage0_reason r = STAGE0_OK;

	if (!sev)
		return STAGE0_OK;
	if (host_listens())
		r = tell(MAP_GPA_PRIVATE);
	/* CPUID 0x8000001f, EAX 10: caches know encrypted lines from others */
	if (!(s0_cpuid(0x8000001f).eax & BIT32(10)))
		s0_flush_cache((const uint8_t *)S0_SHARED, S0_SHARED_LEN);
	return r;
}
