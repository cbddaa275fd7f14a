/* tests/unit/scsi_fixture.c - see scsi_fixture.h. */
#include "tests/unit/scsi_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "vmm/base/io_thread.h"

int setup_inactive(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct scsi_disk_params d[2];
	struct scsi_lun_params luns[2] = {{5, &d[1]}, {0, &d[0]}};
	struct scsi_params p = {
		.name = "scsi0",
		.n_queues = QUEUES,
		.luns = luns,
		.n_luns = 2,
	};

	assert_non_null(f);
	f->fake = fake_scsi_create((uint64_t)BLOCKS * BS);
	assert_int_equal(io_thread_create("test", &f->thread, NULL), 0);
	for (unsigned int i = 0; i < 2; i++)
		d[i] = (struct scsi_disk_params){
			.backend = fake_scsi_backend(f->fake, i),
			.bytes = (uint64_t)BLOCKS * BS,
			.block_size = BS,
			.phys_block_size = BS,
			.discard_granularity = BS,
		};
	p.thread = f->thread;
	p.engine = &f->fake->engine;
	assert_int_equal(scsi_create(&p, &f->scsi, NULL), 0);
	f->dev = scsi_virtio_dev(f->scsi);
	f->drv = fake_driver_create(f->dev, NULL);
	*state = f;
	return 0;
}

int setup(void **state)
{
	struct fixture *f;

	setup_inactive(state);
	f = *state;
	fake_driver_activate(f->drv);
	for (unsigned int lun = 0; lun <= 5; lun += 5) {
		struct response r = command(f, lun, TUR, NULL, 0, 0);

		assert_int_equal(r.key, 6);
		assert_int_equal(r.asc, 0x29);
	}
	return 0;
}

int teardown(void **state)
{
	struct fixture *f = *state;

	f->fake->hold = false;
	fake_scsi_finish_all(f->fake);
	fake_driver_destroy(f->drv);
	fake_scsi_destroy(f->fake);
	scsi_destroy(f->scsi);
	io_thread_destroy(f->thread);
	free(f);
	return 0;
}

void make_request(uint8_t h[static HEAD], unsigned int lun, uint64_t tag,
		  const uint8_t *cdb)
{
	memset(h, 0, HEAD);
	h[0] = 1;
	h[2] = (uint8_t)(0x40 | lun >> 8); /* flat, as Linux does it */
	h[3] = (uint8_t)lun;
	store_le64(h + 8, tag);
	memcpy(h + 19, cdb, 32);
}

int offer(struct fixture *f, unsigned int q, unsigned int lun, uint64_t tag,
	  const uint8_t *cdb, const void *out, size_t out_len, size_t in_len)
{
	uint8_t h[HEAD];
	struct fake_buf buf[4];
	size_t n = 0;
	int head;

	make_request(h, lun, tag, cdb);
	buf[n++] = FAKE_OUT(h, HEAD);
	if (out_len)
		buf[n++] = FAKE_OUT(out, out_len);
	buf[n++] = FAKE_IN(RESP);
	if (in_len)
		buf[n++] = FAKE_IN(in_len);
	head = fake_driver_add(f->drv, q, buf, n, false);
	assert_true(head >= 0);
	return head;
}

bool has_answer(struct fixture *f, unsigned int q)
{
	return fake_ring_n_used(fake_driver_ring(f->drv, q)) > 0;
}

struct response take(struct fixture *f, unsigned int q)
{
	struct response r = {0};
	uint8_t *p = f->in;

	memset(p, 0xee, sizeof(f->in));
	assert_true(fake_driver_take(f->drv, q, &f->used, p, sizeof(f->in)));
	r.written = f->used.written;
	if (!r.written)
		return r;
	assert_true(r.written >= RESP);
	r.sense_len = load_le32(p);
	r.residual = load_le32(p + 4);
	r.status = p[10];
	r.response = p[11];
	assert_int_equal(r.sense_len, r.status == 2 ? 18 : 0);
	if (r.sense_len) {
		r.key = p[12 + 2];
		r.asc = p[12 + 12];
		r.ascq = p[12 + 13];
	}
	r.data = p + RESP;
	return r;
}

struct response answer(struct fixture *f, unsigned int q)
{
	assert_true(fake_ring_wants_kick(fake_driver_ring(f->drv, q)));
	assert_int_equal(fake_driver_kick(f->drv, q), 0);
	fake_driver_settle(f->drv);
	return take(f, q);
}

struct response command(struct fixture *f, unsigned int lun, const uint8_t *cdb,
			const void *out, size_t out_len, size_t in_len)
{
	offer(f, REQ, lun, 0, cdb, out, out_len, in_len);
	return answer(f, REQ);
}

void tmf_offer(struct fixture *f, uint32_t subtype, const uint8_t *lun,
	       uint64_t tag)
{
	uint8_t b[24] = {0};

	store_le32(b + 4, subtype);
	memcpy(b + 8, lun, 8);
	store_le64(b + 16, tag);
	assert_true(fake_driver_offer(f->drv, CTL, b, sizeof(b), 1) >= 0);
	assert_true(fake_ring_wants_kick(fake_driver_ring(f->drv, CTL)));
	assert_int_equal(fake_driver_kick(f->drv, CTL), 0);
	fake_driver_settle(f->drv);
}

int tmf_answer(struct fixture *f)
{
	uint8_t response = 0xee;

	if (!fake_driver_take(f->drv, CTL, &f->used, &response, 1))
		return -1;
	assert_int_equal(f->used.written, 1);
	return response;
}

int tmf(struct fixture *f, uint32_t subtype, unsigned int lun, uint64_t tag)
{
	const uint8_t l[8] = {1, 0, 0, (uint8_t)lun};

	tmf_offer(f, subtype, l, tag);
	return tmf_answer(f);
}
