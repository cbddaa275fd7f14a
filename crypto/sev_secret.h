/*
 * crypto/sev_secret.h - the packet of LAUNCH_SECRET: a header and an encrypted
 * payload, bound to one launch by its measurement (AMD SEV API 0.24,
 * LAUNCH_SECRET).
 */
#ifndef CRYPTO_SEV_SECRET_H
#define CRYPTO_SEV_SECRET_H

#include "crypto/hash256.h"
#include "crypto/sev_session.h"

struct err;

/* Offsets in the header. */
enum {
	SEV_SECRET_HDR_FLAGS = 0, /* le32, 0 */
	SEV_SECRET_HDR_IV = 4,
	SEV_SECRET_HDR_MAC = 20,
};

/* Can a payload be of @len bytes? -EINVAL with the reason. */
int sev_secret_check_len(size_t len, struct err *err);

/*
 * Encrypt @len bytes of @plain into @payload, and make the header.
 * @iv        new and random for every packet
 * @measure   MEASURE of the launch, without MNONCE
 * -EINVAL as sev_secret_check_len(); -EIO
 */
int sev_secret_seal(struct hash256 *h, const struct sev_session_keys *keys,
		    const uint8_t measure[static SEV_MEASURE_LEN],
		    const uint8_t iv[static SEV_NONCE_LEN], const void *plain,
		    size_t len, uint8_t hdr[static SEV_SECRET_HDR_LEN],
		    void *payload);

/*
 * What firmware does with it.
 * -EINVAL       a length it does not take, or flags (with reason)
 * -EBADMSG      the MAC is wrong: another launch, other keys, damaged
 * -EIO
 */
int sev_secret_open(struct hash256 *h, const struct sev_session_keys *keys,
		    const uint8_t measure[static SEV_MEASURE_LEN],
		    const uint8_t hdr[static SEV_SECRET_HDR_LEN],
		    const void *payload, size_t len, void *plain,
		    struct err *err);

#endif
