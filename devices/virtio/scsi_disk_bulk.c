/*
 * devices/virtio/scsi_disk_bulk.c - commands that take several steps: VERIFY,
 * WRITE SAME, UNMAP. Each keeps one I/O in flight, so that a command of many
 * blocks costs no more memory than one of few, and can be stopped in between.
 */
#include "devices/virtio/scsi_disk_impl.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/virtq.h"
#include "vmm/base/bytes.h"

enum {
	SAME_PIECES = 16, /* times the pattern per write: 1 MiB */
	UNMAP_HEADER = 8,
	UNMAP_DESC = 16,
};
_Static_assert(UNMAP_HEADER + SCSI_UNMAP_DESCS_MAX * UNMAP_DESC <=
		       SCSI_SCRATCH_HALF,
	       "the list of an UNMAP fits");

static uint64_t total(const struct scsi_task *t)
{
	return (uint64_t)t->cdb.blocks * t->disk->facts.block_size;
}

static uint64_t position(const struct scsi_task *t)
{
	return t->cdb.lba * t->disk->facts.block_size + t->pos;
}

/* --- VERIFY (SBC-3, 5.29) ------------------------------------------------- */

static size_t verify_len(const struct scsi_task *t)
{
	uint64_t left = total(t) - t->pos;

	return left < SCSI_SCRATCH_HALF ? (size_t)left : SCSI_SCRATCH_HALF;
}

static void verify_read(struct scsi_task *t, int result);

static void verify_next(struct scsi_task *t, int result)
{
	size_t len = verify_len(t);

	(void)result;
	if (scsi_task_iov(t, 1) < 0) {
		scsi_task_host_error(t, -ENOMEM);
		return;
	}
	t->iov[0] = (struct iovec){t->scratch, len};
	scsi_task_io(t, SCSI_IO_READ, position(t), len, 1, verify_read);
}

/* Is what was read what the guest has? Else the task is at its end. */
static bool verify_compare(struct scsi_task *t, size_t len)
{
	uint8_t *disk = t->scratch, *guest = t->scratch + SCSI_SCRATCH_HALF;
	size_t i = 0;

	if (virtq_chain_read(t->chain, t->out_off + t->pos, guest, len) < 0) {
		t->bad_data = true;
		scsi_task_good(t);
		return false;
	}
	if (!memcmp(disk, guest, len))
		return true;
	while (disk[i] == guest[i])
		i++;
	t->sense.has_info = true;
	t->sense.info = t->pos + i;
	scsi_task_check(t, SCSI_MISCOMPARE);
	return false;
}

static void verify_read(struct scsi_task *t, int result)
{
	size_t len = verify_len(t);

	if (result < 0) {
		scsi_task_host_error(t, result);
		return;
	}
	if (t->cdb.bytchk && !verify_compare(t, len))
		return;
	t->pos += len;
	t->moved = t->cdb.bytchk ? t->pos : 0;
	if (t->pos == total(t))
		scsi_task_good(t);
	else
		verify_next(t, 0);
}

void scsi_disk_verify(struct scsi_task *t)
{
	if (!scsi_task_in_range(t, t->cdb.lba, t->cdb.blocks))
		return;
	if (t->cdb.blocks > SCSI_XFER_BLOCKS_MAX) {
		scsi_task_bad_cdb(t, t->cdb.len == 12 ? 6 : 10);
		return;
	}
	t->pos = 0;
	if (t->cdb.blocks)
		scsi_task_scratch(t, verify_next);
	else
		scsi_task_good(t);
}

/* --- WRITE SAME (SBC-3, 5.43) --------------------------------------------- */

static void same_written(struct scsi_task *t, int result);

static void same_next(struct scsi_task *t)
{
	uint64_t left = total(t) - t->pos, len = 0;
	unsigned int n = 0;

	while (n < SAME_PIECES && len < left) {
		uint64_t piece = left - len;

		if (piece > SCSI_SCRATCH_HALF)
			piece = SCSI_SCRATCH_HALF;
		t->iov[n++] = (struct iovec){t->scratch, (size_t)piece};
		len += piece;
	}
	scsi_task_io(t, SCSI_IO_WRITE, position(t), len, n, same_written);
}

static void same_written(struct scsi_task *t, int result)
{
	uint64_t left = total(t) - t->pos;
	uint64_t step = (uint64_t)SAME_PIECES * SCSI_SCRATCH_HALF;

	if (result < 0) {
		scsi_task_host_error(t, result);
		return;
	}
	t->pos += left < step ? left : step;
	if (t->pos < total(t)) {
		same_next(t);
		return;
	}
	/* each write was durable already if the cache is off */
	scsi_count(&t->disk->c.zeroes, 1);
	scsi_task_good(t);
}

/* Write the pattern again and again; it is in the first block of scratch. */
static void same_fill(struct scsi_task *t)
{
	size_t bs = t->disk->facts.block_size;

	if (scsi_task_iov(t, SAME_PIECES) < 0) {
		scsi_task_host_error(t, -ENOMEM);
		return;
	}
	for (size_t n = bs; n < SCSI_SCRATCH_HALF; n += bs)
		memcpy(t->scratch + n, t->scratch, bs);
	t->pos = 0;
	same_next(t);
}

static void same_zeroed(struct scsi_task *t, int result)
{
	bool discard = t->io.op == SCSI_IO_DISCARD;

	if (result == -EOPNOTSUPP && discard) {
		scsi_task_io(t, SCSI_IO_ZERO, position(t), total(t), 0,
			     same_zeroed);
	} else if (result == -EOPNOTSUPP) {
		same_fill(t);
	} else if (result < 0) {
		scsi_task_host_error(t, result);
	} else {
		scsi_count(discard ? &t->disk->c.discards : &t->disk->c.zeroes,
			   1);
		scsi_task_changed(t);
	}
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return !p[0] && !memcmp(p, p + 1, n - 1);
}

static void same_begin(struct scsi_task *t, int result)
{
	size_t bs = t->disk->facts.block_size;

	(void)result;
	if (t->cdb.ndob) {
		memset(t->scratch, 0, bs);
	} else if (virtq_chain_read(t->chain, t->out_off, t->scratch, bs) < 0) {
		t->bad_data = true;
		scsi_task_good(t);
		return;
	}
	t->moved = t->cdb.ndob ? 0 : bs;
	/* only zeros can be unmapped: that is what unmapped blocks read as */
	if (is_zero(t->scratch, bs))
		scsi_task_io(t, t->cdb.unmap ? SCSI_IO_DISCARD : SCSI_IO_ZERO,
			     position(t), total(t), 0, same_zeroed);
	else
		same_fill(t);
}

void scsi_disk_write_same(struct scsi_task *t)
{
	uint16_t field = t->cdb.len == 16 ? 10 : 7;

	/* 0 would be all the rest of the disk: WSNZ says we do not do that */
	if (!t->cdb.blocks || t->cdb.blocks > SCSI_SAME_BLOCKS_MAX) {
		scsi_task_bad_cdb(t, field);
		return;
	}
	if (!scsi_task_in_range(t, t->cdb.lba, t->cdb.blocks))
		return;
	t->pos = 0;
	scsi_task_scratch(t, same_begin);
}

/* --- UNMAP (SBC-3, 5.28) -------------------------------------------------- */

static const uint8_t *unmap_desc(const struct scsi_task *t, uint32_t i)
{
	return t->scratch + UNMAP_HEADER + (size_t)i * UNMAP_DESC;
}

static uint32_t unmap_count(const struct scsi_task *t)
{
	return load_be16(t->scratch + 2) / UNMAP_DESC;
}

static void unmap_next(struct scsi_task *t, int result)
{
	uint32_t bs = t->disk->facts.block_size, blocks = 0;
	const uint8_t *p = NULL;

	/* it is a hint: a file that cannot keeps its blocks */
	if (result < 0 && result != -EOPNOTSUPP) {
		scsi_task_host_error(t, result);
		return;
	}
	while (t->index < unmap_count(t) && !blocks) {
		p = unmap_desc(t, t->index++);
		blocks = load_be32(p + 8);
	}
	if (blocks) {
		scsi_task_io(t, SCSI_IO_DISCARD, load_be64(p) * bs,
			     (uint64_t)blocks * bs, 0, unmap_next);
		return;
	}
	scsi_count(&t->disk->c.discards, 1);
	scsi_task_changed(t);
}

/*
 * All of the list is checked before any of it is done. A list shorter than its
 * header fails with what scratch held before: data + header is longer anyway.
 */
static bool unmap_check(struct scsi_task *t)
{
	uint32_t len = t->cdb.list_len, data = load_be16(t->scratch + 2);
	uint64_t sum = 0;

	if (load_be16(t->scratch) + 2u > len || data + UNMAP_HEADER > len ||
	    data % UNMAP_DESC) {
		scsi_task_check(t, SCSI_LIST_LENGTH_ERROR);
		return false;
	}
	for (uint32_t i = 0; i < unmap_count(t); i++) {
		const uint8_t *p = unmap_desc(t, i);
		uint32_t blocks = load_be32(p + 8);

		if (!scsi_task_in_range(t, load_be64(p), blocks))
			return false;
		sum += blocks;
		if (sum > SCSI_UNMAP_BLOCKS_MAX) {
			scsi_task_bad_list(t, (uint16_t)(p + 8 - t->scratch));
			return false;
		}
	}
	return true;
}

static void unmap_begin(struct scsi_task *t, int result)
{
	(void)result;
	if (virtq_chain_read(t->chain, t->out_off, t->scratch,
			     t->cdb.list_len) < 0) {
		t->bad_data = true;
		scsi_task_good(t);
		return;
	}
	if (!unmap_check(t))
		return;
	t->moved = t->cdb.list_len;
	t->index = 0;
	unmap_next(t, 0);
}

void scsi_disk_unmap(struct scsi_task *t)
{
	uint32_t len = t->cdb.list_len;

	if (!len)
		scsi_task_good(t);
	else if (len > UNMAP_HEADER + SCSI_UNMAP_DESCS_MAX * UNMAP_DESC)
		scsi_task_bad_list(t, 2);
	else
		scsi_task_scratch(t, unmap_begin);
}
