/* firmware/stage0/s0_ram.c - two sources, each checked. */
#include "firmware/stage0/s0_ram.h"

#include <stdbool.h>

#include "firmware/e820.h"
#include "firmware/stage0/s0_io.h"
#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"

enum {
	PORT_RTC_DATA = PORT_RTC_INDEX + 1,
	CMOS_ABOVE_16M = 0x34, /* 2 bytes, units of 64 KiB */
	CMOS_ABOVE_4G = 0x5b,  /* 3 bytes, units of 64 KiB */
	CMOS_UNIT = 16,	       /* log2 */
	PAGE = 4096,
};

struct range {
	uint64_t base, len;
};

/* Low RAM ends before the PCI window, high RAM before the 64-bit one. */
static enum stage0_reason check(const struct s0_ram *r)
{
	return r->low_end && r->low_end <= MEM_PCI32_BASE &&
			       r->high_end >= MEM_RAM_HIGH_BASE &&
			       r->high_end <= MEM_PCI64_BASE
		       ? STAGE0_OK
		       : STAGE0_RAM_MAP;
}

/* RAM is one range from 0 and one from 4 GiB. */
static enum stage0_reason take_ram(struct s0_ram *r, uint64_t base,
				   uint64_t len)
{
	if (!is_aligned(len, PAGE))
		return STAGE0_RAM_MAP;
	if (!base && !r->low_end)
		r->low_end = len;
	else if (base == MEM_RAM_HIGH_BASE && r->high_end == base)
		r->high_end = base + len;
	else
		return STAGE0_RAM_MAP;
	return STAGE0_OK;
}

enum stage0_reason s0_ram_parse(const uint8_t *file, size_t len,
				struct s0_ram *ret)
{
	struct s0_ram r = {.high_end = MEM_RAM_HIGH_BASE};
	struct range seen[S0_RAM_ENTRIES_MAX];
	size_t n = len / S0_RAM_ENTRY_LEN;

	if (len % S0_RAM_ENTRY_LEN || n > S0_RAM_ENTRIES_MAX)
		return STAGE0_RAM_MAP;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *e = file + i * S0_RAM_ENTRY_LEN;
		uint64_t base = load_le64(e), size = load_le64(e + 8), end;
		uint32_t type = load_le32(e + 16);

		if (!size || !checked_add(base, size, &end))
			return STAGE0_RAM_MAP;
		for (size_t j = 0; j < i; j++)
			if (range_overlaps(base, size, seen[j].base,
					   seen[j].len))
				return STAGE0_RAM_MAP;
		seen[i] = (struct range){base, size};
		if (type == E820_RESERVED)
			continue;
		if (type != E820_RAM || take_ram(&r, base, size) != STAGE0_OK)
			return STAGE0_RAM_MAP;
	}
	if (check(&r) != STAGE0_OK)
		return STAGE0_RAM_MAP;
	*ret = r;
	return STAGE0_OK;
}

static uint64_t cmos(const struct s0_io *io, uint8_t index, unsigned int n)
{
	uint64_t v = 0;

	for (unsigned int i = 0; i < n; i++) {
		io->out8(io, PORT_RTC_INDEX, (uint8_t)(index + i));
		v |= (uint64_t)io->in8(io, PORT_RTC_DATA) << 8 * i;
	}
	return v << CMOS_UNIT;
}

enum stage0_reason s0_ram_cmos(const struct s0_io *io, struct s0_ram *ret)
{
	struct s0_ram r = {
		.low_end = MIB(16) + cmos(io, CMOS_ABOVE_16M, 2),
		.high_end = MEM_RAM_HIGH_BASE + cmos(io, CMOS_ABOVE_4G, 3),
	};

	if (check(&r) != STAGE0_OK)
		return STAGE0_RAM_MAP;
	*ret = r;
	return STAGE0_OK;
}
