/* vmm/bundle/bundle_key.c - public keys of two kinds, and their signatures. */
#include "vmm/bundle/bundle_key.h"

#include <errno.h>
#include <fcntl.h>
#include <nettle/bignum.h>
#include <nettle/dsa.h>
#include <nettle/ecc-curve.h>
#include <nettle/ecc.h>
#include <nettle/ecdsa.h>
#include <nettle/eddsa.h>
#include <nettle/sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/input_file.h"

enum {
	FILE_MAX = 16384, /* bytes; a key has 200 */
	DER_MAX = 128,
	ED25519_LEN = 32,
	P384_LEN = 48, /* of a coordinate */
	POINT_LEN = 96,
};

/* SubjectPublicKeyInfo up to the key itself. */
struct form {
	enum bundle_algo algo;
	size_t prefix_len, key_len;
	uint8_t prefix[24];
};

static const struct form forms[] = {
	/* RFC 8410, 4: id-Ed25519 has no parameters. */
	{BUNDLE_ED25519,
	 12,
	 ED25519_LEN,
	 {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21,
	  0x00}},
	/* RFC 5480, 2.1.1: id-ecPublicKey, secp384r1; 2.2: uncompressed. */
	{BUNDLE_ECDSA384, 24, POINT_LEN, {0x30, 0x76, 0x30, 0x10, 0x06, 0x07,
					  0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02,
					  0x01, 0x06, 0x05, 0x2b, 0x81, 0x04,
					  0x00, 0x22, 0x03, 0x62, 0x00, 0x04}},
};

static int refuse(struct err *err, const char *text)
{
	return err_set_kind(err, ERR_INPUT, -EINVAL, "%s", text);
}

/* What is between the lines of PEM (RFC 7468), decoded. */
static int decode_pem(const char *text, size_t len, uint8_t der[static DER_MAX],
		      size_t *ret_len, struct err *err)
{
	static const char begin[] = "-----BEGIN PUBLIC KEY-----";
	static const char end[] = "-----END PUBLIC KEY-----";
	static const char private[] = "PRIVATE KEY-----";
	const char *b = memmem(text, len, begin, sizeof(begin) - 1), *e;

	if (!b && memmem(text, len, private, sizeof(private) - 1))
		return refuse(err, "that is a private key: give the public one "
				   "(openssl pkey -pubout)");
	if (!b)
		return refuse(err, "not a public key in PEM (-----BEGIN PUBLIC "
				   "KEY-----)");
	b += sizeof(begin) - 1;
	e = memmem(b, (size_t)(text + len - b), end, sizeof(end) - 1);
	if (!e || base64_decode(b, (size_t)(e - b), der, DER_MAX, ret_len) < 0)
		return refuse(err,
			      "a public key of another kind, or one that "
			      "was damaged: Ed25519 and P-384 are possible");
	return 0;
}

static bool on_curve(const uint8_t *xy)
{
	struct ecc_point p;
	mpz_t x, y;
	int good;

	nettle_mpz_init_set_str_256_u(x, P384_LEN, xy);
	nettle_mpz_init_set_str_256_u(y, P384_LEN, xy + P384_LEN);
	ecc_point_init(&p, nettle_get_secp_384r1());
	good = ecc_point_set(&p, x, y);
	ecc_point_clear(&p);
	mpz_clear(x);
	mpz_clear(y);
	return good;
}

static int take_der(const uint8_t *der, size_t len, struct bundle_key *ret,
		    struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		const struct form *f = &forms[i];

		if (len != f->prefix_len + f->key_len ||
		    memcmp(der, f->prefix, f->prefix_len) != 0)
			continue;
		ret->algo = f->algo;
		memcpy(ret->bytes, der + f->prefix_len, f->key_len);
		if (f->algo == BUNDLE_ECDSA384 && !on_curve(ret->bytes))
			return refuse(err, "not a point of P-384");
		return 0;
	}
	return refuse(err, "a public key of another kind: Ed25519 and P-384 "
			   "are possible");
}

int bundle_key_parse(const char *text, size_t len, struct hash256 *h,
		     struct bundle_key *ret, struct err *err)
{
	uint8_t der[DER_MAX], digest[HASH256_LEN];
	struct bundle_key k = {0};
	size_t der_len = 0;
	int r = decode_pem(text, len, der, &der_len, err);

	if (r >= 0)
		r = take_der(der, der_len, &k, err);
	if (r < 0)
		return r;
	if (hash256_of(h, der, der_len, digest) < 0)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "cannot compute SHA-256");
	for (size_t i = 0; i < HASH256_LEN; i++)
		snprintf(k.name + 2 * i, 3, "%02x", digest[i]);
	*ret = k;
	return 0;
}

int bundle_key_load(const char *path, struct hash256 *h, struct bundle_key *ret,
		    struct err *err)
{
	AUTO(input_file_close) struct input_file f = {.fd = -1};
	char text[FILE_MAX];
	ssize_t n;
	int r = input_file_open(&f, "key", path, err);

	if (r < 0)
		return r;
	n = pread(f.fd, text, sizeof(text), 0);
	if (n < 0)
		return err_set_kind(err, ERR_INPUT, -errno, "key '%s': %s",
				    path, strerror(errno));
	r = bundle_key_parse(text, (size_t)n, h, ret, err);
	if (r < 0)
		err_prefix(err, "key '%s'", path);
	return r;
}

static bool ecdsa384_good(const uint8_t *xy, const char *text, size_t len,
			  const uint8_t *value)
{
	uint8_t digest[SHA384_DIGEST_SIZE];
	struct dsa_signature sig;
	struct sha384_ctx sha;
	struct ecc_point p;
	mpz_t x, y;
	int good;

	sha384_init(&sha);
	sha384_update(&sha, len, (const uint8_t *)text);
	sha384_digest(&sha, sizeof(digest), digest);
	nettle_mpz_init_set_str_256_u(x, P384_LEN, xy);
	nettle_mpz_init_set_str_256_u(y, P384_LEN, xy + P384_LEN);
	ecc_point_init(&p, nettle_get_secp_384r1());
	dsa_signature_init(&sig);
	nettle_mpz_set_str_256_u(sig.r, P384_LEN, value);
	nettle_mpz_set_str_256_u(sig.s, P384_LEN, value + P384_LEN);
	good = ecc_point_set(&p, x, y) &&
	       ecdsa_verify(&p, sizeof(digest), digest, &sig);
	dsa_signature_clear(&sig);
	ecc_point_clear(&p);
	mpz_clear(x);
	mpz_clear(y);
	return good;
}

static bool signature_good(const struct bundle_key *key, const char *text,
			   size_t len, const uint8_t *value)
{
	if (key->algo == BUNDLE_ED25519)
		return ed25519_sha512_verify(key->bytes, len,
					     (const uint8_t *)text, value);
	return key->algo == BUNDLE_ECDSA384 &&
	       ecdsa384_good(key->bytes, text, len, value);
}

int bundle_key_check(const struct bundle_key *key, const struct bundle *b,
		     struct hash256 *h, struct err *err)
{
	const struct bundle_signature *sig = &b->signature;
	struct bundle_signed s;

	if (sig->algo == BUNDLE_UNSIGNED)
		return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
				    "it is not signed");
	if (bundle_signed_text(b, h, &s) < 0)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "cannot compute SHA-256");
	if (sig->algo == key->algo &&
	    signature_good(key, s.text, s.len, sig->value))
		return 0;
	if (strcmp(sig->key, key->name) != 0)
		return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
				    "wrong signature: by key '%.64s' and not "
				    "by the one given, %s",
				    sig->key, key->name);
	return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
			    "wrong signature: it was changed after this key "
			    "signed it");
}
