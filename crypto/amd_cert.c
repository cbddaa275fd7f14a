/* crypto/amd_cert.c - ARK and ASK from bytes, and the pinned roots. */
#include "crypto/amd_cert.h"

#include <errno.h>
#include <string.h>

#include "crypto/sev_cert.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

enum {
	AT_VERSION = 0x00,
	AT_KEY_ID = 0x04,
	AT_SIGNER_ID = 0x14,
	AT_USAGE = 0x24,
	AT_EXPONENT_BITS = 0x38,
	AT_MODULUS_BITS = 0x3c,
};

static int refuse(struct err *err, const char *why)
{
	return err_set_kind(err, ERR_INPUT, -EINVAL,
			    "not an AMD certificate (ARK, ASK): %s", why);
}

bool amd_cert_looks_like(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint32_t usage;

	if (len < AMD_CERT_HEADER_LEN || load_le32(p + AT_VERSION) != 1)
		return false;
	usage = load_le32(p + AT_USAGE);
	return (usage == SEV_USAGE_ARK || usage == SEV_USAGE_ASK) &&
	       (load_le32(p + AT_MODULUS_BITS) == 2048 ||
		load_le32(p + AT_MODULUS_BITS) == 4096);
}

int amd_cert_parse(const void *data, size_t len, struct amd_cert *ret,
		   size_t *ret_used, struct err *err)
{
	const uint8_t *p = data;
	size_t field, used;

	if (len < AMD_CERT_HEADER_LEN)
		return refuse(err, "it is too short");
	if (load_le32(p + AT_VERSION) != 1)
		return refuse(err, "its version is not 1");
	if (!amd_cert_looks_like(p, len))
		return refuse(err, "its usage is neither ARK nor ASK, or its "
				   "modulus not of 2048 or 4096 bits");
	if (load_le32(p + AT_EXPONENT_BITS) != load_le32(p + AT_MODULUS_BITS))
		return refuse(err, "exponent and modulus differ in size");
	field = load_le32(p + AT_MODULUS_BITS) / 8;
	used = AMD_CERT_HEADER_LEN + 3 * field;
	if (len < used && len != used - field)
		return refuse(err, "it is cut short");
	if (!(p[AMD_CERT_HEADER_LEN + 2 * field - 1] & 0x80) ||
	    !(p[AMD_CERT_HEADER_LEN + field] & 1))
		return refuse(err, "its modulus is not of the size it claims");
	*ret = (struct amd_cert){.field_len = field,
				 .is_signed = len >= used,
				 .usage = load_le32(p + AT_USAGE)};
	if (!ret->is_signed)
		used -= field;
	memcpy(ret->raw, p, used);
	*ret_used = used;
	return 0;
}

size_t amd_cert_body_len(const struct amd_cert *c)
{
	return AMD_CERT_HEADER_LEN + 2 * c->field_len;
}

size_t amd_cert_len(const struct amd_cert *c)
{
	return amd_cert_body_len(c) + (c->is_signed ? c->field_len : 0);
}

const uint8_t *amd_cert_key_id(const struct amd_cert *c)
{
	return c->raw + AT_KEY_ID;
}

const uint8_t *amd_cert_signer_id(const struct amd_cert *c)
{
	return c->raw + AT_SIGNER_ID;
}

const uint8_t *amd_cert_exponent(const struct amd_cert *c)
{
	return c->raw + AMD_CERT_HEADER_LEN;
}

const uint8_t *amd_cert_modulus(const struct amd_cert *c)
{
	return amd_cert_exponent(c) + c->field_len;
}

const uint8_t *amd_cert_signature(const struct amd_cert *c)
{
	return c->raw + amd_cert_body_len(c);
}

uint32_t amd_cert_algo(const struct amd_cert *c)
{
	return c->field_len == 256 ? SEV_ALGO_RSA_SHA256 : SEV_ALGO_RSA_SHA384;
}

/* SHA-256 of the bodies of the ARK certificates that AMD publishes. */
static const struct {
	const char *generation;
	uint8_t digest[HASH256_LEN];
} roots[] = {
	{"Naples",
	 {0x8e, 0xfd, 0xdc, 0xaa, 0xf8, 0x49, 0x90, 0xcf, 0x63, 0x54, 0xd9,
	  0x36, 0x37, 0xbe, 0x27, 0x02, 0x20, 0xcf, 0x15, 0x79, 0x73, 0x32,
	  0xb3, 0xd9, 0x18, 0xc3, 0xb8, 0xcc, 0x77, 0x34, 0x9f, 0x31}},
	{"Rome",
	 {0xae, 0x24, 0x56, 0xaf, 0x6c, 0x6a, 0xd2, 0x34, 0xba, 0xdd, 0x6c,
	  0x75, 0xe5, 0x89, 0x15, 0xbe, 0x61, 0x56, 0x82, 0x86, 0x76, 0x60,
	  0x83, 0x85, 0x3b, 0xf6, 0x68, 0xe6, 0xe2, 0x39, 0x77, 0xc3}},
	{"Milan",
	 {0x26, 0x3b, 0x13, 0xfd, 0x31, 0x70, 0xc6, 0xff, 0xbb, 0x0b, 0x4f,
	  0x01, 0xf0, 0x98, 0x48, 0xdc, 0x08, 0xa8, 0xdc, 0x1e, 0x96, 0x37,
	  0xd4, 0x7e, 0x42, 0xcb, 0xe6, 0xc1, 0x35, 0xe4, 0xaf, 0x12}},
	{"Genoa",
	 {0x97, 0x3d, 0xf6, 0x26, 0x5e, 0x1b, 0x40, 0xcf, 0x88, 0x83, 0x30,
	  0x5c, 0x1f, 0x6a, 0x6c, 0xd2, 0x54, 0x97, 0x94, 0x46, 0xac, 0xb4,
	  0x0b, 0xd3, 0x96, 0x94, 0x6b, 0x2f, 0x19, 0xe7, 0x51, 0xe9}},
	{"Turin",
	 {0x89, 0x32, 0x76, 0x96, 0xf8, 0x08, 0x2b, 0x20, 0xf5, 0xa5, 0x88,
	  0x56, 0x5a, 0xdc, 0x26, 0xd4, 0x78, 0xe1, 0xc6, 0xd5, 0x61, 0x53,
	  0xc1, 0xde, 0x65, 0x6e, 0x63, 0x39, 0x6b, 0x8f, 0x8e, 0x20}},
};

int amd_cert_generation(struct hash256 *h, const struct amd_cert *ark,
			const char **ret)
{
	uint8_t digest[HASH256_LEN];
	int r = hash256_of(h, ark->raw, amd_cert_body_len(ark), digest);

	if (r < 0)
		return r;
	*ret = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(roots); i++)
		if (!memcmp(digest, roots[i].digest, sizeof(digest)))
			*ret = roots[i].generation;
	return 0;
}

bool amd_cert_is_simulated(const struct amd_cert *c)
{
	return !memcmp(amd_cert_key_id(c), AMD_CERT_SIMULATED_ID,
		       AMD_CERT_KEY_ID_LEN);
}
