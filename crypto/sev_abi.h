/*
 * crypto/sev_abi.h - sizes and constants that the security processor, the
 * monitor and the guest owner agree on (AMD SEV API 0.24). Names are the
 * specification's where it has one.
 */
#ifndef CRYPTO_SEV_ABI_H
#define CRYPTO_SEV_ABI_H

#include <stdint.h>

enum {
	SEV_KEY_LEN = 16,     /* TEK, TIK, KEK, KIK, master secret */
	SEV_NONCE_LEN = 16,   /* session nonce, MNONCE, all IVs */
	SEV_DIGEST_LEN = 32,  /* launch digest */
	SEV_MEASURE_LEN = 32, /* MEASURE, and every other MAC */
	/* What LAUNCH_MEASURE returns: MEASURE, then MNONCE. */
	SEV_MEASUREMENT_LEN = SEV_MEASURE_LEN + SEV_NONCE_LEN,
	SEV_SESSION_LEN = 128,	 /* LAUNCH_START, session */
	SEV_SECRET_HDR_LEN = 52, /* LAUNCH_SECRET, header */
	SEV_SECRET_MAX = 16384,	 /* LAUNCH_SECRET, payload */
	SEV_SECRET_ALIGN = 16,	 /* its length and guest address */
	SEV_VMSA_LEN = 4096,	 /* LAUNCH_UPDATE_VMSA measures whole pages */
	SEV_REPORT_LEN = 208,	 /* what ATTESTATION returns */
};

#endif
