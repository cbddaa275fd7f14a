/* tests/fuzz/fuzz_bundle_key.c - any bytes as a public key. */
#include <stdint.h>
#include <stdlib.h>

#include "crypto/hash256_nettle.h"
#include "vmm/base/err.h"
#include "vmm/bundle/bundle_key.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash256 *h = hash256_nettle_create();
	struct bundle_key key;
	struct err err = {0};
	int r;

	if (!h)
		abort();
	r = bundle_key_parse((const char *)data, size, h, &key, &err);
	if ((r < 0) != (err.code < 0) || (r < 0 && err.kind != ERR_INPUT))
		abort();
	hash256_destroy(h);
	return 0;
}
