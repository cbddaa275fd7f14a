/* firmware/ram_place.c - searches a memory map for free RAM. */
#include "firmware/ram_place.h"

#include "vmm/base/bits.h"
#include "vmm/base/checked.h"

bool ram_contains(const struct e820_map *map, gpa_t base, uint64_t len)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct e820_entry *e = &map->entry[i];

		if (e->type == E820_RAM && base >= e->base &&
		    range_within(base - e->base, len, e->len))
			return true;
	}
	return false;
}

/* The part of entry @e within [min, end); false when there is nothing. */
static bool clip(const struct e820_entry *e, gpa_t min, gpa_t end,
		 gpa_t *ret_from, gpa_t *ret_to)
{
	*ret_from = e->base > min ? e->base : min;
	*ret_to = e->base + e->len < end ? e->base + e->len : end;
	return e->type == E820_RAM && *ret_from < *ret_to;
}

bool ram_place_lowest(const struct e820_map *map, gpa_t min, gpa_t end,
		      uint64_t len, uint64_t align, gpa_t *ret)
{
	for (size_t i = 0; i < map->n; i++) {
		gpa_t from, to, at;

		if (!clip(&map->entry[i], min, end, &from, &to))
			continue;
		at = align_up(from, align);
		/* at < from: aligning wrapped */
		if (at >= from && at < to && len <= to - at) {
			*ret = at;
			return true;
		}
	}
	return false;
}

/* The first of @taken that overlaps, or NULL. */
static const struct ram_range *
collision(gpa_t at, uint64_t len, const struct ram_range *taken, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (range_overlaps(at, len, taken[i].base, taken[i].len))
			return &taken[i];
	return NULL;
}

bool ram_place_highest(const struct e820_map *map, gpa_t min, gpa_t end,
		       uint64_t len, uint64_t align,
		       const struct ram_range *taken, size_t n, gpa_t *ret)
{
	for (size_t i = map->n; i-- > 0;) {
		const struct ram_range *hit;
		gpa_t from, to, at;

		if (!clip(&map->entry[i], min, end, &from, &to))
			continue;
		/* Each round passes below one of @taken: at most n + 1. */
		while (to >= from && len <= to - from) {
			at = align_down(to - len, align);
			if (at < from)
				break;
			hit = collision(at, len, taken, n);
			if (!hit) {
				*ret = at;
				return true;
			}
			to = hit->base;
		}
	}
	return false;
}
