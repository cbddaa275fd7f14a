/* crypto/hmac256.c - HMAC-SHA-256 (RFC 2104, section 2). */
#include "crypto/hmac256.h"

#include <string.h>

int hmac256_start(struct hmac256 *m, struct hash256 *hash, const void *key,
		  size_t len)
{
	uint8_t inner[HASH256_BLOCK] = {0};
	int r = 0;

	if (len > sizeof(inner))
		r = hash256_of(hash, key, len, inner);
	else
		memcpy(inner, key, len);
	if (r < 0)
		return r;
	m->hash = hash;
	for (size_t i = 0; i < sizeof(inner); i++) {
		m->outer[i] = inner[i] ^ 0x5c;
		inner[i] ^= 0x36;
	}
	hash256_update(hash, inner, sizeof(inner));
	explicit_bzero(inner, sizeof(inner));
	return 0;
}

void hmac256_update(struct hmac256 *m, const void *data, size_t len)
{
	hash256_update(m->hash, data, len);
}

int hmac256_finish(struct hmac256 *m, uint8_t mac[static HASH256_LEN])
{
	uint8_t inner[HASH256_LEN];
	int r = hash256_finish(m->hash, inner);

	if (r >= 0) {
		hash256_update(m->hash, m->outer, sizeof(m->outer));
		hash256_update(m->hash, inner, sizeof(inner));
		r = hash256_finish(m->hash, mac);
	}
	explicit_bzero(inner, sizeof(inner));
	explicit_bzero(m, sizeof(*m));
	return r;
}

int hmac256_of(struct hash256 *hash, const void *key, size_t key_len,
	       const void *data, size_t len, uint8_t mac[static HASH256_LEN])
{
	struct hmac256 m;
	int r = hmac256_start(&m, hash, key, key_len);

	if (r < 0)
		return r;
	hmac256_update(&m, data, len);
	return hmac256_finish(&m, mac);
}

bool equal_constant_time(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t diff = 0;

	for (size_t i = 0; i < len; i++)
		diff |= x[i] ^ y[i];
	return !diff;
}
