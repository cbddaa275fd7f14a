/* crypto/snp_digest.c - SHA-384 over one PAGE_INFO after the other. */
#include "crypto/snp_digest.h"

#include <assert.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <string.h>

#include "vmm/base/bytes.h"

/* PAGE_INFO; what is not named is zero: no initial migration image, no VMPLs.
 */
enum {
	INFO_LD = 0,
	INFO_CONTENTS = 48,
	INFO_LENGTH = 96,
	INFO_TYPE = 98,
	INFO_GPA = 104,
	INFO_LEN = 112,
};

static bool has_content(enum snp_page_type type)
{
	return type == SNP_PAGE_NORMAL || type == SNP_PAGE_VMSA;
}

static int sha384(const void *data, size_t len, uint8_t *out)
{
	return EVP_Digest(data, len, out, NULL, EVP_sha384(), NULL) == 1 ? 0
									 : -EIO;
}

int snp_digest_add(struct snp_digest *d, enum snp_page_type type, uint64_t gpa,
		   const void *page)
{
	uint8_t info[INFO_LEN] = {0};
	int r = 0;

	assert(!page == !has_content(type));
	memcpy(info + INFO_LD, d->ld, SNP_DIGEST_LEN);
	if (page)
		r = sha384(page, SNP_PAGE_LEN, info + INFO_CONTENTS);
	store_le16(info + INFO_LENGTH, INFO_LEN);
	info[INFO_TYPE] = (uint8_t)type;
	store_le64(info + INFO_GPA, gpa);
	return r < 0 ? r : sha384(info, sizeof(info), d->ld);
}
