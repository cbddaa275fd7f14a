/*
 * firmware/boot_entry.h - the state of a vCPU at its first instruction.
 *
 * What follows from the mode and is set by the KVM layer, in the first two:
 * interrupts off (RFLAGS 2), IDT limit 0, CS = BOOT_CS, DS = ES = FS = GS = SS
 * = BOOT_DS, all flat, 4 GiB, TR = BOOT_TR with base 0 and limit 0x67 (busy
 * 32-bit or 64-bit TSS, type 11), other general registers 0.
 *
 * BOOT_LONG64  CR0 also PG, CR4 PAE, EFER LME|LMA, CS with L (Linux, boot.rst,
 *              "64-bit Boot Protocol")
 * BOOT_PROT32  CR0 as BOOT_CR0, CR4 0, EFER 0, CS with D (boot.rst, "32-bit
 * Boot Protocol"; Xen, docs/misc/pvh.pandoc)
 * BOOT_RESET   as after a reset (AMD APM vol. 2, 14.1.3 "Processor
 *              Initialization State"): real mode, CS = BOOT_RESET_CS with base
 *              cs_base, other segments 0 of 64 KiB, RDX the CPU's signature
 */
#ifndef FIRMWARE_BOOT_ENTRY_H
#define FIRMWARE_BOOT_ENTRY_H

#include <stdint.h>

enum boot_mode { BOOT_LONG64, BOOT_PROT32, BOOT_RESET };

/* Selectors in the GDT at gdt_base */
enum { BOOT_CS = 0x10, BOOT_DS = 0x18, BOOT_TR = 0x20 };

/*
 * PE, and ET and NE, which CPUs of today have for good. The state is measured
 * for SEV-ES: it changes only with the machine version.
 */
enum { BOOT_CR0 = 1 << 0 | 1 << 4 | 1 << 5 };

enum { BOOT_TR_LIMIT = 0x67 };

enum { BOOT_RESET_CS = 0xf000 };
#define BOOT_RESET_VECTOR UINT32_C(0xfffffff0)

struct boot_entry {
	enum boot_mode mode;
	uint64_t rip;
	uint64_t rsp; /* a stack of some KiB; no protocol promises one */
	uint64_t rsi; /* zero page of a bzImage, else 0 */
	uint64_t rbx; /* hvm_start_info of a PVH kernel, else 0 */
	uint64_t cr3; /* BOOT_LONG64: low 4 GiB mapped 1:1; else 0 */
	uint64_t gdt_base;
	uint16_t gdt_limit;
	uint64_t cs_base; /* BOOT_RESET */
	uint32_t rdx;	  /* BOOT_RESET: CPUID 1 EAX; 0: KVM's own */
};

/* A CPU that starts at @vector, of which bits 31:16 are the base of CS. */
static inline struct boot_entry boot_entry_reset(uint32_t vector)
{
	return (struct boot_entry){
		.mode = BOOT_RESET,
		.cs_base = vector & 0xffff0000,
		.rip = vector & 0xffff,
	};
}

#endif
