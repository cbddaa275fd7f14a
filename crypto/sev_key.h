/*
 * crypto/sev_key.h - the keys of SEV's certificates at work: signatures and
 * key agreement, by libcrypto. Coordinates, moduli and signatures lie
 * little-endian in certificates; here is where they are turned.
 */
#ifndef CRYPTO_SEV_KEY_H
#define CRYPTO_SEV_KEY_H

#include "crypto/amd_cert.h"
#include "crypto/sev_cert.h"
#include "vmm/base/own.h"

struct err;
struct sev_key; /* opaque; a public key, or a pair */

enum { SEV_SHARED_MAX = 48 }; /* bytes of a shared secret, P-384 */

/* NULL is fine; private parts are wiped. */
void sev_key_destroy(struct sev_key *k);
DEFINE_CLEANUP(struct sev_key, sev_key_destroy)

/*
 * The public key in a parsed certificate.
 * -EINVAL with ERR_INPUT: not a point of its curve, not an RSA key
 * -ENOMEM, -EIO: libcrypto failed
 */
int sev_key_of_cert(const struct sev_cert *c, struct sev_key **ret,
		    struct err *err);
int sev_key_of_amd_cert(const struct amd_cert *c, struct sev_key **ret,
			struct err *err);

/*
 * A new pair. RSA of 2048 or 4096 bits, of three or four primes: for simulated
 * roots, which are made often and protect nothing. -EIO.
 */
int sev_key_generate_ec(enum sev_curve curve, struct sev_key **ret);
int sev_key_generate_rsa(unsigned int bits, struct sev_key **ret);
/*
 * The pair of a private scalar, big-endian, of sev_curve_len() bytes.
 * -EINVAL: zero, or not below the order of the curve
 */
int sev_key_of_scalar(enum sev_curve curve, const uint8_t *scalar,
		      struct sev_key **ret);

/* The inverse: the private scalar. -EINVAL: no pair of a curve; -EIO. */
int sev_key_to_scalar(const struct sev_key *k, uint8_t *scalar);

/*
 * Put the public half into @c, which has the algorithm already.
 * -EINVAL: a key of another kind
 */
int sev_key_to_cert(const struct sev_key *k, struct sev_cert *c);

/*
 * Sign @data as a key with algorithm @algo does (ECDSA, or RSA-PSS with a salt
 * as long as the hash). -EINVAL: the algorithm is not one of this key.
 */
int sev_key_sign(const struct sev_key *k, uint32_t algo, const void *data,
		 size_t len, uint8_t sig[static SEV_SIG_LEN]);
/* -EKEYREJECTED: @sig is not this key's signature of @data; -EIO. */
int sev_key_verify(const struct sev_key *k, uint32_t algo, const void *data,
		   size_t len, const uint8_t sig[static SEV_SIG_LEN]);

/*
 * Sign @c in slot @slot by a key whose certificate has @usage and @algo;
 * sev_cert_verify() looks for the slot that names the signer, and for none
 * gives -ENOKEY.
 */
int sev_cert_sign(struct sev_cert *c, unsigned int slot, uint32_t usage,
		  uint32_t algo, const struct sev_key *signer);
int sev_cert_verify(const struct sev_cert *c, uint32_t usage, uint32_t algo,
		    const struct sev_key *signer);

/*
 * An ARK (signer NULL: itself) or ASK. Both RSA keys are of the same size.
 * @id, @signer_id: AMD_CERT_KEY_ID_LEN bytes
 */
int amd_cert_make(struct amd_cert *c, uint32_t usage, const void *id,
		  const void *signer_id, const struct sev_key *key,
		  const struct sev_key *signer);
int amd_cert_verify(const struct amd_cert *c, const struct amd_cert *signer,
		    const struct sev_key *signer_key);

/*
 * ECDH: the x coordinate, big-endian, of sev_curve_len() bytes.
 * -EINVAL: keys of different curves, or not of curves at all
 */
int sev_key_agree(const struct sev_key *own, const struct sev_key *peer,
		  uint8_t shared[static SEV_SHARED_MAX], size_t *ret_len);

#endif
