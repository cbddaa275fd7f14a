/*
 * tests/fuzz/fuzz_input.h - takes values from a fuzzer's bytes; past the end
 * they are 0.
 */
#ifndef TESTS_FUZZ_FUZZ_INPUT_H
#define TESTS_FUZZ_FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fuzz_input {
	const uint8_t *data;
	size_t len;
};

static inline bool fuzz_more(const struct fuzz_input *in)
{
	return in->len;
}

/* @width 1..8, little-endian. */
static inline uint64_t fuzz_take(struct fuzz_input *in, unsigned int width)
{
	uint64_t val = 0;

	for (unsigned int i = 0; i < width && in->len; i++) {
		val |= (uint64_t)*in->data << (8 * i);
		in->data++;
		in->len--;
	}
	return val;
}

static inline uint8_t fuzz_u8(struct fuzz_input *in)
{
	return (uint8_t)fuzz_take(in, 1);
}

static inline uint16_t fuzz_u16(struct fuzz_input *in)
{
	return (uint16_t)fuzz_take(in, 2);
}

static inline uint32_t fuzz_u32(struct fuzz_input *in)
{
	return (uint32_t)fuzz_take(in, 4);
}

static inline uint64_t fuzz_u64(struct fuzz_input *in)
{
	return fuzz_take(in, 8);
}

#endif
