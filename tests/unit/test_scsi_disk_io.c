/* tests/unit/test_scsi_disk_io.c - what a disk does to its blocks. */
#include "tests/unit/scsi_disk_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- blocks
 * ------------------------------------------------------------------- */

static void what_is_written_is_read_back_in_all_widths(void **state)
{
	struct fixture *f = *state;

	fill(data_out(f), 4 * BS, 1);
	GOOD(f, 4 * BS, 0, 0x2a, 0, 0, 0, 0, 5, 0, 0, 4);
	assert_int_equal(f->task.moved, 4 * BS);
	assert_memory_equal(f->fake->data[0] + 5 * BS, data_out(f), 4 * BS);
	GOOD(f, 0, 4 * BS, 0x28, 0, 0, 0, 0, 5, 0, 0, 4);
	assert_int_equal(f->task.moved, 4 * BS);
	assert_memory_equal(data_in(f), data_out(f), 4 * BS);
	GOOD(f, 0, 2 * BS, 0x08, 0, 0, 7, 2);
	assert_memory_equal(data_in(f), data_out(f) + 2 * BS, 2 * BS);
	GOOD(f, 0, BS, 0xa8, 0, 0, 0, 0, 6, 0, 0, 0, 1);
	assert_memory_equal(data_in(f), data_out(f) + BS, BS);
	GOOD(f, 0, BS, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0, 0, 1);
	assert_memory_equal(data_in(f), data_out(f) + 3 * BS, BS);
	GOOD(f, BS, 0, 0x0a, 0, 0, 9, 1);
	GOOD(f, BS, 0, 0xaa, 0, 0, 0, 0, 10, 0, 0, 0, 1);
	GOOD(f, BS, 0, 0x8a, 0, 0, 0, 0, 0, 0, 0, 0, 11, 0, 0, 0, 1);
	for (unsigned int i = 9; i < 12; i++)
		assert_memory_equal(f->fake->data[0] + i * BS, data_out(f), BS);
	assert_int_equal(counters(f).reads, 4);
	assert_int_equal(counters(f).read_bytes, 8 * BS);
	assert_int_equal(counters(f).writes, 4);
	assert_int_equal(counters(f).write_bytes, 7 * BS);
}

static void nothing_past_the_end_is_touched(void **state)
{
	static const uint8_t last = (BLOCKS - 1) & 0xff;
	struct fixture *f = *state;
	uint8_t hi = (BLOCKS - 1) >> 8;

	GOOD(f, 0, BS, 0x28, 0, 0, 0, hi, last, 0, 0, 1);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, 0, 2 * BS, 0x28, 0, 0, 0, hi, last, 0,
	      0, 2);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, 2 * BS, 0, 0x2a, 0, 0, 0, hi, last, 0,
	      0, 2);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, 0, BS, 0x88, 0, 0xff, 0xff, 0xff, 0xff,
	      0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, 0, 0, 0x8f, 0, 0xff, 0xff, 0xff, 0xff,
	      0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, 0, 0, 0x35, 0, 0, 0, hi, last, 0, 0, 2);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, BS, 0, 0x41, 0, 0, 0, hi, last, 0, 0,
	      2);
	/* no block at the end is no error, no block past it is one */
	GOOD(f, 0, 0, 0x28, 0, 0, 0, BLOCKS >> 8, 0, 0, 0, 0);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, 0, 0, 0x28, 0, 0, 0, BLOCKS >> 8, 1, 0,
	      0, 0);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 1);
	assert_int_equal(f->fake->n_ops[SCSI_IO_WRITE], 0);
	assert_int_equal(counters(f).refused, 7);
}

static void a_command_of_too_many_blocks_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_true(scsi_disk_resize(f->disk, GIB(64)));
	scsi_disk_reset(f->disk, 0);
	/* the buffer is a lie that a real chain cannot tell so easily */
	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, 0, 0x10001 * BS, 0x88, 0, 0, 0, 0,
	      0, 0, 0, 0, 0, 0, 1, 0, 1);
	assert_int_equal(f->task.sense.field, 10);
	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, 0, 0, 0xaf, 0, 0, 0, 0, 0, 0, 1, 0,
	      1);
	assert_int_equal(f->task.sense.field, 6);
	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, BS, 0, 0x93, 0, 0, 0, 0, 0, 0, 0, 0,
	      0, 0, 8, 0, 1);
}

static void a_buffer_too_short_is_an_overrun_and_nothing_happens(void **state)
{
	static const uint8_t cdbs[][16] = {
		{0x28, 0, 0, 0, 0, 0, 0, 0, 2},
		{0x12, 0, 0, 0, 96},
		{0x2a, 0, 0, 0, 0, 0, 0, 0, 2},
		{0x25},
		{0x2f, 2, 0, 0, 0, 0, 0, 0, 2},
		{0x41, 8, 0, 0, 0, 0, 0, 0, 1},
		{0x42, 0, 0, 0, 0, 0, 0, 0, 24},
		{0x15, 0x10, 0, 0, 24},
		{0x1a, 0, 0x3f, 0, 24},
		{0x03, 0, 0, 0, 18},
		{0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cdbs); i++) {
		uint8_t cdb[32] = {0};

		memcpy(cdb, cdbs[i], 16);
		run(f, cdb, 7, 7);
		assert_true(f->task.overrun);
		assert_int_equal(f->task.moved, 0);
	}
	for (size_t i = 0; i < FAKE_SCSI_OPS; i++)
		assert_int_equal(f->fake->n_ops[i], 0);
	/* the wrong direction does not help */
	run(f, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 2), 2 * BS, 0);
	assert_true(f->task.overrun);
}

static void a_longer_buffer_is_used_in_part(void **state)
{
	struct fixture *f = *state;

	memset(data_in(f), 0xee, 4 * BS);
	GOOD(f, 0, 4 * BS, 0x28, 0, 0, 0, 0, 0, 0, 0, 2);
	assert_int_equal(f->task.moved, 2 * BS);
	assert_int_equal(data_in(f)[2 * BS - 1], 0);
	assert_int_equal(data_in(f)[2 * BS], 0xee);
}

/* The chain in pieces of @len bytes; freed by the caller. */
static void shatter(struct fixture *f, size_t len, size_t n)
{
	struct iovec *iov = calloc(n, sizeof(*iov));

	assert_non_null(iov);
	for (size_t i = 0; i < n; i++)
		iov[i] = (struct iovec){f->in + i * len, len};
	f->chain.iov = iov;
	f->chain.n_out = 0;
	f->chain.out_len = 0;
	f->chain.n_in = n;
	f->chain.in_len = n * len;
}

static void a_buffer_in_many_pieces_is_one_request(void **state)
{
	struct fixture *f = *state;

	fill(f->fake->data[0], 128 * BS, 3);
	shatter(f, 64, SCSI_IO_IOV_MAX + 1);
	/* one byte of the first piece is not data */
	GOOD(f, 0, 127 * BS, 0x28, 0, 0, 0, 0, 0, 0, 0, 127);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 1);
	assert_int_equal(f->fake->last.n_iov, 127 * 8 + 1);
	assert_memory_equal(data_in(f), f->fake->data[0], 127 * BS);
	run(f, CDB(0x28, 0, 0, 0, 0, 0, 0, 0, 128), 0, 128 * BS);
	assert_true(f->task.bad_data);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 1);
	free(f->chain.iov);
}

/* --- durability
 * --------------------------------------------------------------- */

static void one_flush_of_the_guest_is_one_of_the_host(void **state)
{
	struct fixture *f = *state;

	GOOD(f, 0, 0, 0x35);
	assert_int_equal(f->fake->n_ops[SCSI_IO_FLUSH], 1);
	GOOD(f, 0, 0, 0x91);
	GOOD(f, 0, 0, 0x1b); /* stop */
	assert_int_equal(f->fake->n_ops[SCSI_IO_FLUSH], 3);
	assert_int_equal(counters(f).flushes, 3);
	assert_int_equal(counters(f).host_syncs, 3);
	f->fake->fail[SCSI_IO_FLUSH] = -EIO;
	SENSE(f, SCSI_WRITE_ERROR, 0, 0, 0x35);
	assert_int_equal(counters(f).errors, 1);
}

static void forced_access_reaches_the_backend(void **state)
{
	struct fixture *f = *state;

	GOOD(f, BS, 0, 0x2a, 0x08, 0, 0, 0, 0, 0, 0, 1);
	assert_true(f->fake->last.fua);
	GOOD(f, BS, 0, 0x2a, 0x00, 0, 0, 0, 0, 0, 0, 1);
	assert_false(f->fake->last.fua);
	GOOD(f, 0, BS, 0x28, 0x08, 0, 0, 0, 0, 0, 0, 1);
	assert_false(f->fake->last.fua);
}

/* The caching page as it is, with WCE as @wce, for MODE SELECT(6). */
static size_t caching_list(struct fixture *f, bool wce)
{
	uint8_t *p = data_out(f);

	GOOD(f, 0, 255, 0x1a, 0x08, 0x08, 0, 255);
	memcpy(p, data_in(f), 24);
	p[0] = p[2] = 0;
	p[6] = wce ? 4 : 0;
	return 24;
}

static void the_cache_can_be_switched_off(void **state)
{
	static const uint64_t d[][2] = {{1, 2}};
	struct fixture *f = *state;
	size_t n = caching_list(f, false);

	GOOD(f, n, 0, 0x15, 0x10, 0, 0, 24);
	assert_int_equal(f->task.moved, 24);
	/* what was cached before is safe now */
	assert_int_equal(f->fake->n_ops[SCSI_IO_FLUSH], 1);
	GOOD(f, 0, 255, 0x1a, 0x08, 0x08, 0, 255);
	assert_int_equal(data_in(f)[6], 0);
	GOOD(f, 0, 255, 0x1a, 0x08, 0x88, 0, 255); /* the default stays */
	assert_int_equal(data_in(f)[6], 4);
	GOOD(f, BS, 0, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
	assert_true(f->fake->last.fua);
	/* zeroing is no write: it is flushed */
	memset(data_out(f), 0, BS);
	GOOD(f, BS, 0, 0x41, 8, 0, 0, 0, 0, 0, 0, 1);
	assert_int_equal(f->fake->n_ops[SCSI_IO_FLUSH], 2);
	n = unmap_list(f, d, 1);
	GOOD(f, n, 0, UNMAP(n));
	assert_int_equal(f->fake->n_ops[SCSI_IO_FLUSH], 3);
	n = caching_list(f, true);
	GOOD(f, n, 0, 0x15, 0x10, 0, 0, 24);
	assert_int_equal(f->fake->n_ops[SCSI_IO_FLUSH], 3);
	GOOD(f, BS, 0, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
	assert_false(f->fake->last.fua);
	n = caching_list(f, false);
	GOOD(f, n, 0, 0x15, 0x10, 0, 0, 24);
	scsi_disk_reset(f->disk, 0);
	GOOD(f, 0, 255, 0x1a, 0x08, 0x08, 0, 255);
	assert_int_equal(data_in(f)[6], 4);
}

static void nothing_else_in_the_mode_pages_can_be_changed(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = data_out(f);

	GOOD(f, 0, 0, 0x15, 0x10); /* an empty list changes nothing */
	caching_list(f, false);
	p[8] = 1; /* disable prefetch transfer length */
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 24, 0, 0x15, 0x10, 0, 0, 24);
	assert_true(f->task.sense.in_list);
	assert_int_equal(f->task.sense.field, 8);
	caching_list(f, false);
	p[4] = 0x1c;
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 24, 0, 0x15, 0x10, 0, 0, 24);
	p[4] = 0x48; /* subpage format */
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 24, 0, 0x15, 0x10, 0, 0, 24);
	caching_list(f, false);
	p[5] = 17;
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 24, 0, 0x15, 0x10, 0, 0, 24);
	caching_list(f, false);
	SENSE(f, SCSI_LIST_LENGTH_ERROR, 24, 0, 0x15, 0x10, 0, 0, 23);
	SENSE(f, SCSI_LIST_LENGTH_ERROR, 24, 0, 0x15, 0x10, 0, 0, 5);
	SENSE(f, SCSI_LIST_LENGTH_ERROR, 24, 0, 0x15, 0x10, 0, 0, 3);
	SENSE(f, SCSI_LIST_LENGTH_ERROR, 300, 0, 0x55, 0x10, 0, 0, 0, 0, 0, 1,
	      1);
	p[3] = 7;
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 24, 0, 0x15, 0x10, 0, 0, 24);
	p[3] = 8;
	SENSE(f, SCSI_LIST_LENGTH_ERROR, 24, 0, 0x15, 0x10, 0, 0, 8);
	GOOD(f, 0, 255, 0x1a, 0x08, 0x08, 0, 255);
	assert_int_equal(data_in(f)[6], 4); /* none of that had an effect */
}

static void a_block_descriptor_may_say_what_is_so(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = data_out(f);

	memset(p, 0, 32);
	p[3] = 8;
	store_be32(p + 8, BS);
	GOOD(f, 12, 0, 0x15, 0x10, 0, 0, 12);
	store_be32(p + 4, BLOCKS);
	GOOD(f, 12, 0, 0x15, 0x10, 0, 0, 12);
	store_be32(p + 4, BLOCKS - 1);
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 12, 0, 0x15, 0x10, 0, 0, 12);
	store_be32(p + 4, 0xffffffff);
	store_be32(p + 8, 4096);
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 12, 0, 0x15, 0x10, 0, 0, 12);
	/* the long form */
	memset(p, 0, 32);
	p[4] = 1;
	p[7] = 16;
	store_be64(p + 8, UINT64_MAX);
	store_be32(p + 20, BS);
	GOOD(f, 24, 0, 0x55, 0x10, 0, 0, 0, 0, 0, 0, 24);
}

/* --- errors of the host
 * ------------------------------------------------------- */

static void host_errors_become_sense_that_means_the_same(void **state)
{
	static const struct {
		int error;
		uint32_t read, write;
	} cases[] = {
		{EIO, SCSI_READ_ERROR, SCSI_WRITE_ERROR},
		{EILSEQ, SCSI_READ_ERROR, SCSI_WRITE_ERROR},
		{ENOSPC, SCSI_SPACE_ALLOC_FAILED, SCSI_SPACE_ALLOC_FAILED},
		{EDQUOT, SCSI_SPACE_ALLOC_FAILED, SCSI_SPACE_ALLOC_FAILED},
		{EROFS, SCSI_WRITE_PROTECTED, SCSI_WRITE_PROTECTED},
		{ENXIO, SCSI_TARGET_FAILURE, SCSI_TARGET_FAILURE},
		{EINVAL, SCSI_TARGET_FAILURE, SCSI_TARGET_FAILURE},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->fake->fail[SCSI_IO_READ] = -cases[i].error;
		f->fake->fail[SCSI_IO_WRITE] = -cases[i].error;
		SENSE(f, cases[i].read, 0, BS, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
		assert_int_equal(f->task.moved, 0);
		SENSE(f, cases[i].write, BS, 0, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
		assert_int_equal(f->task.moved, 0);
	}
	assert_int_equal(counters(f).errors, 2 * ARRAY_SIZE(cases));
	assert_int_equal(counters(f).reads, 0);
	assert_int_equal(counters(f).refused, 0);
}

static void what_may_pass_with_time_is_busy(void **state)
{
	static const int passing[] = {EAGAIN, ENOMEM, ECANCELED, EBUSY};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(passing); i++) {
		f->fake->fail[SCSI_IO_FLUSH] = -passing[i];
		assert_int_equal(RUN(f, 0, 0, 0x35), SCSI_BUSY);
	}
}

/* --- VERIFY
 * ------------------------------------------------------------------- */

static void verify_reads_the_medium(void **state)
{
	struct fixture *f = *state;

	GOOD(f, 0, 0, 0x2f, 0, 0, 0, 0, 0, 0, 1, 0x2c); /* 300 blocks */
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 3);
	assert_int_equal(f->task.moved, 0);
	GOOD(f, 0, 0, 0x8f); /* nothing */
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 3);
	f->fake->fail[SCSI_IO_READ] = -EIO;
	SENSE(f, SCSI_READ_ERROR, 0, 0, 0x2f, 0, 0, 0, 0, 0, 0, 0, 1);
}

static void verify_compares_with_what_the_guest_has(void **state)
{
	struct fixture *f = *state;

	fill(data_out(f), 300 * BS, 5);
	memcpy(f->fake->data[0] + 2 * BS, data_out(f), 300 * BS);
	GOOD(f, 300 * BS, 0, 0x2f, 2, 0, 0, 0, 2, 0, 1, 0x2c);
	assert_int_equal(f->task.moved, 300 * BS);
	data_out(f)[299 * BS + 17] ^= 1;
	SENSE(f, SCSI_MISCOMPARE, 300 * BS, 0, 0x2f, 2, 0, 0, 0, 2, 0, 1, 0x2c);
	assert_true(f->task.sense.has_info);
	assert_int_equal(f->task.sense.info, 299 * BS + 17);
	assert_int_equal(counters(f).refused, 0);
}

/* --- WRITE SAME
 * --------------------------------------------------------------- */

static void write_same_of_zeros_costs_no_writing(void **state)
{
	struct fixture *f = *state;

	memset(f->fake->data[0], 0xff, 64 * BS);
	GOOD(f, BS, 0, 0x41, 8, 0, 0, 0, 1, 0, 0, 8); /* UNMAP */
	assert_int_equal(f->fake->last.op, SCSI_IO_DISCARD);
	assert_int_equal(f->fake->last.off, BS);
	assert_int_equal(f->fake->last.len, 8 * BS);
	assert_int_equal(f->task.moved, BS);
	GOOD(f, BS, 0, 0x41, 0, 0, 0, 0, 1, 0, 0, 8);
	assert_int_equal(f->fake->last.op, SCSI_IO_ZERO);
	/* no data-out, and no buffer for it */
	GOOD(f, 0, 0, 0x93, 9, 0, 0, 0, 0, 0, 0, 0, 20, 0, 0, 0, 4);
	assert_int_equal(f->fake->last.op, SCSI_IO_DISCARD);
	assert_int_equal(f->task.moved, 0);
	assert_int_equal(f->fake->n_ops[SCSI_IO_WRITE], 0);
	assert_int_equal(counters(f).discards, 2);
	assert_int_equal(counters(f).zeroes, 1);
	assert_int_equal(f->fake->data[0][BS - 1], 0xff);
	assert_int_equal(f->fake->data[0][BS], 0);
	assert_int_equal(f->fake->data[0][9 * BS], 0xff);
}

static void write_same_writes_where_the_file_cannot_zero(void **state)
{
	struct fixture *f = *state;

	f->fake->fail[SCSI_IO_DISCARD] = -EOPNOTSUPP;
	f->fake->fail[SCSI_IO_ZERO] = -EOPNOTSUPP;
	memset(f->fake->data[0], 0xff, 4096 * BS);
	/* 3000 blocks are one and a half megabytes, in two writes */
	GOOD(f, BS, 0, 0x41, 8, 0, 0, 0, 1, 0, 3000 >> 8, 3000 & 0xff);
	assert_int_equal(f->fake->n_ops[SCSI_IO_DISCARD], 1);
	assert_int_equal(f->fake->n_ops[SCSI_IO_ZERO], 1);
	assert_int_equal(f->fake->n_ops[SCSI_IO_WRITE], 2);
	assert_int_equal(f->fake->data[0][BS - 1], 0xff);
	for (size_t i = BS; i < 3001 * BS; i++)
		assert_int_equal(f->fake->data[0][i], 0);
	assert_int_equal(f->fake->data[0][3001 * BS], 0xff);
	f->fake->fail[SCSI_IO_WRITE] = -ENOSPC;
	SENSE(f, SCSI_SPACE_ALLOC_FAILED, BS, 0, 0x41, 8, 0, 0, 0, 1, 0, 0, 8);
	f->fake->fail[SCSI_IO_ZERO] = -EIO;
	SENSE(f, SCSI_WRITE_ERROR, BS, 0, 0x41, 0, 0, 0, 0, 1, 0, 0, 8);
}

static void write_same_repeats_any_other_block(void **state)
{
	struct fixture *f = *state;

	fill(data_out(f), BS, 9);
	/* UNMAP or not: this is not what unmapped blocks read as */
	GOOD(f, BS, 0, 0x93, 8, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0x10, 1);
	assert_int_equal(f->fake->n_ops[SCSI_IO_DISCARD], 0);
	for (unsigned int i = 2; i < 4099; i++)
		assert_memory_equal(f->fake->data[0] + i * BS, data_out(f), BS);
	assert_int_equal(f->fake->data[0][2 * BS - 1], 0);
	assert_int_equal(f->fake->data[0][4099 * BS + 1], 0);
}

static void write_same_of_no_blocks_is_refused(void **state)
{
	struct fixture *f = *state;

	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, BS, 0, 0x41);
	assert_int_equal(f->task.sense.field, 7);
	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, BS, 0, 0x93);
	assert_int_equal(f->task.sense.field, 10);
}

/* --- UNMAP
 * -------------------------------------------------------------------- */

static void unmap_gives_back_every_range_of_its_list(void **state)
{
	static const uint64_t d[][2] = {{1, 2}, {9, 0}, {16, 8}};
	struct fixture *f = *state;
	size_t n = unmap_list(f, d, 3);

	memset(f->fake->data[0], 0xff, 64 * BS);
	GOOD(f, n, 0, UNMAP(n));
	assert_int_equal(f->task.moved, n);
	assert_int_equal(f->fake->n_ops[SCSI_IO_DISCARD], 2);
	assert_int_equal(f->fake->data[0][1 * BS], 0);
	assert_int_equal(f->fake->data[0][3 * BS], 0xff);
	assert_int_equal(f->fake->data[0][23 * BS], 0);
	assert_int_equal(f->fake->data[0][24 * BS], 0xff);
	assert_int_equal(counters(f).discards, 1);
	GOOD(f, 0, 0, UNMAP(0));
	n = unmap_list(f, d, 0);
	GOOD(f, n, 0, UNMAP(n));
	assert_int_equal(f->fake->n_ops[SCSI_IO_DISCARD], 2);
}

static void unmap_is_a_hint_but_an_error_is_an_error(void **state)
{
	static const uint64_t d[][2] = {{1, 2}};
	struct fixture *f = *state;
	size_t n = unmap_list(f, d, 1);

	f->fake->fail[SCSI_IO_DISCARD] = -EOPNOTSUPP;
	GOOD(f, n, 0, UNMAP(n));
	f->fake->fail[SCSI_IO_DISCARD] = -EIO;
	SENSE(f, SCSI_WRITE_ERROR, n, 0, UNMAP(n));
}

static void a_bad_unmap_list_has_no_effect(void **state)
{
	static const uint64_t range[][2] = {{0, 8}, {BLOCKS - 1, 2}};
	static const uint64_t wrap[][2] = {{UINT64_MAX, 1}};
	static const uint64_t sum[][2] = {{0, SCSI_UNMAP_BLOCKS_MAX}, {0, 1}};
	struct fixture *f = *state;
	size_t n = unmap_list(f, range, 2);

	SENSE(f, SCSI_LBA_OUT_OF_RANGE, n, 0, UNMAP(n));
	n = unmap_list(f, wrap, 1);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, n, 0, UNMAP(n));
	n = unmap_list(f, range, 1);
	SENSE(f, SCSI_LIST_LENGTH_ERROR, n, 0, UNMAP(n - 1));
	SENSE(f, SCSI_LIST_LENGTH_ERROR, n, 0, UNMAP(7));
	store_be16(data_out(f) + 2, 32); /* beyond the list */
	SENSE(f, SCSI_LIST_LENGTH_ERROR, 64, 0, UNMAP(24));
	store_be16(data_out(f) + 2, 17);
	SENSE(f, SCSI_LIST_LENGTH_ERROR, 64, 0, UNMAP(64));
	store_be16(data_out(f) + 2, 16);
	store_be16(data_out(f), 100);
	SENSE(f, SCSI_LIST_LENGTH_ERROR, n, 0, UNMAP(n));
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, 0x2000, 0, UNMAP(0x2000));
	assert_true(scsi_disk_resize(f->disk, GIB(64)));
	scsi_disk_reset(f->disk, 0);
	n = unmap_list(f, sum, 2);
	SENSE(f, SCSI_INVALID_FIELD_IN_LIST, n, 0, UNMAP(n));
	assert_int_equal(f->task.sense.field, 8 + 16 + 8);
	assert_int_equal(f->fake->n_ops[SCSI_IO_DISCARD], 0);
}

/* --- stopping, waiting
 * -------------------------------------------------------- */

static void a_stopped_command_begins_no_further_step(void **state)
{
	struct fixture *f = *state;

	f->fake->hold = true;
	begin(f, CDB(0x2f, 0, 0, 0, 0, 0, 0, 1, 0x2c), 0, 0);
	assert_int_equal(f->done, 0);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(f->fake->n_pending, 1);
	f->task.stop = true;
	assert_int_equal(f->done, 0);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(f->done, 1);
	assert_int_equal(f->fake->n_pending, 0);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 2);
}

enum { MANY = 24 };

struct many {
	struct scsi_task task;
	unsigned int done;
};

static void many_done(struct scsi_task *t)
{
	container_of(t, struct many, task)->done++;
}

/* Scratch memory is bounded: some run, the others wait, all end. */
static void many_commands_in_steps_share_a_little_memory(void **state)
{
	struct fixture *f = *state;
	struct many many[MANY] = {0};
	struct scsi_sense s;

	f->fake->hold = true;
	for (unsigned int i = 0; i < MANY; i++) {
		struct scsi_task *t = &many[i].task;

		assert_int_equal(
			scsi_cdb_parse(CDB(0x2f, 0, 0, 0, 0, 0, 0, 1, 0x2c), 32,
				       &t->cdb, &s),
			0);
		t->chain = &f->chain;
		t->done = many_done;
		scsi_disk_start(f->disk, t);
	}
	assert_in_range(f->fake->n_pending, 1, 8);
	/* one that waits is stopped, and ends in its turn */
	many[MANY - 1].task.stop = true;
	fake_scsi_finish_all(f->fake);
	for (unsigned int i = 0; i < MANY; i++) {
		assert_int_equal(many[i].done, 1);
		scsi_task_free(&many[i].task);
	}
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 3 * (MANY - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_written_is_read_back_in_all_widths),
		TEST(nothing_past_the_end_is_touched),
		TEST(a_command_of_too_many_blocks_is_refused),
		TEST(a_buffer_too_short_is_an_overrun_and_nothing_happens),
		TEST(a_longer_buffer_is_used_in_part),
		TEST(a_buffer_in_many_pieces_is_one_request),
		TEST(one_flush_of_the_guest_is_one_of_the_host),
		TEST(forced_access_reaches_the_backend),
		TEST(the_cache_can_be_switched_off),
		TEST(nothing_else_in_the_mode_pages_can_be_changed),
		TEST(a_block_descriptor_may_say_what_is_so),
		TEST(host_errors_become_sense_that_means_the_same),
		TEST(what_may_pass_with_time_is_busy),
		TEST(verify_reads_the_medium),
		TEST(verify_compares_with_what_the_guest_has),
		TEST(write_same_of_zeros_costs_no_writing),
		TEST(write_same_writes_where_the_file_cannot_zero),
		TEST(write_same_repeats_any_other_block),
		TEST(write_same_of_no_blocks_is_refused),
		TEST(unmap_gives_back_every_range_of_its_list),
		TEST(unmap_is_a_hint_but_an_error_is_an_error),
		TEST(a_bad_unmap_list_has_no_effect),
		TEST(a_stopped_command_begins_no_further_step),
		TEST(many_commands_in_steps_share_a_little_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
