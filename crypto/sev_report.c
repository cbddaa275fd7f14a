/* crypto/sev_report.c - a report's fields, and the nonce it is asked for with.
 */
#include "crypto/sev_report.h"

#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/hex.h"

enum {
	NONCE = 0,
	DIGEST = 16,
	POLICY = 48,
	USAGE = 52,
	ALGO = 56,
	SIG = 64, /* r and s, each of SEV_EC_FIELD_LEN bytes */
};

void sev_report_parse(const uint8_t raw[static SEV_REPORT_LEN],
		      struct sev_report *ret)
{
	*ret = (struct sev_report){
		.policy = load_le32(raw + POLICY),
		.usage = load_le32(raw + USAGE),
		.algo = load_le32(raw + ALGO),
	};
	memcpy(ret->nonce, raw + NONCE, sizeof(ret->nonce));
	memcpy(ret->digest, raw + DIGEST, sizeof(ret->digest));
	memcpy(ret->sig, raw + SIG, SEV_REPORT_LEN - SIG);
}

int sev_nonce_parse(const char *text, uint8_t nonce[static SEV_NONCE_LEN],
		    struct err *err)
{
	size_t n = 0;

	/* The digits would be base64, too, but of more bytes. */
	if (hex_parse(text, nonce, SEV_NONCE_LEN))
		return 0;
	if (base64_decode(text, strlen(text), nonce, SEV_NONCE_LEN, &n) >= 0 &&
	    n == SEV_NONCE_LEN)
		return 0;
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "'%.48s': expected a nonce: 32 hexadecimal digits, "
			    "or %d bytes in base64",
			    text, SEV_NONCE_LEN);
}
