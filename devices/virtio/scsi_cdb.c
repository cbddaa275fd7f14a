/* devices/virtio/scsi_cdb.c - every CDB there is, and how to read it. */
#include "devices/virtio/scsi_cdb.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/scsi_sense.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/own.h"

enum { NO_ACTION = 0xffff, CONTROL_NACA = 0x04 };

/* Byte 1 of the block commands */
enum {
	RW_PROTECT = 0xe0, /* protection information: not offered */
	RW_FUA = 0x08,
	SAME_ANCHOR = 0x10, /* anchored blocks: not offered */
	SAME_UNMAP = 0x08,
	SAME_OBSOLETE = 0x06, /* PBDATA, LBDATA */
	SAME_NDOB = 0x01,
	VERIFY_BYTCHK = 0x06,
	UNMAP_ANCHOR = 0x01,
};

/* What one parser gets and fills in. */
struct parse {
	const uint8_t *b;
	struct scsi_cdb *c;
	struct scsi_sense *sense;
};

static int bad_field(const struct parse *p, uint16_t byte)
{
	*p->sense = (struct scsi_sense){
		.code = SCSI_INVALID_FIELD_IN_CDB,
		.has_field = true,
		.field = byte,
	};
	return -EINVAL;
}

static int bad_opcode(struct scsi_sense *sense)
{
	*sense = (struct scsi_sense){.code = SCSI_INVALID_OPCODE};
	return -EINVAL;
}

/* LBA and number of blocks, where the length of the CDB puts them. */
static void get_range(const struct parse *p)
{
	const uint8_t *b = p->b;

	switch (p->c->len) {
	case 6:
		p->c->lba = load_be32(b) & 0x1fffff;
		p->c->blocks = b[4] ? b[4] : 256;
		break;
	case 10:
		p->c->lba = load_be32(b + 2);
		p->c->blocks = load_be16(b + 7);
		break;
	case 12:
		p->c->lba = load_be32(b + 2);
		p->c->blocks = load_be32(b + 6);
		break;
	default:
		p->c->lba = load_be64(b + 2);
		p->c->blocks = load_be32(b + 10);
	}
}

static int parse_none(const struct parse *p)
{
	(void)p;
	return 0;
}

static int parse_rw(const struct parse *p)
{
	get_range(p);
	if (p->c->len == 6)
		return 0;
	if (p->b[1] & RW_PROTECT)
		return bad_field(p, 1);
	p->c->fua = p->b[1] & RW_FUA;
	return 0;
}

static int parse_verify(const struct parse *p)
{
	get_range(p);
	if (p->b[1] & RW_PROTECT)
		return bad_field(p, 1);
	p->c->bytchk = (p->b[1] & VERIFY_BYTCHK) >> 1;
	return p->c->bytchk > 1 ? bad_field(p, 1) : 0;
}

static int parse_sync(const struct parse *p)
{
	get_range(p);
	return 0;
}

static int parse_write_same(const struct parse *p)
{
	get_range(p);
	if (p->b[1] & (RW_PROTECT | SAME_ANCHOR | SAME_OBSOLETE))
		return bad_field(p, 1);
	p->c->unmap = p->b[1] & SAME_UNMAP;
	p->c->ndob = p->b[1] & SAME_NDOB;
	if (p->c->ndob && p->c->len < 16)
		return bad_field(p, 1);
	return 0;
}

static int parse_unmap(const struct parse *p)
{
	if (p->b[1] & UNMAP_ANCHOR)
		return bad_field(p, 1);
	p->c->list_len = load_be16(p->b + 7);
	return 0;
}

static int parse_request_sense(const struct parse *p)
{
	p->c->desc = p->b[1] & 1;
	p->c->list_len = p->b[4];
	return 0;
}

static int parse_inquiry(const struct parse *p)
{
	if (p->b[1] & 0x02) /* CMDDT, obsolete */
		return bad_field(p, 1);
	p->c->evpd = p->b[1] & 1;
	p->c->page = p->b[2];
	p->c->list_len = load_be16(p->b + 3);
	return !p->c->evpd && p->c->page ? bad_field(p, 2) : 0;
}

static int parse_mode_select(const struct parse *p)
{
	p->c->page_format = p->b[1] & 0x10;
	p->c->save_pages = p->b[1] & 0x01;
	p->c->list_len = p->c->len == 6 ? p->b[4] : load_be16(p->b + 7);
	/* lists of our own format only, and there is nowhere to save them */
	return !p->c->page_format || p->c->save_pages ? bad_field(p, 1) : 0;
}

static int parse_mode_sense(const struct parse *p)
{
	p->c->dbd = p->b[1] & 0x08;
	p->c->llbaa = p->c->len == 10 && (p->b[1] & 0x10);
	p->c->pc = p->b[2] >> 6;
	p->c->page = p->b[2] & 0x3f;
	p->c->subpage = p->b[3];
	p->c->list_len = p->c->len == 6 ? p->b[4] : load_be16(p->b + 7);
	return 0;
}

static int parse_start_stop(const struct parse *p)
{
	p->c->start = p->b[4] & 0x01;
	p->c->no_flush = p->b[4] & 0x04;
	p->c->power = p->b[4] >> 4;
	if (p->b[4] & 0x02) /* LOEJ: nothing to load or to eject */
		return bad_field(p, 4);
	return p->c->power ? bad_field(p, 4) : 0; /* no power conditions */
}

static int parse_send_diagnostic(const struct parse *p)
{
	p->c->list_len = load_be16(p->b + 3);
	if (p->b[1] & 0xe0) /* SELF-TEST CODE: only the default self-test */
		return bad_field(p, 1);
	return p->c->list_len ? bad_field(p, 3) : 0;
}

static int parse_prevent(const struct parse *p)
{
	return (p->b[4] & 0x03) > 1 ? bad_field(p, 4) : 0;
}

/* PMI and its LBA are obsolete; old drivers send zeros. */
static int parse_capacity_10(const struct parse *p)
{
	return load_be32(p->b + 2) && !(p->b[8] & 1) ? bad_field(p, 2) : 0;
}

static int parse_capacity_16(const struct parse *p)
{
	p->c->list_len = load_be32(p->b + 10);
	return load_be64(p->b + 2) && !(p->b[14] & 1) ? bad_field(p, 2) : 0;
}

static int parse_report_luns(const struct parse *p)
{
	p->c->select = p->b[2];
	p->c->list_len = load_be32(p->b + 6);
	if (p->c->select > 2)
		return bad_field(p, 2);
	return p->c->list_len < 16 ? bad_field(p, 6) : 0;
}

static int parse_report_opcodes(const struct parse *p)
{
	p->c->timeouts = p->b[2] & 0x80;
	p->c->report = p->b[2] & 0x07;
	p->c->report_opcode = p->b[3];
	p->c->report_action = load_be16(p->b + 4);
	p->c->list_len = load_be32(p->b + 6);
	return p->c->report > 3 ? bad_field(p, 2) : 0;
}

/*
 * RESERVE and RELEASE of SPC-2 are not among them: SPC-4 has neither, and to
 * answer GOOD without reserving anything, as some do, would be a lie to
 * whoever shares an image with ",ro". GET LBA STATUS is optional (SBC-3, 5.6).
 *
 * Sorted by opcode; at most one service action of each is known. `usage` is
 * the CDB usage data of SPC-4, 6.35.3: a bit is set where we look at it.
 */
struct known {
	uint8_t opcode, len;
	uint16_t action;
	enum scsi_op op;
	int (*parse)(const struct parse *p);
	uint8_t usage[SCSI_CDB_MAX];
};

#define LBA4 0xff, 0xff, 0xff, 0xff
#define LBA8 LBA4, LBA4
#define LEN2 0xff, 0xff
#define LEN4 0xff, 0xff, 0xff, 0xff
#define CMD(opcode, len, op, parse, ...)                                       \
	{                                                                      \
		opcode, len, NO_ACTION, SCSI_OP_##op, parse,                   \
		{                                                              \
			opcode, __VA_ARGS__                                    \
		}                                                              \
	}
#define CMD_SA(opcode, action, len, op, parse, ...)                            \
	{                                                                      \
		opcode, len, action, SCSI_OP_##op, parse,                      \
		{                                                              \
			opcode, action, __VA_ARGS__                            \
		}                                                              \
	}

static const struct known known[] = {
	CMD(0x00, 6, TEST_UNIT_READY, parse_none, 0),
	CMD(0x03, 6, REQUEST_SENSE, parse_request_sense, 0x01, 0, 0, 0xff),
	CMD(0x08, 6, READ, parse_rw, 0x1f, 0xff, 0xff, 0xff),
	CMD(0x0a, 6, WRITE, parse_rw, 0x1f, 0xff, 0xff, 0xff),
	CMD(0x12, 6, INQUIRY, parse_inquiry, 0x03, 0xff, LEN2),
	CMD(0x15, 6, MODE_SELECT, parse_mode_select, 0x11, 0, 0, 0xff),
	CMD(0x1a, 6, MODE_SENSE, parse_mode_sense, 0x08, 0xff, 0xff, 0xff),
	CMD(0x1b, 6, START_STOP, parse_start_stop, 0, 0, 0, 0xf7),
	CMD(0x1d, 6, SEND_DIAGNOSTIC, parse_send_diagnostic, 0xe0, 0, LEN2),
	CMD(0x1e, 6, PREVENT_ALLOW, parse_prevent, 0, 0, 0, 0x03),
	CMD(0x25, 10, READ_CAPACITY_10, parse_capacity_10, 0, LBA4, 0, 0, 0x01),
	CMD(0x28, 10, READ, parse_rw, 0xf8, LBA4, 0, LEN2),
	CMD(0x2a, 10, WRITE, parse_rw, 0xf8, LBA4, 0, LEN2),
	CMD(0x2f, 10, VERIFY, parse_verify, 0xf6, LBA4, 0, LEN2),
	CMD(0x35, 10, SYNC_CACHE, parse_sync, 0, LBA4, 0, LEN2),
	CMD(0x41, 10, WRITE_SAME, parse_write_same, 0xff, LBA4, 0, LEN2),
	CMD(0x42, 10, UNMAP, parse_unmap, 0x01, 0, 0, 0, 0, 0, LEN2),
	CMD(0x55, 10, MODE_SELECT, parse_mode_select, 0x11, 0, 0, 0, 0, 0,
	    LEN2),
	CMD(0x5a, 10, MODE_SENSE, parse_mode_sense, 0x18, 0xff, 0xff, 0, 0, 0,
	    LEN2),
	CMD(0x88, 16, READ, parse_rw, 0xf8, LBA8, LEN4),
	CMD(0x8a, 16, WRITE, parse_rw, 0xf8, LBA8, LEN4),
	CMD(0x8f, 16, VERIFY, parse_verify, 0xf6, LBA8, LEN4),
	CMD(0x91, 16, SYNC_CACHE, parse_sync, 0, LBA8, LEN4),
	CMD(0x93, 16, WRITE_SAME, parse_write_same, 0xff, LBA8, LEN4),
	CMD_SA(0x9e, 0x10, 16, READ_CAPACITY_16, parse_capacity_16, LBA8, LEN4,
	       0x01),
	CMD(0xa0, 12, REPORT_LUNS, parse_report_luns, 0, 0xff, 0, 0, 0, LEN4),
	CMD_SA(0xa3, 0x0c, 12, REPORT_OPCODES, parse_report_opcodes, 0x87, 0xff,
	       LEN2, LEN4),
	CMD(0xa8, 12, READ, parse_rw, 0xf8, LBA4, LEN4),
	CMD(0xaa, 12, WRITE, parse_rw, 0xf8, LBA4, LEN4),
	CMD(0xaf, 12, VERIFY, parse_verify, 0xf6, LBA4, LEN4),
};
_Static_assert(ARRAY_SIZE(known) == SCSI_OPCODES, "the header says how many");

static const struct known *find(uint8_t opcode)
{
	size_t lo = 0, hi = ARRAY_SIZE(known);

	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (known[mid].opcode == opcode)
			return &known[mid];
		if (known[mid].opcode < opcode)
			lo = mid + 1;
		else
			hi = mid;
	}
	return NULL;
}

int scsi_cdb_parse(const uint8_t *cdb, size_t len, struct scsi_cdb *ret,
		   struct scsi_sense *ret_sense)
{
	const struct known *k = len ? find(cdb[0]) : NULL;
	struct scsi_cdb c = {0};
	struct parse p = {cdb, &c, ret_sense};
	int r;

	if (!k || len < k->len)
		return bad_opcode(ret_sense);
	if (k->action != NO_ACTION && (cdb[1] & 0x1f) != k->action)
		return bad_field(&p, 1);
	/* SAM-5, 5.2 "CONTROL byte": there is no ACA here */
	if (cdb[k->len - 1] & CONTROL_NACA)
		return bad_field(&p, (uint16_t)(k->len - 1));
	c.op = k->op;
	c.opcode = k->opcode;
	c.len = k->len;
	r = k->parse(&p);
	if (r < 0)
		return r;
	*ret = c;
	return 0;
}

/* SPC-4, 6.35.4: how long a command may take; 0 means we do not say. */
static size_t put_timeouts(uint8_t *p)
{
	memset(p, 0, 12);
	store_be16(p, 10);
	return 12;
}

static size_t report_all(bool timeouts, uint8_t *buf)
{
	uint8_t *p = buf + 4;

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		const struct known *k = &known[i];
		bool has_action = k->action != NO_ACTION;

		memset(p, 0, 8);
		p[0] = k->opcode;
		store_be16(p + 2, has_action ? k->action : 0);
		p[5] = (uint8_t)((timeouts ? 0x02 : 0) | has_action);
		store_be16(p + 6, k->len);
		p += 8;
		if (timeouts)
			p += put_timeouts(p);
	}
	store_be32(buf, (uint32_t)(p - buf - 4));
	return (size_t)(p - buf);
}

static size_t report_one(const struct known *k, bool timeouts, uint8_t *buf)
{
	size_t n = 4;

	memset(buf, 0, 4);
	if (!k) {
		buf[1] = 0x01; /* not supported */
		return n;
	}
	buf[1] = (uint8_t)(0x03 | (timeouts ? 0x80 : 0)); /* as the standard */
	store_be16(buf + 2, k->len);
	memcpy(buf + n, k->usage, k->len);
	n += k->len;
	if (timeouts)
		n += put_timeouts(buf + n);
	return n;
}

int scsi_cdb_report(const struct scsi_cdb *c,
		    uint8_t buf[static SCSI_OPCODES_MAX],
		    struct scsi_sense *ret_sense)
{
	const struct known *k = find(c->report_opcode);
	struct parse p = {NULL, NULL, ret_sense};
	bool has_action = k && k->action != NO_ACTION;

	if (!c->report)
		return (int)report_all(c->timeouts, buf);
	if (c->report == 1 && has_action)
		return bad_field(&p, 2);
	if (c->report == 2 && k && !has_action)
		return bad_field(&p, 2);
	if (c->report > 1 && k &&
	    c->report_action != (has_action ? k->action : 0))
		k = NULL;
	return (int)report_one(k, c->timeouts, buf);
}
