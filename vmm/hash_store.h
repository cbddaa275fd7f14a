/*
 * vmm/hash_store.h - digests of image files that were hashed before, and the
 * bytes of the file that keeps them.
 *
 * A file is told by its place (device, inode) and by what changes with its
 * content: size, and the times of the last change of content and of inode. The
 * second of these no program can set.
 */
#ifndef VMM_HASH_STORE_H
#define VMM_HASH_STORE_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/hash256.h"

struct stat;

enum {
	HASH_STORE_MAX = 128, /* files; a further one replaces the oldest */
	HASH_STORE_HEAD = 16,
	HASH_STORE_ENTRY = 40 + HASH256_LEN,
	/* head, entries, and SHA-256 of both: against damage only */
	HASH_STORE_BYTES = HASH_STORE_HEAD + HASH_STORE_MAX * HASH_STORE_ENTRY +
			   HASH256_LEN,
};

struct hash_key {
	uint64_t dev, ino, size;
	uint64_t mtime_ns, ctime_ns; /* since 1970 */
};

struct hash_entry {
	struct hash_key key;
	uint8_t sha256[HASH256_LEN];
};

/* Plain data; zeros are an empty one. The oldest entry comes first. */
struct hash_store {
	size_t n;
	struct hash_entry entry[HASH_STORE_MAX];
};

void hash_key_of(const struct stat *st, struct hash_key *ret);

/*
 * Any bytes are fine. -EBADMSG: they are not what hash_store_format() wrote;
 * *ret is then untouched.
 */
int hash_store_parse(const uint8_t *data, size_t len, struct hash256 *h,
		     struct hash_store *ret);
/* How many of @buf were used; 0: SHA-256 failed. */
size_t hash_store_format(const struct hash_store *s, struct hash256 *h,
			 uint8_t buf[static HASH_STORE_BYTES]);

/* NULL: not known, or it has changed. */
const uint8_t *hash_store_find(const struct hash_store *s,
			       const struct hash_key *key);
/* In the place of what was known of that file. */
void hash_store_add(struct hash_store *s, const struct hash_key *key,
		    const uint8_t sha256[static HASH256_LEN]);
/* Whatever is known of the file at @key's place. Was there anything? */
int hash_store_remove(struct hash_store *s, const struct hash_key *key);

#endif
