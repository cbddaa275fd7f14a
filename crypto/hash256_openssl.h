/* crypto/hash256_openssl.h - SHA-256 by libcrypto. */
#ifndef CRYPTO_HASH256_OPENSSL_H
#define CRYPTO_HASH256_OPENSSL_H

#include "crypto/hash256.h"

/* NULL when libcrypto has no SHA-256 to give, or memory is gone. */
struct hash256 *hash256_openssl_create(void);

#endif
