/* tests/guest/guest.h - what a payload guest has instead of a C library. */
#ifndef TESTS_GUEST_GUEST_H
#define TESTS_GUEST_GUEST_H

#include <stdint.h>

/* The payload; its result goes to the debug-exit port. */
int payload_main(void);

#define GUEST_OUT(suffix, type)                                                \
	static inline void out##suffix(uint16_t port, type val)                \
	{                                                                      \
		__asm__ volatile("out" #suffix " %0, %1"                       \
				 :                                             \
				 : "a"(val), "Nd"(port)                        \
				 : "memory");                                  \
	}                                                                      \
	static inline type in##suffix(uint16_t port)                           \
	{                                                                      \
		type val;                                                      \
		__asm__ volatile("in" #suffix " %1, %0"                        \
				 : "=a"(val)                                   \
				 : "Nd"(port)                                  \
				 : "memory");                                  \
		return val;                                                    \
	}
GUEST_OUT(b, uint8_t)
GUEST_OUT(w, uint16_t)
GUEST_OUT(l, uint32_t)

#define GUEST_MMIO(bits)                                                       \
	static inline uint##bits##_t mmio_read##bits(uint64_t gpa)             \
	{                                                                      \
		return *(volatile uint##bits##_t *)gpa;                        \
	}                                                                      \
	static inline void mmio_write##bits(uint64_t gpa, uint##bits##_t val)  \
	{                                                                      \
		*(volatile uint##bits##_t *)gpa = val;                         \
	}
GUEST_MMIO(8)
GUEST_MMIO(16)
GUEST_MMIO(32)
GUEST_MMIO(64)

static inline void cpuid(uint32_t fn, uint32_t idx, uint32_t r[4])
{
	__asm__ volatile("cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "a"(fn), "c"(idx));
}

/* End now, with @val for the host. */
static inline void guest_exit(uint32_t val)
{
	outl(0xf4, val);
	for (;;)
		__asm__ volatile("hlt");
}

/* A failed check ends the guest with its line number (mod 60, plus 3). */
#define CHECK(cond)                                                            \
	do {                                                                   \
		if (!(cond))                                                   \
			guest_exit(3 + __LINE__ % 60);                         \
	} while (0)

static inline void serial_puts(const char *s)
{
	while (*s)
		outb(0x3f8, (uint8_t)*s++);
}

static inline uint32_t pci_read32(unsigned int devfn, unsigned int off)
{
	outl(0xcf8, 0x80000000u | devfn << 8 | (off & 0xfc));
	return inl(0xcfc);
}

static inline void pci_write32(unsigned int devfn, unsigned int off,
			       uint32_t val)
{
	outl(0xcf8, 0x80000000u | devfn << 8 | (off & 0xfc));
	outl(0xcfc, val);
}

#endif
