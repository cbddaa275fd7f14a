/* devices/virtio/scsi_mode.c - mode pages, as they are and as they may be. */
#include "devices/virtio/scsi_pages.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/scsi_cdb.h"
#include "devices/virtio/scsi_sense.h"
#include "vmm/base/bytes.h"
#include "vmm/base/own.h"

enum {
	PAGE_ERROR_RECOVERY = 0x01,
	PAGE_CACHING = 0x08,
	PAGE_CONTROL = 0x0a,
	PAGE_ALL = 0x3f,
	SUBPAGE_ALL = 0xff,
	PAGE_MAX = 20, /* bytes of the longest, caching */
	PAGE_SPF = 0x40,
	PAGE_CODE = 0x3f,
	CACHING_WCE = 0x04, /* in byte 2 */
	HDR_WP = 0x80,
	HDR_DPOFUA = 0x10,
	HDR_LONGLBA = 0x01,
};

/* SPC-4, table 62 "PC field" */
enum { PC_CURRENT, PC_CHANGEABLE, PC_DEFAULT, PC_SAVED };

static const uint8_t pages[] = {PAGE_ERROR_RECOVERY, PAGE_CACHING,
				PAGE_CONTROL};

/* SBC-3, 6.4.7 "Read-Write Error Recovery mode page" */
static size_t put_error_recovery(uint8_t pc, uint8_t *p)
{
	if (pc != PC_CHANGEABLE)
		p[2] = 0x80; /* AWRE: the host does what there is to do */
	return 12;
}

/* SBC-3, 6.4.5 "Caching mode page" */
static size_t put_caching(const struct scsi_facts *f, uint8_t pc, uint8_t *p)
{
	bool on = pc == PC_CURRENT ? f->wce : !f->read_only;

	if (on)
		p[2] = CACHING_WCE;
	return 20;
}

/* SPC-4, 7.5.8 "Control mode page" */
static size_t put_control(uint8_t pc, uint8_t *p)
{
	if (pc != PC_CHANGEABLE) {
		p[2] = 0x02;   /* GLTSD: there are no log parameters */
		p[3] = 1 << 4; /* commands may be reordered */
	}
	return 12;
}

/* Page @page as @pc wants it; 0: there is no such page. */
static size_t put_page(const struct scsi_facts *f, uint8_t page, uint8_t pc,
		       uint8_t p[static PAGE_MAX])
{
	size_t n;

	memset(p, 0, PAGE_MAX);
	switch (page) {
	case PAGE_ERROR_RECOVERY:
		n = put_error_recovery(pc, p);
		break;
	case PAGE_CACHING:
		n = put_caching(f, pc, p);
		break;
	case PAGE_CONTROL:
		n = put_control(pc, p);
		break;
	default:
		return 0;
	}
	p[0] = page;
	p[1] = (uint8_t)(n - 2);
	return n;
}

/* SBC-3, 6.4.2 "Mode parameter block descriptors" */
static size_t put_block_desc(const struct scsi_cdb *c,
			     const struct scsi_facts *f, uint8_t *p)
{
	if (c->dbd)
		return 0;
	if (c->llbaa) {
		store_be64(p, f->blocks);
		store_be32(p + 12, f->block_size);
		return 16;
	}
	store_be32(p,
		   f->blocks > UINT32_MAX ? UINT32_MAX : (uint32_t)f->blocks);
	store_be32(p + 4, f->block_size); /* 24 bits, and they suffice */
	return 8;
}

static void put_header(const struct scsi_cdb *c, const struct scsi_facts *f,
		       size_t len, size_t desc_len, uint8_t *b)
{
	uint8_t flags = HDR_DPOFUA | (f->read_only ? HDR_WP : 0);

	if (c->len == 6) {
		b[0] = (uint8_t)(len - 1);
		b[2] = flags;
		b[3] = (uint8_t)desc_len;
		return;
	}
	store_be16(b, (uint16_t)(len - 2));
	b[3] = flags;
	b[4] = c->llbaa && desc_len ? HDR_LONGLBA : 0;
	store_be16(b + 6, (uint16_t)desc_len);
}

static int refuse(struct scsi_sense *s, uint32_t code, bool in_list,
		  size_t field)
{
	*s = (struct scsi_sense){
		.code = code,
		.has_field = true,
		.in_list = in_list,
		.field = (uint16_t)field,
	};
	return -EINVAL;
}

int scsi_pages_mode_sense(const struct scsi_cdb *c, const struct scsi_facts *f,
			  uint8_t buf[static SCSI_PAGES_MAX],
			  struct scsi_sense *ret_sense)
{
	size_t head = c->len == 6 ? 4 : 8, n, desc_len;

	if (c->pc == PC_SAVED) {
		*ret_sense = (struct scsi_sense){
			.code = SCSI_SAVING_NOT_SUPPORTED,
		};
		return -EINVAL;
	}
	/* no page has subpages, so all of them are page 0 alone */
	if (c->subpage && c->subpage != SUBPAGE_ALL)
		return refuse(ret_sense, SCSI_INVALID_FIELD_IN_CDB, false, 3);
	memset(buf, 0, SCSI_PAGES_MAX);
	desc_len = put_block_desc(c, f, buf + head);
	n = head + desc_len;
	for (size_t i = 0; i < ARRAY_SIZE(pages); i++)
		if (c->page == PAGE_ALL || c->page == pages[i])
			n += put_page(f, pages[i], c->pc, buf + n);
	if (n == head + desc_len)
		return refuse(ret_sense, SCSI_INVALID_FIELD_IN_CDB, false, 2);
	put_header(c, f, n, desc_len, buf);
	return (int)n;
}

/* A block descriptor may only say what is so anyway. */
static bool block_desc_fits(const struct scsi_facts *f, const uint8_t *p,
			    size_t len)
{
	uint64_t blocks = len == 16 ? load_be64(p) : load_be32(p);
	uint64_t all = len == 16 ? UINT64_MAX : UINT32_MAX;
	uint32_t size =
		len == 16 ? load_be32(p + 12) : load_be32(p + 4) & 0xffffff;

	return size == f->block_size &&
	       (!blocks || blocks == all || blocks == f->blocks);
}

/* One page of the list, at @p; its length, or -EINVAL. */
static int select_page(const struct scsi_facts *f, const uint8_t *list,
		       size_t at, size_t len, bool *wce, struct scsi_sense *s)
{
	uint8_t now[PAGE_MAX], may[PAGE_MAX];
	const uint8_t *p = list + at;
	size_t n;

	if (len - at < 2)
		return refuse(s, SCSI_LIST_LENGTH_ERROR, true, at);
	n = p[0] & PAGE_SPF ? 0
			    : put_page(f, p[0] & PAGE_CODE, PC_CURRENT, now);
	if (!n)
		return refuse(s, SCSI_INVALID_FIELD_IN_LIST, true, at);
	if (p[1] != n - 2)
		return refuse(s, SCSI_INVALID_FIELD_IN_LIST, true, at + 1);
	if (len - at < n)
		return refuse(s, SCSI_LIST_LENGTH_ERROR, true, at);
	put_page(f, p[0] & PAGE_CODE, PC_CHANGEABLE, may);
	for (size_t i = 2; i < n; i++)
		if ((p[i] ^ now[i]) & ~may[i])
			return refuse(s, SCSI_INVALID_FIELD_IN_LIST, true,
				      at + i);
	if ((p[0] & PAGE_CODE) == PAGE_CACHING)
		*wce = p[2] & CACHING_WCE;
	return (int)n;
}

int scsi_pages_mode_select(const struct scsi_cdb *c, const struct scsi_facts *f,
			   const uint8_t *list, size_t len, bool *ret_wce,
			   struct scsi_sense *ret_sense)
{
	size_t at = c->len == 6 ? 4 : 8, desc_len, want = 8;
	bool wce = f->wce;

	if (len && len < at)
		return refuse(ret_sense, SCSI_LIST_LENGTH_ERROR, true, 0);
	if (len) {
		desc_len = c->len == 6 ? list[3] : load_be16(list + 6);
		if (c->len == 10 && (list[4] & HDR_LONGLBA))
			want = 16;
		if (desc_len && desc_len != want)
			return refuse(ret_sense, SCSI_INVALID_FIELD_IN_LIST,
				      true, at == 4 ? 3 : 6);
		if (desc_len > len - at)
			return refuse(ret_sense, SCSI_LIST_LENGTH_ERROR, true,
				      at);
		if (desc_len && !block_desc_fits(f, list + at, desc_len))
			return refuse(ret_sense, SCSI_INVALID_FIELD_IN_LIST,
				      true, at);
		at += desc_len;
	}
	while (at < len) {
		int n = select_page(f, list, at, len, &wce, ret_sense);

		if (n < 0)
			return n;
		at += (size_t)n;
	}
	*ret_wce = wce;
	return 0;
}
