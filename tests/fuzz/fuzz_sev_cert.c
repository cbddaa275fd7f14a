/* tests/fuzz/fuzz_sev_cert.c - a hostile platform's certificates. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash256_openssl.h"
#include "crypto/sev_chain.h"
#include "vmm/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is read must be written back as the same bytes. */
static void check_round_trip(const uint8_t *data, size_t size)
{
	uint8_t back[SEV_CERT_LEN];
	struct sev_cert c;

	if (size < SEV_CERT_LEN ||
	    sev_cert_parse(data, SEV_CERT_LEN, &c, NULL) < 0)
		return;
	sev_cert_serialise(&c, back);
	if (memcmp(back, data, SEV_CERT_LEN) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash256 *h = hash256_openssl_create();
	struct sev_chain_root root;
	struct sev_chain c = {0};
	struct err err = {0};

	check_round_trip(data, size);
	if (h && sev_chain_add(&c, data, size, &err) >= 0) {
		sev_chain_verify_links(&c, h, &err);
		/* No fuzzer signs as AMD does. */
		if (sev_chain_verify(&c, h, &root, &err) >= 0 &&
		    root.generation)
			abort();
	}
	hash256_destroy(h);
	return 0;
}
