/* firmware/stage0/s0_stop.c - ports, and what is written to them last. */
#include "firmware/stage0/s0_stop.h"

#include "firmware/stage0/s0_console.h"
#include "firmware/stage0/s0_cpu.h"
#include "firmware/stage0/s0_io.h"
#include "firmware/stage0/s0_sev.h"
#include "mem/mem_map.h"

static uint8_t in8(const struct s0_io *io, uint16_t port)
{
	uint8_t v;

	(void)io;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

static void out8(const struct s0_io *io, uint16_t port, uint8_t val)
{
	(void)io;
	__asm__ volatile("outb %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static void out16(const struct s0_io *io, uint16_t port, uint16_t val)
{
	(void)io;
	__asm__ volatile("outw %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

static void out32(const struct s0_io *io, uint16_t port, uint32_t val)
{
	(void)io;
	__asm__ volatile("outl %0, %1" : : "a"(val), "Nd"(port) : "memory");
}

const struct s0_io s0_ports = {
	.in8 = in8,
	.out8 = out8,
	.out16 = out16,
	.out32 = out32,
};

/* start.S has these numbers, too. */
_Static_assert(REASON_NO_LONG_MODE == STAGE0_NO_LONG_MODE, "");
_Static_assert(REASON_SEV_HIDDEN == STAGE0_SEV_HIDDEN, "");
_Static_assert(REASON_C_BIT_POSITION == STAGE0_C_BIT_POSITION, "");
_Static_assert(REASON_C_BIT_WRONG == STAGE0_C_BIT_WRONG, "");
_Static_assert(REASON_NO_RANDOM == STAGE0_NO_RANDOM, "");
_Static_assert(REASON_SEV_FEATURES == STAGE0_SEV_FEATURES, "");
_Static_assert(REASON_GHCB_ANSWER == STAGE0_GHCB_ANSWER, "");
_Static_assert(STOP_MAGIC == STAGE0_STOP_MAGIC, "");
_Static_assert(STOP_PORT == PORT_STAGE0_STOP, "");
_Static_assert(DEBUG_EXIT_PORT == PORT_DEBUG_EXIT, "");

void s0_stop_silently(enum stage0_reason reason)
{
	if (s0_sev_status & SEV_STATUS_ES) {
		s0_no_exceptions();
		s0_wrmsr(MSR_GHCB, (uint64_t)reason << 16 |
					   GHCB_TERM_SET << 12 |
					   GHCB_MSR_TERM_REQ);
		s0_vmgexit();
	}
	s0_halt();
}

void s0_stop(enum stage0_reason reason)
{
	const char *words = stage0_reason_words(reason);

	s0_console_puts(&s0_ports, "stage0: stopped (");
	s0_console_decimal(&s0_ports, reason);
	s0_console_puts(&s0_ports, "): ");
	s0_console_puts(&s0_ports, words ? words : "");
	s0_console_puts(&s0_ports, "\n");
	out32(&s0_ports, PORT_STAGE0_STOP, STAGE0_STOP_MAGIC | reason);
	out32(&s0_ports, PORT_DEBUG_EXIT, reason);
	s0_stop_silently(reason);
}
