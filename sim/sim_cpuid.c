/* sim/sim_cpuid.c - edits lists of CPUID leaves. */
#include "sim/sim_cpuid.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum { LEAF_MAX_EXT = 0, LEAF_ADDR = 8, LEAF_SEV = 0x1f };

/* struct kvm_cpuid_entry2 */
enum { AT_FUNCTION = 0, AT_EAX = 12, AT_EBX = 16, AT_ECX = 20, AT_EDX = 24 };

static long find(const uint8_t *entries, size_t n, uint32_t extended)
{
	for (size_t i = 0; i < n; i++)
		if (load_le32(entries + i * SIM_CPUID_ENTRY_LEN) ==
		    (UINT32_C(0x80000000) | extended))
			return (long)(i * SIM_CPUID_ENTRY_LEN);
	return -ENOENT;
}

long sim_cpuid_find_sev(const uint8_t *entries, size_t n)
{
	return find(entries, n, LEAF_SEV);
}

unsigned int sim_cpuid_phys_bits(const uint8_t *entries, size_t n)
{
	long off = find(entries, n, LEAF_ADDR);

	return off < 0 ? 36 : load_le32(entries + off + AT_EAX) & 0xff;
}

/* The largest extended leaf is what leaf 0x80000000 says. */
static void raise_max(uint8_t *entries, size_t n)
{
	long off = find(entries, n, LEAF_MAX_EXT);

	if (off >= 0 && load_le32(entries + off + AT_EAX) <
				(UINT32_C(0x80000000) | LEAF_SEV))
		store_le32(entries + off + AT_EAX,
			   UINT32_C(0x80000000) | LEAF_SEV);
}

int sim_cpuid_add_sev(uint8_t *entries, size_t *n,
		      const struct sim_cpuid_sev *sev)
{
	long off = sim_cpuid_find_sev(entries, *n);
	uint8_t *e;

	if (off < 0) {
		if (*n >= SIM_CPUID_ENTRIES_MAX)
			return -ENOSPC;
		off = (long)(*n * SIM_CPUID_ENTRY_LEN);
		++*n;
	}
	e = entries + off;
	memset(e, 0, SIM_CPUID_ENTRY_LEN);
	store_le32(e + AT_FUNCTION, UINT32_C(0x80000000) | LEAF_SEV);
	store_le32(e + AT_EAX, BIT32(1) | (sev->has_es ? BIT32(3) : 0));
	store_le32(e + AT_EBX, sev->c_bit);
	store_le32(e + AT_ECX, sev->asids);
	store_le32(e + AT_EDX, sev->min_sev_asid);
	raise_max(entries, *n);
	return 0;
}
