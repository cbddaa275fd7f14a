/*
 * firmware/stage0/s0_sha256_sse2.c - SHA-256 fused with a copy, for any x86-64.
 *
 * -fno-tree-reassoc keeps the sums in this order, which is a tenth faster.
 */
#include <emmintrin.h>
#include <stdbool.h>
#include <stdint.h>

static inline uint32_t ror(uint32_t v, unsigned int n)
{
	return v >> n | v << (32 - n);
}

/* A rotation overwrites its operand here: three in a row need one copy. */
static inline uint32_t big_sigma0(uint32_t a)
{
	return ror(ror(ror(a, 9) ^ a, 11) ^ a, 2);
}

static inline uint32_t big_sigma1(uint32_t e)
{
	return ror(ror(ror(e, 14) ^ e, 5) ^ e, 6);
}

/* Four words, which are big-endian; SSE2 swaps bytes in three steps. */
static inline __m128i load_words(const uint8_t *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

	v = _mm_or_si128(_mm_srli_epi16(v, 8), _mm_slli_epi16(v, 8));
	v = _mm_shufflelo_epi16(v, 0xb1);
	return _mm_shufflehi_epi16(v, 0xb1);
}

/* Words 1..4 of the eight in @a and @b. */
static inline __m128i shift_word(__m128i a, __m128i b)
{
	__m128 v = _mm_move_ss(_mm_castsi128_ps(a), _mm_castsi128_ps(b));

	return _mm_shuffle_epi32(_mm_castps_si128(v), 0x39);
}

#include "firmware/stage0/s0_sha256_vec.h"

/* One loop for all rounds: it is small, and as fast. */
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
	for (k += 16;; k += 16) {
		bool more = k != s0_sha256_k + 64;

		if (more)
			m0 = next_words(m0, m1, m2, m3);
		FOUR(a, b, c, d, e, f, g, h, 0);
		if (more) {
			put_words(kw, m0, k);
			m1 = next_words(m1, m2, m3, m0);
		}
		FOUR(e, f, g, h, a, b, c, d, 4);
		if (more) {
			put_words(kw + 4, m1, k + 4);
			m2 = next_words(m2, m3, m0, m1);
		}
		FOUR(a, b, c, d, e, f, g, h, 8);
		if (more) {
			put_words(kw + 8, m2, k + 8);
			m3 = next_words(m3, m0, m1, m2);
		}
		FOUR(e, f, g, h, a, b, c, d, 12);
		if (!more)
			break;
		put_words(kw + 12, m3, k + 12);
	}
	add_words(s, a, b, c, d, e, f, g, h);
}

void s0_sha256_blocks_sse2(uint32_t state[static 8], uint8_t *dst,
			   const uint8_t *src, size_t n)
{
	for (; n; n--, dst += S0_SHA256_BLOCK, src += S0_SHA256_BLOCK) {
		copy_block(dst, src);
		one_block(state, dst);
	}
}
