/* tests/unit/scsi_disk_fixture.c - see scsi_disk_fixture.h. */
#include "tests/unit/scsi_disk_fixture.h"

#include <stdlib.h>
#include <string.h>

static void done(struct scsi_task *t)
{
	container_of(t, struct fixture, task)->done++;
}

struct scsi_disk_params fixture_params(struct fixture *f)
{
	return (struct scsi_disk_params){
		.backend = fake_scsi_backend(f->fake, 0),
		.bytes = (uint64_t)BLOCKS * BS,
		.block_size = BS,
		.phys_block_size = 4096,
		.discard_granularity = 4096,
		.serial = "serial-1",
	};
}

static int build(void **state, bool read_only, bool attention)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct scsi_disk_params p;

	assert_non_null(f);
	f->fake = fake_scsi_create((uint64_t)BLOCKS * BS);
	p = fixture_params(f);
	p.read_only = read_only;
	assert_int_equal(scsi_disk_create(&p, &f->disk, NULL), 0);
	if (!attention)
		scsi_disk_reset(f->disk, 0);
	f->out = calloc(1, DATA_MAX + 1);
	f->in = calloc(1, DATA_MAX + 1);
	assert_true(f->out && f->in);
	f->iov[0] = (struct iovec){f->out, DATA_MAX + 1};
	f->iov[1] = (struct iovec){f->in, DATA_MAX + 1};
	f->chain = (struct virtq_chain){
		.n_out = 1,
		.n_in = 1,
		.out_len = DATA_MAX + 1,
		.in_len = DATA_MAX + 1,
		.iov = f->iov,
	};
	*state = f;
	return 0;
}

int setup(void **state)
{
	return build(state, false, false);
}

int setup_read_only(void **state)
{
	return build(state, true, false);
}

int setup_power_on(void **state)
{
	return build(state, false, true);
}

int teardown(void **state)
{
	struct fixture *f = *state;

	scsi_task_free(&f->task);
	scsi_disk_destroy(f->disk);
	fake_scsi_destroy(f->fake);
	free(f->out);
	free(f->in);
	free(f);
	return 0;
}

void begin(struct fixture *f, const uint8_t *cdb, size_t out, size_t in)
{
	struct scsi_task *t = &f->task;
	struct scsi_sense s = {0};

	assert_int_equal(scsi_cdb_parse(cdb, 32, &t->cdb, &s), 0);
	t->chain = &f->chain;
	t->out_off = t->in_off = 1;
	t->out_len = out;
	t->in_len = in;
	t->done = done;
	t->stop = false;
	f->done = 0;
	scsi_disk_start(f->disk, t);
	f->fake->engine.ops->commit(&f->fake->engine);
}

enum scsi_status run(struct fixture *f, const uint8_t *cdb, size_t out,
		     size_t in)
{
	begin(f, cdb, out, in);
	assert_int_equal(f->done, 1);
	return f->task.status;
}

uint8_t *data_in(struct fixture *f)
{
	return f->in + 1;
}

uint8_t *data_out(struct fixture *f)
{
	return f->out + 1;
}

void fill(uint8_t *p, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + i / 512 + seed);
}

struct scsi_disk_counters counters(struct fixture *f)
{
	struct scsi_disk_counters c;

	scsi_disk_counters(f->disk, &c);
	return c;
}

size_t unmap_list(struct fixture *f, const uint64_t (*d)[2], size_t n)
{
	uint8_t *p = data_out(f);

	memset(p, 0, 8 + 16 * n);
	store_be16(p, (uint16_t)(6 + 16 * n));
	store_be16(p + 2, (uint16_t)(16 * n));
	for (size_t i = 0; i < n; i++) {
		store_be64(p + 8 + 16 * i, d[i][0]);
		store_be32(p + 16 + 16 * i, (uint32_t)d[i][1]);
	}
	return 8 + 16 * n;
}
