/* crypto/aes128.c - AES-128-CTR by libcrypto's EVP interface. */
#include "crypto/aes128.h"

#include <errno.h>
#include <limits.h>
#include <openssl/evp.h>

#include "vmm/base/own.h"

DEFINE_CLEANUP(EVP_CIPHER_CTX, EVP_CIPHER_CTX_free)

int aes128_ctr(const uint8_t key[static 16], const uint8_t iv[static 16],
	       const void *in, size_t len, void *out)
{
	AUTO(EVP_CIPHER_CTX_freep) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n = 0;

	if (!ctx || len > INT_MAX ||
	    EVP_EncryptInit_ex(ctx, EVP_aes_128_ctr(), NULL, key, iv) != 1 ||
	    EVP_EncryptUpdate(ctx, out, &n, in, (int)len) != 1)
		return -EIO;
	return (size_t)n == len ? 0 : -EIO;
}
