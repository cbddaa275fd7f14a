/*
 * crypto/sev_session.h - what owner and firmware agree on before a launch: the
 * keys they derive, and the session blob in which the owner sends TEK and TIK
 * (AMD SEV API 0.24, LAUNCH_START and "Secure Session").
 */
#ifndef CRYPTO_SEV_SESSION_H
#define CRYPTO_SEV_SESSION_H

#include "crypto/hash256.h"
#include "crypto/sev_abi.h"

/*
 * NIST SP 800-108 in counter mode over HMAC-SHA-256, with counter and length
 * little-endian, as the firmware has it.
 * @label     ASCII, without its zero
 * @len       bytes wanted, at most 32: no key of SEV is longer
 */
int sev_kdf(struct hash256 *h, const void *key, size_t key_len,
	    const char *label, const void *context, size_t context_len,
	    uint8_t *out, size_t len);

/* The owner's half of the keys of a launch. Wipe it after use. */
struct sev_session_keys {
	uint8_t tek[SEV_KEY_LEN]; /* transport encryption: secrets */
	uint8_t tik[SEV_KEY_LEN]; /* transport integrity: measurement, MACs */
};

/* Both must be new and random for every session. */
struct sev_session_fresh {
	uint8_t nonce[SEV_NONCE_LEN];
	uint8_t iv[SEV_NONCE_LEN];
};

/* Offsets in the blob. */
enum {
	SEV_SESSION_NONCE = 0,
	SEV_SESSION_WRAP_TK = 16,
	SEV_SESSION_WRAP_IV = 48,
	SEV_SESSION_WRAP_MAC = 64,
	SEV_SESSION_POLICY_MAC = 96,
};

/*
 * Make the blob for @policy, from the shared secret @z (crypto/sev_key.h).
 * -EIO when libcrypto or the hash failed
 */
int sev_session_seal(struct hash256 *h, const uint8_t *z, size_t z_len,
		     uint32_t policy, const struct sev_session_keys *keys,
		     const struct sev_session_fresh *fresh,
		     uint8_t blob[static SEV_SESSION_LEN]);

/*
 * What firmware does with it.
 * -EBADMSG       made for another PDH or certificate, or damaged
 * -EKEYREJECTED  made for another policy
 */
int sev_session_open(struct hash256 *h, const uint8_t *z, size_t z_len,
		     uint32_t policy,
		     const uint8_t blob[static SEV_SESSION_LEN],
		     struct sev_session_keys *ret);

/* Is @policy that of the blob whose TIK this is? 0, -EKEYREJECTED, -EIO. */
int sev_session_check_policy(struct hash256 *h,
			     const uint8_t tik[static SEV_KEY_LEN],
			     const uint8_t blob[static SEV_SESSION_LEN],
			     uint32_t policy);

#endif
