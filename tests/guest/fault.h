/*
 * tests/guest/fault.h - exceptions and interrupts that a payload survives. An
 * exception goes on at fault_resume; an interrupt is acknowledged and counted.
 */
#ifndef TESTS_GUEST_FAULT_H
#define TESTS_GUEST_FAULT_H

#include "mem/mem_map.h"
#include "tests/guest/guest.h"

enum { LAPIC_EOI = 0xb0, LAPIC_SVR = 0xf0 };

struct fault_frame {
	uint64_t rip, cs, rflags, rsp, ss;
};

struct fault_gate {
	uint16_t low, selector, flags, mid;
	uint32_t high, zero;
};

static volatile uint64_t fault_resume;
static volatile unsigned int n_faults, n_interrupts;
static struct fault_gate fault_idt[256];

__attribute__((interrupt)) static void on_fault(struct fault_frame *f)
{
	n_faults++;
	f->rip = fault_resume;
}

__attribute__((interrupt)) static void on_fault_code(struct fault_frame *f,
						     uint64_t code)
{
	(void)code;
	n_faults++;
	f->rip = fault_resume;
}

__attribute__((interrupt)) static void on_interrupt(struct fault_frame *f)
{
	(void)f;
	n_interrupts++;
	mmio_write32(MEM_LAPIC_BASE + LAPIC_EOI, 0);
}

/* NMI, breakpoints: they return to where they came from. */
__attribute__((interrupt)) static void on_trap(struct fault_frame *f)
{
	(void)f;
	n_interrupts++;
}

static inline void fault_set(unsigned int vector, const void *handler)
{
	uint64_t at = (uint64_t)handler;

	fault_idt[vector] = (struct fault_gate){
		.low = (uint16_t)at,
		.selector = 8,
		.flags = 0x8e00, /* present, interrupt gate */
		.mid = (uint16_t)(at >> 16),
		.high = (uint32_t)(at >> 32),
	};
}

static inline void fault_load_idt(uint16_t limit)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) p = {limit, (uint64_t)fault_idt};

	__asm__ volatile("lidt %0" : : "m"(p));
}

static inline void fault_init(void)
{
	/* with an error code (Intel SDM vol. 3A, 6.13 "Error Code") */
	static const uint8_t code[] = {8, 10, 11, 12, 13, 14, 17, 21, 29, 30};

	for (unsigned int i = 0; i < 256; i++)
		fault_set(i, i < 32 ? (const void *)on_fault
				    : (const void *)on_interrupt);
	for (unsigned int i = 0; i < sizeof(code); i++)
		fault_set(code[i], (const void *)on_fault_code);
	fault_set(1, (const void *)on_trap);
	fault_set(2, (const void *)on_trap);
	fault_set(3, (const void *)on_trap);
	fault_set(4, (const void *)on_trap);
	fault_load_idt(sizeof(fault_idt) - 1);
	mmio_write32(MEM_LAPIC_BASE + LAPIC_SVR, 0x1ff);
}

/* Run an instruction that may fault. */
#define TRY(insn, ...)                                                         \
	__asm__ volatile("movq $1f, %[resume]\n\t" insn "\n1:"                 \
			 : [resume] "=m"(fault_resume)                         \
			 : __VA_ARGS__                                         \
			 : "memory", "cc")

static inline void try_wrmsr(uint32_t index, uint64_t v)
{
	TRY("wrmsr", "c"(index), "a"((uint32_t)v), "d"((uint32_t)(v >> 32)));
}

static inline void try_rdmsr(uint32_t index)
{
	uint32_t a = index, d;

	__asm__ volatile("movq $1f, %[resume]\n\trdmsr\n1:"
			 : [resume] "=m"(fault_resume), "+a"(a), "=d"(d)
			 : "c"(index)
			 : "memory");
}

#endif
