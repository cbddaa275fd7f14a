/* firmware/stage0/s0_console.c - one byte at a time. */
#include "firmware/stage0/s0_console.h"

#include <stdbool.h>

#include "firmware/stage0/s0_io.h"
#include "mem/mem_map.h"

enum {
	UART_THR = PORT_UART0,
	UART_LSR = PORT_UART0 + 5,
	LSR_THRE = 1 << 5, /* room for a byte */
	POLLS = 100000,
};

static void put(const struct s0_io *io, char c)
{
	io->out8(io, PORT_DEBUGCON, (uint8_t)c);
	/* A port that is not there reads as all ones: room for a byte. */
	for (int i = 0; i < POLLS; i++)
		if (io->in8(io, UART_LSR) & LSR_THRE)
			break;
	io->out8(io, UART_THR, (uint8_t)c);
}

void s0_console_puts(const struct s0_io *io, const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			put(io, '\r');
		put(io, *text);
	}
}

void s0_console_hex(const struct s0_io *io, uint64_t v)
{
	bool begun = false;

	s0_console_puts(io, "0x");
	for (int shift = 60; shift >= 0; shift -= 4) {
		unsigned int digit = v >> shift & 15;

		begun = begun || digit || !shift;
		if (begun)
			put(io, "0123456789abcdef"[digit]);
	}
}

void s0_console_decimal(const struct s0_io *io, uint32_t v)
{
	char text[11];
	char *p = text + sizeof(text);

	*--p = 0;
	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	s0_console_puts(io, p);
}
