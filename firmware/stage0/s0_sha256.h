/*
 * firmware/stage0/s0_sha256.h - SHA-256 (FIPS 180-4) of bytes while they are
 * copied.
 *
 * Kernel and initial RAM disk come from memory the host may write at any time:
 * a block is copied first, and then hashed where nobody else writes.
 */
#ifndef FIRMWARE_STAGE0_S0_SHA256_H
#define FIRMWARE_STAGE0_S0_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { S0_SHA256_LEN = 32, S0_SHA256_BLOCK = 64 };

/* Copy @n blocks and add them to @state. The areas do not overlap. */
typedef void s0_sha256_blocks(uint32_t state[static 8], uint8_t *dst,
			      const uint8_t *src, size_t n);

/* For any x86-64 CPU. */
s0_sha256_blocks s0_sha256_blocks_sse2;
/* With SSSE3 and BMI2, which the CPU must have. */
s0_sha256_blocks s0_sha256_blocks_bmi2;
/* With the SHA extensions, SSSE3 and SSE4.1, which the CPU must have. */
s0_sha256_blocks s0_sha256_blocks_ni;

struct s0_sha256 {
	uint32_t state[8];
	s0_sha256_blocks *blocks;
	uint64_t total;
	/* What does not fill a block; it is at its destination, too. */
	uint8_t rest[S0_SHA256_BLOCK];
	size_t n_rest;
};

void s0_sha256_start(struct s0_sha256 *h, s0_sha256_blocks *blocks);
/* Copy @len bytes from @src to @dst and hash them. */
void s0_sha256_copy(struct s0_sha256 *h, void *dst, const void *src,
		    size_t len);
void s0_sha256_finish(struct s0_sha256 *h, uint8_t ret[static S0_SHA256_LEN]);

#endif
