/* firmware/ram_place.h - finds room in the RAM of a memory map. */
#ifndef FIRMWARE_RAM_PLACE_H
#define FIRMWARE_RAM_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/e820.h"
#include "mem/mem_map.h"

struct ram_range {
	gpa_t base;
	uint64_t len; /* base + len does not wrap */
};

/* Is all of [base, base + len) RAM, of one entry of @map? */
bool ram_contains(const struct e820_map *map, gpa_t base, uint64_t len);

/*
 * The lowest multiple of @align (a power of two) >= @min with @len > 0 bytes of
 * RAM from there on, ending at or below @end. False: there is none.
 */
bool ram_place_lowest(const struct e820_map *map, gpa_t min, gpa_t end,
		      uint64_t len, uint64_t align, gpa_t *ret);

/*
 * The highest multiple of @align with @len > 0 bytes of RAM from there on,
 * within [min, end), none of them in the @n ranges of @taken.
 */
bool ram_place_highest(const struct e820_map *map, gpa_t min, gpa_t end,
		       uint64_t len, uint64_t align,
		       const struct ram_range *taken, size_t n, gpa_t *ret);

#endif
