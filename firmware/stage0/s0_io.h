/*
 * firmware/stage0/s0_io.h - ports, as stage0's components need them; a test
 * plays the devices.
 */
#ifndef FIRMWARE_STAGE0_S0_IO_H
#define FIRMWARE_STAGE0_S0_IO_H

#include <stdint.h>

struct s0_io {
	uint8_t (*in8)(const struct s0_io *io, uint16_t port);
	void (*out8)(const struct s0_io *io, uint16_t port, uint8_t val);
	void (*out16)(const struct s0_io *io, uint16_t port, uint16_t val);
	void (*out32)(const struct s0_io *io, uint16_t port, uint32_t val);
};

#endif
