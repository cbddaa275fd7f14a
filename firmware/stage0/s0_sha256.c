/* firmware/stage0/s0_sha256.c - SHA-256 fused with a copy, for any CPU. */
#include "firmware/stage0/s0_sha256.h"

#include <string.h>

#include "firmware/stage0/s0_sha256_k.h"
#include "vmm/base/bytes.h"

static inline uint32_t ror(uint32_t v, unsigned int n)
{
	return v >> n | v << (32 - n);
}

/* One round; the caller rotates the names instead of the values. */
#define ROUND(a, b, c, d, e, f, g, h, kw)                                      \
	do {                                                                   \
		uint32_t t = h + (kw) + (g ^ (e & (f ^ g))) +                  \
			     (ror(ror(ror(e, 14) ^ e, 5) ^ e, 6));             \
		d += t;                                                        \
		h = t + ((a & b) | (c & (a | b))) +                            \
		    (ror(ror(ror(a, 9) ^ a, 11) ^ a, 2));                      \
	} while (0)

/* Word i of the message schedule, in a ring of 16. */
static inline uint32_t next_word(uint32_t w[static 16], unsigned int i)
{
	uint32_t w1 = w[(i + 1) & 15], w14 = w[(i + 14) & 15];

	w[i] += (ror(w1, 7) ^ ror(w1, 18) ^ w1 >> 3) + w[(i + 9) & 15] +
		(ror(w14, 17) ^ ror(w14, 19) ^ w14 >> 10);
	return w[i];
}

#define EIGHT(i, word)                                                         \
	ROUND(a, b, c, d, e, f, g, h, k[(i) + 0] + word(i + 0));               \
	ROUND(h, a, b, c, d, e, f, g, k[(i) + 1] + word(i + 1));               \
	ROUND(g, h, a, b, c, d, e, f, k[(i) + 2] + word(i + 2));               \
	ROUND(f, g, h, a, b, c, d, e, k[(i) + 3] + word(i + 3));               \
	ROUND(e, f, g, h, a, b, c, d, k[(i) + 4] + word(i + 4));               \
	ROUND(d, e, f, g, h, a, b, c, k[(i) + 5] + word(i + 5));               \
	ROUND(c, d, e, f, g, h, a, b, k[(i) + 6] + word(i + 6));               \
	ROUND(b, c, d, e, f, g, h, a, k[(i) + 7] + word(i + 7))

static void one_block(uint32_t s[static 8], const uint8_t *p)
{
	uint32_t a = s[0], b = s[1], c = s[2], d = s[3];
	uint32_t e = s[4], f = s[5], g = s[6], h = s[7];
	const uint32_t *k = s0_sha256_k;
	uint32_t w[16];

#define FIRST(i) (w[i] = load_be32(p + 4 * (i)))
#define LATER(i) next_word(w, i)
	EIGHT(0, FIRST);
	EIGHT(8, FIRST);
	for (int i = 0; i < 3; i++) {
		k += 16;
		EIGHT(0, LATER);
		EIGHT(8, LATER);
	}
	s[0] += a;
	s[1] += b;
	s[2] += c;
	s[3] += d;
	s[4] += e;
	s[5] += f;
	s[6] += g;
	s[7] += h;
}

void s0_sha256_blocks_c(uint32_t state[static 8], uint8_t *dst,
			const uint8_t *src, size_t n)
{
	for (; n; n--, dst += S0_SHA256_BLOCK, src += S0_SHA256_BLOCK) {
		__builtin_memcpy(dst, src, S0_SHA256_BLOCK);
		/* From here on the copy is read, never the source again. */
		__asm__ volatile("" : : "r"(dst) : "memory");
		one_block(state, dst);
	}
}

void s0_sha256_start(struct s0_sha256 *h, s0_sha256_blocks *blocks)
{
	static const uint32_t initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(h->state, initial, sizeof(initial));
	h->blocks = blocks;
	h->total = 0;
	h->n_rest = 0;
}

/* Bytes that go into the rest; full, it is hashed. */
static size_t fill_rest(struct s0_sha256 *h, uint8_t *dst, const uint8_t *src,
			size_t len)
{
	uint8_t block[S0_SHA256_BLOCK];
	size_t n = S0_SHA256_BLOCK - h->n_rest;

	if (n > len)
		n = len;
	memcpy(dst, src, n);
	memcpy(h->rest + h->n_rest, dst, n);
	h->n_rest += n;
	if (h->n_rest == S0_SHA256_BLOCK) {
		h->blocks(h->state, block, h->rest, 1);
		h->n_rest = 0;
	}
	return n;
}

void s0_sha256_copy(struct s0_sha256 *h, void *dst, const void *src, size_t len)
{
	const uint8_t *from = src;
	uint8_t *to = dst;
	size_t n;

	h->total += len;
	if (h->n_rest) {
		n = fill_rest(h, to, from, len);
		to += n;
		from += n;
		len -= n;
	}
	n = len / S0_SHA256_BLOCK;
	if (n) {
		h->blocks(h->state, to, from, n);
		to += n * S0_SHA256_BLOCK;
		from += n * S0_SHA256_BLOCK;
		len -= n * S0_SHA256_BLOCK;
	}
	if (len)
		fill_rest(h, to, from, len);
}

void s0_sha256_finish(struct s0_sha256 *h, uint8_t ret[static S0_SHA256_LEN])
{
	uint8_t pad[2 * S0_SHA256_BLOCK] = {0x80}, copy[2 * S0_SHA256_BLOCK];
	size_t n = S0_SHA256_BLOCK - h->n_rest;
	uint64_t bits = h->total * 8;

	if (n < 9) /* the mark and the length */
		n += S0_SHA256_BLOCK;
	store_be64(pad + n - 8, bits);
	s0_sha256_copy(h, copy, pad, n);
	for (int i = 0; i < 8; i++)
		store_be32(ret + 4 * i, h->state[i]);
}
