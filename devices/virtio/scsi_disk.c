/* devices/virtio/scsi_disk.c - a logical unit: from request to status. */
#include "devices/virtio/scsi_disk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/scsi_disk_impl.h"
#include "devices/virtio/virtq.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

/* --- commands ------------------------------------------------------------- */

/* Answer with @len bytes of data-in, as many as the guest asked for. */
static void reply(struct scsi_task *t, const uint8_t *buf, size_t len)
{
	size_t n = len < t->cdb.list_len ? len : t->cdb.list_len;

	/* in range: the buffer holds list_len bytes */
	if (virtq_chain_write(t->chain, t->in_off, buf, n) < 0) {
		t->bad_data = true;
		n = 0;
	}
	t->moved = n;
	scsi_task_good(t);
}

/* The result of a function of scsi_pages.h. */
static void reply_or_check(struct scsi_task *t, const uint8_t *buf, int r)
{
	if (r < 0)
		scsi_task_check(t, t->sense.code);
	else
		reply(t, buf, (size_t)r);
}

static void inquiry(struct scsi_task *t)
{
	uint8_t buf[SCSI_PAGES_MAX];

	reply_or_check(
		t, buf,
		scsi_pages_inquiry(&t->cdb, &t->disk->facts, buf, &t->sense));
}

static void read_capacity(struct scsi_task *t)
{
	uint8_t buf[SCSI_PAGES_MAX];
	int n = scsi_pages_capacity(&t->cdb, &t->disk->facts, buf);

	if (t->cdb.op == SCSI_OP_READ_CAPACITY_10)
		t->cdb.list_len = (uint32_t)n;
	reply(t, buf, (size_t)n);
}

static void mode_sense(struct scsi_task *t)
{
	uint8_t buf[SCSI_PAGES_MAX];

	reply_or_check(t, buf,
		       scsi_pages_mode_sense(&t->cdb, &t->disk->facts, buf,
					     &t->sense));
}

static void mode_select(struct scsi_task *t)
{
	uint8_t list[SCSI_MODE_LIST_MAX];
	struct scsi_disk *d = t->disk;
	size_t n = t->cdb.list_len;
	bool wce;

	if (n > sizeof(list)) {
		scsi_task_check(t, SCSI_LIST_LENGTH_ERROR);
		return;
	}
	if (virtq_chain_read(t->chain, t->out_off, list, n) < 0 ||
	    scsi_pages_mode_select(&t->cdb, &d->facts, list, n, &wce,
				   &t->sense) < 0) {
		scsi_task_check(t, t->sense.code);
		return;
	}
	t->moved = n;
	/* what was cached is safe before the guest hears that nothing is */
	if (d->facts.wce && !wce) {
		d->facts.wce = false;
		scsi_task_flush(t);
		return;
	}
	d->facts.wce = wce;
	scsi_task_good(t);
}

static uint32_t attention_take(struct scsi_disk *d)
{
	uint32_t code = d->attention;

	if (code) {
		d->attention = 0;
	} else if (d->capacity_changed) {
		d->capacity_changed = false;
		code = SCSI_CAPACITY_CHANGED;
	}
	return code;
}

static void request_sense(struct scsi_task *t)
{
	struct scsi_sense s = {.code = attention_take(t->disk)};
	uint8_t buf[SCSI_SENSE_DESC_MAX];

	if (t->cdb.desc) {
		reply(t, buf, scsi_sense_desc(&s, buf));
		return;
	}
	scsi_sense_fixed(&s, buf);
	reply(t, buf, SCSI_SENSE_FIXED_LEN);
}

static void report_opcodes(struct scsi_task *t)
{
	uint8_t buf[SCSI_OPCODES_MAX];

	reply_or_check(t, buf, scsi_cdb_report(&t->cdb, buf, &t->sense));
}

/* Where in the guest's memory the data of a READ or WRITE is. */
static int map_data(struct scsi_task *t, bool in, uint64_t len)
{
	uint64_t off = in ? t->in_off : t->out_off;
	unsigned int want = 1;

	for (;;) {
		int r = scsi_task_iov(t, want);

		if (r < 0)
			return r;
		r = virtq_chain_slice(t->chain, in, off, len, t->iov,
				      t->iov_cap);
		if (r != -E2BIG || t->iov_cap >= SCSI_IO_IOV_MAX)
			return r;
		want = t->iov_cap * 2;
	}
}

static void transferred(struct scsi_task *t, int result)
{
	struct scsi_disk_counters *c = &t->disk->c;
	bool read = t->cdb.op == SCSI_OP_READ;

	if (result < 0) {
		scsi_task_host_error(t, result);
		return;
	}
	t->moved = (uint64_t)t->cdb.blocks * t->disk->facts.block_size;
	scsi_count(read ? &c->reads : &c->writes, 1);
	scsi_count(read ? &c->read_bytes : &c->write_bytes, t->moved);
	scsi_task_good(t);
}

static void read_write(struct scsi_task *t)
{
	bool read = t->cdb.op == SCSI_OP_READ;
	uint32_t bs = t->disk->facts.block_size;
	uint64_t len = (uint64_t)t->cdb.blocks * bs;
	int n;

	if (!scsi_task_in_range(t, t->cdb.lba, t->cdb.blocks))
		return;
	if (t->cdb.blocks > SCSI_XFER_BLOCKS_MAX) {
		scsi_task_bad_cdb(t, t->cdb.len == 12 ? 6 : 10);
		return;
	}
	if (!len) {
		scsi_task_good(t);
		return;
	}
	n = map_data(t, read, len);
	if (n < 0) {
		t->bad_data = n != -ENOMEM;
		scsi_task_finish(t, SCSI_BUSY);
		return;
	}
	scsi_task_io(t, read ? SCSI_IO_READ : SCSI_IO_WRITE, t->cdb.lba * bs,
		     len, (unsigned int)n, transferred);
}

static void sync_cache(struct scsi_task *t)
{
	if (!scsi_task_in_range(t, t->cdb.lba, t->cdb.blocks))
		return;
	scsi_count(&t->disk->c.flushes, 1);
	scsi_task_flush(t);
}

/* There is no spindle; stopping makes durable what is cached. */
static void start_stop(struct scsi_task *t)
{
	if (t->cdb.start || t->cdb.no_flush) {
		scsi_task_good(t);
		return;
	}
	scsi_count(&t->disk->c.flushes, 1);
	scsi_task_flush(t);
}

static void act(struct scsi_task *t)
{
	switch (t->cdb.op) {
	case SCSI_OP_READ:
	case SCSI_OP_WRITE:
		read_write(t);
		break;
	case SCSI_OP_SYNC_CACHE:
		sync_cache(t);
		break;
	case SCSI_OP_VERIFY:
		scsi_disk_verify(t);
		break;
	case SCSI_OP_WRITE_SAME:
		scsi_disk_write_same(t);
		break;
	case SCSI_OP_UNMAP:
		scsi_disk_unmap(t);
		break;
	case SCSI_OP_INQUIRY:
		inquiry(t);
		break;
	case SCSI_OP_READ_CAPACITY_10:
	case SCSI_OP_READ_CAPACITY_16:
		read_capacity(t);
		break;
	case SCSI_OP_MODE_SENSE:
		mode_sense(t);
		break;
	case SCSI_OP_MODE_SELECT:
		mode_select(t);
		break;
	case SCSI_OP_REQUEST_SENSE:
		request_sense(t);
		break;
	case SCSI_OP_REPORT_OPCODES:
		report_opcodes(t);
		break;
	case SCSI_OP_START_STOP:
		start_stop(t);
		break;
	case SCSI_OP_TEST_UNIT_READY:
	case SCSI_OP_SEND_DIAGNOSTIC:
	case SCSI_OP_PREVENT_ALLOW:
		scsi_task_good(t);
		break;
	default:
		scsi_task_check(t, SCSI_INVALID_OPCODE);
	}
}

/* How much data the command asks for; true: it takes it from the guest. */
static bool wanted(const struct scsi_task *t, uint64_t *len)
{
	const struct scsi_cdb *c = &t->cdb;
	uint32_t bs = t->disk->facts.block_size;

	*len = c->list_len;
	switch (c->op) {
	case SCSI_OP_READ:
		*len = (uint64_t)c->blocks * bs;
		return false;
	case SCSI_OP_WRITE:
		*len = (uint64_t)c->blocks * bs;
		return true;
	case SCSI_OP_VERIFY:
		*len = c->bytchk ? (uint64_t)c->blocks * bs : 0;
		return true;
	case SCSI_OP_WRITE_SAME:
		*len = c->ndob ? 0 : bs;
		return true;
	case SCSI_OP_READ_CAPACITY_10:
		*len = 8;
		return false;
	case SCSI_OP_UNMAP:
	case SCSI_OP_MODE_SELECT:
		return true;
	default:
		return false;
	}
}

static bool changes_medium(const struct scsi_cdb *c)
{
	return c->op == SCSI_OP_WRITE || c->op == SCSI_OP_WRITE_SAME ||
	       c->op == SCSI_OP_UNMAP;
}

/* SPC-4, 4.3.3.x: these two work, and leave the unit attention as it is. */
static bool ignores_attention(const struct scsi_cdb *c)
{
	return c->op == SCSI_OP_INQUIRY || c->op == SCSI_OP_REQUEST_SENSE;
}

void scsi_disk_start(struct scsi_disk *d, struct scsi_task *t)
{
	uint64_t len;
	uint32_t code;
	bool out;

	t->disk = d;
	t->status = SCSI_GOOD;
	t->sense = (struct scsi_sense){0};
	t->moved = 0;
	t->overrun = t->bad_data = false;
	out = wanted(t, &len);
	if (len > (out ? t->out_len : t->in_len)) {
		t->overrun = true;
		scsi_task_good(t);
		return;
	}
	if (!ignores_attention(&t->cdb) && (code = attention_take(d))) {
		scsi_task_check(t, code);
		return;
	}
	if (d->facts.read_only && changes_medium(&t->cdb)) {
		scsi_task_check(t, SCSI_WRITE_PROTECTED);
		return;
	}
	act(t);
}

/* --- the unit ------------------------------------------------------------- */

void scsi_disk_reset(struct scsi_disk *d, uint32_t reason)
{
	d->facts.wce = !d->facts.read_only;
	d->attention = reason;
	d->capacity_changed = false;
}

bool scsi_disk_resize(struct scsi_disk *d, uint64_t bytes)
{
	uint64_t blocks = bytes / d->facts.block_size;

	/* no last LBA can say that there is none: an empty disk stays as it
	 * was, and its blocks fail one by one */
	if (!blocks || blocks == d->facts.blocks)
		return false;
	d->facts.blocks = blocks;
	d->capacity_changed = true;
	return true;
}

static bool serial_ok(const char *s)
{
	size_t n = s ? strnlen(s, SCSI_SERIAL_MAX + 1) : 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] < 0x20 || s[i] > 0x7e)
			return false;
	return n && n <= SCSI_SERIAL_MAX;
}

int scsi_disk_create(const struct scsi_disk_params *p, struct scsi_disk **ret,
		     struct err *err)
{
	struct scsi_disk *d;

	if (!serial_ok(p->serial))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "disk serial: 1 to %d characters of "
				    "printable ASCII",
				    SCSI_SERIAL_MAX);
	if (p->block_size < 512 || p->block_size > 4096 ||
	    !is_power_of_two(p->block_size) ||
	    !is_power_of_two(p->phys_block_size) ||
	    p->phys_block_size < p->block_size || p->phys_block_size > MIB(1) ||
	    p->bytes < p->block_size || p->bytes > INT64_MAX)
		return err_set_kind(err, ERR_INTERNAL, -EINVAL,
				    "disk of %llu bytes in blocks of %u and %u",
				    (unsigned long long)p->bytes, p->block_size,
				    p->phys_block_size);
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_set(err, -ENOMEM, "out of memory");
	d->backend = p->backend;
	memcpy(d->serial, p->serial, strlen(p->serial));
	d->facts = (struct scsi_facts){
		.blocks = p->bytes / p->block_size,
		.block_size = p->block_size,
		.phys_block_size = p->phys_block_size,
		.discard_granularity = p->discard_granularity,
		.read_only = p->read_only,
		.serial = d->serial,
	};
	scsi_disk_reset(d, SCSI_POWER_ON);
	*ret = d;
	return 0;
}

void scsi_disk_destroy(struct scsi_disk *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < SCSI_SCRATCHES; i++)
		free(d->scratch[i]);
	free(d);
}

void scsi_disk_counters(const struct scsi_disk *d,
			struct scsi_disk_counters *ret)
{
	const uint64_t *from = (const uint64_t *)&d->c;
	uint64_t *to = (uint64_t *)ret;

	for (size_t i = 0; i < sizeof(*ret) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}
