/*
 * tests/fake/fake_bus_space.h - a port or memory bus on which a test plays
 * the vCPU.
 */
#ifndef TESTS_FAKE_FAKE_BUS_SPACE_H
#define TESTS_FAKE_FAKE_BUS_SPACE_H

#include <stddef.h>
#include <stdint.h>

#include "devices/bus_dev.h"

struct fake_bus_space; /* opaque */

enum { FAKE_BUS_MAX_RANGES = 64 };

/* Aborts the test when memory is gone. */
struct fake_bus_space *fake_bus_space_create(void);
/* Asserts that all ranges were removed. NULL is fine. */
void fake_bus_space_destroy(struct fake_bus_space *f);
struct bus_space *fake_bus_space(struct fake_bus_space *f);

/* As the guest would: reads where nobody answers give all ones. */
uint64_t fake_bus_read(struct fake_bus_space *f, uint64_t addr,
		       unsigned int width);
void fake_bus_write(struct fake_bus_space *f, uint64_t addr, unsigned int width,
		    uint64_t val);

/* The range that holds @addr: its device (NULL: none) and its start. */
struct bus_dev *fake_bus_find(struct fake_bus_space *f, uint64_t addr,
			      uint64_t *ret_base);
size_t fake_bus_n_ranges(struct fake_bus_space *f);

#endif
