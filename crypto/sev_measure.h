/*
 * crypto/sev_measure.h - what LAUNCH_MEASURE says about a guest, and what the
 * launch digest is made of.
 *
 * The launch digest is SHA-256 over the plain bytes of everything that was
 * launched, in order: addresses and lengths are not part of it. Hash the
 * content with a hash256 and hand the result to sev_measure().
 */
#ifndef CRYPTO_SEV_MEASURE_H
#define CRYPTO_SEV_MEASURE_H

#include "crypto/hash256.h"
#include "crypto/sev_abi.h"

/* All of it comes from the host; the MAC binds it. */
struct sev_measure_input {
	uint8_t api_major, api_minor, build; /* of the firmware */
	uint32_t policy;
	uint8_t digest[SEV_DIGEST_LEN];
	uint8_t mnonce[SEV_NONCE_LEN];
};

/*
 * MEASURE (AMD SEV API 0.24, LAUNCH_MEASURE), as firmware of API 0.17 and
 * later computes it. -EIO: the hash failed.
 */
int sev_measure(struct hash256 *h, const uint8_t tik[static SEV_KEY_LEN],
		const struct sev_measure_input *in,
		uint8_t measure[static SEV_MEASURE_LEN]);

/* Bytes of the table below, with the padding that is launched with it. */
enum { SEV_KERNEL_HASHES_LEN = 176 };

/*
 * The table with which firmware checks a kernel that it gets from fw_cfg: it
 * is launched after the firmware. The digests are those of
 * @cmdline  the command line with its terminating zero
 * @initrd   the initial RAM disk (of nothing when there is none)
 * @kernel   the whole file
 */
void sev_kernel_hashes(const uint8_t cmdline[static HASH256_LEN],
		       const uint8_t initrd[static HASH256_LEN],
		       const uint8_t kernel[static HASH256_LEN],
		       uint8_t table[static SEV_KERNEL_HASHES_LEN]);

#endif
