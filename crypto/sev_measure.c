/* crypto/sev_measure.c - the launch measurement and the kernel hashes. */
#include "crypto/sev_measure.h"

#include <string.h>

#include "crypto/hmac256.h"
#include "vmm/base/bytes.h"

enum { CONTEXT_MEASURE = 0x04 }; /* first byte of what the MAC covers */

int sev_measure(struct hash256 *h, const uint8_t tik[static SEV_KEY_LEN],
		const struct sev_measure_input *in,
		uint8_t measure[static SEV_MEASURE_LEN])
{
	uint8_t head[8] = {CONTEXT_MEASURE, in->api_major, in->api_minor,
			   in->build};
	struct hmac256 m;
	int r;

	store_le32(head + 4, in->policy);
	r = hmac256_start(&m, h, tik, SEV_KEY_LEN);
	if (r < 0)
		return r;
	hmac256_update(&m, head, sizeof(head));
	hmac256_update(&m, in->digest, sizeof(in->digest));
	hmac256_update(&m, in->mnonce, sizeof(in->mnonce));
	return hmac256_finish(&m, measure);
}

/*
 * GUIDs as they lie in memory (OvmfPkg, "SEV hash table"): the table, then
 * 9..d = 97d02dd8-..., 44baf731-..., 4de79437-... of its entries.
 */
static const uint8_t table_guid[16] = {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f,
				       0xc9, 0x4c, 0xb4, 0x79, 0xa7, 0x93,
				       0xd4, 0x11, 0xfd, 0x21};
static const uint8_t entry_guids[3][16] = {
	{0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78, 0xe7, 0x71,
	 0x4d, 0x36, 0xab, 0x2a},
	{0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1, 0x41, 0xe2,
	 0x91, 0x69, 0x78, 0x1d},
	{0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35, 0xd5, 0xb1,
	 0x72, 0xd2, 0x04, 0x5b},
};

void sev_kernel_hashes(const uint8_t cmdline[static HASH256_LEN],
		       const uint8_t initrd[static HASH256_LEN],
		       const uint8_t kernel[static HASH256_LEN],
		       uint8_t table[static SEV_KERNEL_HASHES_LEN])
{
	const uint8_t *digests[3] = {cmdline, initrd, kernel};
	uint8_t *p = table;

	memset(table, 0, SEV_KERNEL_HASHES_LEN);
	memcpy(p, table_guid, 16);
	store_le16(p + 16, 18 + 3 * (18 + HASH256_LEN));
	p += 18;
	for (int i = 0; i < 3; i++, p += 18 + HASH256_LEN) {
		memcpy(p, entry_guids[i], 16);
		store_le16(p + 16, 18 + HASH256_LEN);
		memcpy(p + 18, digests[i], HASH256_LEN);
	}
}
