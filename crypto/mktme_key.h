/*
 * crypto/mktme_key.h - what a key of the kernel's "mktme" type is made from:
 * the payload of add_key(2), and the user's own key in a file.
 *
 * Pure text and bytes; who adds the key is vmm/supervisor/key_broker.h. Source:
 * the patches "x86/mm: Multi-Key Total Memory Encryption" of 2018-12 to
 * 2019-07, Documentation/x86/mktme/mktme_keys.rst.
 */
#ifndef CRYPTO_MKTME_KEY_H
#define CRYPTO_MKTME_KEY_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct err;

enum mktme_type {
	MKTME_TYPE_CPU = 0,    /* the CPU makes the key */
	MKTME_TYPE_USER,       /* key and tweak are given; not since 2019-07 */
	MKTME_TYPE_NO_ENCRYPT, /* a KeyID whose memory is not encrypted */
	MKTME_TYPE_COUNT,
};

enum {
	MKTME_KEY_LEN = 16, /* of each half: AES-XTS-128 */
	MKTME_SECRET_LEN = 2 * MKTME_KEY_LEN,
	MKTME_PAYLOAD_MAX = 1024,    /* bytes, the kernel's limit */
	MKTME_SECRET_FILE_MAX = 256, /* bytes of a user's key file */
};

#define MKTME_ALGORITHM "aes-xts-128" /* the only one of all versions */
#define MKTME_KEY_TYPE "mktme"

/* A user's key. Lives in locked memory only (vmm/base/locked.h). */
struct mktme_secret {
	uint8_t key[MKTME_KEY_LEN];
	uint8_t tweak[MKTME_KEY_LEN];
};

/* "cpu", "user", "no-encrypt" */
const char *mktme_type_name(enum mktme_type type);

/*
 * Parse what a key file holds: two words of 32 hexadecimal digits, key and
 * tweak ("key=" and "tweak=" may stand before them), or 32 bytes.
 * -EINVAL with ERR_INPUT: another length, other characters, key and tweak
 *         equal, or one of them all zeroes. No byte of the key is in the
 *         message. *ret is then wiped.
 */
int mktme_secret_parse(const void *data, size_t len, struct mktme_secret *ret,
		       struct err *err);

/*
 * The payload, a text without a final zero in its length. Returns its length.
 * @secret   MKTME_TYPE_USER only, else NULL
 */
size_t mktme_payload(enum mktme_type type, const struct mktme_secret *secret,
		     char buf[static MKTME_PAYLOAD_MAX]);

#endif
