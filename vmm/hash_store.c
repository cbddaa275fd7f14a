/* vmm/hash_store.c - a bounded list of digests, as data and as bytes. */
#include "vmm/hash_store.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/base/bytes.h"

/* 16 bytes, a version included: what another one wrote is not read. */
static const char head[HASH_STORE_HEAD + 1] = "coffer hashes 1\n";

static uint64_t ns(const struct timespec *t)
{
	return (uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec;
}

void hash_key_of(const struct stat *st, struct hash_key *ret)
{
	*ret = (struct hash_key){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime_ns = ns(&st->st_mtim),
		.ctime_ns = ns(&st->st_ctim),
	};
}

static void parse_entry(const uint8_t *p, struct hash_entry *ret)
{
	ret->key = (struct hash_key){
		.dev = load_le64(p),
		.ino = load_le64(p + 8),
		.size = load_le64(p + 16),
		.mtime_ns = load_le64(p + 24),
		.ctime_ns = load_le64(p + 32),
	};
	memcpy(ret->sha256, p + 40, HASH256_LEN);
}

static void format_entry(const struct hash_entry *e, uint8_t *p)
{
	store_le64(p, e->key.dev);
	store_le64(p + 8, e->key.ino);
	store_le64(p + 16, e->key.size);
	store_le64(p + 24, e->key.mtime_ns);
	store_le64(p + 32, e->key.ctime_ns);
	memcpy(p + 40, e->sha256, HASH256_LEN);
}

int hash_store_parse(const uint8_t *data, size_t len, struct hash256 *h,
		     struct hash_store *ret)
{
	const size_t frame = HASH_STORE_HEAD + HASH256_LEN;
	uint8_t digest[HASH256_LEN];

	if (len < frame || len > HASH_STORE_BYTES ||
	    (len - frame) % HASH_STORE_ENTRY ||
	    memcmp(data, head, HASH_STORE_HEAD) != 0 ||
	    hash256_of(h, data, len - HASH256_LEN, digest) < 0 ||
	    memcmp(data + len - HASH256_LEN, digest, HASH256_LEN) != 0)
		return -EBADMSG;
	ret->n = (len - frame) / HASH_STORE_ENTRY;
	for (size_t i = 0; i < ret->n; i++)
		parse_entry(data + HASH_STORE_HEAD + i * HASH_STORE_ENTRY,
			    &ret->entry[i]);
	return 0;
}

size_t hash_store_format(const struct hash_store *s, struct hash256 *h,
			 uint8_t buf[static HASH_STORE_BYTES])
{
	size_t len = HASH_STORE_HEAD + s->n * HASH_STORE_ENTRY;

	memcpy(buf, head, HASH_STORE_HEAD);
	for (size_t i = 0; i < s->n; i++)
		format_entry(&s->entry[i],
			     buf + HASH_STORE_HEAD + i * HASH_STORE_ENTRY);
	if (hash256_of(h, buf, len, buf + len) < 0)
		return 0;
	return len + HASH256_LEN;
}

static bool same_place(const struct hash_key *a, const struct hash_key *b)
{
	return a->dev == b->dev && a->ino == b->ino;
}

const uint8_t *hash_store_find(const struct hash_store *s,
			       const struct hash_key *key)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct hash_key *k = &s->entry[i].key;

		if (same_place(k, key) && k->size == key->size &&
		    k->mtime_ns == key->mtime_ns &&
		    k->ctime_ns == key->ctime_ns)
			return s->entry[i].sha256;
	}
	return NULL;
}

static void drop(struct hash_store *s, size_t i)
{
	s->n--;
	memmove(&s->entry[i], &s->entry[i + 1],
		(s->n - i) * sizeof(s->entry[0]));
}

int hash_store_remove(struct hash_store *s, const struct hash_key *key)
{
	size_t before = s->n;

	for (size_t i = s->n; i-- > 0;)
		if (same_place(&s->entry[i].key, key))
			drop(s, i);
	return s->n != before;
}

void hash_store_add(struct hash_store *s, const struct hash_key *key,
		    const uint8_t sha256[static HASH256_LEN])
{
	struct hash_entry *e;

	hash_store_remove(s, key);
	if (s->n == HASH_STORE_MAX)
		drop(s, 0);
	e = &s->entry[s->n++];
	e->key = *key;
	memcpy(e->sha256, sha256, HASH256_LEN);
}
