/*
 * owner/owner_sign.h - the owner's private key, for signatures that are not
 * SEV's: Ed25519 or P-384, in PEM as openssl genpkey writes it.
 */
#ifndef OWNER_OWNER_SIGN_H
#define OWNER_OWNER_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct owner_sign_key; /* opaque */

enum owner_sign_kind { OWNER_SIGN_ED25519, OWNER_SIGN_P384 };
enum {
	OWNER_SIGN_NAME_LEN = 64, /* SHA-256 of the public key, hexadecimal */
	OWNER_SIGN_LEN_MAX = 96,  /* bytes of a signature */
};

/*
 * One that has a passphrase asks for it on the terminal. *ret is owned by the
 * caller. Messages begin with "--sign 'PATH'".
 * -EINVAL with ERR_INPUT: not a private key, or of another kind
 * and the errors of owner_file_read().
 */
int owner_sign_key_load(const char *path, struct owner_sign_key **ret,
			struct err *err);
/* NULL is fine; wiped. */
void owner_sign_key_destroy(struct owner_sign_key *k);
DEFINE_CLEANUP(struct owner_sign_key, owner_sign_key_destroy)

enum owner_sign_kind owner_sign_kind(const struct owner_sign_key *k);
/* `openssl pkey -pubout -outform DER | sha256sum`; lives as long as @k. */
const char *owner_sign_name(const struct owner_sign_key *k);

/*
 * Ed25519: 64 bytes (RFC 8032). P-384: ECDSA over SHA-384, r and s, big-endian,
 * 96 bytes. -EIO with ERR_HOST.
 */
int owner_sign(const struct owner_sign_key *k, const void *data, size_t len,
	       uint8_t sig[static OWNER_SIGN_LEN_MAX], struct err *err);

#endif
