/* firmware/stage0/s0_sha256.c - bytes into blocks, and the padding. */
#include "firmware/stage0/s0_sha256.h"

#include <string.h>

#include "vmm/base/bytes.h"

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
	for (size_t i = 0; i < 8; i++)
		store_be32(ret + 4 * i, h->state[i]);
}
