/* vmm/bus.h - routes a guest access to the device that has the address. */
#ifndef VMM_BUS_H
#define VMM_BUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct bus; /* opaque; a VM has one for ports and one for memory */
struct err;

enum {
	/* Ranges at once: 32 devices of 8 functions with 6 BARs would be
	 * more, but no machine of ours has them all. */
	BUS_MAX_RANGES = 512,
};

/* @size: addresses 0..size-1 exist. -ENOMEM. */
int bus_create(uint64_t size, struct bus **ret, struct err *err);
/* Devices are not destroyed with it. NULL is fine. */
void bus_destroy(struct bus *b);
DEFINE_CLEANUP(struct bus, bus_destroy)

/*
 * Route [base, base + len) to @dev, borrowed until it is removed or the bus
 * destroyed. Any thread.
 * -EINVAL      len 0, or past the end of the bus
 * -EEXIST      overlaps a range that is there
 * -ENOSPC      BUS_MAX_RANGES are there
 */
int bus_add(struct bus *b, uint64_t base, uint64_t len, struct bus_dev *dev);
/* Remove the range that starts at @base, if it is @dev's. */
void bus_remove(struct bus *b, uint64_t base, struct bus_dev *dev);

/*
 * One guest access, any thread. An address that no device has reads as all
 * ones of @width bytes (1..8), and writes there vanish; so does an access
 * that runs over the end of a device's range.
 */
uint64_t bus_read(struct bus *b, uint64_t addr, unsigned int width);
void bus_write(struct bus *b, uint64_t addr, unsigned int width, uint64_t val);

/* The bus as devices see it that move their own ranges. */
struct bus_space *bus_as_space(struct bus *b);

#endif
