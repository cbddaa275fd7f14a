/* owner/owner_sign.c - signs with the owner's key, by libcrypto. */
#include "owner/owner_sign.h"

#include <errno.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "owner/owner_file.h"
#include "vmm/base/err.h"

enum { P384_LEN = 48, DER_SIG_MAX = 128 };

struct owner_sign_key {
	EVP_PKEY *pkey;
	enum owner_sign_kind kind;
	char name[OWNER_SIGN_NAME_LEN + 1];
};

static void free_bio(BIO **b)
{
	BIO_free(*b);
}

static int failed(struct err *err)
{
	return err_set_kind(err, ERR_HOST, -EIO, "libcrypto cannot sign");
}

static int set_kind(struct owner_sign_key *k, struct err *err)
{
	char group[32] = "";

	if (EVP_PKEY_is_a(k->pkey, "ED25519")) {
		k->kind = OWNER_SIGN_ED25519;
		return 0;
	}
	if (EVP_PKEY_is_a(k->pkey, "EC") &&
	    EVP_PKEY_get_group_name(k->pkey, group, sizeof(group), NULL) &&
	    !strcmp(group, "secp384r1")) {
		k->kind = OWNER_SIGN_P384;
		return 0;
	}
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "a key of another kind: Ed25519 and P-384 are "
			    "possible (openssl genpkey -algorithm ed25519)");
}

static int set_name(struct owner_sign_key *k, struct err *err)
{
	unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
	unsigned int n = 0;
	int len = i2d_PUBKEY(k->pkey, &der);
	bool good = len > 0 && EVP_Digest(der, (size_t)len, digest, &n,
					  EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	if (!good)
		return failed(err);
	for (size_t i = 0; i < n && 2 * i < OWNER_SIGN_NAME_LEN; i++)
		snprintf(k->name + 2 * i, 3, "%02x", digest[i]);
	return 0;
}

static int parse(struct owner_sign_key *k, const struct owner_bytes *b,
		 struct err *err)
{
	AUTO(free_bio) BIO *bio = BIO_new_mem_buf(b->data, (int)b->len);
	int r;

	k->pkey = bio ? PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL) : NULL;
	if (!k->pkey)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "not a private key in PEM, or the wrong "
				    "passphrase");
	r = set_kind(k, err);
	return r < 0 ? r : set_name(k, err);
}

int owner_sign_key_load(const char *path, struct owner_sign_key **ret,
			struct err *err)
{
	AUTO(owner_sign_key_destroyp)
	struct owner_sign_key *k = calloc(1, sizeof(*k));
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	int r;

	if (!k)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	r = owner_file_read("--sign", path, &b, err);
	if (r < 0)
		return r;
	r = parse(k, &b, err);
	if (r < 0) {
		err_prefix(err, "--sign '%s'", path);
		return r;
	}
	*ret = TAKE(k);
	return 0;
}

void owner_sign_key_destroy(struct owner_sign_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

enum owner_sign_kind owner_sign_kind(const struct owner_sign_key *k)
{
	return k->kind;
}

const char *owner_sign_name(const struct owner_sign_key *k)
{
	return k->name;
}

/* From libcrypto's DER to the two numbers. */
static bool unpack(const uint8_t *der, size_t len, uint8_t *sig)
{
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)len);
	bool good =
		s &&
		BN_bn2binpad(ECDSA_SIG_get0_r(s), sig, P384_LEN) == P384_LEN &&
		BN_bn2binpad(ECDSA_SIG_get0_s(s), sig + P384_LEN, P384_LEN) ==
			P384_LEN;

	ECDSA_SIG_free(s);
	return good;
}

int owner_sign(const struct owner_sign_key *k, const void *data, size_t len,
	       uint8_t sig[static OWNER_SIGN_LEN_MAX], struct err *err)
{
	bool ed = k->kind == OWNER_SIGN_ED25519;
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t out[DER_SIG_MAX];
	size_t n = sizeof(out);
	bool good = ctx &&
		    EVP_DigestSignInit(ctx, NULL, ed ? NULL : EVP_sha384(),
				       NULL, k->pkey) == 1 &&
		    EVP_DigestSign(ctx, out, &n, data, len) == 1;

	EVP_MD_CTX_free(ctx);
	if (!good)
		return failed(err);
	memset(sig, 0, OWNER_SIGN_LEN_MAX);
	if (!ed)
		return unpack(out, n, sig) ? 0 : failed(err);
	memcpy(sig, out, n < OWNER_SIGN_LEN_MAX ? n : OWNER_SIGN_LEN_MAX);
	return 0;
}
