/*
 * crypto/sev_report.h - the report of a guest that runs (AMD SEV API 0.24,
 * ATTESTATION): what was launched, under which policy, over a nonce of whoever
 * asks, signed by the platform's PEK.
 */
#ifndef CRYPTO_SEV_REPORT_H
#define CRYPTO_SEV_REPORT_H

#include <stdint.h>

#include "crypto/sev_abi.h"
#include "crypto/sev_cert.h"

struct err;

enum {
	SEV_REPORT_SIGNED_LEN = 52, /* the bytes before the signature are */
};

struct sev_report {
	uint8_t nonce[SEV_NONCE_LEN];
	uint8_t digest[SEV_DIGEST_LEN]; /* the launch digest */
	uint32_t policy;
	uint32_t usage, algo; /* of who signed it: SEV_USAGE_PEK */
	/* As sev_key_verify() wants it. */
	uint8_t sig[SEV_SIG_LEN];
};

/*
 * 32 hexadecimal digits, or 16 bytes in base64. -EINVAL with ERR_USAGE:
 * neither.
 */
int sev_nonce_parse(const char *text, uint8_t nonce[static SEV_NONCE_LEN],
		    struct err *err);

/* Any bytes are a report; whether it is a good one, its signature says. */
void sev_report_parse(const uint8_t raw[static SEV_REPORT_LEN],
		      struct sev_report *ret);

#endif
