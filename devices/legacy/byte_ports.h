/*
 * devices/legacy/byte_ports.h - wide accesses to devices with 8-bit registers.
 *
 * The bus of such a device has eight data lines: a wider access becomes one
 * cycle for each byte, at ascending ports.
 */
#ifndef DEVICES_LEGACY_BYTE_PORTS_H
#define DEVICES_LEGACY_BYTE_PORTS_H

#include <stdint.h>

typedef uint8_t byte_port_read_fn(void *dev, uint64_t off);
typedef void byte_port_write_fn(void *dev, uint64_t off, uint8_t val);

/* @width 1..8, as bus_dev_ops promises. */
static inline uint64_t byte_ports_read(void *dev, byte_port_read_fn *read,
				       uint64_t off, unsigned int width)
{
	uint64_t val = 0;

	for (unsigned int i = 0; i < width; i++)
		val |= (uint64_t)read(dev, off + i) << (8 * i);
	return val;
}

static inline void byte_ports_write(void *dev, byte_port_write_fn *write,
				    uint64_t off, unsigned int width,
				    uint64_t val)
{
	for (unsigned int i = 0; i < width; i++)
		write(dev, off + i, (uint8_t)(val >> (8 * i)));
}

#endif
