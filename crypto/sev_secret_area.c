/* crypto/sev_secret_area.c - secrets as a GUIDed table or a cpio archive. */
#include "crypto/sev_secret_area.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

enum { ENTRY_HEADER = GUID_LEN + 4 };
enum { NEWC_HEADER = 110, NEWC_ALIGN = 4 };

/* 1e74f542-71dd-4d66-963e-ef4287ff173b */
static const uint8_t table_guid[GUID_LEN] = {0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71,
					     0x66, 0x4d, 0x96, 0x3e, 0xef, 0x42,
					     0x87, 0xff, 0x17, 0x3b};
static const uint8_t no_guid[GUID_LEN];

/* Where the next byte goes; counts on when @max is full. */
struct sink {
	uint8_t *p;
	size_t n, max;
};

static void put(struct sink *s, const void *data, size_t len)
{
	if (len && s->n <= s->max && len <= s->max - s->n)
		memcpy(s->p + s->n, data, len);
	s->n += len; /* at most 64 files: cannot wrap */
}

static void pad(struct sink *s, size_t align)
{
	static const uint8_t zeros[SEV_SECRET_ALIGN];

	put(s, zeros, align_up(s->n, align) - s->n);
}

const char *sev_secret_format_name(enum sev_secret_format f)
{
	return f == SEV_SECRET_TABLE ? "table" : "cpio";
}

static int check_entries(const struct sev_secret_entry *v, size_t n,
			 struct err *err)
{
	char text[GUID_TEXT_LEN];

	if (!n || n > SEV_SECRETS_MAX)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "%zu secrets: 1 to %d can be sent", n,
				    SEV_SECRETS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (!memcmp(v[i].guid, no_guid, GUID_LEN))
			return err_set_kind(err, ERR_USAGE, -EINVAL,
					    "a GUID of zeros means no secret");
		for (size_t j = 0; j < i; j++)
			if (!memcmp(v[i].guid, v[j].guid, GUID_LEN))
				return err_set_kind(
					err, ERR_USAGE, -EINVAL,
					"GUID %s is given twice",
					guid_format(v[i].guid, text));
	}
	return 0;
}

static void put_table_entry(struct sink *s, const uint8_t *guid, size_t len)
{
	uint8_t le[4];

	store_le32(le, (uint32_t)len);
	put(s, guid, GUID_LEN);
	put(s, le, sizeof(le));
}

static void put_table(struct sink *s, const struct sev_secret_entry *v,
		      size_t n)
{
	size_t total = ENTRY_HEADER;

	for (size_t i = 0; i < n; i++)
		total += ENTRY_HEADER + v[i].len;
	put_table_entry(s, table_guid, total);
	for (size_t i = 0; i < n; i++) {
		put_table_entry(s, v[i].guid, ENTRY_HEADER + v[i].len);
		put(s, v[i].data, v[i].len);
	}
}

/*
 * One member in cpio's newc format (Linux, Documentation/driver-api/
 * early-userspace/buffer-format.rst): numbers are eight hexadecimal digits.
 */
static void put_newc(struct sink *s, unsigned int ino, unsigned int mode,
		     const char *name, const void *data, size_t len)
{
	char head[NEWC_HEADER + 1];
	unsigned int nlink = mode ? 1 : 0;
	size_t name_len = strlen(name) + 1;
	int r = snprintf(head, sizeof(head),
			 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x"
			 "%08x%08x",
			 ino, mode, 0, 0, nlink, 0, (unsigned int)len, 0, 0, 0,
			 0, (unsigned int)name_len, 0);

	assert(r == NEWC_HEADER);
	put(s, head, NEWC_HEADER);
	put(s, name, name_len);
	pad(s, NEWC_ALIGN);
	put(s, data, len);
	pad(s, NEWC_ALIGN);
}

static void put_cpio(struct sink *s, const struct sev_secret_entry *v, size_t n)
{
	char text[GUID_TEXT_LEN], name[64];
	unsigned int ino = 1;

	put_newc(s, ino++, 0040700, ".coffer", NULL, 0);
	put_newc(s, ino++, 0040700, ".coffer/secrets", NULL, 0);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof(name), ".coffer/secrets/%s",
			 guid_format(v[i].guid, text));
		put_newc(s, ino++, 0100400, name, v[i].data, v[i].len);
	}
	put_newc(s, 0, 0, "TRAILER!!!", NULL, 0);
}

int sev_secret_area_build(enum sev_secret_format f,
			  const struct sev_secret_entry *v, size_t n,
			  uint8_t *area, size_t max, size_t *ret_len,
			  struct err *err)
{
	struct sink s = {.p = area, .max = max};
	int r = check_entries(v, n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++)
		if (v[i].len > SEV_SECRET_MAX)
			return err_set_kind(err, ERR_INPUT, -ENOSPC,
					    "a secret of %zu bytes: all of "
					    "them together may have %d",
					    v[i].len, SEV_SECRET_MAX);
	if (s.max > SEV_SECRET_MAX)
		s.max = SEV_SECRET_MAX;
	if (f == SEV_SECRET_TABLE)
		put_table(&s, v, n);
	else
		put_cpio(&s, v, n);
	pad(&s, SEV_SECRET_ALIGN);
	if (s.n > s.max)
		return err_set_kind(err, ERR_INPUT, -ENOSPC,
				    "the secrets make a packet of %zu bytes, "
				    "but there is room for %zu",
				    s.n, s.max);
	*ret_len = s.n;
	return 0;
}

static int bad_table(struct err *err, const char *why)
{
	return err_set_kind(err, ERR_INPUT, -EINVAL, "not a secret table: %s",
			    why);
}

int sev_secret_table_parse(const void *area, size_t len,
			   struct sev_secret_entry v[static SEV_SECRETS_MAX],
			   size_t *ret_n, struct err *err)
{
	const uint8_t *p = area;
	size_t at = ENTRY_HEADER, total, n = 0;

	if (len < ENTRY_HEADER || memcmp(p, table_guid, GUID_LEN) != 0)
		return bad_table(err, "it does not begin with the GUID of one");
	total = load_le32(p + GUID_LEN);
	if (total < ENTRY_HEADER || total > len)
		return bad_table(err, "its length is not that of its content");
	while (at < total) {
		size_t size;

		if (total - at < ENTRY_HEADER)
			return bad_table(err, "an entry is cut short");
		size = load_le32(p + at + GUID_LEN);
		if (size < ENTRY_HEADER || size > total - at)
			return bad_table(err, "an entry has a wrong length");
		if (n == SEV_SECRETS_MAX)
			return bad_table(err, "it has more than 64 entries");
		memcpy(v[n].guid, p + at, GUID_LEN);
		v[n].data = p + at + ENTRY_HEADER;
		v[n++].len = size - ENTRY_HEADER;
		at += size;
	}
	for (; at < len; at++)
		if (p[at])
			return bad_table(err, "bytes follow it");
	*ret_n = n;
	return 0;
}

int sev_secret_area_guess(const void *area, size_t len,
			  enum sev_secret_format *ret)
{
	if (len >= GUID_LEN && !memcmp(area, table_guid, GUID_LEN))
		*ret = SEV_SECRET_TABLE;
	else if (len >= NEWC_HEADER && !memcmp(area, "070701", 6))
		*ret = SEV_SECRET_CPIO;
	else
		return -EINVAL;
	return 0;
}
