/*
 * firmware/stage0/s0_sha256_ni.c - SHA-256 fused with a copy, by the SHA
 * extensions (Intel SDM, volume 1, 5.20 "Intel SHA Extensions").
 *
 * Four rounds take two SHA256RNDS2; the state is kept as the instruction wants
 * it, {a, b, e, f} and {c, d, g, h}.
 */
#include <immintrin.h>

#include "firmware/stage0/s0_sha256.h"
#include "firmware/stage0/s0_sha256_k.h"

/* Rounds 4i .. 4i + 3, with message words @m. */
#define ROUNDS(i, m)                                                           \
	do {                                                                   \
		__m128i kw = _mm_add_epi32(                                    \
			m,                                                     \
			_mm_load_si128((const __m128i *)(s0_sha256_k +         \
							 4 * (size_t)(i))));   \
		cdgh = _mm_sha256rnds2_epu32(cdgh, abef, kw);                  \
		kw = _mm_shuffle_epi32(kw, 0x0e);                              \
		abef = _mm_sha256rnds2_epu32(abef, cdgh, kw);                  \
	} while (0)

/* m0 becomes the four words that come after m3. */
#define SCHEDULE(m0, m1, m2, m3)                                               \
	(m0 = _mm_sha256msg2_epu32(_mm_add_epi32(_mm_sha256msg1_epu32(m0, m1), \
						 _mm_alignr_epi8(m3, m2, 4)),  \
				   m3))

static inline __m128i load_words(const uint8_t *p)
{
	const __m128i swap =
		_mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);

	return _mm_shuffle_epi8(
		_mm_loadu_si128((const __m128i *)(const void *)p), swap);
}

static inline void copy_block(uint8_t *dst, const uint8_t *src)
{
	for (int i = 0; i < S0_SHA256_BLOCK; i += 16)
		_mm_storeu_si128(
			(__m128i *)(void *)(dst + i),
			_mm_loadu_si128(
				(const __m128i *)(const void *)(src + i)));
	/* From here on the copy is read, never the source again. */
	__asm__ volatile("" : : "r"(dst) : "memory");
}

void s0_sha256_blocks_ni(uint32_t state[static 8], uint8_t *dst,
			 const uint8_t *src, size_t n)
{
	__m128i dcba = _mm_loadu_si128((const __m128i *)(void *)state);
	__m128i hgfe = _mm_loadu_si128((const __m128i *)(void *)(state + 4));
	__m128i cdab = _mm_shuffle_epi32(dcba, 0xb1);
	__m128i efgh = _mm_shuffle_epi32(hgfe, 0x1b);
	__m128i abef = _mm_alignr_epi8(cdab, efgh, 8);
	__m128i cdgh = _mm_blend_epi16(efgh, cdab, 0xf0);

	for (; n; n--, dst += S0_SHA256_BLOCK, src += S0_SHA256_BLOCK) {
		__m128i abef0 = abef, cdgh0 = cdgh;
		__m128i m0, m1, m2, m3;

		copy_block(dst, src);
		m0 = load_words(dst);
		ROUNDS(0, m0);
		m1 = load_words(dst + 16);
		ROUNDS(1, m1);
		m2 = load_words(dst + 32);
		ROUNDS(2, m2);
		m3 = load_words(dst + 48);
		ROUNDS(3, m3);
		for (size_t i = 4; i < 16; i += 4) {
			SCHEDULE(m0, m1, m2, m3);
			ROUNDS(i, m0);
			SCHEDULE(m1, m2, m3, m0);
			ROUNDS(i + 1, m1);
			SCHEDULE(m2, m3, m0, m1);
			ROUNDS(i + 2, m2);
			SCHEDULE(m3, m0, m1, m2);
			ROUNDS(i + 3, m3);
		}
		abef = _mm_add_epi32(abef, abef0);
		cdgh = _mm_add_epi32(cdgh, cdgh0);
	}
	/* {a, b, e, f}, {c, d, g, h} -> a..h in memory */
	cdab = _mm_shuffle_epi32(abef, 0x1b); /* f e b a reversed */
	efgh = _mm_shuffle_epi32(cdgh, 0xb1);
	dcba = _mm_blend_epi16(cdab, efgh, 0xf0);
	hgfe = _mm_alignr_epi8(efgh, cdab, 8);
	_mm_storeu_si128((__m128i *)(void *)state, dcba);
	_mm_storeu_si128((__m128i *)(void *)(state + 4), hgfe);
}
