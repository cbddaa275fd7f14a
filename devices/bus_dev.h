/* devices/bus_dev.h - what a device offers to a port or memory bus. */
#ifndef DEVICES_BUS_DEV_H
#define DEVICES_BUS_DEV_H

#include <stdint.h>

struct bus_dev;

struct bus_dev_ops {
	/*
	 * The guest reads or writes @width bytes (1..8, not always a power of
	 * two; 1, 2 or 4 on the port bus) at @off from the start of the range
	 * the device was added with; off + width is within the range. Called
	 * from any vCPU thread, several at once: the device locks. The guest
	 * chose every argument. Undefined registers read as all ones or 0, as
	 * the hardware does; writes to them are dropped.
	 */
	uint64_t (*read)(struct bus_dev *dev, uint64_t off, unsigned int width);
	void (*write)(struct bus_dev *dev, uint64_t off, unsigned int width,
		      uint64_t val);
};

/* Embedded in the device; the ops find it by container_of(). */
struct bus_dev {
	const struct bus_dev_ops *ops;
};

/*
 * A bus as a device sees it that must move its own ranges (PCI BARs, PMBASE,
 * PCIEXBAR). Implemented by vmm/bus.c.
 */
struct bus_space;

struct bus_space_ops {
	/*
	 * Route [base, base + len) to @dev (borrowed until removed).
	 * -EEXIST   overlaps another range: nothing changes
	 * -ENOSPC   too many ranges
	 * Callable from inside a device's write().
	 */
	int (*add)(struct bus_space *s, uint64_t base, uint64_t len,
		   struct bus_dev *dev);
	/* Remove the range that starts at @base and belongs to @dev. */
	void (*remove)(struct bus_space *s, uint64_t base, struct bus_dev *dev);
};

struct bus_space {
	const struct bus_space_ops *ops;
};

#endif
