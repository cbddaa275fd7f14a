/*
 * tests/fuzz/fuzz_scsi.c - a driver that does anything to a SCSI host, in any
 * order: requests, task management, events, resets with I/O in flight.
 *
 * The rings are in order (fuzz_virtq has the others); what is in the chains is
 * not. Input: steps of one byte that says what, and what that needs.
 */
#include <assert.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/scsi.h"
#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/virtio_dev.h"
#include "devices/virtio/virtq.h"
#include "tests/fake/fake_driver.h"
#include "tests/fake/fake_scsi.h"
#include "vmm/base/io_thread.h"
#include "vmm/base/own.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	BLOCKS = 64,
	QUEUES = 2,
	HEAD = 19 + 32,
	RESP = 12 + 96,
	STEPS_MAX = 200,
	RAM = 8 << 20,
	/* Steps */
	REQUEST = 0,
	CONTROL,
	EVENT_BUFFER,
	FINISH,
	FINISH_ALL,
	HOLD,
	RESIZE,
	RESET,
	QUEUE_RESET,
	TAKE,
	CONFIG,
	N_STEPS,
};

struct run {
	const uint8_t *p;
	size_t left;
	struct fake_scsi *fake;
	struct io_thread *thread;
	struct scsi *scsi;
	struct virtio_dev *dev;
	struct fake_driver *drv;
};

#define BS UINT64_C(512) /* bytes per block */

/* The next bytes of the input; zeros after its end. */
static void get(struct run *r, void *buf, size_t len)
{
	size_t n = len < r->left ? len : r->left;

	memset(buf, 0, len);
	memcpy(buf, r->p, n);
	r->p += n;
	r->left -= n;
}

static uint8_t get8(struct run *r)
{
	uint8_t b;

	get(r, &b, 1);
	return b;
}

static size_t get_len(struct run *r)
{
	static const uint16_t lens[] = {0,  1,	 5,   16,  24,	 HEAD, RESP,
					18, 255, 512, 513, 1024, 4096, 20};

	return lens[get8(r) % ARRAY_SIZE(lens)];
}

/* All that came back; frees what it used. */
static void take_all(struct run *r)
{
	struct fake_used used;

	for (unsigned int q = 0; q < r->dev->n_queues; q++)
		while (fake_driver_take(r->drv, q, &used, NULL, 0))
			assert(used.written <= used.in_len);
}

static void offer(struct run *r, unsigned int q, const uint8_t *out,
		  size_t out_len, size_t in_len)
{
	struct fake_buf buf[] = {FAKE_OUT(out, out_len), FAKE_IN(in_len)};
	size_t first = out_len ? 0 : 1,
	       n = (out_len ? 1u : 0) + (in_len ? 1u : 0);
	int broken;

	if (n && fake_driver_add(r->drv, q, buf + first, n, true) < 0)
		take_all(r);
	broken = fake_driver_kick(r->drv, q);
	assert(!broken);
}

static void request(struct run *r)
{
	uint8_t out[HEAD + 4096] = {0}, how = get8(r);
	size_t out_len = how & 2 ? get_len(r) : 0;
	size_t in_len = how & 4 ? get_len(r) : 0;

	out[0] = 1;
	if (how & 8)
		get(r, out, 8);
	else
		out[3] = how & 0x10 ? 5 : 0;
	out[8] = how >> 6; /* few tags, so that aborts find them */
	get(r, out + 19, 16);
	if (out_len)
		get(r, out + HEAD, 24);
	if (how & 0x20) /* any length: maybe no request at all */
		offer(r, 2 + (how & 1), out, out_len, in_len);
	else
		offer(r, 2 + (how & 1), out, HEAD + out_len, RESP + in_len);
}

static void control(struct run *r)
{
	uint8_t b[24] = {0}, how = get8(r);

	if (how & 1) {
		get(r, b, sizeof(b));
		offer(r, 0, b, get_len(r) % 25, get_len(r));
		return;
	}
	b[4] = how >> 1 & 7;
	b[8] = 1;
	b[11] = how & 0x10 ? 5 : 0;
	b[16] = how >> 6;
	offer(r, 0, b, sizeof(b), 1);
}

static void finish(struct run *r)
{
	uint8_t which = get8(r), error = get8(r) % 64;

	if (r->fake->n_pending)
		fake_scsi_finish(r->fake, which % r->fake->n_pending, -error);
}

static void config(struct run *r)
{
	uint8_t b[8], off = get8(r) % 36, len = get8(r) % 8 + 1;

	get(r, b, sizeof(b));
	if (off + len > 36)
		len = (uint8_t)(36 - off);
	r->dev->ops->config_write(r->dev, off, b, len);
	r->dev->ops->config_read(r->dev, off, b, len);
}

static void reset(struct run *r)
{
	bool hold = r->fake->hold, obeyed;

	fake_driver_reset_begin(r->drv);
	fake_scsi_finish_all(r->fake);
	obeyed = fake_driver_reset_wait(r->drv);
	assert(obeyed);
	if (r->left && r->p[0] & 0x80)
		config(r);
	/* chains are made for the default sizes: whatever they are now */
	fake_driver_activate(r->drv);
	r->fake->hold = hold;
}

static void queue_reset(struct run *r)
{
	unsigned int q = get8(r) % r->dev->n_queues;
	struct fake_virtio_host *h = fake_driver_host(r->drv);
	unsigned int before = h->queue_resets_done[q];

	virtq_disable(r->dev->q[q]);
	r->dev->ops->queue_reset(r->dev, q);
	fake_scsi_finish_all(r->fake);
	assert(h->queue_resets_done[q] == before + 1);
	fake_ring_reset(fake_driver_ring(r->drv, q));
	fake_driver_queue_enable(r->drv, q);
}

static void step(struct run *r)
{
	unsigned int lun;

	switch (get8(r) % N_STEPS) {
	case REQUEST:
		request(r);
		break;
	case CONTROL:
		control(r);
		break;
	case EVENT_BUFFER:
		offer(r, 1, NULL, 0, get_len(r));
		break;
	case FINISH:
		finish(r);
		break;
	case FINISH_ALL:
		fake_scsi_finish_all(r->fake);
		break;
	case HOLD:
		r->fake->hold = !r->fake->hold;
		break;
	case RESIZE:
		lun = get8(r) & 5;
		/* never more than the fake has */
		scsi_resize(r->scsi, lun, get8(r) % (BLOCKS + 1) * BS);
		break;
	case RESET:
		reset(r);
		break;
	case QUEUE_RESET:
		queue_reset(r);
		break;
	case TAKE:
		take_all(r);
		break;
	case CONFIG:
		config(r);
		break;
	}
	fake_driver_settle(r->drv);
}

static void begin(struct run *r)
{
	static const struct fake_driver_opts o = {.ram_bytes = RAM};
	struct scsi_disk_params d[2];
	struct scsi_lun_params luns[] = {{0, &d[0]}, {5, &d[1]}};
	struct scsi_params p = {
		.name = "fuzz",
		.n_queues = QUEUES,
		.luns = luns,
		.n_luns = 2,
	};

	r->fake = fake_scsi_create(BLOCKS * BS);
	for (unsigned int i = 0; i < 2; i++)
		d[i] = (struct scsi_disk_params){
			.backend = fake_scsi_backend(r->fake, i),
			.bytes = BLOCKS * BS,
			.block_size = BS,
			.phys_block_size = BS,
			.discard_granularity = BS,
			.read_only = i,
		};
	if (io_thread_create("fuzz", &r->thread, NULL) < 0)
		abort();
	p.thread = r->thread;
	p.engine = &r->fake->engine;
	if (scsi_create(&p, &r->scsi, NULL) < 0)
		abort();
	r->dev = scsi_virtio_dev(r->scsi);
	r->drv = fake_driver_create(r->dev, &o);
	fake_driver_activate(r->drv);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct run r = {.p = data, .left = size};

	begin(&r);
	for (unsigned int n = 0; r.left && n < STEPS_MAX; n++)
		step(&r);
	fake_scsi_finish_all(r.fake);
	fake_driver_settle(r.drv);
	fake_scsi_finish_all(r.fake);
	fake_driver_destroy(r.drv);
	fake_scsi_destroy(r.fake);
	scsi_destroy(r.scsi);
	io_thread_destroy(r.thread);
	return 0;
}
