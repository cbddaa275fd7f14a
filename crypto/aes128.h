/* crypto/aes128.h - the cipher of SEV's sessions and secrets, by libcrypto. */
#ifndef CRYPTO_AES128_H
#define CRYPTO_AES128_H

#include <stddef.h>
#include <stdint.h>

/*
 * AES-128 in counter mode, the counter being all 128 bits, big-endian, from
 * @iv on. Encrypts and decrypts; @in may be @out. -EIO.
 */
int aes128_ctr(const uint8_t key[static 16], const uint8_t iv[static 16],
	       const void *in, size_t len, void *out);

#endif
