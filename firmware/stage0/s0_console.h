/*
 * firmware/stage0/s0_console.h - lines of text for whoever watches: on the
 * debug console and on the serial port.
 */
#ifndef FIRMWARE_STAGE0_S0_CONSOLE_H
#define FIRMWARE_STAGE0_S0_CONSOLE_H

#include <stdint.h>

struct s0_io;

void s0_console_puts(const struct s0_io *io, const char *text);
void s0_console_hex(const struct s0_io *io, uint64_t v);
void s0_console_decimal(const struct s0_io *io, uint32_t v);

#endif
