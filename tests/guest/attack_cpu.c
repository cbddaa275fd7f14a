/*
 * tests/guest/attack_cpu.c - storms of PAUSE, HLT and exceptions, and
 * nonsense in the MSRs and the interrupt controllers. Other CPUs, where there
 * are some, get INIT, SIPI and NMI all the while.
 */
#include "mem/mem_map.h"
#include "tests/guest/fault.h"
#include "tests/guest/random.h"

enum {
	ICR_LOW = 0x300,
	ICR_HIGH = 0x310,
	LVT_TIMER = 0x320,
	TIMER_COUNT = 0x380,
	TIMER_DIVIDE = 0x3e0,
	TIMER_VECTOR = 0x40,
	PERIODIC = 1 << 17,
	TIMER_PERIOD = 500000, /* ns: KVM's local APIC counts at 1 GHz */
	SELF = 1 << 18,
	OTHERS = 3 << 18,
	IOAPIC_DATA = 0x10,
};

static uint64_t seed = 0x637075;

static void lapic(unsigned int reg, uint32_t v)
{
	mmio_write32(MEM_LAPIC_BASE + reg, v);
}

static void storms(void)
{
	for (unsigned int i = 0; i < 5000; i++)
		__asm__ volatile("pause");
	for (unsigned int i = 0; i < 500; i++) {
		TRY("ud2", "m"(n_faults));
		/* not canonical */
		TRY("movb $0, (%[at])", [at] "r"(0x8000000000000000));
		/* not mapped: above our page tables */
		TRY("movb $0, (%[at])", [at] "r"(0x7000000000));
	}
	CHECK(n_faults >= 1000);
}

/*
 * HLT beside the local APIC's timer. A timer that ends once is armed all the
 * while, but who waits has one that comes again: a CPU that forgets, when it
 * leaves the guest between STI and HLT, that STI held interrupts back
 * (QEMU 7.2's emulation does) takes the only one before HLT.
 */
static void halts(void)
{
	unsigned int before;

	lapic(TIMER_DIVIDE, 0xb);
	lapic(LVT_TIMER, TIMER_VECTOR);
	for (unsigned int i = 0; i < 300; i++) {
		lapic(TIMER_COUNT, 1);
		__asm__ volatile("sti; nop; cli" ::: "memory");
	}
	before = n_interrupts;
	lapic(LVT_TIMER, PERIODIC | TIMER_VECTOR);
	lapic(TIMER_COUNT, TIMER_PERIOD);
	for (unsigned int i = 0; i < 300; i++)
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	CHECK(n_interrupts >= before + 300);
	/* and to itself, as fast as it can */
	for (unsigned int i = 0; i < 2000; i++) {
		lapic(ICR_HIGH, 0);
		lapic(ICR_LOW, SELF | (0x30 + i % 0xc0));
	}
	__asm__ volatile("sti; nop; cli" ::: "memory");
	lapic(LVT_TIMER, 1 << 16);
}

/* What a write of nonsense to would end us, or end this test. */
static int is_ours(uint32_t msr)
{
	return msr == 0x1b ||				  /* APIC base */
	       (msr >= 0x800 && msr < 0x900) ||		  /* x2APIC: its ICR */
	       (msr >= 0xc0000100 && msr < 0xc0000103) || /* FS, GS */
	       (msr >= 0x4b564d00 && msr < 0x4b564d10) || /* addresses in RAM */
	       msr == 0x11 || msr == 0x12 ||		  /* the same, old */
	       msr == 0xc0010117;			  /* VM_HSAVE_PA */
}

static void msr_range(uint32_t first, uint32_t n, uint32_t step)
{
	for (uint32_t m = first; m < first + n; m += step) {
		try_rdmsr(m);
		if (!is_ours(m))
			try_wrmsr(m, next_nasty(&seed));
	}
}

static void msrs(void)
{
	msr_range(0, 0x500, 3);
	msr_range(0x6e0, 2, 1); /* TSC deadline */
	msr_range(0x40000000, 0x110, 7);
	msr_range(0x4b564d00, 0x10, 1);
	msr_range(0xc0000080, 0x10, 1);
	msr_range(0xc0010000, 0x150, 5);
	for (unsigned int i = 0; i < 200; i++) {
		uint32_t m = (uint32_t)next_nasty(&seed);

		try_rdmsr(m);
		if (!is_ours(m))
			try_wrmsr(m, next_nasty(&seed));
	}
}

/* No NMI, SMI, INIT or SIPI to us: they are ends, or somebody else's code. */
static uint32_t harmless(uint32_t v)
{
	return v & ~0x700u;
}

static void apic(void)
{
	for (unsigned int reg = 0; reg < 0x400; reg += 0x10) {
		uint64_t at = MEM_LAPIC_BASE + reg;
		uint32_t v = harmless((uint32_t)next_nasty(&seed));

		mmio_read32(at);
		mmio_read8(at + 3);
		mmio_read64(at + 4);
		if (reg == ICR_LOW)
			v = SELF | (v & 0xff);
		if (reg == LAPIC_SVR)
			v |= 0x100;
		mmio_write32(at, v);
		mmio_write16(at + 2, (uint16_t)v & 0xf8ff);
	}
	for (unsigned int i = 0; i < 200; i++) {
		mmio_write32(MEM_IOAPIC_BASE, (uint32_t)next_nasty(&seed));
		mmio_read32(MEM_IOAPIC_BASE + IOAPIC_DATA);
		mmio_write32(MEM_IOAPIC_BASE + IOAPIC_DATA,
			     harmless((uint32_t)next_nasty(&seed)) | 1 << 16);
		mmio_write64(MEM_IOAPIC_BASE + next_random(&seed) % 0x1000,
			     0x10000);
	}
}

/*
 * Into the void, or at CPUs that wait for the right one of these. No SMI: what
 * a CPU does without a handler for it is the guest's own end.
 */
static void others(void)
{
	for (unsigned int i = 0; i < 400; i++) {
		static const uint32_t mode[] = {0x500, 0x600, 0x400,
						0x100, 0x000, 0x8500};

		lapic(ICR_HIGH, (uint32_t)next_nasty(&seed));
		lapic(ICR_LOW, OTHERS | 0x4000 | mode[i % 6] | (i & 0x9f));
	}
}

int payload_main(void)
{
	fault_init();
	storms();
	halts();
	others();
	msrs();
	others();
	apic();
	return 0;
}
