/*
 * crypto/snp_digest.h - the launch digest of a SEV-SNP guest, which is made
 * page by page and binds each page's address and kind (AMD SEV-SNP ABI,
 * SNP_LAUNCH_UPDATE, "PAGE_INFO Structure"). SEV and SEV-ES have a plain
 * SHA-256 instead: crypto/launch_plan.
 */
#ifndef CRYPTO_SNP_DIGEST_H
#define CRYPTO_SNP_DIGEST_H

#include <stdint.h>

enum { SNP_DIGEST_LEN = 48, SNP_PAGE_LEN = 4096 };

/* PAGE_TYPE; only the first two have content that is measured. */
enum snp_page_type {
	SNP_PAGE_NORMAL = 1,
	SNP_PAGE_VMSA = 2,
	SNP_PAGE_ZERO = 3,
	SNP_PAGE_UNMEASURED = 4,
	SNP_PAGE_SECRETS = 5,
	SNP_PAGE_CPUID = 6,
};

/* The address that KVM gives every VMSA. */
#define SNP_VMSA_GPA UINT64_C(0xfffffffff000)

/* Zeroed before the first page; GCTX.LD after each. */
struct snp_digest {
	uint8_t ld[SNP_DIGEST_LEN];
};

/*
 * The next page, of @type at @gpa. @page: SNP_PAGE_LEN bytes, NULL where the
 * type has no content. Without VMPL permissions. -EIO: libcrypto failed.
 */
int snp_digest_add(struct snp_digest *d, enum snp_page_type type, uint64_t gpa,
		   const void *page);

#endif
