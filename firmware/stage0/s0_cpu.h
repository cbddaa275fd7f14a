/* firmware/stage0/s0_cpu.h - instructions that C has no words for. */
#ifndef FIRMWARE_STAGE0_S0_CPU_H
#define FIRMWARE_STAGE0_S0_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/stage0/s0_sev.h"

struct s0_cpuid {
	uint32_t eax, ebx, ecx, edx;
};

static inline struct s0_cpuid s0_cpuid(uint32_t leaf)
{
	struct s0_cpuid r;

	__asm__ volatile("cpuid"
			 : "=a"(r.eax), "=b"(r.ebx), "=c"(r.ecx), "=d"(r.edx)
			 : "a"(leaf), "c"(0));
	return r;
}

static inline uint64_t s0_rdmsr(uint32_t msr)
{
	uint32_t low, high;

	__asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
	return (uint64_t)high << 32 | low;
}

static inline void s0_wrmsr(uint32_t msr, uint64_t val)
{
	__asm__ volatile("wrmsr"
			 :
			 : "c"(msr), "a"((uint32_t)val),
			   "d"((uint32_t)(val >> 32))
			 : "memory");
}

static inline void s0_vmgexit(void)
{
	__asm__ volatile("rep; vmmcall" : : : "memory");
}

/* KVM's hypercalls; @intel chooses the instruction. */
static inline uint64_t s0_hypercall(bool intel, uint64_t nr, uint64_t a,
				    uint64_t b, uint64_t c)
{
	uint64_t ret;

	if (intel)
		__asm__ volatile("vmcall"
				 : "=a"(ret)
				 : "a"(nr), "b"(a), "c"(b), "d"(c)
				 : "memory");
	else
		__asm__ volatile("vmmcall"
				 : "=a"(ret)
				 : "a"(nr), "b"(a), "c"(b), "d"(c)
				 : "memory");
	return ret;
}

/* From here on an exception, whoever makes it, ends the VM. */
static inline void s0_no_exceptions(void)
{
	static const uint8_t idtr[10];

	__asm__ volatile("lidt %0" : : "m"(idtr));
}

static inline void s0_flush_cache(const uint8_t *p, size_t len)
{
	enum { LINE = 64 };

	for (size_t i = 0; i < len; i += LINE)
		__asm__ volatile("clflush (%0)" : : "r"(p + i) : "memory");
	__asm__ volatile("mfence" : : : "memory");
}

__attribute__((noreturn)) static inline void s0_halt(void)
{
	for (;;)
		__asm__ volatile("cli; hlt");
}

#endif
