/*
 * tests/fuzz/fuzz_hash_store.c - the file of the hash cache, as somebody else
 * may have written it.
 *
 * The input is its head and entries; the digest behind them, which no mutation
 * would find, is added when the last byte says so.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "vmm/hash_store.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was taken can be written, and is the same again. */
static void use(struct hash_store *s, struct hash256 *h, const uint8_t *data,
		size_t len)
{
	uint8_t *again = malloc(HASH_STORE_BYTES);
	struct hash_key key = {0};

	assert(again && s->n <= HASH_STORE_MAX);
	assert(hash_store_format(s, h, again) == len);
	assert(!memcmp(again, data, len));
	if (s->n)
		key = s->entry[s->n / 2].key;
	hash_store_add(s, &key, again);
	assert(s->n && s->n <= HASH_STORE_MAX);
	assert(hash_store_find(s, &key) == s->entry[s->n - 1].sha256);
	hash_store_remove(s, &key);
	assert(!hash_store_find(s, &key));
	free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash256 *h = hash256_nettle_create();
	struct hash_store *s = calloc(1, sizeof(*s));
	uint8_t *file = malloc(size + HASH256_LEN + 1);
	size_t len = size;

	assert(h && s && file);
	memcpy(file, data, size);
	if (size && data[size - 1] & 1) {
		hash256_of(h, file, size, file + size);
		len += HASH256_LEN;
	}
	file = realloc(file, len + 1); /* so that each overrun is seen */
	assert(file);
	if (!hash_store_parse(file, len, h, s))
		use(s, h, file, len);
	hash256_destroy(h);
	free(s);
	free(file);
	return 0;
}
