/* crypto/sev_cert.c - SEV certificates from bytes and back. */
#include "crypto/sev_cert.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* Offsets in the certificate (AMD SEV API 0.24, Table "SEV Certificate"). */
enum {
	AT_VERSION = 0x000,
	AT_API_MAJOR = 0x004,
	AT_API_MINOR = 0x005,
	AT_RESERVED = 0x006,
	AT_USAGE = 0x008,
	AT_ALGO = 0x00c,
	AT_KEY = 0x010,
	AT_SIG = 0x414,
	SIG_STRIDE = 8 + SEV_SIG_LEN,
};

/* Offsets in the public key. */
enum {
	EC_CURVE = 0,
	EC_X = 4,
	EC_Y = EC_X + SEV_EC_FIELD_LEN,
	EC_END = EC_Y + SEV_EC_FIELD_LEN,
	RSA_BITS = 0,
	RSA_EXPONENT = 4,
	RSA_MODULUS = 516,
	RSA_FIELD = 512,
	RSA_BITS_MIN = 2048,
	RSA_BITS_MAX = 4096,
};

static const struct {
	uint32_t usage;
	const char *name;
} usages[] = {
	{SEV_USAGE_ARK, "ARK"},	     {SEV_USAGE_ASK, "ASK"},
	{SEV_USAGE_OCA, "OCA"},	     {SEV_USAGE_PEK, "PEK"},
	{SEV_USAGE_PDH, "PDH"},	     {SEV_USAGE_CEK, "CEK"},
	{SEV_USAGE_INVALID, "none"},
};

static const struct {
	uint32_t algo;
	const char *name;
} algos[] = {
	{SEV_ALGO_NONE, "none"},
	{SEV_ALGO_RSA_SHA256, "RSA-SHA256"},
	{SEV_ALGO_ECDSA_SHA256, "ECDSA-SHA256"},
	{SEV_ALGO_ECDH_SHA256, "ECDH-SHA256"},
	{SEV_ALGO_RSA_SHA384, "RSA-SHA384"},
	{SEV_ALGO_ECDSA_SHA384, "ECDSA-SHA384"},
	{SEV_ALGO_ECDH_SHA384, "ECDH-SHA384"},
};

const char *sev_usage_name(uint32_t usage)
{
	for (size_t i = 0; i < ARRAY_SIZE(usages); i++)
		if (usages[i].usage == usage)
			return usages[i].name;
	return "unknown usage";
}

const char *sev_algo_name(uint32_t algo)
{
	for (size_t i = 0; i < ARRAY_SIZE(algos); i++)
		if (algos[i].algo == algo)
			return algos[i].name;
	return "unknown algorithm";
}

bool sev_algo_is_rsa(uint32_t algo)
{
	return algo == SEV_ALGO_RSA_SHA256 || algo == SEV_ALGO_RSA_SHA384;
}

bool sev_algo_is_ec(uint32_t algo)
{
	return algo == SEV_ALGO_ECDSA_SHA256 || algo == SEV_ALGO_ECDH_SHA256 ||
	       algo == SEV_ALGO_ECDSA_SHA384 || algo == SEV_ALGO_ECDH_SHA384;
}

bool sev_algo_is_sha384(uint32_t algo)
{
	return algo & 0x100;
}

enum sev_curve sev_cert_curve(const struct sev_cert *c)
{
	return load_le32(c->key + EC_CURVE) == SEV_CURVE_P256 ? SEV_CURVE_P256
							      : SEV_CURVE_P384;
}

size_t sev_curve_len(enum sev_curve curve)
{
	return curve == SEV_CURVE_P256 ? 32 : 48;
}

const uint8_t *sev_cert_ec_x(const struct sev_cert *c)
{
	return c->key + EC_X;
}

const uint8_t *sev_cert_ec_y(const struct sev_cert *c)
{
	return c->key + EC_Y;
}

uint32_t sev_cert_rsa_bits(const struct sev_cert *c)
{
	return load_le32(c->key + RSA_BITS);
}

const uint8_t *sev_cert_rsa_exponent(const struct sev_cert *c)
{
	return c->key + RSA_EXPONENT;
}

const uint8_t *sev_cert_rsa_modulus(const struct sev_cert *c)
{
	return c->key + RSA_MODULUS;
}

static bool all_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i])
			return false;
	return true;
}

static const char *ec_key_fault(const struct sev_cert *c)
{
	uint32_t curve = load_le32(c->key + EC_CURVE);
	size_t len;

	if (curve != SEV_CURVE_P256 && curve != SEV_CURVE_P384)
		return "its curve is neither P-256 nor P-384";
	len = sev_curve_len((enum sev_curve)curve);
	if (!all_zero(c->key + EC_X + len, SEV_EC_FIELD_LEN - len) ||
	    !all_zero(c->key + EC_Y + len, SEV_EC_FIELD_LEN - len) ||
	    !all_zero(c->key + EC_END, SEV_CERT_KEY_LEN - EC_END))
		return "its key has bytes where a key of its curve has zeros";
	return NULL;
}

static const char *rsa_key_fault(const struct sev_cert *c)
{
	uint32_t bits = sev_cert_rsa_bits(c);
	size_t len = bits / 8;

	if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX || bits % 8)
		return "its RSA modulus is not of 2048 to 4096 bits";
	if (!all_zero(c->key + RSA_EXPONENT + len, RSA_FIELD - len) ||
	    !all_zero(c->key + RSA_MODULUS + len, RSA_FIELD - len) ||
	    !(c->key[RSA_MODULUS + len - 1] & 0x80) ||
	    !(c->key[RSA_MODULUS] & 1))
		return "its RSA key is not of the size it claims";
	return NULL;
}

/* NULL when @c is something firmware writes. */
static const char *fault(const struct sev_cert *c)
{
	if (c->usage < SEV_USAGE_OCA || c->usage > SEV_USAGE_CEK)
		return "its usage is none of PDH, PEK, OCA, CEK";
	if (sev_algo_is_ec(c->algo))
		return ec_key_fault(c);
	if (sev_algo_is_rsa(c->algo))
		return rsa_key_fault(c);
	return "its key algorithm is unknown";
}

static int refuse(struct err *err, const char *why)
{
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "not a SEV certificate: %s", why);
}

int sev_cert_parse(const void *data, size_t len, struct sev_cert *ret,
		   struct err *err)
{
	const uint8_t *p = data;
	struct sev_cert c;
	const char *why;

	if (len != SEV_CERT_LEN)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "not a SEV certificate: %zu bytes, but one "
				    "has %d",
				    len, SEV_CERT_LEN);
	if (load_le32(p + AT_VERSION) != 1)
		return refuse(err, "its version is not 1");
	if (load_le16(p + AT_RESERVED))
		return refuse(err, "reserved bytes are not 0");
	c.api_major = p[AT_API_MAJOR];
	c.api_minor = p[AT_API_MINOR];
	c.usage = load_le32(p + AT_USAGE);
	c.algo = load_le32(p + AT_ALGO);
	memcpy(c.key, p + AT_KEY, sizeof(c.key));
	for (size_t i = 0; i < SEV_CERT_SIGS; i++) {
		const uint8_t *s = p + AT_SIG + i * SIG_STRIDE;

		c.sig[i].usage = load_le32(s);
		c.sig[i].algo = load_le32(s + 4);
		memcpy(c.sig[i].data, s + 8, SEV_SIG_LEN);
	}
	why = fault(&c);
	if (why)
		return refuse(err, why);
	*ret = c;
	return 0;
}

void sev_cert_serialise(const struct sev_cert *c,
			uint8_t data[static SEV_CERT_LEN])
{
	store_le32(data + AT_VERSION, 1);
	data[AT_API_MAJOR] = c->api_major;
	data[AT_API_MINOR] = c->api_minor;
	store_le16(data + AT_RESERVED, 0);
	store_le32(data + AT_USAGE, c->usage);
	store_le32(data + AT_ALGO, c->algo);
	memcpy(data + AT_KEY, c->key, sizeof(c->key));
	for (size_t i = 0; i < SEV_CERT_SIGS; i++) {
		uint8_t *s = data + AT_SIG + i * SIG_STRIDE;

		store_le32(s, c->sig[i].usage);
		store_le32(s + 4, c->sig[i].algo);
		memcpy(s + 8, c->sig[i].data, SEV_SIG_LEN);
	}
}

void sev_cert_init(struct sev_cert *c, enum sev_usage usage, enum sev_algo algo)
{
	*c = (struct sev_cert){.usage = usage, .algo = algo};
	for (size_t i = 0; i < SEV_CERT_SIGS; i++)
		c->sig[i].usage = SEV_USAGE_INVALID;
}
