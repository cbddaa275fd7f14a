/*
 * crypto/sev_cert.h - the certificates of a SEV platform as bytes: PDH, PEK,
 * OCA and CEK (AMD SEV API 0.24, Appendix C.1), and the owner's Diffie-Hellman
 * certificate, which has the form of a PDH. Signatures are not looked at here:
 * crypto/sev_key.h.
 */
#ifndef CRYPTO_SEV_CERT_H
#define CRYPTO_SEV_CERT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	SEV_CERT_LEN = 2084,
	SEV_CERT_BODY_LEN = 1044, /* what is signed: up to the first slot */
	SEV_CERT_KEY_LEN = 1028,
	SEV_SIG_LEN = 512,
	SEV_CERT_SIGS = 2,
	SEV_EC_FIELD_LEN = 72, /* of a coordinate, r or s; little-endian */
};

enum sev_usage {
	SEV_USAGE_ARK = 0x0000,
	SEV_USAGE_ASK = 0x0013,
	SEV_USAGE_INVALID = 0x1000, /* an empty signature slot */
	SEV_USAGE_OCA = 0x1001,
	SEV_USAGE_PEK = 0x1002,
	SEV_USAGE_PDH = 0x1003,
	SEV_USAGE_CEK = 0x1004,
};

enum sev_algo {
	SEV_ALGO_NONE = 0,
	SEV_ALGO_RSA_SHA256 = 0x1,
	SEV_ALGO_ECDSA_SHA256 = 0x2,
	SEV_ALGO_ECDH_SHA256 = 0x3,
	SEV_ALGO_RSA_SHA384 = 0x101,
	SEV_ALGO_ECDSA_SHA384 = 0x102,
	SEV_ALGO_ECDH_SHA384 = 0x103,
};

enum sev_curve { SEV_CURVE_P256 = 1, SEV_CURVE_P384 = 2 };

struct sev_sig {
	uint32_t usage, algo; /* of the key that made it */
	uint8_t data[SEV_SIG_LEN];
};

struct sev_cert {
	uint8_t api_major, api_minor; /* of the firmware, in a PEK */
	uint32_t usage, algo;	      /* of the key it certifies */
	uint8_t key[SEV_CERT_KEY_LEN];
	struct sev_sig sig[SEV_CERT_SIGS];
};

/*
 * Read a certificate. Refuses what no firmware writes: another version, set
 * reserved bits, an unknown usage, a key that is not of its algorithm. The
 * signature slots may hold anything.
 * -EINVAL with ERR_INPUT and the reason
 */
int sev_cert_parse(const void *data, size_t len, struct sev_cert *ret,
		   struct err *err);

/* The inverse: the same bytes. */
void sev_cert_serialise(const struct sev_cert *c,
			uint8_t data[static SEV_CERT_LEN]);

/* "PDH", "PEK", ...; "unknown usage" otherwise. */
const char *sev_usage_name(uint32_t usage);
/* "ECDSA-SHA256", ...; "unknown algorithm" otherwise. */
const char *sev_algo_name(uint32_t algo);

bool sev_algo_is_ec(uint32_t algo);
bool sev_algo_is_rsa(uint32_t algo);
/* True for the -SHA384 ones. */
bool sev_algo_is_sha384(uint32_t algo);

/*
 * Views of the key of a parsed certificate, little-endian. The curve and the
 * bytes of a coordinate (32 or 48), or the bits of the modulus.
 */
enum sev_curve sev_cert_curve(const struct sev_cert *c);
size_t sev_curve_len(enum sev_curve curve);
const uint8_t *sev_cert_ec_x(const struct sev_cert *c);
const uint8_t *sev_cert_ec_y(const struct sev_cert *c);
uint32_t sev_cert_rsa_bits(const struct sev_cert *c);
const uint8_t *sev_cert_rsa_exponent(const struct sev_cert *c);
const uint8_t *sev_cert_rsa_modulus(const struct sev_cert *c);

/*
 * A certificate without signatures, ready for a key of crypto/sev_key.h:
 * empty slots, zeroed key.
 */
void sev_cert_init(struct sev_cert *c, enum sev_usage usage,
		   enum sev_algo algo);

#endif
