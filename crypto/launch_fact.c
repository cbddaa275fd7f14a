/* crypto/launch_fact.c - words and sets of what a measurement binds. */
#include "crypto/launch_fact.h"

#include <stddef.h>

#include "vmm/base/bits.h"
#include "vmm/base/own.h"

const char *launch_fact_name(enum launch_fact f)
{
	static const char *const names[LAUNCH_FACT_COUNT] = {
		[LAUNCH_FACT_POLICY] = "policy",
		[LAUNCH_FACT_API] = "api",
		[LAUNCH_FACT_FIRMWARE] = "firmware",
		[LAUNCH_FACT_KERNEL] = "kernel",
		[LAUNCH_FACT_INITRD] = "initrd",
		[LAUNCH_FACT_CMDLINE] = "cmdline",
		[LAUNCH_FACT_TABLES] = "tables",
		[LAUNCH_FACT_MEMORY] = "memory",
		[LAUNCH_FACT_VCPUS] = "vcpus",
		[LAUNCH_FACT_REGISTERS] = "registers",
		[LAUNCH_FACT_PLACEMENT] = "placement",
		[LAUNCH_FACT_DEVICES] = "devices",
		[LAUNCH_FACT_CPUID] = "cpuid",
	};

	return (size_t)f < ARRAY_SIZE(names) ? names[f] : NULL;
}

/* In the MAC itself, whatever the digest is of. */
#define BY_MAC (BIT64(LAUNCH_FACT_POLICY) | BIT64(LAUNCH_FACT_API))
#define BOOTED                                                                 \
	(BIT64(LAUNCH_FACT_KERNEL) | BIT64(LAUNCH_FACT_INITRD) |               \
	 BIT64(LAUNCH_FACT_CMDLINE))

uint64_t launch_facts_direct(bool is_es)
{
	return BY_MAC | BOOTED | BIT64(LAUNCH_FACT_TABLES) |
	       BIT64(LAUNCH_FACT_MEMORY) | BIT64(LAUNCH_FACT_VCPUS) |
	       (is_es ? BIT64(LAUNCH_FACT_REGISTERS) : 0);
}

uint64_t launch_facts_firmware(bool is_es, bool has_hashes)
{
	return BY_MAC | BIT64(LAUNCH_FACT_FIRMWARE) |
	       (has_hashes ? BOOTED : 0) |
	       (is_es ? BIT64(LAUNCH_FACT_REGISTERS) | BIT64(LAUNCH_FACT_VCPUS)
		      : 0);
}

uint64_t launch_facts_open(uint64_t covered)
{
	return (BIT64(LAUNCH_FACT_COUNT) - 1) & ~covered &
	       ~BIT64(LAUNCH_FACT_FIRMWARE);
}
