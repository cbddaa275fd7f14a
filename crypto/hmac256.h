/* crypto/hmac256.h - HMAC-SHA-256 (RFC 2104) over any hash256. */
#ifndef CRYPTO_HMAC256_H
#define CRYPTO_HMAC256_H

#include <stdbool.h>

#include "crypto/hash256.h"

/* A MAC being computed; ends with hmac256_finish(). */
struct hmac256 {
	struct hash256 *hash; /* borrowed, between two messages */
	uint8_t outer[HASH256_BLOCK];
};

/* @len: any; keys longer than a block are hashed first. */
int hmac256_start(struct hmac256 *m, struct hash256 *hash, const void *key,
		  size_t len);
void hmac256_update(struct hmac256 *m, const void *data, size_t len);
/* Wipes @m. -EIO as hash256_finish(). */
int hmac256_finish(struct hmac256 *m, uint8_t mac[static HASH256_LEN]);

/* The MAC of one buffer. */
int hmac256_of(struct hash256 *hash, const void *key, size_t key_len,
	       const void *data, size_t len, uint8_t mac[static HASH256_LEN]);

/* Are they equal? The time it takes depends on @len only. */
bool equal_constant_time(const void *a, const void *b, size_t len);

#endif
