/*
 * vmm/launch_hashes.h - the hashes of kernel and initial RAM disk that are
 * launched behind firmware. Each image is hashed once (vmm/hash_cache.h), one
 * of a bundle when the bundle was checked; parts of a unified kernel image each
 * time.
 */
#ifndef VMM_LAUNCH_HASHES_H
#define VMM_LAUNCH_HASHES_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "crypto/hash256.h"

struct config_images;
struct err;
struct run_config;

struct launch_hashes {
	bool found; /* false: this launch has none */
	uint8_t kernel[HASH256_LEN], initrd[HASH256_LEN];
	/* What it took. */
	uint64_t read;	/* bytes that were hashed */
	uint64_t known; /* bytes whose digest was known */
	uint64_t ns;	/* for all of it, the cache included */
};

/*
 * Those of @i, the open images of @c; nothing without firmware or kernel.
 * Errors of measured_boot_hash(), and of a cache directory that was named.
 */
int launch_hashes_find(const struct run_config *c,
		       const struct config_images *i, struct launch_hashes *ret,
		       struct err *err);
/* The guest refused an image: what was kept of both is not used again. */
void launch_hashes_forget(const struct run_config *c);

/* A line; nothing when there were no hashes. */
void launch_hashes_print(const struct launch_hashes *h, FILE *f);

#endif
