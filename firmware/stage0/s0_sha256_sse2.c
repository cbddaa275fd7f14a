/*
 * firmware/stage0/s0_sha256_sse2.c - SHA-256 fused with a copy, for any x86-64.
 *
 * The message schedule is computed four words at a time in vector registers,
 * the rounds in general ones: each has few registers, and both run side by
 * side. -fno-tree-reassoc keeps the sums in this order, which is a tenth
 * faster.
 */
#include <emmintrin.h>

#include "firmware/stage0/s0_sha256.h"
#include "firmware/stage0/s0_sha256_k.h"

static inline uint32_t ror(uint32_t v, unsigned int n)
{
	return v >> n | v << (32 - n);
}

/*
 * One round (FIPS 180-4, 6.2.2); the caller rotates the names instead of the
 * values. Maj(a, b, c) is ((a ^ b) & (b ^ c)) ^ b, and a ^ b is the next
 * round's b ^ c.
 */
#define ROUND(a, b, c, d, e, f, g, h, word)                                    \
	do {                                                                   \
		uint32_t t = h + (word) + (g ^ (e & (f ^ g))) +                \
			     ror(ror(ror(e, 14) ^ e, 5) ^ e, 6);               \
		uint32_t ab = a ^ b;                                           \
		d += t;                                                        \
		bc &= ab;                                                      \
		h = t + (bc ^ b) + ror(ror(ror(a, 9) ^ a, 11) ^ a, 2);         \
		bc = ab;                                                       \
	} while (0)

#define FOUR(a, b, c, d, e, f, g, h, i)                                        \
	ROUND(a, b, c, d, e, f, g, h, kw[(i) + 0]);                            \
	ROUND(h, a, b, c, d, e, f, g, kw[(i) + 1]);                            \
	ROUND(g, h, a, b, c, d, e, f, kw[(i) + 2]);                            \
	ROUND(f, g, h, a, b, c, d, e, kw[(i) + 3])

/* Four words, which are big-endian; SSE2 swaps bytes in three steps. */
static inline __m128i load_words(const uint8_t *p)
{
	__m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);

	v = _mm_or_si128(_mm_srli_epi16(v, 8), _mm_slli_epi16(v, 8));
	v = _mm_shufflelo_epi16(v, 0xb1);
	return _mm_shufflehi_epi16(v, 0xb1);
}

/* What the specification calls lower-case sigma 0, of four words. */
static inline __m128i sigma0(__m128i x)
{
	__m128i r = _mm_xor_si128(_mm_srli_epi32(x, 3), _mm_srli_epi32(x, 7));

	r = _mm_xor_si128(r, _mm_slli_epi32(x, 14));
	r = _mm_xor_si128(r, _mm_srli_epi32(x, 18));
	return _mm_xor_si128(r, _mm_slli_epi32(x, 25));
}

/*
 * And sigma 1 of two, each of which is in @x twice, side by side: a shift of 64
 * bits then turns the lower one round. They end up in words 0 and 1, or 2
 * and 3.
 */
static inline __m128i sigma1(__m128i x)
{
	__m128i r = _mm_xor_si128(_mm_srli_epi64(x, 17), _mm_srli_epi64(x, 19));

	r = _mm_xor_si128(r, _mm_srli_epi32(x, 10));
	return _mm_shuffle_epi32(r, 0x88);
}

/* Words 1..4 of the eight in @a and @b. */
static inline __m128i shift_word(__m128i a, __m128i b)
{
	__m128 v = _mm_move_ss(_mm_castsi128_ps(a), _mm_castsi128_ps(b));

	return _mm_shuffle_epi32(_mm_castps_si128(v), 0x39);
}

/* The four words that come after m0..m3; the last two need the first two. */
static inline __m128i next_words(__m128i m0, __m128i m1, __m128i m2, __m128i m3)
{
	__m128i v = _mm_add_epi32(m0, shift_word(m2, m3));

	v = _mm_add_epi32(v, sigma0(shift_word(m0, m1)));
	v = _mm_add_epi32(v,
			  _mm_move_epi64(sigma1(_mm_shuffle_epi32(m3, 0xfa))));
	return _mm_add_epi32(
		v, _mm_slli_si128(sigma1(_mm_shuffle_epi32(v, 0x50)), 8));
}

static inline void put_words(uint32_t *kw, __m128i m, const uint32_t *k)
{
	__m128i sum = _mm_add_epi32(
		m, _mm_load_si128((const __m128i *)(const void *)k));

	_mm_store_si128((__m128i *)(void *)kw, sum);
}

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
	FOUR(a, b, c, d, e, f, g, h, 0);
	FOUR(e, f, g, h, a, b, c, d, 4);
	FOUR(a, b, c, d, e, f, g, h, 8);
	FOUR(e, f, g, h, a, b, c, d, 12);
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

void s0_sha256_blocks_sse2(uint32_t state[static 8], uint8_t *dst,
			   const uint8_t *src, size_t n)
{
	for (; n; n--, dst += S0_SHA256_BLOCK, src += S0_SHA256_BLOCK) {
		__builtin_memcpy(dst, src, S0_SHA256_BLOCK);
		/* From here on the copy is read, never the source again. */
		__asm__ volatile("" : : "r"(dst) : "memory");
		one_block(state, dst);
	}
}
