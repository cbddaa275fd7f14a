/* firmware/e820.c - keeps a memory map sorted, disjoint and merged. */
#include "firmware/e820.h"

#include <assert.h>
#include <errno.h>

#include "vmm/base/bits.h"
#include "vmm/base/checked.h"

/* Append behind the last entry; false when the map is full. */
static bool push(struct e820_map *map, gpa_t base, gpa_t end,
		 enum e820_type type)
{
	struct e820_entry *last = map->n ? &map->entry[map->n - 1] : NULL;

	if (base >= end)
		return true;
	if (last && last->type == type && last->base + last->len == base) {
		last->len += end - base;
		return true;
	}
	if (map->n == E820_MAX)
		return false;
	map->entry[map->n++] = (struct e820_entry){base, end - base, type};
	return true;
}

int e820_add(struct e820_map *map, gpa_t base, uint64_t len,
	     enum e820_type type)
{
	struct e820_map out = {0};
	bool done = false, ok = true;
	gpa_t end;

	if (!checked_add(base, len, &end))
		return -EINVAL;
	if (!len)
		return 0;
	for (size_t i = 0; i < map->n; i++) {
		const struct e820_entry *e = &map->entry[i];
		gpa_t e_end = e->base + e->len;

		/* what is left of the new range, the range, what is right */
		ok = ok &&
		     push(&out, e->base, e_end < base ? e_end : base, e->type);
		if (!done && e_end > base) {
			ok = ok && push(&out, base, end, type);
			done = true;
		}
		ok = ok &&
		     push(&out, e->base > end ? e->base : end, e_end, e->type);
	}
	if (!done)
		ok = ok && push(&out, base, end, type);
	if (!ok)
		return -ENOSPC;
	*map = out;
	return 0;
}

void e820_machine_split(gpa_t low_end, gpa_t high_end, struct e820_map *ret)
{
	int r = 0;

	assert(low_end <= MEM_PCI32_BASE && high_end >= MEM_RAM_HIGH_BASE);
	*ret = (struct e820_map){0};
	r |= e820_add(ret, 0, low_end, E820_RAM);
	r |= e820_add(ret, MEM_EBDA_BASE, MIB(1) - MEM_EBDA_BASE,
		      E820_RESERVED);
	r |= e820_add(ret, MEM_ECAM_BASE, MEM_ECAM_SIZE, E820_RESERVED);
	r |= e820_add(ret, MEM_KVM_IDENT_MAP,
		      MEM_KVM_TSS + 3 * KIB(4) - MEM_KVM_IDENT_MAP,
		      E820_RESERVED);
	r |= e820_add(ret, MEM_RAM_HIGH_BASE, high_end - MEM_RAM_HIGH_BASE,
		      E820_RAM);
	assert(r == 0); /* few entries, none of which wraps */
}

void e820_machine(uint64_t ram_bytes, struct e820_map *ret)
{
	uint64_t low = ram_bytes;

	assert(ram_bytes >= MEM_RAM_MIN && ram_bytes <= MEM_RAM_MAX);
	if (low > MEM_RAM_LOW_MAX)
		low = MEM_RAM_LOW_MAX;
	e820_machine_split(low, MEM_RAM_HIGH_BASE + ram_bytes - low, ret);
}
