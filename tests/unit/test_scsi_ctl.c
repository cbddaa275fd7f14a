/* tests/unit/test_scsi_ctl.c - task management, events. */
#include "tests/unit/scsi_fixture.h"

#include <errno.h>
#include <string.h>

/* Subtypes of the specification */
enum {
	ABORT_TASK = 0,
	ABORT_TASK_SET = 1,
	CLEAR_ACA = 2,
	CLEAR_TASK_SET = 3,
	I_T_NEXUS_RESET = 4,
	LOGICAL_UNIT_RESET = 5,
	QUERY_TASK = 6,
	QUERY_TASK_SET = 7,
};

static struct scsi_counters counters(struct fixture *f)
{
	struct scsi_counters c;

	scsi_counters(f->scsi, &c);
	return c;
}

/* Reads in flight: tags 1, 2 on unit 0 (two queues), tag 1 on unit 5. */
static void in_flight(struct fixture *f)
{
	f->fake->hold = true;
	offer(f, REQ, 0, 1, READ_10(0, 1), NULL, 0, BS);
	offer(f, REQ + 1, 0, 2, READ_10(1, 1), NULL, 0, BS);
	offer(f, REQ, 5, 1, READ_10(2, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	fake_driver_kick(f->drv, REQ + 1);
	assert_int_equal(f->fake->n_pending, 3);
	/* in the order of submission: 0/1, 5/1, 0/2 */
}

static void an_abort_is_answered_when_the_task_is_gone(void **state)
{
	struct fixture *f = *state;

	in_flight(f);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 1), -1);
	assert_false(has_answer(f, REQ));
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(take(f, REQ).response, S_ABORTED);
	assert_int_equal(tmf_answer(f), S_OK);
	/* the others have nothing to do with it */
	fake_scsi_finish_all(f->fake);
	assert_int_equal(take(f, REQ).response, S_OK);
	assert_int_equal(take(f, REQ + 1).response, S_OK);
	assert_int_equal(counters(f).aborted, 1);
}

static void an_aborted_task_takes_no_further_step(void **state)
{
	struct fixture *f = *state;

	f->fake->hold = true;
	/* 512 KiB, of which 64 at once */
	offer(f, REQ, 0, 1, CDB(0x2f, 0, 0, 0, 0, 0, 0, 4), NULL, 0, 0);
	fake_driver_kick(f->drv, REQ);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 1), -1);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(take(f, REQ).response, S_ABORTED);
	assert_int_equal(tmf_answer(f), S_OK);
	assert_int_equal(f->fake->n_ops[SCSI_IO_READ], 2);
	assert_int_equal(f->fake->n_pending, 0);
}

static void a_task_that_is_not_there_is_aborted_at_once(void **state)
{
	struct fixture *f = *state;

	in_flight(f);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 3), S_OK);
	assert_int_equal(tmf(f, ABORT_TASK, 5, 2), S_OK);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(take(f, REQ).response, S_OK);
	assert_int_equal(take(f, REQ).response, S_OK);
	assert_int_equal(take(f, REQ + 1).response, S_OK);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 1), S_OK);
}

/* It was made before the abort, so the abort is about it. */
static void an_abort_finds_a_request_still_in_its_ring(void **state)
{
	struct fixture *f = *state;

	f->fake->hold = true;
	offer(f, REQ + 1, 0, 77, READ_10(0, 1), NULL, 0, BS);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 77), -1);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(take(f, REQ + 1).response, S_ABORTED);
	assert_int_equal(tmf_answer(f), S_OK);
}

static void task_sets_are_aborted_whole(void **state)
{
	static const uint32_t both[] = {ABORT_TASK_SET, CLEAR_TASK_SET};
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 2; i++) {
		in_flight(f);
		assert_int_equal(tmf(f, both[i], 0, 0), -1);
		fake_scsi_finish(f->fake, 2, -EIO);
		assert_int_equal(take(f, REQ + 1).response, S_ABORTED);
		assert_int_equal(tmf_answer(f), -1);
		fake_scsi_finish(f->fake, 0, 0);
		assert_int_equal(take(f, REQ).response, S_ABORTED);
		assert_int_equal(tmf_answer(f), S_OK);
		fake_scsi_finish_all(f->fake);
		assert_int_equal(take(f, REQ).response, S_OK);
	}
}

static void a_unit_reset_ends_its_tasks_and_is_noticed(void **state)
{
	struct fixture *f = *state;
	struct response r;

	in_flight(f);
	assert_int_equal(tmf(f, LOGICAL_UNIT_RESET, 0, 0), -1);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(tmf_answer(f), S_OK);
	assert_int_equal(take(f, REQ).response, S_RESET);
	assert_int_equal(take(f, REQ).response, S_OK); /* unit 5 */
	assert_int_equal(take(f, REQ + 1).response, S_RESET);
	f->fake->hold = false;
	r = command(f, 0, TUR, NULL, 0, 0);
	assert_int_equal(r.key, 6);
	assert_int_equal(r.asc, 0x29);
	assert_int_equal(r.ascq, 0x03);
	assert_int_equal(command(f, 0, TUR, NULL, 0, 0).status, 0);
	assert_int_equal(command(f, 5, TUR, NULL, 0, 0).status, 0);
}

static void a_nexus_reset_is_for_all_units(void **state)
{
	struct fixture *f = *state;

	in_flight(f);
	assert_int_equal(tmf(f, I_T_NEXUS_RESET, 99, 0), -1);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(tmf_answer(f), S_OK);
	for (unsigned int i = 0; i < 2; i++)
		assert_int_equal(take(f, REQ).response, S_RESET);
	assert_int_equal(take(f, REQ + 1).response, S_RESET);
	f->fake->hold = false;
	assert_int_equal(command(f, 0, TUR, NULL, 0, 0).ascq, 0x07);
	assert_int_equal(command(f, 5, TUR, NULL, 0, 0).ascq, 0x07);
}

static void a_reset_outweighs_an_abort(void **state)
{
	struct fixture *f = *state;

	in_flight(f);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 1), -1);
	assert_int_equal(tmf(f, LOGICAL_UNIT_RESET, 0, 0), -1);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 1), -1);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(take(f, REQ).response, S_RESET);
	/* both aborts are done, the reset is not */
	assert_int_equal(tmf_answer(f), S_OK);
	assert_int_equal(tmf_answer(f), S_OK);
	assert_int_equal(tmf_answer(f), -1);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(tmf_answer(f), S_OK);
}

static void queries_change_nothing(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(tmf(f, QUERY_TASK_SET, 0, 0), S_OK);
	in_flight(f);
	assert_int_equal(tmf(f, QUERY_TASK, 0, 2), S_SUCCEEDED);
	assert_int_equal(tmf(f, QUERY_TASK, 0, 3), S_OK);
	assert_int_equal(tmf(f, QUERY_TASK_SET, 5, 0), S_SUCCEEDED);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(take(f, REQ).response, S_OK);
	assert_int_equal(counters(f).aborted, 0);
}

static void what_makes_no_sense_is_answered_as_such(void **state)
{
	static const uint8_t other[8] = {1, 1}, none[8] = {1, 0, 0, 1};
	static const uint8_t well_known[8] = {0xc1, 1};
	struct fixture *f = *state;

	assert_int_equal(tmf(f, CLEAR_ACA, 0, 0), S_REJECTED);
	assert_int_equal(tmf(f, 8, 0, 0), S_REJECTED);
	assert_int_equal(tmf(f, 0xffffffff, 0, 0), S_REJECTED);
	for (uint32_t i = 0; i < 8; i++) {
		tmf_offer(f, i, other, 0);
		assert_int_equal(tmf_answer(f), S_BAD_TARGET);
		tmf_offer(f, i, none, 0);
		assert_int_equal(tmf_answer(f),
				 i == I_T_NEXUS_RESET ? S_OK : S_INCORRECT_LUN);
	}
	tmf_offer(f, LOGICAL_UNIT_RESET, well_known, 0);
	assert_int_equal(tmf_answer(f), S_INCORRECT_LUN);
}

static void asynchronous_notifications_are_of_nothing(void **state)
{
	static const uint8_t luns[][8] = {{1, 0, 0, 0}, {1, 0, 0, 1}, {1, 7}};
	static const uint8_t want[] = {S_OK, S_INCORRECT_LUN, S_BAD_TARGET};
	struct fixture *f = *state;

	for (uint32_t type = 1; type <= 2; type++) {
		for (unsigned int i = 0; i < 3; i++) {
			uint8_t b[16] = {0}, resp[5];

			store_le32(b, type);
			memcpy(b + 4, luns[i], 8);
			store_le32(b + 12, 0x7e);
			fake_driver_offer(f->drv, CTL, b, sizeof(b), 5);
			fake_driver_kick(f->drv, CTL);
			assert_true(fake_driver_take(f->drv, CTL, &f->used,
						     resp, 5));
			assert_int_equal(f->used.written, 5);
			assert_int_equal(load_le32(resp), 0);
			assert_int_equal(resp[4], want[i]);
		}
	}
}

static void a_control_request_of_the_wrong_shape_comes_back_empty(void **state)
{
	static const struct {
		uint32_t type;
		size_t out, in;
	} bad[] = {
		{0, 23, 1}, {0, 24, 0}, {1, 15, 5}, {1, 16, 4},
		{3, 24, 8}, {2, 3, 8},	{0, 0, 8},  {0xffffffff, 24, 8},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t b[24] = {0}, in[8];

		store_le32(b, bad[i].type);
		b[4] = b[8] = 1;
		fake_driver_offer(f->drv, CTL, b, bad[i].out, bad[i].in);
		fake_driver_kick(f->drv, CTL);
		assert_true(fake_driver_take(f->drv, CTL, &f->used, in,
					     sizeof(in)));
		assert_int_equal(f->used.written, 0);
	}
	assert_int_equal(counters(f).bad_chains, ARRAY_SIZE(bad));
}

static void more_functions_than_can_wait_are_taken_later(void **state)
{
	struct fixture *f = *state;
	unsigned int n = 0;

	in_flight(f);
	for (unsigned int i = 0; i < 60; i++) {
		uint8_t b[24] = {0};
		struct fake_buf buf[] = {FAKE_OUT(b, 24), FAKE_IN(1)};

		b[8] = 1;
		store_le64(b + 16, 1);
		assert_true(fake_driver_add(f->drv, CTL, buf, 2, true) >= 0);
	}
	fake_driver_kick(f->drv, CTL);
	fake_driver_settle(f->drv);
	assert_int_equal(tmf_answer(f), -1);
	fake_scsi_finish(f->fake, 0, 0);
	fake_driver_settle(f->drv);
	while (tmf_answer(f) == S_OK)
		n++;
	assert_int_equal(n, 60);
}

static void resets_of_queue_and_device_forget_functions(void **state)
{
	struct fixture *f = *state;

	in_flight(f);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 1), -1);
	assert_true(fake_driver_queue_reset(f->drv, CTL));
	fake_driver_queue_enable(f->drv, CTL);
	/* the request is aborted still, but nobody is told about it */
	assert_int_equal(tmf(f, ABORT_TASK, 5, 1), -1);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(tmf_answer(f), -1);
	assert_int_equal(take(f, REQ).response, S_ABORTED);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(tmf_answer(f), S_OK);
	assert_int_equal(tmf(f, LOGICAL_UNIT_RESET, 0, 0), -1);
	fake_driver_reset_begin(f->drv);
	fake_scsi_finish_all(f->fake);
	assert_true(fake_driver_reset_wait(f->drv));
	fake_driver_activate(f->drv);
	assert_int_equal(tmf_answer(f), -1);
	f->fake->hold = false;
	assert_int_equal(tmf(f, QUERY_TASK_SET, 0, 0), S_OK);
}

/* A function on unit 0 that waits; where its answer would be. */
static gpa_t waiting_function(struct fixture *f, uint32_t subtype)
{
	struct fake_ring *ring = fake_driver_ring(f->drv, CTL);
	struct fake_ram *ram = fake_driver_ram(f->drv);
	gpa_t gpa = fake_ram_alloc(ram, 64);
	uint8_t b[24] = {0}, mark = 0xaa;

	store_le32(b + 4, subtype);
	b[8] = 1;
	fake_ram_write(ram, gpa, b, sizeof(b));
	fake_ram_write(ram, gpa + 32, &mark, 1);
	fake_ring_set_desc(ring, 0, 40, gpa, 24, FAKE_DESC_NEXT, 41);
	fake_ring_set_desc(ring, 0, 41, gpa + 32, 1, FAKE_DESC_WRITE, 0);
	fake_ring_publish(ring, 40);
	fake_driver_kick(f->drv, CTL);
	return gpa + 32;
}

static void nothing_is_written_for_a_function_that_was_reset(void **state)
{
	struct fixture *f = *state;
	gpa_t gpa;
	uint8_t b;

	in_flight(f);
	gpa = waiting_function(f, ABORT_TASK_SET);
	virtq_disable(f->dev->q[CTL]);
	f->dev->ops->queue_reset(f->dev, CTL);
	fake_ring_reset(fake_driver_ring(f->drv, CTL));
	fake_scsi_finish_all(f->fake);
	fake_ram_read(fake_driver_ram(f->drv), gpa, &b, 1);
	assert_int_equal(b, 0xaa);
	/* and no number of them is too many */
	for (unsigned int i = 0; i < 40; i++) {
		assert_true(fake_driver_reset(f->drv));
		fake_driver_activate(f->drv);
		f->fake->hold = false;
		command(f, 0, TUR, NULL, 0, 0);
		command(f, 5, TUR, NULL, 0, 0);
		in_flight(f);
		gpa = waiting_function(f, LOGICAL_UNIT_RESET);
		fake_driver_reset_begin(f->drv);
		fake_scsi_finish_all(f->fake);
		assert_true(fake_driver_reset_wait(f->drv));
		fake_ram_read(fake_driver_ram(f->drv), gpa, &b, 1);
		assert_int_equal(b, 0xaa);
	}
	fake_driver_activate(f->drv);
	assert_int_equal(tmf(f, QUERY_TASK_SET, 0, 0), S_OK);
}

/* A slot is used again: what waited for its last request does not wait. */
static void a_function_waits_for_its_own_requests_only(void **state)
{
	struct fixture *f = *state;

	in_flight(f);
	assert_int_equal(tmf(f, ABORT_TASK, 0, 1), -1);
	fake_scsi_finish(f->fake, 0, 0);
	assert_int_equal(take(f, REQ).response, S_ABORTED);
	assert_int_equal(tmf_answer(f), S_OK);
	offer(f, REQ, 0, 7, READ_10(3, 1), NULL, 0, BS);
	fake_driver_kick(f->drv, REQ);
	assert_int_equal(tmf(f, ABORT_TASK, 5, 1), -1);
	fake_scsi_finish(f->fake, 2, 0); /* the one with tag 7 */
	assert_int_equal(take(f, REQ).response, S_OK);
	assert_int_equal(tmf_answer(f), -1);
	fake_scsi_finish_all(f->fake);
	assert_int_equal(take(f, REQ).response, S_ABORTED);
	assert_int_equal(take(f, REQ + 1).response, S_OK);
	assert_int_equal(tmf_answer(f), S_OK);
}

/* --- events --------------------------------------------------------------- */

struct event {
	uint32_t what, reason;
	uint8_t lun[8];
};

/* False: there is none. */
static bool event(struct fixture *f, struct event *e)
{
	uint8_t b[16];

	fake_driver_settle(f->drv);
	if (!fake_driver_take(f->drv, EVT, &f->used, b, sizeof(b)))
		return false;
	assert_int_equal(f->used.written, 16);
	e->what = load_le32(b);
	memcpy(e->lun, b + 4, 8);
	e->reason = load_le32(b + 12);
	return true;
}

static void event_buffer(struct fixture *f, size_t len)
{
	fake_driver_offer(f->drv, EVT, NULL, 0, len);
	assert_int_equal(fake_driver_kick(f->drv, EVT), 0);
}

static void a_new_size_is_an_event_and_a_unit_attention(void **state)
{
	static const uint8_t lun5[8] = {1, 0, 0, 5};
	struct fixture *f = *state;
	struct event e = {0};
	struct response r;

	event_buffer(f, 16);
	assert_false(event(f, &e));
	assert_int_equal(scsi_resize(f->scsi, 5, 16 * BS), 0);
	assert_true(event(f, &e));
	assert_int_equal(e.what, 3); /* PARAM_CHANGE */
	assert_memory_equal(e.lun, lun5, 8);
	assert_int_equal(e.reason, 0x092a);
	r = command(f, 5, CDB(0x25), NULL, 0, 8);
	assert_int_equal(r.key, 6);
	assert_int_equal(r.asc, 0x2a);
	assert_int_equal(r.ascq, 0x09);
	r = command(f, 5, CDB(0x25), NULL, 0, 8);
	assert_int_equal(load_be32(r.data), 15);
	assert_int_equal(counters(f).events, 1);
	/* the same size again is nothing */
	event_buffer(f, 16);
	assert_int_equal(scsi_resize(f->scsi, 5, 16 * BS), 0);
	assert_false(event(f, &e));
	assert_int_equal(scsi_resize(f->scsi, 1, BS), -ENOENT);
}

static void a_size_from_another_thread_is_told_in_the_devices(void **state)
{
	struct fixture *f = *state;
	struct event e = {0};
	struct response r;

	assert_int_equal(scsi_post_resize(f->scsi, 1, 16 * BS), -ENOENT);
	event_buffer(f, 16);
	assert_int_equal(scsi_post_resize(f->scsi, 5, 16 * BS), 0);
	assert_int_equal(scsi_post_resize(f->scsi, 5, 17 * BS), 0);
	assert_int_equal(counters(f).events, 0);
	assert_true(event(f, &e));
	assert_int_equal(e.what, 3); /* PARAM_CHANGE */
	assert_int_equal(e.lun[3], 5);
	command(f, 5, CDB(0x25), NULL, 0, 8); /* the unit attention */
	r = command(f, 5, CDB(0x25), NULL, 0, 8);
	assert_int_equal(load_be32(r.data), 16); /* the last one counts */
	event_buffer(f, 16);
	assert_false(event(f, &e));
}

static void an_event_waits_for_a_buffer(void **state)
{
	struct fixture *f = *state;
	struct event e = {0};

	scsi_resize(f->scsi, 5, 16 * BS);
	scsi_resize(f->scsi, 5, 17 * BS);
	scsi_resize(f->scsi, 0, 16 * BS);
	event_buffer(f, 16);
	assert_true(event(f, &e));
	assert_int_equal(e.lun[3], 0);
	assert_false(event(f, &e));
	fake_driver_offer(f->drv, EVT, NULL, 0, 16);
	assert_true(fake_ring_wants_kick(fake_driver_ring(f->drv, EVT)));
	fake_driver_kick(f->drv, EVT);
	assert_true(event(f, &e));
	assert_int_equal(e.what, 3); /* nothing was missed */
	assert_int_equal(e.lun[3], 5);
	event_buffer(f, 16);
	assert_false(event(f, &e)); /* twice on unit 5 is one event */
}

static void
a_buffer_too_small_loses_its_event_and_the_next_says_so(void **state)
{
	struct fixture *f = *state;
	struct event e = {0};

	event_buffer(f, 15);
	scsi_resize(f->scsi, 5, 16 * BS);
	assert_true(fake_driver_take(f->drv, EVT, &f->used, NULL, 0));
	assert_int_equal(f->used.written, 0);
	assert_int_equal(counters(f).events_missed, 1);
	event_buffer(f, 16);
	assert_true(event(f, &e));
	assert_int_equal(e.what, 0x80000000); /* NO_EVENT, but missed */
	event_buffer(f, 15);
	scsi_resize(f->scsi, 5, 17 * BS);
	assert_true(fake_driver_take(f->drv, EVT, &f->used, NULL, 0));
	scsi_resize(f->scsi, 0, 18 * BS);
	event_buffer(f, 16);
	assert_true(event(f, &e));
	assert_int_equal(e.what, 0x80000003);
	assert_int_equal(e.lun[3], 0);
	scsi_resize(f->scsi, 0, 19 * BS);
	event_buffer(f, 16);
	assert_true(event(f, &e));
	assert_int_equal(e.what, 3); /* said once */
}

static void events_are_not_for_the_driver_after_a_reset(void **state)
{
	struct fixture *f = *state;
	struct event e = {0};

	scsi_resize(f->scsi, 5, 16 * BS);
	event_buffer(f, 15);
	scsi_resize(f->scsi, 0, 16 * BS);
	assert_true(fake_driver_reset(f->drv));
	fake_driver_activate(f->drv);
	event_buffer(f, 16);
	assert_false(event(f, &e));
}

static int setup_no_change(void **state)
{
	static const struct fake_driver_opts o = {.refuse = BIT64(2)};
	struct fixture *f;

	setup_inactive(state);
	f = *state;
	fake_driver_destroy(f->drv);
	f->drv = fake_driver_create(f->dev, &o);
	return 0;
}

static void a_driver_without_the_feature_gets_no_events(void **state)
{
	struct fixture *f = *state;
	struct event e = {0};

	assert_int_equal(scsi_resize(f->scsi, 5, 15 * BS), 0); /* inactive */
	fake_driver_activate(f->drv);
	event_buffer(f, 16);
	assert_int_equal(scsi_resize(f->scsi, 5, 16 * BS), 0);
	assert_false(event(f, &e));
}

static void a_broken_event_queue_is_reported(void **state)
{
	struct fixture *f = *state;

	fake_ring_set_avail_idx(fake_driver_ring(f->drv, EVT), 9000);
	assert_int_equal(scsi_resize(f->scsi, 5, 16 * BS), 0);
	assert_int_equal(fake_driver_host(f->drv)->needs_reset, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_abort_is_answered_when_the_task_is_gone),
		TEST(an_aborted_task_takes_no_further_step),
		TEST(a_task_that_is_not_there_is_aborted_at_once),
		TEST(an_abort_finds_a_request_still_in_its_ring),
		TEST(task_sets_are_aborted_whole),
		TEST(a_unit_reset_ends_its_tasks_and_is_noticed),
		TEST(a_nexus_reset_is_for_all_units),
		TEST(a_reset_outweighs_an_abort),
		TEST(queries_change_nothing),
		TEST(what_makes_no_sense_is_answered_as_such),
		TEST(asynchronous_notifications_are_of_nothing),
		TEST(a_control_request_of_the_wrong_shape_comes_back_empty),
		TEST(more_functions_than_can_wait_are_taken_later),
		TEST(resets_of_queue_and_device_forget_functions),
		TEST(nothing_is_written_for_a_function_that_was_reset),
		TEST(a_function_waits_for_its_own_requests_only),
		TEST(a_new_size_is_an_event_and_a_unit_attention),
		TEST(a_size_from_another_thread_is_told_in_the_devices),
		TEST(an_event_waits_for_a_buffer),
		TEST(a_buffer_too_small_loses_its_event_and_the_next_says_so),
		TEST(events_are_not_for_the_driver_after_a_reset),
		cmocka_unit_test_setup_teardown(
			a_driver_without_the_feature_gets_no_events,
			setup_no_change, teardown),
		TEST(a_broken_event_queue_is_reported),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
