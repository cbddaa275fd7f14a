/*
 * vmm/cpuid.c - edits the CPUID leaves that KVM supports into those of the
 * machine: one package of N single-threaded cores.
 *
 * Sources: Intel SDM vol. 2A "CPUID" (leaves 1, 4, 0xB, 0x15); AMD APM vol. 3
 * appendix E (0x80000001, 0x80000008, 0x8000001D, 0x8000001E); Linux
 * Documentation/virt/kvm/x86/cpuid.rst (0x40000000..).
 */
#include "vmm/cpuid.h"

#include <cpuid.h>
#include <errno.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"

enum {
	KVM_CPUID_BASE = 0x40000000,
	KVM_CPUID_FEATURES = 0x40000001,
	KVM_CPUID_TIMING = 0x40000010, /* EAX: TSC kHz, EBX: APIC bus kHz */
	KVM_APIC_BUS_KHZ = 1000000,    /* one APIC timer tick is 1 ns in KVM */
	CPUID_MAX_CPUS = 64,
};

struct cpuid_entry *cpuid_find(struct cpuid_table *t, uint32_t function,
			       uint32_t index)
{
	for (size_t i = 0; i < t->n; i++) {
		struct cpuid_entry *e = &t->e[i];

		if (e->function == function &&
		    (!(e->flags & CPUID_FLAG_INDEX) || e->index == index))
			return e;
	}
	return NULL;
}

static struct cpuid_entry *add(struct cpuid_table *t, uint32_t function,
			       uint32_t index, uint32_t flags)
{
	struct cpuid_entry *e = cpuid_find(t, function, index);

	if (!e) {
		if (t->n == CPUID_MAX_ENTRIES)
			return NULL;
		e = &t->e[t->n++];
	}
	*e = (struct cpuid_entry){
		.function = function, .index = index, .flags = flags};
	return e;
}

static void remove_function(struct cpuid_table *t, uint32_t function)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n; i++)
		if (t->e[i].function != function)
			t->e[n++] = t->e[i];
	t->n = n;
}

/* Bits of an APIC ID that number the cores: ceil(log2(n)). */
static uint32_t core_bits(unsigned int n_cpus)
{
	uint32_t bits = 0;

	while ((1u << bits) < n_cpus)
		bits++;
	return bits;
}

static bool is_amd(struct cpuid_table *t)
{
	const struct cpuid_entry *e = cpuid_find(t, 0, 0);

	/* "AuthenticAMD" and "HygonGenuine", by EBX */
	return e->ebx == 0x68747541 || e->ebx == 0x6f677948;
}

/* Leaf 0xB: level 0 threads, level 1 cores, level 2 invalid (ends the list). */
static int extended_topology(struct cpuid_table *t, unsigned int n)
{
	static const uint32_t level_type[] = {1, 2, 0};

	remove_function(t, 0xb);
	remove_function(t, 0x1f); /* as 0xB, for dies: there are none */
	for (uint32_t i = 0; i < 3; i++) {
		struct cpuid_entry *e = add(t, 0xb, i, CPUID_FLAG_INDEX);

		if (!e)
			return -ENOSPC;
		e->eax = i == 1 ? core_bits(n) : 0;
		e->ebx = i == 0 ? 1 : i == 1 ? n : 0;
		e->ecx = i | level_type[i] << 8;
	}
	return 0;
}

/* Leaf 4 (Intel) and 0x8000001D (AMD): who shares which cache. */
static void cache_sharing(struct cpuid_table *t, unsigned int n)
{
	for (size_t i = 0; i < t->n; i++) {
		struct cpuid_entry *e = &t->e[i];
		uint32_t level = e->eax >> 5 & 7;

		if ((e->function != 4 && e->function != 0x8000001d) ||
		    !(e->eax & 0x1f))
			continue;
		e->eax &= ~(UINT32_C(0xfff) << 14);
		if (level >= 3)
			e->eax |= ((1u << core_bits(n)) - 1) << 14;
		if (e->function == 4) {
			e->eax &= ~(UINT32_C(0x3f) << 26);
			e->eax |= ((1u << core_bits(n)) - 1) << 26;
		}
	}
}

static void amd_topology(struct cpuid_table *t, unsigned int n)
{
	struct cpuid_entry *e = cpuid_find(t, 0x80000001, 0);

	if (e) {
		e->ecx &= ~BIT32(1); /* CmpLegacy: more than one core */
		if (n > 1)
			e->ecx |= BIT32(1);
	}
	e = cpuid_find(t, 0x80000008, 0);
	if (e) {
		e->ecx &= ~UINT32_C(0xf0ff);
		e->ecx |= (n - 1) | core_bits(n) << 12;
	}
}

/*
 * AMD APM vol. 3, E.4.17 "Function 8000_001Fh": EAX[1] SEV; EBX[5:0] the C-bit,
 * EBX[11:6] by how many bits the physical address shrinks. KVM's features 16
 * and 17 let the guest report what it shares.
 */
static int tell_sev(struct cpuid_table *t, const struct cpuid_params *p,
		    struct err *err)
{
	unsigned int bits = cpuid_phys_bits(t), c_bit = p->c_bit;
	unsigned int reduction =
		p->c_bit_emulated ? bits - c_bit : p->c_bit_reduction;
	struct cpuid_entry *e;
	int r = 0;

	if (p->c_bit_emulated)
		r = cpuid_check_emulated_c_bit(t, c_bit, err);
	if (r < 0)
		return r;
	e = add(t, 0x8000001f, 0, 0);
	if (!e)
		return err_set(err, -ENOSPC, "too many CPUID leaves");
	e->eax = BIT32(1) | (p->sev_es ? BIT32(3) : 0);
	e->ebx = c_bit | (reduction & 0x3f) << 6;
	e = cpuid_find(t, 0x80000000, 0);
	if (e && e->eax < 0x8000001f)
		e->eax = 0x8000001f;
	/*
	 * 0x80000008 keeps the width that KVM says: with SEV it has subtracted
	 * the reduction; in the emulation the guest does so itself, and to KVM
	 * the C-bit must be an ordinary address bit.
	 */
	e = cpuid_find(t, KVM_CPUID_FEATURES, 0);
	if (e)
		e->eax |= BIT32(16) | BIT32(17);
	return 0;
}

int cpuid_for_machine(struct cpuid_table *t, const struct cpuid_params *p,
		      struct err *err)
{
	struct cpuid_entry *e;

	if (!p->n_cpus || p->n_cpus > CPUID_MAX_CPUS)
		return err_set(err, -EINVAL, "%u CPUs (1 to %d)", p->n_cpus,
			       CPUID_MAX_CPUS);
	if (!cpuid_find(t, 0, 0) || !cpuid_find(t, 1, 0))
		return err_set(err, -EINVAL,
			       "KVM reports no CPUID leaf 0 or 1");

	e = cpuid_find(t, 1, 0);
	e->ecx |= BIT32(31); /* running under a hypervisor */
	e->ecx &= ~BIT32(24);
	if (p->tsc_deadline)
		e->ecx |= BIT32(24);
	e->ebx = (e->ebx & 0xff00) | p->n_cpus << 16;
	e->edx &= ~BIT32(28); /* HTT: EBX[23:16] is valid */
	if (p->n_cpus > 1)
		e->edx |= BIT32(28);

	cache_sharing(t, p->n_cpus);
	if (is_amd(t))
		amd_topology(t, p->n_cpus);
	e = cpuid_find(t, 0, 0);
	if (e->eax < 0xb)
		e->eax = 0xb;
	if (extended_topology(t, p->n_cpus) < 0)
		return err_set(err, -ENOSPC, "too many CPUID leaves");

	if (p->tsc_khz && cpuid_find(t, KVM_CPUID_BASE, 0)) {
		e = add(t, KVM_CPUID_TIMING, 0, 0);
		if (!e)
			return err_set(err, -ENOSPC, "too many CPUID leaves");
		e->eax = p->tsc_khz;
		e->ebx = KVM_APIC_BUS_KHZ;
		e = cpuid_find(t, KVM_CPUID_BASE, 0);
		if (e->eax < KVM_CPUID_TIMING)
			e->eax = KVM_CPUID_TIMING;
	}
	return p->c_bit ? tell_sev(t, p, err) : 0;
}

void cpuid_set_apic_id(struct cpuid_table *t, uint32_t apic_id)
{
	for (size_t i = 0; i < t->n; i++) {
		struct cpuid_entry *e = &t->e[i];

		switch (e->function) {
		case 1:
			e->ebx = (e->ebx & 0x00ffffff) | apic_id << 24;
			break;
		case 0xb:
			e->edx = apic_id;
			break;
		case 0x8000001e: /* one thread per core, one node */
			e->eax = apic_id;
			e->ebx = apic_id & 0xff;
			e->ecx = 0;
			break;
		default:
			break;
		}
	}
}

unsigned int cpuid_sev_c_bit(struct cpuid_table *t, bool es)
{
	const struct cpuid_entry *e = cpuid_find(t, 0x8000001f, 0);

	if (!e || !(e->eax & BIT32(1)) || (es && !(e->eax & BIT32(3))))
		return 0;
	return e->ebx & 0x3f;
}

unsigned int cpuid_host_sev_reduction(void)
{
	unsigned int a, b, c, d;

	/* __get_cpuid() asks for the highest leaf first. */
	if (!__get_cpuid(0x8000001f, &a, &b, &c, &d) || !(a & BIT32(1)))
		return 0;
	return b >> 6 & 0x3f;
}

uint32_t cpuid_signature(struct cpuid_table *t)
{
	const struct cpuid_entry *e = cpuid_find(t, 1, 0);

	return e ? e->eax : 0;
}

uint32_t cpuid_host_signature(void)
{
	unsigned int a = 0, b, c, d;

	__get_cpuid(1, &a, &b, &c, &d);
	return a;
}

unsigned int cpuid_phys_bits(struct cpuid_table *t)
{
	const struct cpuid_entry *e = cpuid_find(t, 0x80000008, 0);

	return e && (e->eax & 0xff) ? e->eax & 0xff : 36;
}

int cpuid_check_emulated_c_bit(struct cpuid_table *t, unsigned int c_bit,
			       struct err *err)
{
	unsigned int bits = cpuid_phys_bits(t);

	if (c_bit < 36 || c_bit >= bits)
		return err_set_kind(err, ERR_HOST, -EINVAL,
				    "C-bit %u: this host has %u physical "
				    "address bits; 36 to %u would do",
				    c_bit, bits, bits - 1);
	return 0;
}
