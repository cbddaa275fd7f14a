/*
 * crypto/launch_fact.h - what a launch measurement may bind, in one list for
 * the monitor that reports it and the owner who asks for it.
 */
#ifndef CRYPTO_LAUNCH_FACT_H
#define CRYPTO_LAUNCH_FACT_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of a set: 1 << fact. */
enum launch_fact {
	LAUNCH_FACT_POLICY,
	LAUNCH_FACT_API, /* API version and build of the security processor */
	LAUNCH_FACT_FIRMWARE,
	LAUNCH_FACT_KERNEL,
	LAUNCH_FACT_INITRD,
	LAUNCH_FACT_CMDLINE,
	LAUNCH_FACT_TABLES, /* ACPI and SMBIOS tables, boot parameters */
	LAUNCH_FACT_MEMORY, /* its size */
	LAUNCH_FACT_VCPUS,  /* their number */
	LAUNCH_FACT_REGISTERS,
	LAUNCH_FACT_PLACEMENT, /* which content is at which address */
	LAUNCH_FACT_DEVICES,
	LAUNCH_FACT_CPUID,
	LAUNCH_FACT_COUNT,
};

/* "kernel"; NULL for a value that is none of the enum. */
const char *launch_fact_name(enum launch_fact f);

/*
 * What the measurement of a direct boot (vmm/measured_boot.h) binds. The digest
 * is over contents only: it binds what a guest is given, not where it lies, nor
 * what the CPUs start with unless their state is launched, too (SEV-ES). The
 * memory size is in the zero page and the number of CPUs in the MADT; both are
 * launched.
 */
uint64_t launch_facts_direct(bool is_es);
/*
 * The same with firmware, which is told of memory and tables by the host.
 * @has_hashes: of kernel, initrd and command line.
 */
uint64_t launch_facts_firmware(bool is_es, bool has_hashes);

/* What a set leaves open. Without firmware there is none to leave open. */
uint64_t launch_facts_open(uint64_t covered);

#endif
