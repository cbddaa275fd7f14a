/* tests/unit/test_scsi.c - the SCSI host: requests, addresses, queues. */
#include "tests/unit/scsi_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/own.h"

static void fill(uint8_t *p, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7 + i / 512 + seed);
}

static struct scsi_counters counters(struct fixture *f)
{
	struct scsi_counters c;

	scsi_counters(f->scsi, &c);
	return c;
}

/* --- requests
 * ----------------------------------------------------------------- */

static void blocks_are_written_and_read(void **state)
{
	struct fixture *f = *state;
	struct scsi_disk_counters c;
	uint8_t data[4 * BS];
	struct response r;

	fill(data, sizeof(data), 1);
	r = command(f, 5, WRITE_10(3, 4), data, sizeof(data), 0);
	assert_int_equal(r.response, S_OK);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.residual, 0);
	assert_int_equal(r.written, RESP);
	assert_memory_equal(f->fake->data[1] + 3 * BS, data, sizeof(data));
	r = command(f, 5, READ_10(3, 4), NULL, 0, sizeof(data));
	assert_int_equal(r.response, S_OK);
	assert_int_equal(r.written, RESP + sizeof(data));
	assert_memory_equal(r.data, data, sizeof(data));
	assert_int_equal(scsi_lun_counters(f->scsi, 5, &c), 0);
	assert_int_equal(c.reads, 1);
	assert_int_equal(c.write_bytes, sizeof(data));
	assert_int_equal(scsi_lun_counters(f->scsi, 0, &c), 0);
	assert_int_equal(c.reads, 0);
	assert_int_equal(scsi_lun_counters(f->scsi, 1, &c), -ENOENT);
	assert_int_equal(counters(f).requests, 4);
}

static void a_refusal_carries_its_sense(void **state)
{
	struct fixture *f = *state;
	struct response r = command(f, 0, CDB(0x5e), NULL, 0, 64);

	assert_int_equal(r.response, S_OK);
	assert_int_equal(r.status, 2);
	assert_int_equal(r.key, 5);
	assert_int_equal(r.asc, 0x20);
	assert_int_equal(r.residual, 64);
	assert_int_equal(r.written, RESP);
	r = command(f, 0, CDB(0x28, 0, 0xff), NULL, 0, 64);
	assert_int_equal(r.asc, 0x21);
	assert_int_equal(r.ascq, 0);
}

static void the_residual_is_what_was_not_moved(void **state)
{
	struct fixture *f = *state;
	uint8_t data[3 * BS] = {0};
	struct response r;

	r = command(f, 0, READ_10(0, 1), NULL, 0, 3 * BS);
	assert_int_equal(r.residual, 2 * BS);
	assert_int_equal(r.written, RESP + BS);
	r = command(f, 0, WRITE_10(0, 1), data, 3 * BS, 0);
	assert_int_equal(r.residual, 2 * BS);
	r = command(f, 0, CDB(0x12, 0, 0, 0, 255), NULL, 0, 255);
	assert_int_equal(r.residual, 255 - 96);
	r = command(f, 0, TUR, NULL, 0, 100);
	assert_int_equal(r.residual, 100);
	assert_int_equal(r.response, S_OK);
}

/* Its slot has moved data before. */
static void a_request_that_moves_nothing_says_so(void **state)
{
	struct fixture *f = *state;
	struct response r;

	assert_int_equal(command(f, 0, READ_10(0, 4), NULL, 0, 4 * BS).residual,
			 0);
	r = command(f, 0, CDB(0xff), NULL, 0, BS);
	assert_int_equal(r.status, 2);
	assert_int_equal(r.residual, BS);
	assert_int_equal(r.written, RESP);
	command(f, 0, READ_10(0, 4), NULL, 0, 4 * BS);
	r = command(f, 7, TUR, NULL, 0, BS); /* no such unit */
	assert_int_equal(r.residual, BS);
	assert_int_equal(r.written, RESP);
}

static void a_buffer_that_is_too_small_is_an_overrun(void **state)
{
	struct fixture *f = *state;
	uint8_t data[BS] = {0};
	struct response r;

	r = command(f, 0, READ_10(0, 2), NULL, 0, BS);
	assert_int_equal(r.response, S_OVERRUN);
	assert_int_equal(r.status, 0);
	assert_int_equal(r.residual, BS);
	assert_int_equal(r.written, RESP);
	r = command(f, 0, WRITE_10(0, 2), data, BS, 0);
	assert_int_equal(r.response, S_OVERRUN);
	r = command(f, 0, WRITE_10(0, 1), NULL, 0, BS); /* other direction */
	assert_int_equal(r.response, S_OVERRUN);
	r = command(f, 0, CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16), NULL, 0, 15);
	assert_int_equal(r.response, S_OVERRUN);
	r = command(f, 3, CDB(0x12, 0, 0, 0, 36), NULL, 0, 35);
	assert_int_equal(r.response, S_OVERRUN);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 0);
	assert_int_equal(f->fake->n_ops[SCSI_IO_WRITE], 0);
}

static void data_in_both_directions_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t data[BS] = {0};
	struct response r = command(f, 0, WRITE_10(0, 1), data, BS, BS);

	assert_int_equal(r.response, S_FAILURE);
	assert_int_equal(f->fake->n_ops[SCSI_IO_WRITE], 0);
}

/* Descriptors need not end where header and response do. */
static void the_driver_may_cut_a_chain_as_it_likes(void **state)
{
	struct fixture *f = *state;
	uint8_t req[HEAD + 2 * BS];
	struct response r;

	make_request(req, 0, 0, WRITE_10(7, 2));
	fill(req + HEAD, 2 * BS, 9);
	for (unsigned int indirect = 0; indirect < 2; indirect++) {
		struct fake_buf buf[] = {
			FAKE_OUT(req, 10),
			FAKE_OUT(req + 10, HEAD - 5),
			FAKE_OUT(req + HEAD + 5, 2 * BS - 5),
			FAKE_IN(7),
			FAKE_IN(RESP - 7 + 0),
		};

		assert_true(fake_driver_add(f->drv, REQ, buf, 5, indirect) >=
			    0);
		r = answer(f, REQ);
		assert_int_equal(r.response, S_OK);
		assert_memory_equal(f->fake->data[0] + 7 * BS, req + HEAD,
				    2 * BS);
		memset(f->fake->data[0] + 7 * BS, 0, 2 * BS);
	}
	memcpy(f->fake->data[0] + 7 * BS, req + HEAD, 2 * BS);
	make_request(req, 0, 0, READ_10(7, 2));
	fake_driver_offer(f->drv, REQ, req, HEAD, RESP + 2 * BS);
	r = answer(f, REQ);
	assert_int_equal(r.written, RESP + 2 * BS);
	assert_memory_equal(r.data, f->fake->data[0] + 7 * BS, 2 * BS);
}

static void more_pieces_than_the_segment_limit_still_work(void **state)
{
	struct fixture *f = *state;
	AUTO(freep)
	struct fake_buf *buf = calloc(SCSI_QUEUE_SIZE, sizeof(*buf));
	const size_t room = 254ul * 16;
	uint8_t req[HEAD];
	struct response r;
	size_t n = 0;

	assert_non_null(buf);
	fill(f->fake->data[0], room, 4);
	make_request(req, 0, 0, READ_10(0, 7));
	buf[n++] = FAKE_OUT(req, HEAD);
	buf[n++] = FAKE_IN(RESP);
	while (n < SCSI_QUEUE_SIZE)
		buf[n++] = FAKE_IN(16);
	assert_true(fake_driver_add(f->drv, REQ, buf, n, true) >= 0);
	r = answer(f, REQ);
	assert_int_equal(r.response, S_OK);
	assert_int_equal(r.residual, room - 7 * BS);
	assert_memory_equal(r.data, f->fake->data[0], 7 * BS);
}

static void a_chain_that_is_no_request_comes_back_empty(void **state)
{
	struct fixture *f = *state;
	uint8_t req[HEAD];

	make_request(req, 0, 0, TUR);
	fake_driver_offer(f->drv, REQ, req, HEAD - 1, RESP);
	assert_int_equal(answer(f, REQ).written, 0);
	fake_driver_offer(f->drv, REQ, req, HEAD, RESP - 1);
	assert_int_equal(answer(f, REQ).written, 0);
	fake_driver_offer(f->drv, REQ, req, HEAD, 0);
	assert_int_equal(answer(f, REQ).written, 0);
	fake_driver_offer(f->drv, REQ, NULL, 0, RESP);
	assert_int_equal(answer(f, REQ).written, 0);
	assert_int_equal(counters(f).bad_chains, 4);
	/* and the device goes on */
	assert_int_equal(command(f, 0, TUR, NULL, 0, 0).status, 0);
}

static void a_broken_ring_is_for_the_transport(void **state)
{
	struct fixture *f = *state;

	fake_ring_set_avail_idx(fake_driver_ring(f->drv, REQ), 5000);
	assert_int_equal(fake_driver_kick(f->drv, REQ), -EPROTO);
}

/* --- addresses
 * ---------------------------------------------------------------- */

static struct response addressed(struct fixture *f, const uint8_t lun[8],
				 const uint8_t *cdb, size_t in_len)
{
	uint8_t req[HEAD];

	make_request(req, 0, 0, cdb);
	memcpy(req, lun, 8);
	fake_driver_offer(f->drv, REQ, req, HEAD, RESP + in_len);
	return answer(f, REQ);
}

#define LUN(...) ((const uint8_t[8]){__VA_ARGS__})

static void only_target_0_exists(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(addressed(f, LUN(1, 0, 0, 5), TUR, 0).response, S_OK);
	assert_int_equal(addressed(f, LUN(1, 0, 0x40, 5), TUR, 0).status, 0);
	assert_int_equal(addressed(f, LUN(1, 1, 0, 5), TUR, 0).response,
			 S_BAD_TARGET);
	assert_int_equal(addressed(f, LUN(0, 0, 0, 5), TUR, 0).response,
			 S_BAD_TARGET);
	assert_int_equal(addressed(f, LUN(0xff, 0, 0, 5), TUR, 0).response,
			 S_BAD_TARGET);
	assert_int_equal(addressed(f, LUN(0xc1, 2), TUR, 0).response,
			 S_BAD_TARGET);
}

static void a_unit_that_is_not_there_says_so(void **state)
{
	static const uint8_t luns[][8] = {
		{1, 0, 0x40, 1}, {1, 0, 0, 1},	  {1, 0, 0x41, 0},
		{1, 0, 0x41, 5}, {1, 0, 0x80, 5}, {1, 0, 0xc0, 5},
		{1, 0, 0x01, 5}, {1, 0, 0, 5, 1}, {1, 0, 0, 5, 0, 0, 0, 1},
	};
	struct fixture *f = *state;
	struct response r;

	for (size_t i = 0; i < ARRAY_SIZE(luns); i++) {
		r = addressed(f, luns[i], TUR, 0);
		assert_int_equal(r.response, S_OK);
		assert_int_equal(r.status, 2);
		assert_int_equal(r.key, 5);
		assert_int_equal(r.asc, 0x25);
		r = addressed(f, luns[i], CDB(0x12, 0, 0, 0, 36), 36);
		assert_int_equal(r.status, 0);
		assert_int_equal(r.data[0], 0x7f);
		r = addressed(f, luns[i], CDB(0xff), 0);
		assert_int_equal(r.asc, 0x25);
		r = addressed(f, luns[i], CDB(0x03, 0, 0, 0, 18), 18);
		assert_int_equal(r.status, 0);
		assert_int_equal(r.data[2], 5);
		assert_int_equal(r.data[12], 0x25);
	}
	r = addressed(f, LUN(1, 0, 0, 9), CDB(0x12, 1, 0, 0, 36), 36);
	assert_int_equal(r.written, RESP + 5);
	r = addressed(f, LUN(1, 0, 0, 9), CDB(0x12, 1, 0x80, 0, 36), 36);
	assert_int_equal(r.asc, 0x24);
	r = addressed(f, LUN(1, 0, 0, 9), CDB(0x03, 1, 0, 0, 18), 18);
	assert_int_equal(r.data[0], 0x72);
}

static void report_luns_is_answered_for_any_unit(void **state)
{
	static const uint8_t luns[][8] = {
		{1, 0, 0, 0}, {1, 0, 0, 9}, {0xc1, 1}};
	struct fixture *f = *state;
	struct response r;

	for (size_t i = 0; i < ARRAY_SIZE(luns); i++) {
		r = addressed(f, luns[i], CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 64),
			      64);
		assert_int_equal(r.written, RESP + 24);
		assert_int_equal(load_be32(r.data), 16);
		assert_int_equal(load_be64(r.data + 8), 0);
		assert_int_equal(load_be64(r.data + 16), UINT64_C(5) << 48);
	}
	r = addressed(f, luns[0], CDB(0xa0, 0, 1, 0, 0, 0, 0, 0, 0, 64), 64);
	assert_int_equal(load_be32(r.data), 8);
	assert_true(load_be64(r.data + 8) == UINT64_C(0xc101) << 48);
	r = addressed(f, luns[0], CDB(0xa0, 0, 2, 0, 0, 0, 0, 0, 0, 64), 64);
	assert_int_equal(load_be32(r.data), 24);
	r = addressed(f, luns[0], CDB(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 16), 16);
	assert_int_equal(load_be32(r.data), 16); /* all of it, though cut */
	assert_int_equal(r.written, RESP + 16);
}

static void the_well_known_unit_knows_four_commands(void **state)
{
	static const uint8_t lun[8] = {0xc1, 1};
	struct fixture *f = *state;
	struct response r;

	assert_int_equal(addressed(f, lun, TUR, 0).status, 0);
	r = addressed(f, lun, CDB(0x12, 0, 0, 0, 36), 36);
	assert_int_equal(r.data[0], 0x1e);
	r = addressed(f, lun, CDB(0x03, 0, 0, 0, 18), 18);
	assert_int_equal(r.data[2], 0);
	r = addressed(f, lun, READ_10(0, 1), BS);
	assert_int_equal(r.asc, 0x20);
}

/* --- many at once
 * ------------------------------------------------------------- */

static void requests_complete_in_any_order(void **state)
{
	struct fixture *f = *state;
	int heads[3];

	f->fake->hold = true;
	f->fake->commits = 0;
	for (unsigned int i = 0; i < 3; i++)
		heads[i] = offer(f, REQ, 0, i, READ_10(i, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	assert_int_equal(f->fake->n_pending, 3);
	assert_int_equal(f->fake->commits, 1);
	fake_scsi_finish(f->fake, 2, 0);
	take(f, REQ);
	assert_int_equal(f->used.head, heads[2]);
	fake_scsi_finish(f->fake, 0, 0);
	take(f, REQ);
	assert_int_equal(f->used.head, heads[0]);
	fake_scsi_finish(f->fake, 0, -EIO);
	assert_int_equal(take(f, REQ).key, 3);
	assert_int_equal(f->used.head, heads[1]);
}

static void a_batch_is_one_interrupt(void **state)
{
	struct fixture *f = *state;
	unsigned int before;

	fake_ring_irq(fake_driver_ring(f->drv, REQ), true, 0);
	before = fake_driver_interrupts(f->drv, REQ);
	for (unsigned int i = 0; i < 16; i++)
		offer(f, REQ, 0, i, READ_10(0, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	for (unsigned int i = 0; i < 16; i++)
		take(f, REQ);
	assert_int_equal(fake_driver_interrupts(f->drv, REQ) - before, 1);
	/* and so is a batch that completes later */
	f->fake->hold = true;
	fake_ring_irq(fake_driver_ring(f->drv, REQ), true, 0);
	for (unsigned int i = 0; i < 16; i++)
		offer(f, REQ, 0, i, READ_10(0, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	before = fake_driver_interrupts(f->drv, REQ);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(fake_driver_interrupts(f->drv, REQ) - before, 1);
}

/* A driver that adds a request whenever the device has done one. */
static struct {
	struct fixture *f;
	struct scsi_engine_ops ops, was;
	unsigned int left;
} busy;

static void busy_commit(struct scsi_engine *e)
{
	if (busy.left && busy.left--)
		offer(busy.f, REQ, 0, 9, TUR, NULL, 0, 0);
	busy.was.commit(e);
}

static void a_driver_that_never_rests_is_served_in_turns(void **state)
{
	struct fixture *f = *state;

	busy.f = f;
	busy.left = 20;
	busy.ops = busy.was = *f->fake->engine.ops;
	busy.ops.commit = busy_commit;
	f->fake->engine.ops = &busy.ops;
	offer(f, REQ, 0, 9, TUR, NULL, 0, 0);
	fake_driver_kick(f->drv, REQ);
	assert_true(busy.left > 0); /* others have theirs */
	for (int i = 0; i < 20; i++)
		fake_driver_settle(f->drv);
	assert_int_equal(busy.left, 0);
	for (int i = 0; i < 21; i++)
		assert_int_equal(take(f, REQ).status, 0);
	/* and is heard again when it has rested */
	offer(f, REQ, 0, 9, TUR, NULL, 0, 0);
	assert_int_equal(answer(f, REQ).status, 0);
}

static void queues_do_not_wait_for_each_other(void **state)
{
	struct fixture *f = *state;

	f->fake->hold = true;
	offer(f, REQ, 0, 1, READ_10(0, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	offer(f, REQ + 1, 5, 2, READ_10(1, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ + 1);
	fake_scsi_finish(f->fake, 1, 0);
	assert_false(has_answer(f, REQ));
	assert_int_equal(take(f, REQ + 1).response, S_OK);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(take(f, REQ).response, S_OK);
}

static void offer_indirect(struct fixture *f, const uint8_t *cdb, size_t in_len)
{
	uint8_t h[HEAD];
	struct fake_buf buf[] = {FAKE_OUT(h, HEAD), FAKE_IN(RESP + in_len)};

	make_request(h, 0, 0, cdb);
	assert_true(fake_driver_add(f->drv, REQ, buf, 2, true) >= 0);
}

static void a_queue_can_be_full_of_requests_in_flight(void **state)
{
	struct fixture *f = *state;
	struct fake_ring *ring = fake_driver_ring(f->drv, REQ);

	f->fake->hold = true;
	for (unsigned int i = 0; i < SCSI_QUEUE_SIZE; i++)
		offer_indirect(f, READ_10(i, 1), BS);
	assert_int_equal(fake_driver_kick(f->drv, REQ), 0);
	assert_int_equal(f->fake->n_pending, SCSI_QUEUE_SIZE);
	for (unsigned int i = 0; i < 10; i++) {
		fake_scsi_finish(f->fake, 7 * i, 0);
		fake_driver_settle(f->drv);
		assert_int_equal(take(f, REQ).response, S_OK);
		offer_indirect(f, READ_10(i, 1), BS);
		/* as a driver does it: only when it is asked to */
		assert_true(fake_ring_wants_kick(ring));
		assert_int_equal(fake_driver_kick(f->drv, REQ), 0);
		assert_int_equal(f->fake->n_pending, SCSI_QUEUE_SIZE);
	}
	fake_scsi_finish_all(f->fake);
	fake_driver_settle(f->drv);
	for (unsigned int i = 0; i < SCSI_QUEUE_SIZE; i++)
		assert_int_equal(take(f, REQ).response, S_OK);
	assert_false(has_answer(f, REQ));
}

/* Full is full: a chain that is out cannot be offered once more. */
static void a_driver_that_offers_more_is_found_out(void **state)
{
	struct fixture *f = *state;

	f->fake->hold = true;
	for (unsigned int i = 0; i < SCSI_QUEUE_SIZE; i++)
		offer_indirect(f, READ_10(i, 1), BS);
	fake_driver_kick(f->drv, REQ);
	fake_scsi_finish(f->fake, 0, 0);
	fake_driver_settle(f->drv);
	fake_ring_publish(fake_driver_ring(f->drv, REQ), 17);
	assert_int_equal(fake_driver_kick(f->drv, REQ), -EPROTO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(blocks_are_written_and_read),
		TEST(a_refusal_carries_its_sense),
		TEST(the_residual_is_what_was_not_moved),
		TEST(a_request_that_moves_nothing_says_so),
		TEST(a_buffer_that_is_too_small_is_an_overrun),
		TEST(data_in_both_directions_is_refused),
		TEST(the_driver_may_cut_a_chain_as_it_likes),
		TEST(more_pieces_than_the_segment_limit_still_work),
		TEST(a_chain_that_is_no_request_comes_back_empty),
		TEST(a_broken_ring_is_for_the_transport),
		TEST(only_target_0_exists),
		TEST(a_unit_that_is_not_there_says_so),
		TEST(report_luns_is_answered_for_any_unit),
		TEST(the_well_known_unit_knows_four_commands),
		TEST(requests_complete_in_any_order),
		TEST(a_batch_is_one_interrupt),
		TEST(a_driver_that_never_rests_is_served_in_turns),
		TEST(queues_do_not_wait_for_each_other),
		TEST(a_queue_can_be_full_of_requests_in_flight),
		TEST(a_driver_that_offers_more_is_found_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
