/* tests/unit/test_scsi_life.c - the SCSI host: creation, configuration, resets.
 */
#include "tests/unit/scsi_fixture.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/err.h"

/* --- creation
 * ----------------------------------------------------------------- */

static void mistakes_of_the_operator_are_named(void **state)
{
	struct fixture *f = *state;
	struct scsi_disk_params d = {
		.backend = fake_scsi_backend(f->fake, 0),
		.bytes = BS,
		.block_size = BS,
		.phys_block_size = BS,
	};
	struct scsi_lun_params luns[] = {{3, &d}, {3, &d}};
	struct scsi_params p = {
		.name = "scsi1",
		.thread = f->thread,
		.engine = &f->fake->engine,
		.n_queues = 1,
		.luns = luns,
		.n_luns = 2,
	};
	struct scsi *s = NULL;
	struct err e = {0};

	assert_int_equal(scsi_create(&p, &s, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "lun=3"));
	assert_int_equal(e.kind, ERR_USAGE);
	luns[1].lun = 256;
	assert_int_equal(scsi_create(&p, &s, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "256"));
	luns[1].lun = 4;
	d.serial = "\n";
	assert_int_equal(scsi_create(&p, &s, &e), -EINVAL);
	assert_non_null(strstr(e.msg, "serial"));
	assert_non_null(strstr(e.msg, "lun=3"));
	d.serial = NULL;
	p.n_queues = 65;
	assert_int_equal(scsi_create(&p, &s, NULL), -EINVAL);
	p.n_queues = 0;
	assert_int_equal(scsi_create(&p, &s, NULL), -EINVAL);
	p.n_queues = 1;
	p.n_luns = 65;
	assert_int_equal(scsi_create(&p, &s, NULL), -EINVAL);
	p.n_luns = 0;
	assert_int_equal(scsi_create(&p, &s, NULL), -EINVAL);
	assert_null(s);
	scsi_destroy(NULL);
}

static void the_serial_number_is_stable_by_default(void **state)
{
	struct fixture *f = *state;
	struct response r =
		command(f, 5, CDB(0x12, 1, 0x80, 0, 64), NULL, 0, 64);

	assert_int_equal(r.written, RESP + 4 + 10);
	assert_memory_equal(r.data + 4, "scsi0-lun5", 10);
}

/* --- configuration
 * ------------------------------------------------------------ */

static uint32_t config32(struct fixture *f, uint32_t off)
{
	uint8_t b[4];

	f->dev->ops->config_read(f->dev, off, b, 4);
	return load_le32(b);
}

static void config_write32(struct fixture *f, uint32_t off, uint32_t v)
{
	uint8_t b[4];

	store_le32(b, v);
	f->dev->ops->config_write(f->dev, off, b, 4);
}

static void the_configuration_is_that_of_the_specification(void **state)
{
	struct fixture *f = *state;
	uint8_t b[2];

	assert_int_equal(f->dev->config_len, 36);
	assert_int_equal(f->dev->n_queues, REQ + QUEUES);
	assert_int_equal(f->dev->type, 8);
	assert_int_equal(f->dev->offered, 6); /* HOTPLUG, CHANGE */
	assert_int_equal(config32(f, 0), QUEUES);
	assert_int_equal(config32(f, 4), SCSI_QUEUE_SIZE - 2);
	assert_int_equal(config32(f, 8), 0xffff);
	assert_int_equal(config32(f, 12), 128);
	assert_int_equal(config32(f, 16), 16);
	assert_int_equal(config32(f, 20), 96);
	assert_int_equal(config32(f, 24), 32);
	assert_int_equal(config32(f, 28), 0);
	assert_int_equal(config32(f, 32), SCSI_LUN_MAX);
	f->dev->ops->config_read(f->dev, 20, b, 1);
	assert_int_equal(b[0], 96);
}

static void the_driver_sets_two_sizes_within_limits(void **state)
{
	struct fixture *f = *state;

	config_write32(f, 20, 252);
	config_write32(f, 24, 16);
	assert_int_equal(config32(f, 20), 252);
	assert_int_equal(config32(f, 24), 16);
	config_write32(f, 20, 256);
	config_write32(f, 24, 0xffffffff);
	assert_int_equal(config32(f, 20), 252);
	assert_int_equal(config32(f, 24), 16);
	f->dev->ops->config_write(f->dev, 20, "\x12", 1);
	assert_int_equal(config32(f, 20), 0x12);
	f->dev->ops->config_write(f->dev, 18, "\1\1\1\0\0\0\1\0", 8);
	assert_int_equal(config32(f, 16), 16);
	assert_int_equal(config32(f, 20), 1);
	for (uint32_t off = 0; off < 36; off += 4)
		if (off != 20 && off != 24)
			config_write32(f, off, 0x01020304);
	assert_int_equal(config32(f, 0), QUEUES);
	assert_int_equal(config32(f, 32), SCSI_LUN_MAX);
}

static void the_sizes_shape_request_and_response(void **state)
{
	struct fixture *f = *state;
	uint8_t req[19 + 16] = {1, 0, 0, 0}, in[12 + 4 + 96];

	config_write32(f, 20, 4);
	config_write32(f, 24, 16);
	fake_driver_activate(f->drv);
	req[19] = 0x12;
	req[19 + 4] = 96;
	fake_driver_offer(f->drv, REQ, req, sizeof(req), 12 + 4 + 96);
	fake_driver_kick(f->drv, REQ);
	assert_true(fake_driver_take(f->drv, REQ, &f->used, in, sizeof(in)));
	assert_int_equal(f->used.written, 12 + 4 + 96);
	assert_memory_equal(in + 16 + 8, "COFFER", 6);
	/* sense is cut to its four bytes */
	memset(req + 19, 0, 16);
	fake_driver_offer(f->drv, REQ, req, sizeof(req), 12 + 4);
	fake_driver_kick(f->drv, REQ);
	assert_true(fake_driver_take(f->drv, REQ, &f->used, in, sizeof(in)));
	assert_int_equal(load_le32(in), 4);
	assert_int_equal(in[12], 0x70);
	assert_int_equal(in[14], 6);
	/* a change now is for the next time */
	config_write32(f, 20, 96);
	fake_driver_offer(f->drv, REQ, req, sizeof(req), 12 + 4);
	fake_driver_kick(f->drv, REQ);
	assert_true(fake_driver_take(f->drv, REQ, &f->used, in, sizeof(in)));
	assert_int_equal(f->used.written, 16);
	/* and a reset brings the defaults back */
	assert_true(fake_driver_reset(f->drv));
	assert_int_equal(config32(f, 20), 96);
	assert_int_equal(config32(f, 24), 32);
}

/* --- resets
 * ------------------------------------------------------------------- */

static void a_reset_waits_for_the_host(void **state)
{
	struct fixture *f = *state;
	struct fake_virtio_host *h = fake_driver_host(f->drv);

	f->fake->hold = true;
	offer(f, REQ, 0, 1, READ_10(0, 1), NULL, 0, BS);
	offer(f, REQ + 1, 5, 2, READ_10(1, 1), NULL, 0, BS);
	/* a command in steps, and what waits for memory behind others */
	for (unsigned int i = 0; i < 8; i++)
		offer(f, REQ, 0, 3, CDB(0x2f, 0, 0, 0, 0, 0, 0, 2), NULL, 0, 0);
	fake_driver_kick(f->drv, REQ);
	fake_driver_kick(f->drv, REQ + 1);
	fake_driver_reset_begin(f->drv);
	assert_int_equal(h->resets_done, 0);
	while (f->fake->n_pending) {
		assert_int_equal(h->resets_done, 0);
		fake_scsi_finish(f->fake, f->fake->n_pending - 1, 0);
	}
	assert_int_equal(h->resets_done, 1);
	assert_true(fake_driver_reset_wait(f->drv));
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 2 + 4);
	/* and it works again, with the attention of a reset */
	f->fake->hold = false;
	fake_driver_activate(f->drv);
	assert_int_equal(command(f, 0, TUR, NULL, 0, 0).asc, 0x29);
	assert_int_equal(command(f, 0, TUR, NULL, 0, 0).status, 0);
}

/* The transport made it let go of memory before; the driver's comes then. */
static void a_reset_may_come_while_another_one_waits(void **state)
{
	struct fixture *f = *state;
	struct fake_virtio_host *h = fake_driver_host(f->drv);

	f->fake->hold = true;
	offer(f, REQ, 0, 1, READ_10(0, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	virtq_disable(f->dev->q[REQ]);
	f->dev->ops->reset(f->dev);
	fake_driver_reset_begin(f->drv);
	assert_int_equal(h->resets_done, 0);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(h->resets_done, 1);
	assert_true(fake_driver_reset_wait(f->drv));
	f->fake->hold = false;
	fake_driver_activate(f->drv);
	command(f, 0, TUR, NULL, 0, 0);
	assert_int_equal(command(f, 0, READ_10(0, 1), NULL, 0, BS).status, 0);
}

static void nothing_is_written_for_a_request_that_was_reset(void **state)
{
	struct fixture *f = *state;
	struct fake_ring *ring = fake_driver_ring(f->drv, REQ);
	struct fake_ram *ram = fake_driver_ram(f->drv);
	gpa_t gpa = fake_ram_alloc(ram, 4096);
	uint8_t page[4096], after[4096];
	uint16_t idx;

	memset(page, 0xaa, sizeof(page));
	make_request(page, 0, 1, CDB(0x35));
	fake_ram_write(ram, gpa, page, sizeof(page));
	fake_ring_set_desc(ring, 0, 200, gpa, HEAD, FAKE_DESC_NEXT, 201);
	fake_ring_set_desc(ring, 0, 201, gpa + 2048, RESP, FAKE_DESC_WRITE, 0);
	fake_ring_publish(ring, 200);
	f->fake->hold = true;
	fake_driver_kick(f->drv, REQ);
	assert_int_equal(f->fake->n_pending, 1);
	idx = fake_ring_used_idx(ring);
	fake_driver_reset_begin(f->drv);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(fake_ring_used_idx(ring), idx);
	fake_ram_read(ram, gpa, after, sizeof(after));
	assert_memory_equal(after, page, sizeof(page));
	assert_true(fake_driver_reset_wait(f->drv));
}

static void one_queue_is_reset_alone(void **state)
{
	struct fixture *f = *state;
	struct fake_virtio_host *h = fake_driver_host(f->drv);

	assert_true(fake_driver_queue_reset(f->drv, REQ));
	fake_driver_queue_enable(f->drv, REQ);
	f->fake->hold = true;
	offer(f, REQ, 0, 1, READ_10(0, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	offer(f, REQ + 1, 0, 2, READ_10(0, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ + 1);
	virtq_disable(f->dev->q[REQ]);
	f->dev->ops->queue_reset(f->dev, REQ);
	assert_int_equal(h->queue_resets_done[REQ], 1);
	fake_scsi_finish(f->fake, 1, 0);
	assert_int_equal(take(f, REQ + 1).response, S_OK);
	assert_int_equal(h->queue_resets_done[REQ], 1);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(h->queue_resets_done[REQ], 2);
	fake_ring_reset(fake_driver_ring(f->drv, REQ));
	fake_driver_queue_enable(f->drv, REQ);
	f->fake->hold = false;
	assert_int_equal(command(f, 0, READ_10(0, 1), NULL, 0, BS).status, 0);
	assert_true(fake_driver_queue_reset(f->drv, CTL));
	assert_true(fake_driver_queue_reset(f->drv, EVT));
}

/* Completions of one queue that come while another is kicked count, too. */
static void a_queue_reset_ends_while_another_queue_works(void **state)
{
	struct fixture *f = *state;
	struct fake_virtio_host *h = fake_driver_host(f->drv);

	f->fake->hold = true;
	offer(f, REQ, 0, 1, READ_10(0, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	virtq_disable(f->dev->q[REQ]);
	f->dev->ops->queue_reset(f->dev, REQ);
	assert_int_equal(h->queue_resets_done[REQ], 0);
	f->fake->hold = false; /* commit() completes all that is there */
	offer(f, REQ + 1, 0, 2, READ_10(0, 1), NULL, 0, BS);
	assert_int_equal(answer(f, REQ + 1).response, S_OK);
	assert_int_equal(h->queue_resets_done[REQ], 1);
	fake_ring_reset(fake_driver_ring(f->drv, REQ));
}

#define TEST_INACTIVE(fn)                                                      \
	cmocka_unit_test_setup_teardown(fn, setup_inactive, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(mistakes_of_the_operator_are_named),
		TEST(the_serial_number_is_stable_by_default),
		TEST_INACTIVE(the_configuration_is_that_of_the_specification),
		TEST_INACTIVE(the_driver_sets_two_sizes_within_limits),
		TEST_INACTIVE(the_sizes_shape_request_and_response),
		TEST(a_reset_waits_for_the_host),
		TEST(a_reset_may_come_while_another_one_waits),
		TEST(nothing_is_written_for_a_request_that_was_reset),
		TEST(one_queue_is_reset_alone),
		TEST(a_queue_reset_ends_while_another_queue_works),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
