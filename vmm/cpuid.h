/* vmm/cpuid.h - what CPUID tells the guest. Pure data, no KVM needed. */
#ifndef VMM_CPUID_H
#define VMM_CPUID_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	CPUID_MAX_ENTRIES = 256,
	CPUID_FLAG_INDEX = 1, /* KVM_CPUID_FLAG_SIGNIFCANT_INDEX */
};

struct cpuid_entry {
	uint32_t function;
	uint32_t index; /* significant with CPUID_FLAG_INDEX */
	uint32_t flags;
	uint32_t eax, ebx, ecx, edx;
};

struct cpuid_table {
	size_t n;
	struct cpuid_entry e[CPUID_MAX_ENTRIES];
};

struct cpuid_params {
	unsigned int n_cpus; /* 1..64, one package, one thread per core */
	bool tsc_deadline;   /* KVM has the TSC-deadline timer */
	uint32_t tsc_khz;    /* 0: unknown */
	/*
	 * The guest is told that SEV is on, with this C-bit (leaf 0x8000001F),
	 * and of KVM's hypercall for sharing memory. 0: no SEV.
	 */
	unsigned int c_bit;
	unsigned int c_bit_reduction; /* bits that addresses lose by it */
	/* It is an ordinary address bit, and addresses are below it. */
	bool c_bit_emulated;
	bool sev_es;
};

/*
 * Turn the table of KVM_GET_SUPPORTED_CPUID in @t into the one every vCPU
 * starts from: hypervisor bit, TSC deadline, topology of @p->n_cpus, timing
 * leaf.
 * -EINVAL      n_cpus out of range, a table without leaf 0, or a C-bit that
 *              is not below the physical address width
 * -ENOSPC      no room for an added leaf
 */
int cpuid_for_machine(struct cpuid_table *t, const struct cpuid_params *p,
		      struct err *err);

/*
 * Write the fields that differ between vCPUs into a table made by
 * cpuid_for_machine(). APIC IDs are 0..n_cpus-1.
 */
void cpuid_set_apic_id(struct cpuid_table *t, uint32_t apic_id);

/* The entry of @function, @index; NULL when absent. */
struct cpuid_entry *cpuid_find(struct cpuid_table *t, uint32_t function,
			       uint32_t index);

/*
 * What KVM offers in leaf 0x8000001F: the C-bit's position, or 0 when it does
 * not offer SEV (@es: SEV-ES) to guests.
 */
unsigned int cpuid_sev_c_bit(struct cpuid_table *t, bool es);

/*
 * EBX[11:6] of leaf 0x8000001F by the instruction itself: by how many bits this
 * CPU's physical addresses shrink. 0: the CPU has no SEV.
 */
unsigned int cpuid_host_sev_reduction(void);

/* CPUID 1 EAX of @t, and of this CPU: family, model, stepping. */
uint32_t cpuid_signature(struct cpuid_table *t);
uint32_t cpuid_host_signature(void);

/* Physical-address width told to the guest: CPUID 0x80000008 EAX[7:0], or 36.
 */
unsigned int cpuid_phys_bits(struct cpuid_table *t);

/* Can @c_bit be an emulated C-bit here: an address bit, above all RAM? */
int cpuid_check_emulated_c_bit(struct cpuid_table *t, unsigned int c_bit,
			       struct err *err);

#endif
