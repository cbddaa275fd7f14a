/*
 * firmware/stage0/s0_sha256_bmi2.c - SHA-256 fused with a copy, for CPUs with
 * SSSE3 and BMI2: for those of the last ten years that lack the SHA extensions.
 *
 * RORX rotates into another register, so that the three rotations of a sum run
 * at the same time. It is no vector instruction: it works as it is, while AVX
 * wants the CPU's extended state switched on, which is not worth it here.
 */
#include <stdint.h>
#include <tmmintrin.h>

static inline uint32_t ror(uint32_t v, unsigned int n)
{
	return v >> n | v << (32 - n);
}

static inline uint32_t big_sigma0(uint32_t a)
{
	return ror(a, 2) ^ ror(a, 13) ^ ror(a, 22);
}

static inline uint32_t big_sigma1(uint32_t e)
{
	return ror(e, 6) ^ ror(e, 11) ^ ror(e, 25);
}

/* Four words, which are big-endian. */
static inline __m128i load_words(const uint8_t *p)
{
	const __m128i swap =
		_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(
		_mm_loadu_si128((const __m128i *)(const void *)p), swap);
}

/* Words 1..4 of the eight in @a and @b. */
static inline __m128i shift_word(__m128i a, __m128i b)
{
	return _mm_alignr_epi8(b, a, 4);
}

#include "firmware/stage0/s0_sha256_vec.h"

static void one_block(uint32_t s[static 8], const uint8_t *p)
{
	uint32_t a = s[0], b = s[1], c = s[2], d = s[3];
	uint32_t e = s[4], f = s[5], g = s[6], h = s[7];
	uint32_t bc = b ^ c;
	const uint32_t *k = s0_sha256_k;
	uint32_t kw[16] __attribute__((aligned(16)));
	__m128i m0 = load_words(p), m1 = load_words(p + 16);
	__m128i m2 = load_words(p + 32), m3 = load_words(p + 48);

	put_words(kw, m0, k);
	put_words(kw + 4, m1, k + 4);
	put_words(kw + 8, m2, k + 8);
	put_words(kw + 12, m3, k + 12);
	for (int i = 0; i < 3; i++) {
		k += 16;
		m0 = next_words(m0, m1, m2, m3);
		FOUR(a, b, c, d, e, f, g, h, 0);
		put_words(kw, m0, k);
		m1 = next_words(m1, m2, m3, m0);
		FOUR(e, f, g, h, a, b, c, d, 4);
		put_words(kw + 4, m1, k + 4);
		m2 = next_words(m2, m3, m0, m1);
		FOUR(a, b, c, d, e, f, g, h, 8);
		put_words(kw + 8, m2, k + 8);
		m3 = next_words(m3, m0, m1, m2);
		FOUR(e, f, g, h, a, b, c, d, 12);
		put_words(kw + 12, m3, k + 12);
	}
	for (int i = 0; i < 16; i += 8) {
		FOUR(a, b, c, d, e, f, g, h, i);
		FOUR(e, f, g, h, a, b, c, d, i + 4);
	}
	add_words(s, a, b, c, d, e, f, g, h);
}

void s0_sha256_blocks_bmi2(uint32_t state[static 8], uint8_t *dst,
			   const uint8_t *src, size_t n)
{
	for (; n; n--, dst += S0_SHA256_BLOCK, src += S0_SHA256_BLOCK) {
		copy_block(dst, src);
		one_block(state, dst);
	}
}
