/* vmm/launch_info.c - words, and what a measurement covers. */
#include "vmm/launch_info.h"

#include <stddef.h>

#include "vmm/base/bits.h"
#include "vmm/base/own.h"

#define NAME(table, i)                                                         \
	((size_t)(i) < ARRAY_SIZE(table) ? (table)[(size_t)(i)] : NULL)

const char *launch_kind_name(enum launch_kind k)
{
	static const char *const names[LAUNCH_KIND_COUNT] = {
		[LAUNCH_PLAIN] = "none",
		[LAUNCH_SEV] = "sev",
		[LAUNCH_SEV_ES] = "sev-es",
	};

	return NAME(names, k);
}

const char *launch_state_name(enum launch_state s)
{
	static const char *const names[LAUNCH_STATE_COUNT] = {
		[LAUNCH_PREPARING] = "preparing",
		[LAUNCH_MEASURED] = "measured",
		[LAUNCH_RUNNING] = "running",
		[LAUNCH_ENDED] = "ended",
	};

	return NAME(names, s);
}

const char *launch_origin_name(enum launch_origin o)
{
	static const char *const names[LAUNCH_ORIGIN_COUNT] = {
		[LAUNCH_ORIGIN_UNKNOWN] = "unknown",
		[LAUNCH_HARDWARE] = "hardware",
		[LAUNCH_SIMULATED] = "simulated",
	};

	return NAME(names, o);
}

const char *launch_firmware_name(enum launch_firmware f)
{
	static const char *const names[LAUNCH_FIRMWARE_COUNT] = {
		[LAUNCH_FIRMWARE_NONE] = "none",
	};

	return NAME(names, f);
}

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

	return NAME(names, f);
}

const char *launch_secret_format_name(enum launch_secret_format f)
{
	static const char *const names[LAUNCH_SECRET_FORMAT_COUNT] = {
		[LAUNCH_SECRET_NONE] = "none",
		[LAUNCH_SECRET_FORMAT_TABLE] = "table",
		[LAUNCH_SECRET_FORMAT_CPIO] = "cpio",
	};

	return NAME(names, f);
}

/*
 * The digest is over contents only: it binds what a guest is given, not where
 * it lies, nor what the CPUs start with unless their state is launched, too
 * (SEV-ES). In a direct boot the memory size is in the zero page and the number
 * of CPUs in the MADT; both are launched.
 */
void launch_info_set_facts(struct launch_info *i)
{
	uint64_t all = BIT64(LAUNCH_FACT_COUNT) - 1;

	i->covered = i->not_covered = 0;
	if (i->kind == LAUNCH_PLAIN)
		return;
	i->covered = BIT64(LAUNCH_FACT_POLICY) | BIT64(LAUNCH_FACT_API) |
		     BIT64(LAUNCH_FACT_KERNEL) | BIT64(LAUNCH_FACT_INITRD) |
		     BIT64(LAUNCH_FACT_CMDLINE) | BIT64(LAUNCH_FACT_TABLES) |
		     BIT64(LAUNCH_FACT_MEMORY) | BIT64(LAUNCH_FACT_VCPUS);
	if (i->kind == LAUNCH_SEV_ES)
		i->covered |= BIT64(LAUNCH_FACT_REGISTERS);
	/* There is none: it is neither bound nor left open. */
	all &= ~BIT64(LAUNCH_FACT_FIRMWARE);
	i->not_covered = all & ~i->covered;
}
