/*
 * vmm/bundle/bundle_key.h - the public key of who signs bundles.
 *
 * By nettle's hogweed and not by libcrypto, because `coffer run` checks
 * signatures, too. A public key in PEM is, for each of the two algorithms, a
 * constant prefix and the key (RFC 8410, 4; RFC 5480, 2): nothing of ASN.1 is
 * parsed.
 */
#ifndef VMM_BUNDLE_BUNDLE_KEY_H
#define VMM_BUNDLE_BUNDLE_KEY_H

#include "vmm/bundle/bundle.h"

enum { BUNDLE_KEY_BYTES = 96, BUNDLE_KEY_NAME_LEN = 64 };

struct bundle_key {
	enum bundle_algo algo;
	uint8_t bytes[BUNDLE_KEY_BYTES]; /* 32, or x and y big-endian */
	/* SHA-256 of the DER form, in hexadecimal: `openssl pkey -pubin
	 * -outform DER | sha256sum`. */
	char name[BUNDLE_KEY_NAME_LEN + 1];
};

/*
 * The key in @text: PEM ("-----BEGIN PUBLIC KEY-----"), text around it is fine.
 * -EINVAL with ERR_INPUT: not a public key of Ed25519 or P-384. A private key
 *         is refused by name.
 */
int bundle_key_parse(const char *text, size_t len, struct hash256 *h,
		     struct bundle_key *ret, struct err *err);
/* The same from a file. Also the errors of reading it. */
int bundle_key_load(const char *path, struct hash256 *h, struct bundle_key *ret,
		    struct err *err);

/*
 * Did @key sign @b? Says nothing about the images behind the hashes.
 * -EKEYREJECTED with ERR_INPUT: unsigned, signed by another key, or changed
 *         since; the message says which
 * -EIO
 */
int bundle_key_check(const struct bundle_key *key, const struct bundle *b,
		     struct hash256 *h, struct err *err);

#endif
