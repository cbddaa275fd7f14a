/* crypto/hash256_nettle.h - SHA-256 by libnettle: for what must stay small. */
#ifndef CRYPTO_HASH256_NETTLE_H
#define CRYPTO_HASH256_NETTLE_H

#include "crypto/hash256.h"

/* NULL when memory is gone. It cannot fail otherwise. */
struct hash256 *hash256_nettle_create(void);

#endif
