/*
 * sim/sim_cpuid.h - CPUID leaf 0x8000001F in lists of struct kvm_cpuid_entry2:
 * added to what KVM supports, cleared from what a guest is told.
 */
#ifndef SIM_SIM_CPUID_H
#define SIM_SIM_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SIM_CPUID_ENTRIES_MAX = 256, /* KVM takes no more */
	SIM_CPUID_ENTRY_LEN = 40,
	SIM_CPUID_HEADER_LEN = 8,
	SIM_CPUID_MAX = SIM_CPUID_HEADER_LEN +
			SIM_CPUID_ENTRIES_MAX * SIM_CPUID_ENTRY_LEN,
};

/* What the processor says about SEV; AMD APM vol. 3, E.4.17. */
struct sim_cpuid_sev {
	bool has_es;
	unsigned int c_bit;
	uint32_t asids, min_sev_asid;
};

/*
 * Have the list of *n entries at @entries (room for SIM_CPUID_ENTRIES_MAX) say
 * so, as KVM_GET_SUPPORTED_CPUID does: without reduction and VMPLs.
 * -ENOSPC
 */
int sim_cpuid_add_sev(uint8_t *entries, size_t *n,
		      const struct sim_cpuid_sev *sev);

/* The offset of leaf 0x8000001F in @n entries; negative: there is none. */
long sim_cpuid_find_sev(const uint8_t *entries, size_t n);

/* Physical address bits by leaf 0x80000008; 36 when it is not there. */
unsigned int sim_cpuid_phys_bits(const uint8_t *entries, size_t n);

#endif
