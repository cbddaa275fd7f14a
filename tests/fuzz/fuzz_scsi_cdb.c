/*
 * tests/fuzz/fuzz_scsi_cdb.c - any CDBs with any data, on a small disk.
 *
 * Input: one byte of flags for the run, then commands: a byte that says how
 * long CDB and buffers are, 16 bytes of CDB, and 64 of data-out. The fake
 * backend asserts that no I/O leaves the disk, ASan that none leaves its
 * buffers.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/scsi_cdb.h"
#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/virtq.h"
#include "tests/fake/fake_scsi.h"
#include "vmm/base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	BLOCKS = 64,
	CDB = 16,
	OUT = 64,
	RECORD = 1 + CDB + OUT,
	COMMANDS_MAX = 32,
	RUN_READ_ONLY = 1,
	RUN_NO_DISCARD = 2,
	RUN_FAIL = 4,
	RUN_NO_ATTENTION = 8,
};

#define BS UINT64_C(512) /* bytes per block */

struct run {
	struct fake_scsi *fake;
	struct scsi_disk *disk;
	struct scsi_task task;
	struct virtq_chain chain;
	struct iovec iov[2];
	unsigned int done;
};

static void on_done(struct scsi_task *t)
{
	container_of(t, struct run, task)->done++;
}

static void check(const struct scsi_task *t)
{
	assert(t->status == SCSI_GOOD || t->status == SCSI_BUSY ||
	       t->status == SCSI_CHECK_CONDITION);
	assert((t->status == SCSI_CHECK_CONDITION) == (t->sense.code != 0));
	assert(t->moved <= (t->in_len > t->out_len ? t->in_len : t->out_len));
	assert(!t->overrun || !t->moved);
	assert(!t->bad_data);
}

/* Exactly as long as the command is told, so that ASan guards the ends. */
static void buffers(struct run *r, uint8_t how, const uint8_t *out)
{
	static const size_t lens[] = {0,   8,	18,   64,
				      255, 512, 2048, BLOCKS * BS};
	size_t out_len = lens[how & 7], in_len = lens[how >> 3 & 7];

	r->iov[0] = (struct iovec){calloc(1, out_len + 1), out_len};
	r->iov[1] = (struct iovec){calloc(1, in_len + 1), in_len};
	assert(r->iov[0].iov_base && r->iov[1].iov_base);
	memcpy(r->iov[0].iov_base, out, out_len < OUT ? out_len : OUT);
	r->chain = (struct virtq_chain){
		.n_out = 1,
		.n_in = 1,
		.out_len = out_len,
		.in_len = in_len,
		.iov = r->iov,
	};
	r->task.chain = &r->chain;
	r->task.out_len = out_len;
	r->task.in_len = in_len;
}

static void command(struct run *r, const uint8_t *rec)
{
	struct scsi_sense sense = {0};
	size_t len = rec[0] & 0x80 ? rec[0] >> 3 & 0xf : CDB;
	AUTO(freep) uint8_t *cdb = malloc(len + 1);

	assert(cdb);
	memcpy(cdb, rec + 1, len);
	if (scsi_cdb_parse(cdb, len, &r->task.cdb, &sense) < 0) {
		assert(sense.code >> 16 == 5);
		return;
	}
	buffers(r, rec[0], rec + 1 + CDB);
	r->task.done = on_done;
	r->done = 0;
	scsi_disk_start(r->disk, &r->task);
	r->fake->engine.ops->commit(&r->fake->engine);
	assert(r->done == 1);
	check(&r->task);
	free(r->iov[0].iov_base);
	free(r->iov[1].iov_base);
}

static void begin(struct run *r, uint8_t flags)
{
	struct scsi_disk_params p = {
		.bytes = BLOCKS * BS,
		.block_size = BS,
		.phys_block_size = 4096,
		.discard_granularity = 4096,
		.read_only = flags & RUN_READ_ONLY,
		.serial = "fuzz",
	};

	r->fake = fake_scsi_create(BLOCKS * BS);
	p.backend = fake_scsi_backend(r->fake, 0);
	if (scsi_disk_create(&p, &r->disk, NULL) < 0)
		abort();
	if (flags & RUN_NO_ATTENTION)
		scsi_disk_reset(r->disk, 0);
	for (unsigned int i = 0; i < FAKE_SCSI_OPS; i++)
		if (flags & RUN_FAIL)
			r->fake->fail[i] = -(flags >> 4) - 1;
	if (flags & RUN_NO_DISCARD) {
		r->fake->fail[SCSI_IO_DISCARD] = -EOPNOTSUPP;
		r->fake->fail[SCSI_IO_ZERO] = -EOPNOTSUPP;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = {0};

	if (!size)
		return 0;
	begin(&r, data[0]);
	data++;
	size--;
	for (unsigned int n = 0; size >= RECORD && n < COMMANDS_MAX; n++) {
		command(&r, data);
		data += RECORD;
		size -= RECORD;
	}
	scsi_task_free(&r.task);
	scsi_disk_destroy(r.disk);
	fake_scsi_destroy(r.fake);
	return 0;
}
