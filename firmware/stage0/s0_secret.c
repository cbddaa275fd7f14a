/* firmware/stage0/s0_secret.c - from a table of GUIDs to cpio's newc format. */
#include "firmware/stage0/s0_secret.h"

#include <stdbool.h>
#include <string.h>

#include "vmm/base/bytes.h"

enum {
	GUID_LEN = 16,
	ENTRY_HEADER = GUID_LEN + 4,
	NEWC_HEADER = 110,
	NEWC_ALIGN = 4,
	MODE_DIR = 0040700,
	MODE_FILE = 0100400,
};

static const char dir[] = ".coffer", secrets[] = ".coffer/secrets",
		  trailer[] = "TRAILER!!!";

/* 1e74f542-71dd-4d66-963e-ef4287ff173b, as it lies in memory */
static const uint8_t table_guid[GUID_LEN] = {0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71,
					     0x66, 0x4d, 0x96, 0x3e, 0xef, 0x42,
					     0x87, 0xff, 0x17, 0x3b};

struct sink {
	uint8_t *p;
	size_t n;
	bool full;
};

static void put(struct sink *s, const void *data, size_t len)
{
	if (s->full || len > S0_SECRET_CPIO_MAX - s->n) {
		s->full = true;
		return;
	}
	memcpy(s->p + s->n, data, len);
	s->n += len;
}

static void put_hex(char *to, uint32_t v, unsigned int digits)
{
	while (digits--) {
		to[digits] = "0123456789abcdef"[v & 15];
		v >>= 4;
	}
}

static void pad(struct sink *s)
{
	static const uint8_t zeros[NEWC_ALIGN];

	put(s, zeros, (0 - s->n) & (NEWC_ALIGN - 1));
}

/*
 * One member (Linux, Documentation/driver-api/early-userspace/
 * buffer-format.rst): thirteen numbers of eight hexadecimal digits.
 */
static void put_member(struct sink *s, uint32_t ino, uint32_t mode,
		       const char *name, const void *data, uint32_t len)
{
	uint32_t name_len = (uint32_t)strlen(name) + 1;
	const uint32_t field[13] = {
		[0] = ino, [1] = mode,	    [4] = mode ? 1 : 0,
		[6] = len, [11] = name_len,
	};
	char head[NEWC_HEADER] = "070701";

	for (size_t i = 0; i < 13; i++)
		put_hex(head + 6 + 8 * i, field[i], 8);
	put(s, head, sizeof(head));
	put(s, name, name_len);
	pad(s);
	put(s, data, len);
	pad(s);
}

/* A GUID in text: its first three fields are little-endian. */
static void put_guid(char *to, const uint8_t *g)
{
	put_hex(to, load_le32(g), 8);
	to[8] = '-';
	put_hex(to + 9, load_le16(g + 4), 4);
	to[13] = '-';
	put_hex(to + 14, load_le16(g + 6), 4);
	to[18] = '-';
	put_hex(to + 19, load_be16(g + 8), 4);
	to[23] = '-';
	put_hex(to + 24, load_be16(g + 10), 4);
	put_hex(to + 28, load_be32(g + 12), 8);
}

/* The entries in [at, total). */
static enum stage0_reason put_entries(struct sink *s, const uint8_t *area,
				      size_t at, size_t total)
{
	char name[sizeof(secrets) + 37];
	uint32_t ino = 1, size;

	memcpy(name, secrets, sizeof(secrets) - 1);
	name[sizeof(secrets) - 1] = '/';
	name[sizeof(secrets) + 36] = 0;
	put_member(s, ino++, MODE_DIR, dir, "", 0);
	put_member(s, ino++, MODE_DIR, secrets, "", 0);
	for (size_t n = 0; at < total; n++, at += size) {
		if (total - at < ENTRY_HEADER || n == S0_SECRET_MAX)
			return STAGE0_SECRETS;
		size = load_le32(area + at + GUID_LEN);
		if (size < ENTRY_HEADER || size > total - at)
			return STAGE0_SECRETS;
		put_guid(name + sizeof(secrets), area + at);
		put_member(s, ino++, MODE_FILE, name, area + at + ENTRY_HEADER,
			   size - ENTRY_HEADER);
	}
	put_member(s, 0, 0, trailer, "", 0);
	return s->full ? STAGE0_SECRETS : STAGE0_OK;
}

enum stage0_reason s0_secret_to_cpio(const uint8_t *area, size_t len,
				     uint8_t *out, size_t *ret_len)
{
	struct sink s = {.p = out};
	enum stage0_reason r;
	size_t total;

	*ret_len = 0;
	if (len < ENTRY_HEADER || memcmp(area, table_guid, GUID_LEN) != 0)
		return STAGE0_OK;
	total = load_le32(area + GUID_LEN);
	if (total < ENTRY_HEADER || total > len)
		return STAGE0_SECRETS;
	r = put_entries(&s, area, ENTRY_HEADER, total);
	if (r == STAGE0_OK)
		*ret_len = s.n;
	return r;
}
