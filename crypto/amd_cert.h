/*
 * crypto/amd_cert.h - AMD's own certificates: the root key (ARK) and the SEV
 * signing key (ASK) of a processor generation (AMD SEV API 0.24, Appendix
 * B.1), and which root keys are AMD's.
 */
#ifndef CRYPTO_AMD_CERT_H
#define CRYPTO_AMD_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/hash256.h"

struct err;

enum {
	AMD_CERT_HEADER_LEN = 64,
	AMD_CERT_KEY_ID_LEN = 16,
	AMD_CERT_FIELD_MAX = 512, /* exponent, modulus, signature */
	AMD_CERT_MAX = AMD_CERT_HEADER_LEN + 3 * AMD_CERT_FIELD_MAX,
};

struct amd_cert {
	uint8_t raw[AMD_CERT_MAX]; /* header, exponent, modulus, signature */
	size_t field_len;	   /* bytes of each of the three: 256 or 512 */
	bool is_signed;		   /* false: the signature is not there */
	uint32_t usage;		   /* SEV_USAGE_ARK or SEV_USAGE_ASK */
};

/*
 * The key id of a root that is nobody's: of a simulated platform. It promises
 * nothing, and whoever meets it must have asked for it.
 */
#define AMD_CERT_SIMULATED_ID "COFFER-SIMULATED"

/*
 * Read the certificate at the beginning of @data; *ret_used is its length. A
 * missing signature is taken where @data ends instead: AMD published such a
 * root for Naples.
 * -EINVAL with ERR_INPUT and the reason
 */
int amd_cert_parse(const void *data, size_t len, struct amd_cert *ret,
		   size_t *ret_used, struct err *err);

/* Does @data begin like one? True promises nothing. */
bool amd_cert_looks_like(const void *data, size_t len);

/* Bytes of header, exponent and modulus: what is signed and pinned. */
size_t amd_cert_body_len(const struct amd_cert *c);
/* With the signature, if it is there. */
size_t amd_cert_len(const struct amd_cert *c);
const uint8_t *amd_cert_key_id(const struct amd_cert *c);
const uint8_t *amd_cert_signer_id(const struct amd_cert *c);
/* Little-endian, of field_len bytes. */
const uint8_t *amd_cert_exponent(const struct amd_cert *c);
const uint8_t *amd_cert_modulus(const struct amd_cert *c);
const uint8_t *amd_cert_signature(const struct amd_cert *c);
/* SEV_ALGO_RSA_SHA256 or _SHA384: the hash follows the size of the key. */
uint32_t amd_cert_algo(const struct amd_cert *c);

/*
 * The processor generation ("Milan") whose root key @ark is, by the SHA-256 of
 * its body; NULL for any other. *ret is untouched on error (-EIO).
 */
int amd_cert_generation(struct hash256 *h, const struct amd_cert *ark,
			const char **ret);
/* Does it say of itself that it is simulated? */
bool amd_cert_is_simulated(const struct amd_cert *c);

#endif
