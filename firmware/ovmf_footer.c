/* firmware/ovmf_footer.c - walks the table of GUIDs from its end. */
#include "firmware/ovmf_footer.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

enum {
	BEHIND = 32, /* bytes of code behind the table: the reset vector */
	GUID_LEN = 16,
	HEAD = GUID_LEN + 2, /* length and GUID, behind an entry's data */
	HASHES_LEN = 176,    /* of the table QEMU makes; see sev_measure.h */
};

/* As bytes: the first three fields are little-endian (UEFI, appendix A). */
static const uint8_t footer_guid[GUID_LEN] = {
	/* 96b582de-1fb2-45f7-baea-a366c55a082d */
	0xde, 0x82, 0xb5, 0x96, 0xb2, 0x1f, 0xf7, 0x45,
	0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d,
};
static const uint8_t reset_guid[GUID_LEN] = {
	/* 00f771de-1a7e-4fcb-890e-68c77e2fb44e */
	0xde, 0x71, 0xf7, 0x00, 0x7e, 0x1a, 0xcb, 0x4f,
	0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e,
};
static const uint8_t secret_guid[GUID_LEN] = {
	/* 4c2eb361-7d9b-4cc3-8081-127c90d3d294 */
	0x61, 0xb3, 0x2e, 0x4c, 0x9b, 0x7d, 0xc3, 0x4c,
	0x80, 0x81, 0x12, 0x7c, 0x90, 0xd3, 0xd2, 0x94,
};
static const uint8_t hashes_guid[GUID_LEN] = {
	/* 7255371f-3a3b-4b04-927b-1da6efa8d454 */
	0x1f, 0x37, 0x55, 0x72, 0x3b, 0x3a, 0x04, 0x4b,
	0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54,
};

static int bad(struct err *err, const char *why)
{
	return err_set_kind(err, ERR_INPUT, -EBADMSG,
			    "the table of GUIDs at its end is damaged: %s",
			    why);
}

/* What was found so far; entries that we do not use are not looked at. */
struct walk {
	struct ovmf_footer *ret;
	bool has_secret, has_hashes;
};

static int take_area(const uint8_t *data, size_t len, uint32_t least, bool *has,
		     struct ovmf_area *ret, struct err *err)
{
	struct ovmf_area a;

	if (*has)
		return bad(err, "an area is there twice");
	if (len != 8)
		return bad(err, "an area is no base and size");
	*has = true;
	a = (struct ovmf_area){load_le32(data), load_le32(data + 4)};
	if (!a.base || !a.size) /* how a build says that it has none */
		return 0;
	if (!range_within(a.base, a.size, UINT32_MAX))
		return bad(err, "an area wraps");
	if (a.size < least || a.base % 16)
		return bad(err, "an area is too small or unaligned");
	*ret = a;
	return 0;
}

static int take_reset(const uint8_t *data, size_t len, struct ovmf_footer *ret,
		      struct err *err)
{
	if (ret->has_reset)
		return bad(err, "the reset block is there twice");
	if (len != 4)
		return bad(err, "the reset block is no address");
	ret->has_reset = true;
	ret->reset = load_le32(data);
	return 0;
}

static int take(struct walk *w, const uint8_t *guid, const uint8_t *data,
		size_t len, struct err *err)
{
	if (!memcmp(guid, reset_guid, GUID_LEN))
		return take_reset(data, len, w->ret, err);
	if (!memcmp(guid, secret_guid, GUID_LEN))
		return take_area(data, len, 16, &w->has_secret, &w->ret->secret,
				 err);
	if (!memcmp(guid, hashes_guid, GUID_LEN))
		return take_area(data, len, HASHES_LEN, &w->has_hashes,
				 &w->ret->hashes, err);
	return 0;
}

/* [start, end) has the entries, the first one last. */
static int walk_entries(const uint8_t *start, const uint8_t *end,
			struct ovmf_footer *ret, struct err *err)
{
	struct walk w = {.ret = ret};

	while (end > start) {
		const uint8_t *head = end - HEAD;
		size_t len;
		int r;

		if (end - start < HEAD)
			return bad(err, "the first entry is cut off");
		len = load_le16(head);
		if (len < HEAD || len > (size_t)(end - start))
			return bad(err, "the length of an entry lies");
		len -= HEAD;
		r = take(&w, head + 2, head - len, len, err);
		if (r < 0)
			return r;
		end = head - len;
	}
	return 0;
}

static int parse(const uint8_t *tail, size_t len, struct ovmf_footer *ret,
		 struct err *err)
{
	const uint8_t *end, *head;
	size_t total;

	if (len < BEHIND + HEAD)
		return 0;
	end = tail + len - BEHIND;
	head = end - HEAD;
	total = load_le16(head);
	if (!memcmp(head + 2, reset_guid, GUID_LEN)) { /* edk2 before 2021 */
		if (total != HEAD + 4 || total > len - BEHIND)
			return bad(err, "the length of its reset block lies");
		return take_reset(head - 4, 4, ret, err);
	}
	if (memcmp(head + 2, footer_guid, GUID_LEN) != 0)
		return 0;
	if (total < HEAD || total > len - BEHIND)
		return bad(err, "its length lies");
	return walk_entries(end - total, head, ret, err);
}

int ovmf_footer_parse(const uint8_t *tail, size_t len, struct ovmf_footer *ret,
		      struct err *err)
{
	struct ovmf_footer f = {0};
	int r = parse(tail, len, &f, err);

	if (!r)
		*ret = f;
	return r;
}
