/* crypto/sev_sign.c - signatures in the form of SEV's certificates. */
#include <errno.h>
#include <openssl/bn.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/sev_key_impl.h"
#include "vmm/base/err.h"

DEFINE_CLEANUP(EVP_MD_CTX, EVP_MD_CTX_free)
DEFINE_CLEANUP(ECDSA_SIG, ECDSA_SIG_free)
DEFINE_CLEANUP(BIGNUM, BN_free)

enum { DER_MAX = 160 }; /* bytes of an ECDSA signature, P-384: 104 and less */

static void reverse(uint8_t *out, const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[len - 1 - i];
}

/* -EINVAL: @k cannot sign by @algo. */
static int check_algo(const struct sev_key *k, uint32_t algo)
{
	bool ecdsa =
		algo == SEV_ALGO_ECDSA_SHA256 || algo == SEV_ALGO_ECDSA_SHA384;

	return (sev_key_is_rsa(k) ? sev_algo_is_rsa(algo) : ecdsa) ? 0
								   : -EINVAL;
}

static const EVP_MD *md_of(uint32_t algo)
{
	return sev_algo_is_sha384(algo) ? EVP_sha384() : EVP_sha256();
}

/* RSA signs by PSS with MGF1 of the same hash and a salt of its length. */
static bool set_padding(EVP_PKEY_CTX *pctx, const struct sev_key *k)
{
	return !sev_key_is_rsa(k) ||
	       (EVP_PKEY_CTX_set_rsa_padding(pctx, RSA_PKCS1_PSS_PADDING) ==
			1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(pctx,
						 RSA_PSS_SALTLEN_DIGEST) == 1);
}

/* DER into r and s of 72 bytes each, little-endian. */
static int ecdsa_to_fields(const uint8_t *der, size_t len,
			   uint8_t sig[static SEV_SIG_LEN])
{
	AUTO(ECDSA_SIG_freep)
	ECDSA_SIG *s = d2i_ECDSA_SIG(NULL, &der, (long)len);

	if (!s ||
	    BN_bn2lebinpad(ECDSA_SIG_get0_r(s), sig, SEV_EC_FIELD_LEN) < 0 ||
	    BN_bn2lebinpad(ECDSA_SIG_get0_s(s), sig + SEV_EC_FIELD_LEN,
			   SEV_EC_FIELD_LEN) < 0)
		return -EIO;
	return 0;
}

/* The other way; returns the length of the DER or a negative errno. */
static int fields_to_ecdsa(const uint8_t sig[static SEV_SIG_LEN],
			   uint8_t der[static DER_MAX])
{
	AUTO(BN_freep) BIGNUM *r = BN_lebin2bn(sig, SEV_EC_FIELD_LEN, NULL);
	AUTO(BN_freep)
	BIGNUM *s = BN_lebin2bn(sig + SEV_EC_FIELD_LEN, SEV_EC_FIELD_LEN, NULL);
	AUTO(ECDSA_SIG_freep) ECDSA_SIG *both = ECDSA_SIG_new();
	int len;

	if (!r || !s || !both || ECDSA_SIG_set0(both, r, s) != 1)
		return -ENOMEM;
	r = s = NULL; /* they are its now */
	len = i2d_ECDSA_SIG(both, NULL);
	if (len <= 0 || len > DER_MAX)
		return -EKEYREJECTED;
	return i2d_ECDSA_SIG(both, &der);
}

int sev_key_sign(const struct sev_key *k, uint32_t algo, const void *data,
		 size_t len, uint8_t sig[static SEV_SIG_LEN])
{
	AUTO(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t raw[SEV_SIG_LEN];
	size_t n = sizeof(raw);

	if (check_algo(k, algo) < 0)
		return -EINVAL;
	if (!ctx ||
	    EVP_DigestSignInit(ctx, &pctx, md_of(algo), NULL, k->pkey) != 1 ||
	    !set_padding(pctx, k) ||
	    EVP_DigestSign(ctx, raw, &n, data, len) != 1)
		return -EIO;
	memset(sig, 0, SEV_SIG_LEN);
	if (!sev_key_is_rsa(k))
		return ecdsa_to_fields(raw, n, sig);
	reverse(sig, raw, n);
	return 0;
}

/* The signature as libcrypto wants it; returns its length. */
static int unpack(const struct sev_key *k,
		  const uint8_t sig[static SEV_SIG_LEN],
		  uint8_t raw[static SEV_SIG_LEN])
{
	int n = EVP_PKEY_get_size(k->pkey);

	if (!sev_key_is_rsa(k))
		return fields_to_ecdsa(sig, raw);
	if (n <= 0 || n > SEV_SIG_LEN)
		return -EKEYREJECTED;
	reverse(raw, sig, (size_t)n);
	return n;
}

int sev_key_verify(const struct sev_key *k, uint32_t algo, const void *data,
		   size_t len, const uint8_t sig[static SEV_SIG_LEN])
{
	AUTO(EVP_MD_CTX_freep) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *pctx = NULL;
	uint8_t raw[SEV_SIG_LEN];
	int n;

	if (check_algo(k, algo) < 0)
		return -EKEYREJECTED;
	n = unpack(k, sig, raw);
	if (n < 0)
		return n;
	if (!ctx ||
	    EVP_DigestVerifyInit(ctx, &pctx, md_of(algo), NULL, k->pkey) != 1 ||
	    !set_padding(pctx, k))
		return -EIO;
	return EVP_DigestVerify(ctx, raw, (size_t)n, data, len) == 1
		       ? 0
		       : -EKEYREJECTED;
}

int sev_cert_sign(struct sev_cert *c, unsigned int slot, uint32_t usage,
		  uint32_t algo, const struct sev_key *signer)
{
	uint8_t bytes[SEV_CERT_LEN];
	struct sev_sig *s = &c->sig[slot];
	int r;

	sev_cert_serialise(c, bytes);
	r = sev_key_sign(signer, algo, bytes, SEV_CERT_BODY_LEN, s->data);
	if (r < 0)
		return r;
	s->usage = usage;
	s->algo = algo;
	return 0;
}

int sev_cert_verify(const struct sev_cert *c, uint32_t usage, uint32_t algo,
		    const struct sev_key *signer)
{
	uint8_t bytes[SEV_CERT_LEN];
	int r = -ENOKEY;

	sev_cert_serialise(c, bytes);
	for (size_t i = 0; i < SEV_CERT_SIGS && r != 0; i++)
		if (c->sig[i].usage == usage && c->sig[i].algo == algo)
			r = sev_key_verify(signer, algo, bytes,
					   SEV_CERT_BODY_LEN, c->sig[i].data);
	return r;
}

static void put_header(struct amd_cert *c, uint32_t usage, const void *id,
		       const void *signer_id)
{
	uint32_t bits = (uint32_t)c->field_len * 8;

	store_le32(c->raw, 1);
	memcpy(c->raw + 0x04, id, AMD_CERT_KEY_ID_LEN);
	memcpy(c->raw + 0x14, signer_id, AMD_CERT_KEY_ID_LEN);
	store_le32(c->raw + 0x24, usage);
	store_le32(c->raw + 0x38, bits);
	store_le32(c->raw + 0x3c, bits);
}

int amd_cert_make(struct amd_cert *c, uint32_t usage, const void *id,
		  const void *signer_id, const struct sev_key *key,
		  const struct sev_key *signer)
{
	uint8_t sig[SEV_SIG_LEN];
	uint8_t *exponent = c->raw + AMD_CERT_HEADER_LEN;
	int bits = EVP_PKEY_get_bits(key->pkey), r;

	if (bits != 2048 && bits != 4096)
		return -EINVAL;
	*c = (struct amd_cert){.field_len = (size_t)bits / 8,
			       .is_signed = true,
			       .usage = usage};
	put_header(c, usage, id, signer_id);
	r = sev_key_rsa_fields(key, exponent, exponent + c->field_len,
			       c->field_len);
	if (r >= 0)
		r = sev_key_sign(signer ? signer : key, amd_cert_algo(c),
				 c->raw, amd_cert_body_len(c), sig);
	if (r < 0)
		return r;
	memcpy(c->raw + amd_cert_body_len(c), sig, c->field_len);
	return 0;
}

int amd_cert_verify(const struct amd_cert *c, const struct amd_cert *signer,
		    const struct sev_key *signer_key)
{
	uint8_t sig[SEV_SIG_LEN] = {0};

	if (!c->is_signed || c->field_len != signer->field_len ||
	    memcmp(amd_cert_signer_id(c), amd_cert_key_id(signer),
		   AMD_CERT_KEY_ID_LEN) != 0)
		return -EKEYREJECTED;
	memcpy(sig, amd_cert_signature(c), c->field_len);
	return sev_key_verify(signer_key, amd_cert_algo(signer), c->raw,
			      amd_cert_body_len(c), sig);
}
