/* crypto/sev_key.c - SEV's public keys as libcrypto's. */
#include "crypto/sev_key.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string.h>

#include "crypto/sev_key_impl.h"
#include "vmm/base/err.h"

DEFINE_CLEANUP(BIGNUM, BN_clear_free)
DEFINE_CLEANUP(EVP_PKEY_CTX, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(OSSL_PARAM_BLD, OSSL_PARAM_BLD_free)
DEFINE_CLEANUP(OSSL_PARAM, OSSL_PARAM_free)
DEFINE_CLEANUP(EC_GROUP, EC_GROUP_free)
DEFINE_CLEANUP(EC_POINT, EC_POINT_free)

enum { POINT_MAX = 1 + 2 * SEV_SHARED_MAX };

void sev_key_destroy(struct sev_key *k)
{
	if (!k)
		return;
	EVP_PKEY_free(k->pkey);
	free(k);
}

bool sev_key_is_rsa(const struct sev_key *k)
{
	return EVP_PKEY_is_a(k->pkey, "RSA");
}

/* Takes @pkey, also on failure. */
static int wrap(EVP_PKEY *pkey, enum sev_curve curve, struct sev_key **ret)
{
	struct sev_key *k = calloc(1, sizeof(*k));

	if (!k) {
		EVP_PKEY_free(pkey);
		return -ENOMEM;
	}
	k->pkey = pkey;
	k->curve = curve;
	*ret = k;
	return 0;
}

static const char *group_name(enum sev_curve curve)
{
	return curve == SEV_CURVE_P256 ? "P-256" : "P-384";
}

static void reverse(uint8_t *out, const uint8_t *in, size_t len)
{
	for (size_t i = 0; i < len; i++)
		out[i] = in[len - 1 - i];
}

/* -EINVAL: the parameters make no key. */
static int key_of_params(const char *type, int selection, OSSL_PARAM_BLD *bld,
			 enum sev_curve curve, struct sev_key **ret)
{
	AUTO(EVP_PKEY_CTX_freep)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
	AUTO(OSSL_PARAM_freep) OSSL_PARAM *params = NULL;
	EVP_PKEY *pkey = NULL;

	params = OSSL_PARAM_BLD_to_param(bld);
	if (!ctx || !params || EVP_PKEY_fromdata_init(ctx) != 1)
		return -EIO;
	if (EVP_PKEY_fromdata(ctx, &pkey, selection, params) != 1)
		return -EINVAL;
	return wrap(pkey, curve, ret);
}

/* @point: uncompressed, of 1 + 2 * sev_curve_len() bytes. @d: NULL: public. */
static int ec_key(enum sev_curve curve, const uint8_t *point, const BIGNUM *d,
		  struct sev_key **ret)
{
	AUTO(OSSL_PARAM_BLD_freep)
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();

	if (!bld ||
	    OSSL_PARAM_BLD_push_utf8_string(bld, OSSL_PKEY_PARAM_GROUP_NAME,
					    group_name(curve), 0) != 1 ||
	    OSSL_PARAM_BLD_push_octet_string(bld, OSSL_PKEY_PARAM_PUB_KEY,
					     point,
					     1 + 2 * sev_curve_len(curve)) != 1)
		return -EIO;
	if (d && OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_PRIV_KEY, d) != 1)
		return -EIO;
	return key_of_params("EC", d ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
			     bld, curve, ret);
}

static int rsa_key(const uint8_t *exponent, const uint8_t *modulus, size_t len,
		   struct sev_key **ret)
{
	AUTO(OSSL_PARAM_BLD_freep)
	OSSL_PARAM_BLD *bld = OSSL_PARAM_BLD_new();
	AUTO(BN_clear_freep)
	BIGNUM *e = BN_lebin2bn(exponent, (int)len, NULL);
	AUTO(BN_clear_freep)
	BIGNUM *n = BN_lebin2bn(modulus, (int)len, NULL);

	if (!bld || !e || !n)
		return -ENOMEM;
	/*
	 * An exponent as long as the modulus costs seconds, and one of 1 makes
	 * every message its own signature.
	 */
	if (BN_num_bits(e) > 64 || BN_num_bits(e) < 2 || !BN_is_odd(e))
		return -EINVAL;
	if (OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e) != 1 ||
	    OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) != 1)
		return -EIO;
	return key_of_params("RSA", EVP_PKEY_PUBLIC_KEY, bld, 0, ret);
}

static int no_key(int r, const char *why, struct err *err)
{
	if (r == -EINVAL)
		return err_set_kind(err, ERR_INPUT, r, "%s", why);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "libcrypto cannot make a key");
	return r;
}

int sev_key_of_cert(const struct sev_cert *c, struct sev_key **ret,
		    struct err *err)
{
	uint8_t point[POINT_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
	enum sev_curve curve = sev_cert_curve(c);
	size_t len = sev_curve_len(curve);

	if (sev_algo_is_rsa(c->algo))
		return no_key(rsa_key(sev_cert_rsa_exponent(c),
				      sev_cert_rsa_modulus(c),
				      sev_cert_rsa_bits(c) / 8, ret),
			      "its RSA key is not usable", err);
	reverse(point + 1, sev_cert_ec_x(c), len);
	reverse(point + 1 + len, sev_cert_ec_y(c), len);
	return no_key(ec_key(curve, point, NULL, ret),
		      "its key is not a point of its curve", err);
}

int sev_key_of_amd_cert(const struct amd_cert *c, struct sev_key **ret,
			struct err *err)
{
	return no_key(rsa_key(amd_cert_exponent(c), amd_cert_modulus(c),
			      c->field_len, ret),
		      "its RSA key is not usable", err);
}

int sev_key_generate_ec(enum sev_curve curve, struct sev_key **ret)
{
	EVP_PKEY *pkey = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group_name(curve));

	return pkey ? wrap(pkey, curve, ret) : -EIO;
}

int sev_key_generate_rsa(unsigned int bits, struct sev_key **ret)
{
	AUTO(EVP_PKEY_CTX_freep)
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *pkey = NULL;

	/* Of two large primes it would take seconds, now and then a minute. */
	if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, (int)bits) != 1 ||
	    EVP_PKEY_CTX_set_rsa_keygen_primes(ctx, bits < 4096 ? 3 : 4) != 1 ||
	    EVP_PKEY_keygen(ctx, &pkey) != 1)
		return -EIO;
	return wrap(pkey, 0, ret);
}

/* The public point of private scalar @d; libcrypto wants both. */
static int point_of(enum sev_curve curve, const BIGNUM *d,
		    uint8_t out[static POINT_MAX])
{
	AUTO(EC_GROUP_freep)
	EC_GROUP *g = EC_GROUP_new_by_curve_name(
		curve == SEV_CURVE_P256 ? NID_X9_62_prime256v1 : NID_secp384r1);
	AUTO(EC_POINT_freep) EC_POINT *p = g ? EC_POINT_new(g) : NULL;

	if (!p)
		return -ENOMEM;
	if (BN_is_zero(d) || BN_cmp(d, EC_GROUP_get0_order(g)) >= 0)
		return -EINVAL;
	if (EC_POINT_mul(g, p, d, NULL, NULL, NULL) != 1 ||
	    !EC_POINT_point2oct(g, p, POINT_CONVERSION_UNCOMPRESSED, out,
				POINT_MAX, NULL))
		return -EIO;
	return 0;
}

int sev_key_of_scalar(enum sev_curve curve, const uint8_t *scalar,
		      struct sev_key **ret)
{
	AUTO(BN_clear_freep)
	BIGNUM *d = BN_bin2bn(scalar, (int)sev_curve_len(curve), NULL);
	uint8_t point[POINT_MAX];
	int r;

	if (!d)
		return -ENOMEM;
	r = point_of(curve, d, point);
	return r < 0 ? r : ec_key(curve, point, d, ret);
}

int sev_key_to_scalar(const struct sev_key *k, uint8_t *scalar)
{
	AUTO(BN_clear_freep) BIGNUM *d = NULL;
	size_t len;

	if (sev_key_is_rsa(k))
		return -EINVAL;
	if (EVP_PKEY_get_bn_param(k->pkey, OSSL_PKEY_PARAM_PRIV_KEY, &d) != 1)
		return -EINVAL;
	len = sev_curve_len(k->curve);
	return BN_bn2binpad(d, scalar, (int)len) < 0 ? -EIO : 0;
}

static int bn_to_field(const struct sev_key *k, const char *name, uint8_t *out,
		       size_t len)
{
	AUTO(BN_clear_freep) BIGNUM *n = NULL;

	if (EVP_PKEY_get_bn_param(k->pkey, name, &n) != 1)
		return -EIO;
	return BN_bn2lebinpad(n, out, (int)len) < 0 ? -EINVAL : 0;
}

int sev_key_rsa_fields(const struct sev_key *k, uint8_t *exponent,
		       uint8_t *modulus, size_t len)
{
	int r;

	if (!sev_key_is_rsa(k))
		return -EINVAL;
	r = bn_to_field(k, OSSL_PKEY_PARAM_RSA_E, exponent, len);
	return r < 0 ? r : bn_to_field(k, OSSL_PKEY_PARAM_RSA_N, modulus, len);
}

int sev_key_to_cert(const struct sev_key *k, struct sev_cert *c)
{
	int r;

	memset(c->key, 0, sizeof(c->key));
	if (sev_algo_is_rsa(c->algo)) {
		store_le32(c->key, (uint32_t)EVP_PKEY_get_bits(k->pkey));
		return sev_key_rsa_fields(
			k, c->key + (sev_cert_rsa_exponent(c) - c->key),
			c->key + (sev_cert_rsa_modulus(c) - c->key), 512);
	}
	if (!sev_algo_is_ec(c->algo) || sev_key_is_rsa(k))
		return -EINVAL;
	store_le32(c->key, k->curve);
	r = bn_to_field(k, OSSL_PKEY_PARAM_EC_PUB_X,
			c->key + (sev_cert_ec_x(c) - c->key), SEV_EC_FIELD_LEN);
	return r < 0 ? r
		     : bn_to_field(k, OSSL_PKEY_PARAM_EC_PUB_Y,
				   c->key + (sev_cert_ec_y(c) - c->key),
				   SEV_EC_FIELD_LEN);
}

int sev_key_agree(const struct sev_key *own, const struct sev_key *peer,
		  uint8_t shared[static SEV_SHARED_MAX], size_t *ret_len)
{
	AUTO(EVP_PKEY_CTX_freep) EVP_PKEY_CTX *ctx = NULL;
	size_t len = SEV_SHARED_MAX;

	if (sev_key_is_rsa(own) || sev_key_is_rsa(peer) ||
	    own->curve != peer->curve)
		return -EINVAL;
	ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own->pkey, NULL);
	/* The x coordinate, leading zeros kept. */
	if (!ctx || EVP_PKEY_derive_init(ctx) != 1 ||
	    EVP_PKEY_derive_set_peer(ctx, peer->pkey) != 1 ||
	    EVP_PKEY_derive(ctx, shared, &len) != 1)
		return -EIO;
	*ret_len = len;
	return 0;
}
