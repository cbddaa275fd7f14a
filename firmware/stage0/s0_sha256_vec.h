/*
 * firmware/stage0/s0_sha256_vec.h - SHA-256 without the SHA extensions: what
 * its versions share.
 *
 * The message schedule is computed four words at a time in vector registers,
 * the rounds in general ones: each has few registers, and both run side by
 * side. A version defines, before it includes this, what its CPU has
 * instructions for: big_sigma0() and big_sigma1() (FIPS 180-4, 4.1.2),
 * load_words() and shift_word().
 */
#ifndef FIRMWARE_STAGE0_S0_SHA256_VEC_H
#define FIRMWARE_STAGE0_S0_SHA256_VEC_H

#include <emmintrin.h>
#include <stdint.h>

#include "firmware/stage0/s0_sha256.h"
#include "firmware/stage0/s0_sha256_k.h"

/*
 * One round (FIPS 180-4, 6.2.2); the caller rotates the names instead of the
 * values. Maj(a, b, c) is ((a ^ b) & (b ^ c)) ^ b, and a ^ b is the next
 * round's b ^ c.
 */
#define ROUND(a, b, c, d, e, f, g, h, word)                                    \
	do {                                                                   \
		uint32_t t = h + (word) + (g ^ (e & (f ^ g))) + big_sigma1(e); \
		uint32_t ab = a ^ b;                                           \
		d += t;                                                        \
		bc &= ab;                                                      \
		h = t + (bc ^ b) + big_sigma0(a);                              \
		bc = ab;                                                       \
	} while (0)

#define FOUR(a, b, c, d, e, f, g, h, i)                                        \
	ROUND(a, b, c, d, e, f, g, h, kw[(i) + 0]);                            \
	ROUND(h, a, b, c, d, e, f, g, kw[(i) + 1]);                            \
	ROUND(g, h, a, b, c, d, e, f, kw[(i) + 2]);                            \
	ROUND(f, g, h, a, b, c, d, e, kw[(i) + 3])

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

static inline void add_words(uint32_t s[static 8], uint32_t a, uint32_t b,
			     uint32_t c, uint32_t d, uint32_t e, uint32_t f,
			     uint32_t g, uint32_t h)
{
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

/* Copy a block, of which only the copy is read from here on. */
static inline void copy_block(uint8_t *dst, const uint8_t *src)
{
	__builtin_memcpy(dst, src, S0_SHA256_BLOCK);
	__asm__ volatile("" : : "r"(dst) : "memory");
}

#endif
