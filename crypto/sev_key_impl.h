/* crypto/sev_key_impl.h - what the files of sev_key share. */
#ifndef CRYPTO_SEV_KEY_IMPL_H
#define CRYPTO_SEV_KEY_IMPL_H

#include <openssl/types.h>

#include "crypto/sev_key.h"
#include "vmm/base/bytes.h"

struct sev_key {
	EVP_PKEY *pkey;	      /* owned */
	enum sev_curve curve; /* meaningless for RSA */
};

bool sev_key_is_rsa(const struct sev_key *k);
/* Both little-endian, padded to @len. -EINVAL: not RSA, or too long. */
int sev_key_rsa_fields(const struct sev_key *k, uint8_t *exponent,
		       uint8_t *modulus, size_t len);

#endif
