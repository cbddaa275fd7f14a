/* firmware/stage0/s0_hashes.c - reads the table of hashes. */
#include "firmware/stage0/s0_hashes.h"

#include <stdbool.h>
#include <string.h>

#include "vmm/base/bytes.h"

enum {
	GUID_LEN = 16,
	HEADER_LEN = GUID_LEN + 2, /* and a length that includes both */
	ENTRY_LEN = HEADER_LEN + S0_SHA256_LEN,
	N_ENTRIES = 3,
	TABLE_LEN = HEADER_LEN + N_ENTRIES * ENTRY_LEN,
};

/* GUIDs as they lie in memory */
static const uint8_t table_guid[GUID_LEN] = {0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f,
					     0xc9, 0x4c, 0xb4, 0x79, 0xa7, 0x93,
					     0xd4, 0x11, 0xfd, 0x21};
static const uint8_t entry_guids[N_ENTRIES][GUID_LEN] = {
	{0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35, 0xd5, 0xb1,
	 0x72, 0xd2, 0x04, 0x5b}, /* kernel */
	{0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1, 0x41, 0xe2,
	 0x91, 0x69, 0x78, 0x1d}, /* initrd */
	{0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78, 0xe7, 0x71,
	 0x4d, 0x36, 0xab, 0x2a}, /* cmdline */
};

static int entry_index(const uint8_t *guid)
{
	for (int i = 0; i < N_ENTRIES; i++)
		if (!memcmp(guid, entry_guids[i], GUID_LEN))
			return i;
	return -1;
}

enum stage0_reason
s0_hashes_parse(const uint8_t area[static S0_HASHES_TABLE_LEN],
		struct s0_hashes *ret)
{
	struct s0_hashes h;
	uint8_t *to[N_ENTRIES] = {h.kernel, h.initrd, h.cmdline};
	bool seen[N_ENTRIES] = {false};
	size_t total, at;

	if (memcmp(area, table_guid, GUID_LEN) != 0)
		return STAGE0_HASHES_MISSING;
	total = load_le16(area + GUID_LEN);
	if (total < HEADER_LEN || total > TABLE_LEN)
		return STAGE0_HASHES_MALFORMED;
	for (at = HEADER_LEN; at < total; at += ENTRY_LEN) {
		int i;

		if (total - at < ENTRY_LEN ||
		    load_le16(area + at + GUID_LEN) != ENTRY_LEN)
			return STAGE0_HASHES_MALFORMED;
		i = entry_index(area + at);
		if (i < 0 || seen[i])
			return STAGE0_HASHES_MALFORMED;
		memcpy(to[i], area + at + HEADER_LEN, S0_SHA256_LEN);
		seen[i] = true;
	}
	for (int i = 0; i < N_ENTRIES; i++)
		if (!seen[i])
			return STAGE0_HASHES_INCOMPLETE;
	for (; at < S0_HASHES_TABLE_LEN; at++)
		if (area[at])
			return STAGE0_HASHES_MALFORMED;
	*ret = h;
	return STAGE0_OK;
}
