/*
 * crypto/hash256.h - SHA-256 as a stream, whoever computes it.
 *
 * The formulas of SEV (measurement, key derivation, MACs) are written over
 * this interface, so that they do not decide which library a program needs.
 */
#ifndef CRYPTO_HASH256_H
#define CRYPTO_HASH256_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

enum { HASH256_LEN = 32, HASH256_BLOCK = 64 }; /* bytes; FIPS 180-4 */

struct hash256;

struct hash256_ops {
	/* A failure is kept and reported by finish(). */
	void (*update)(struct hash256 *h, const void *data, size_t len);
	/*
	 * The digest of everything since the last finish(); the next update()
	 * begins a new message, also after a failure. -EIO: the implementation
	 * failed and @digest is not to be used.
	 */
	int (*finish)(struct hash256 *h, uint8_t digest[static HASH256_LEN]);
	/* Wipes its state: it may have seen keys. */
	void (*destroy)(struct hash256 *h);
};

/* One thread at a time. */
struct hash256 {
	const struct hash256_ops *ops;
};

static inline void hash256_update(struct hash256 *h, const void *data,
				  size_t len)
{
	h->ops->update(h, data, len);
}

static inline int hash256_finish(struct hash256 *h,
				 uint8_t digest[static HASH256_LEN])
{
	return h->ops->finish(h, digest);
}

/* NULL is fine. */
static inline void hash256_destroy(struct hash256 *h)
{
	if (h)
		h->ops->destroy(h);
}
DEFINE_CLEANUP(struct hash256, hash256_destroy)

/* Digest of one buffer. */
static inline int hash256_of(struct hash256 *h, const void *data, size_t len,
			     uint8_t digest[static HASH256_LEN])
{
	hash256_update(h, data, len);
	return hash256_finish(h, digest);
}

#endif
