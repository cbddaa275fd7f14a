/*
 * vmm/hash_cache.h - hashes of kernels and initial RAM disks, kept from one
 * launch to the next, so that a warm one does not read them.
 *
 * Nobody trusts it: the owner hashes for themselves, and the guest hashes what
 * it gets. A digest that is wrong makes a launch fail and nothing else. It is
 * private to its user all the same: a directory and a file that belong to the
 * effective user and that nobody else may write, replaced as a whole, of at
 * most HASH_STORE_BYTES. What is there and is something else is not read.
 *
 * An image that was changed within the last two seconds is not kept: clocks of
 * file systems are coarse, and it could change again unseen. Nor is one of a
 * file system whose times say nothing (squashfs, ISO 9660, FAT, FUSE, tmpfs).
 * What remains: a file that somebody has mapped, and changes there without the
 * kernel's seeing it.
 */
#ifndef VMM_HASH_CACHE_H
#define VMM_HASH_CACHE_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/hash256.h"
#include "vmm/base/own.h"
#include "vmm/hash_store.h"

struct err;
struct hash_cache; /* opaque */

enum {
	HASH_CACHE_FILE_MIN = 256 * 1024, /* hashing less is as quick */
	HASH_CACHE_SETTLE_S = 2,
};

/* A file before it was hashed. */
struct hash_cache_seen {
	struct hash_key key;
	bool settled;
};

/*
 * @where: a directory, which is made when only its last part is missing; or
 * "none"; or "auto", NULL is the same: /var/cache/coffer for root, else coffer
 * in $XDG_CACHE_HOME or ~/.cache. Where "auto" cannot be used there is no
 * cache: everything is hashed.
 * ERR_INPUT, ERR_PERM: a directory that was named cannot be used
 */
int hash_cache_open(const char *where, struct hash_cache **ret,
		    struct err *err);
/* Write down what changed, as far as that is possible. NULL is fine. */
void hash_cache_close(struct hash_cache *c);
DEFINE_CLEANUP(struct hash_cache, hash_cache_close)

/* Is the digest of @fd's whole file known? *ret_seen is for _add(). */
bool hash_cache_find(struct hash_cache *c, int fd,
		     uint8_t ret_sha256[static HASH256_LEN],
		     struct hash_cache_seen *ret_seen);
/* It was hashed; kept when it is still as it was @seen. */
void hash_cache_add(struct hash_cache *c, int fd,
		    const struct hash_cache_seen *seen,
		    const uint8_t sha256[static HASH256_LEN]);
/* What was known was wrong. */
void hash_cache_forget(struct hash_cache *c, int fd);

#endif
