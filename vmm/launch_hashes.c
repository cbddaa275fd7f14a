/* vmm/launch_hashes.c - asks the bundle, then the cache, then the files. */
#include "vmm/launch_hashes.h"

#include <inttypes.h>
#include <string.h>

#include "firmware/kernel_image.h"
#include "vmm/base/err.h"
#include "vmm/base/now.h"
#include "vmm/config.h"
#include "vmm/config_boot.h"
#include "vmm/hash_cache.h"

/* Of @f, which may be all of the file @in, or a part of another one. */
static int find(struct hash_cache *cache, const struct image_file *f,
		const struct input_file *in, struct launch_hashes *h,
		uint8_t digest[static HASH256_LEN], struct err *err)
{
	bool whole = f->fd == in->fd && !f->off && f->len == in->size;
	struct hash_cache_seen seen = {0};
	int r;

	if (whole && in->hashed) {
		memcpy(digest, in->sha256, HASH256_LEN);
		h->known += f->len;
		return 0;
	}
	if (whole && hash_cache_find(cache, f->fd, digest, &seen) &&
	    seen.key.size == f->len) {
		h->known += f->len;
		return 0;
	}
	r = measured_boot_hash(f, digest, err);
	if (r < 0)
		return r;
	h->read += f->len;
	if (whole && seen.key.size == f->len)
		hash_cache_add(cache, f->fd, &seen, digest);
	return 0;
}

int launch_hashes_find(const struct run_config *c,
		       const struct config_images *i, struct launch_hashes *ret,
		       struct err *err)
{
	AUTO(hash_cache_closep) struct hash_cache *cache = NULL;
	struct launch_hashes h = {0};
	uint64_t start = now_ns();
	int r;

	*ret = h;
	if (!i->firmware.file.len || !i->kernel)
		return 0;
	r = hash_cache_open(c->hash_cache, &cache, err);
	if (!r)
		r = find(cache, &i->kernel->file, &c->kernel_file, &h, h.kernel,
			 err);
	if (!r)
		r = find(cache, kernel_image_initrd(i->kernel, &i->initrd),
			 &c->initrd_file, &h, h.initrd, err);
	if (r < 0)
		return r;
	hash_cache_close(TAKE(cache));
	h.found = true;
	h.ns = now_ns() - start;
	*ret = h;
	return 0;
}

void launch_hashes_forget(const struct run_config *c)
{
	AUTO(hash_cache_closep) struct hash_cache *cache = NULL;

	if (hash_cache_open(c->hash_cache, &cache, NULL) < 0)
		return;
	hash_cache_forget(cache, c->kernel_file.fd);
	hash_cache_forget(cache, c->initrd_file.fd);
}

void launch_hashes_print(const struct launch_hashes *h, FILE *f)
{
	if (!h->found)
		return;
	fprintf(f,
		"launch: kernel and initrd: %" PRIu64 " bytes hashed, %" PRIu64
		" known before, %.3f ms\n",
		h->read, h->known, (double)h->ns / 1e6);
}
