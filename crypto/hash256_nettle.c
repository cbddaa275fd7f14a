/*
 * crypto/hash256_nettle.c - SHA-256 by libnettle, which is functions over
 * caller-owned structs: it allocates nothing, opens nothing, parses nothing.
 */
#include "crypto/hash256_nettle.h"

#include <nettle/sha2.h>
#include <string.h>

struct hash256_nettle {
	struct hash256 base;
	struct sha256_ctx ctx;
};

static struct hash256_nettle *of(struct hash256 *h)
{
	return container_of(h, struct hash256_nettle, base);
}

static void update(struct hash256 *h, const void *data, size_t len)
{
	sha256_update(&of(h)->ctx, len, data);
}

static int finish(struct hash256 *h, uint8_t digest[static HASH256_LEN])
{
	/* Begins the next message, too. */
	sha256_digest(&of(h)->ctx, HASH256_LEN, digest);
	return 0;
}

static void destroy(struct hash256 *h)
{
	explicit_bzero(&of(h)->ctx, sizeof(of(h)->ctx));
	free(of(h));
}

struct hash256 *hash256_nettle_create(void)
{
	static const struct hash256_ops ops = {update, finish, destroy};
	struct hash256_nettle *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->base.ops = &ops;
	sha256_init(&n->ctx);
	return &n->base;
}
