/* vmm/base/bits.h - bit masks, alignment, powers of two. */
#ifndef VMM_BASE_BITS_H
#define VMM_BASE_BITS_H

#include <stdbool.h>
#include <stdint.h>

#define BIT32(n) (UINT32_C(1) << (n))
#define BIT64(n) (UINT64_C(1) << (n))

#define KIB(n) ((uint64_t)(n) << 10)
#define MIB(n) ((uint64_t)(n) << 20)
#define GIB(n) ((uint64_t)(n) << 30)

static inline bool is_power_of_two(uint64_t v)
{
	return v && !(v & (v - 1));
}

/* @align is a power of two; align_up() of a value near 2^64 wraps to 0. */
static inline uint64_t align_down(uint64_t v, uint64_t align)
{
	return v & ~(align - 1);
}

static inline uint64_t align_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

static inline bool is_aligned(uint64_t v, uint64_t align)
{
	return !(v & (align - 1));
}

#endif
