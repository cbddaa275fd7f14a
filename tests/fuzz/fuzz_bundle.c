/* tests/fuzz/fuzz_bundle.c - any bytes as a launch bundle. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "vmm/base/err.h"
#include "vmm/bundle/bundle.h"
#include "vmm/bundle/bundle_key.h"
#include "vmm/bundle/bundle_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int good)
{
	if (!good)
		abort();
}

/* Everything that is used of it lies within its bytes. */
static void look_at(const struct bundle *b, const uint8_t *data, size_t size,
		    struct hash256 *h)
{
	uint8_t digest[HASH256_LEN];

	for (size_t i = 0; i < BUNDLE_PARTS; i++) {
		const struct bundle_image *image = &b->image[i];
		const uint8_t *p = image->data;

		if (!image->len)
			continue;
		check(p >= data && image->len <= size &&
		      (size_t)(p - data) <= size - image->len);
		hash256_of(h, p, image->len, digest);
	}
}

/* RFC 8032, 7.1, test 1; and some point of P-384. */
static const char ed25519[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=\n"
	"-----END PUBLIC KEY-----\n";
static const char p384[] =
	"-----BEGIN PUBLIC KEY-----\n"
	"MHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEv0s1Fb+mJuO4PgFSB7RGgtl0+QGcdMaH\n"
	"ftLI6Mo7PQVtRmpVGtvDX/zjqM5bGPBUm0c7jx2bBVFMbOWse44oOvYSGIVowKKs\n"
	"TO3l6p4tRjNdHHxZeyWcFe7pq3XF3dK5\n"
	"-----END PUBLIC KEY-----\n";

/* Nobody here can sign: any signature is wrong, whatever numbers it has. */
static void verify(const struct bundle *b, struct hash256 *h)
{
	const char *pem = b->signature.algo == BUNDLE_ED25519 ? ed25519 : p384;
	struct bundle_key key;

	check(bundle_key_parse(pem, strlen(pem), h, &key, NULL) == 0);
	check(bundle_key_check(&key, b, h, NULL) < 0);
}

/* What we write of it is the same bundle again. */
static void write_again(const struct bundle *b, const struct bundle_signed *s,
			struct hash256 *h)
{
	struct bundle_signed again;
	struct bundle copy;
	void *file = NULL;
	size_t len = 0;

	check(bundle_write(b, &file, &len, NULL) == 0);
	check(bundle_parse(file, len, &copy, NULL) == 0);
	check(bundle_signed_text(&copy, h, &again) == 0);
	check(s->len == again.len && !memcmp(s->text, again.text, s->len));
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash256 *h = hash256_nettle_create();
	struct err err = {0};
	struct bundle_signed s;
	struct bundle b;
	int r = bundle_parse(data, size, &b, &err);

	check(h != NULL);
	check((r < 0) == (err.code < 0) && (!r || err.kind == ERR_INPUT));
	if (!r) {
		look_at(&b, data, size, h);
		check(bundle_signed_text(&b, h, &s) == 0);
		write_again(&b, &s, h);
		verify(&b, h);
	}
	hash256_destroy(h);
	return 0;
}
