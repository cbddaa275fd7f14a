/* crypto/hash256_openssl.c - SHA-256 by libcrypto's EVP interface. */
#include "crypto/hash256_openssl.h"

#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>

struct hash256_openssl {
	struct hash256 base;
	EVP_MD_CTX *ctx; /* owned */
	bool failed;
};

static struct hash256_openssl *of(struct hash256 *h)
{
	return container_of(h, struct hash256_openssl, base);
}

static void begin(struct hash256_openssl *o)
{
	o->failed = EVP_DigestInit_ex(o->ctx, EVP_sha256(), NULL) != 1;
}

static void update(struct hash256 *h, const void *data, size_t len)
{
	struct hash256_openssl *o = of(h);

	if (EVP_DigestUpdate(o->ctx, data, len) != 1)
		o->failed = true;
}

static int finish(struct hash256 *h, uint8_t digest[static HASH256_LEN])
{
	struct hash256_openssl *o = of(h);
	bool ok = EVP_DigestFinal_ex(o->ctx, digest, NULL) == 1 && !o->failed;

	begin(o);
	return ok ? 0 : -EIO;
}

static void destroy(struct hash256 *h)
{
	struct hash256_openssl *o = of(h);

	EVP_MD_CTX_free(o->ctx); /* wipes */
	free(o);
}

struct hash256 *hash256_openssl_create(void)
{
	static const struct hash256_ops ops = {update, finish, destroy};
	struct hash256_openssl *o = calloc(1, sizeof(*o));

	if (!o)
		return NULL;
	o->base.ops = &ops;
	o->ctx = EVP_MD_CTX_new();
	if (o->ctx)
		begin(o);
	if (o->ctx && !o->failed)
		return &o->base;
	destroy(&o->base);
	return NULL;
}
