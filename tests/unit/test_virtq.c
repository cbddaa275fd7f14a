/* tests/unit/test_virtq.c - rings with a driver that keeps to the rules. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/virtq.h"
#include "tests/fake/fake_queue.h"
#include "tests/fake/fake_ram.h"
#include "tests/fake/fake_ring.h"

enum { SIZE = FAKE_QUEUE_SIZE, RAM = FAKE_QUEUE_RAM };

static int setup(void **state)
{
	*state = fake_queue_create(false, true, false);
	return 0;
}

static int setup_event(void **state)
{
	*state = fake_queue_create(false, true, true);
	return 0;
}

static int setup_confidential(void **state)
{
	*state = fake_queue_create(true, true, true);
	return 0;
}

static int teardown(void **state)
{
	fake_queue_destroy(*state);
	return 0;
}

/* --- good drivers ------------------------------------------------------- */

static void a_chain_goes_there_and_back(void **state)
{
	struct fake_queue *f = *state;
	struct fake_used u;
	char buf[4], in[8] = "";

	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	fake_queue_offer(f, "ping", 8);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.out_len, 4);
	assert_int_equal(f->c.in_len, 8);
	assert_int_equal(virtq_chain_read(&f->c, 0, buf, 4), 0);
	assert_memory_equal(buf, "ping", 4);
	assert_int_equal(virtq_chain_write(&f->c, 2, "pong", 4), 0);
	virtq_push(f->q, &f->c, 6);
	assert_false(fake_ring_take(f->ring, &u, NULL, 0));
	virtq_flush(f->q);
	assert_true(fake_ring_take(f->ring, &u, in, sizeof(in)));
	assert_int_equal(u.written, 6);
	assert_memory_equal(in + 2, "pong", 4);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
}

/* From the second one on it is known where such a buffer is. */
static void a_single_buffer_is_of_one_part_only(void **state)
{
	struct fake_queue *f = *state;
	char buf[8] = "";

	for (int i = 0; i < 3; i++) {
		fake_queue_offer(f, NULL, 8);
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
		assert_int_equal(f->c.n_out, 0);
		assert_int_equal(f->c.out_len, 0);
		assert_int_equal(f->c.in_len, 8);
		assert_int_equal(virtq_chain_read(&f->c, 0, buf, 1), -ERANGE);
		virtq_push(f->q, &f->c, 0);
		fake_queue_offer(f, "ping", 0);
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
		assert_int_equal(f->c.n_in, 0);
		assert_int_equal(f->c.in_len, 0);
		assert_int_equal(f->c.out_len, 4);
		assert_int_equal(virtq_chain_write(&f->c, 0, buf, 1), -ERANGE);
		virtq_push(f->q, &f->c, 0);
	}
}

static void indices_wrap(void **state)
{
	struct fake_queue *f = *state;

	for (unsigned int i = 0; i < 0x10000 + 2 * SIZE; i++)
		fake_queue_round_trip(f);
	assert_int_equal(fake_ring_used_idx(f->ring), 2 * SIZE);
}

static void chains_come_back_in_any_order(void **state)
{
	struct fake_queue *f = *state;
	struct virtq_chain c[4];
	struct fake_used u;

	for (size_t i = 0; i < 4; i++) {
		virtq_chain_init(&c[i]);
		fake_queue_offer(f, "x", i + 1);
		assert_int_equal(virtq_pop(f->q, &c[i]), 1);
	}
	for (size_t i = 4; i-- > 0;)
		virtq_push(f->q, &c[i], (uint32_t)i);
	virtq_flush(f->q);
	assert_int_equal(f->interrupts, 1);
	for (size_t i = 4; i-- > 0;) {
		assert_true(fake_ring_take(f->ring, &u, NULL, 0));
		assert_int_equal(u.written, i);
		assert_int_equal(u.in_len, i + 1);
		virtq_chain_free(&c[i]);
	}
}

static void a_full_queue_is_popped_to_its_end(void **state)
{
	struct fake_queue *f = *state;

	for (int i = 0; i < SIZE; i++)
		assert_true(fake_queue_offer(f, NULL, 16) >= 0);
	assert_int_equal(fake_queue_offer(f, NULL, 16), -ENOSPC);
	for (int i = 0; i < SIZE; i++)
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
}

static void an_indirect_table_is_a_chain(void **state)
{
	struct fake_queue *f = *state;
	struct fake_buf b[20];
	char got[20], want[20];

	for (size_t i = 0; i < 10; i++) {
		want[2 * i] = want[2 * i + 1] = (char)('a' + i);
		b[i] = FAKE_OUT(want + 2 * i, 2);
	}
	for (size_t i = 10; i < 20; i++)
		b[i] = FAKE_IN(3);
	/* longer than the queue, as Linux does it */
	assert_true(fake_ring_offer(f->ring, b, 20, true) >= 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.out_len, 20);
	assert_int_equal(f->c.in_len, 30);
	assert_int_equal(virtq_chain_read(&f->c, 0, got, 20), 0);
	assert_memory_equal(got, want, 20);
}

static void an_indirect_table_may_end_a_direct_chain(void **state)
{
	struct fake_queue *f = *state;
	gpa_t a = fake_ram_alloc(f->ram, 64), t = fake_ram_alloc(f->ram, 64);

	fake_ring_set_desc(f->ring, 0, 0, a, 4, FAKE_DESC_NEXT, 1);
	/* WRITE on the descriptor of a table means nothing */
	fake_ring_set_desc(f->ring, 0, 1, t, 32,
			   FAKE_DESC_INDIRECT | FAKE_DESC_WRITE, 0);
	fake_ring_set_desc(f->ring, t, 0, a + 8, 4, FAKE_DESC_NEXT, 1);
	fake_ring_set_desc(f->ring, t, 1, a + 16, 4, FAKE_DESC_WRITE, 0);
	fake_ring_publish(f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.out_len, 8);
	assert_int_equal(f->c.in_len, 4);
}

static void adjacent_buffers_become_one_but_not_across_the_parts(void **state)
{
	struct fake_queue *f = *state;
	gpa_t a = fake_ram_alloc(f->ram, 4096);

	fake_ring_set_desc(f->ring, 0, 0, a, 64, FAKE_DESC_NEXT, 1);
	fake_ring_set_desc(f->ring, 0, 1, a + 64, 64, FAKE_DESC_NEXT, 2);
	fake_ring_set_desc(f->ring, 0, 2, a + 128, 64,
			   FAKE_DESC_NEXT | FAKE_DESC_WRITE, 3);
	fake_ring_set_desc(f->ring, 0, 3, a + 192, 64, FAKE_DESC_WRITE, 0);
	fake_ring_publish(f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.n_out, 1);
	assert_int_equal(f->c.n_in, 1);
	assert_int_equal(f->c.iov[0].iov_len, 128);
	assert_int_equal(f->c.iov[1].iov_len, 128);
}

static void empty_buffers_are_left_out(void **state)
{
	struct fake_queue *f = *state;

	/* not even their address matters */
	fake_ring_set_desc(f->ring, 0, 0, UINT64_MAX, 0, FAKE_DESC_NEXT, 1);
	fake_ring_set_desc(f->ring, 0, 1, UINT64_MAX, 0, FAKE_DESC_WRITE, 0);
	fake_ring_publish(f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.n_out + f->c.n_in, 0);
	assert_non_null(f->c.iov); /* or adding offsets to it were undefined */
	assert_int_equal(virtq_chain_read(&f->c, 0, NULL, 0), 0);
	assert_int_equal(virtq_chain_write(&f->c, 0, "x", 1), -ERANGE);
	virtq_push(f->q, &f->c, 0);
	virtq_flush(f->q);
	assert_int_equal(fake_ring_used_idx(f->ring), 1);
}

static void overlapping_buffers_are_the_guests_own_affair(void **state)
{
	struct fake_queue *f = *state;
	gpa_t a = fake_ram_alloc(f->ram, 64);
	char buf[8];

	fake_ram_write(f->ram, a, "abcdefgh", 8);
	fake_ring_set_desc(f->ring, 0, 0, a, 8, FAKE_DESC_NEXT, 1);
	fake_ring_set_desc(f->ring, 0, 1, a + 4, 8, FAKE_DESC_WRITE, 0);
	fake_ring_publish(f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_chain_write(&f->c, 0, "ABCD", 4), 0);
	assert_int_equal(virtq_chain_read(&f->c, 0, buf, 8), 0);
	assert_memory_equal(buf, "abcdABCD", 8);
}

/* --- copies and slices -------------------------------------------------- */

/* Three buffers each way, not adjacent. */
static void pop_scattered(struct fake_queue *f)
{
	struct fake_buf b[6] = {
		FAKE_OUT("abc", 3), FAKE_OUT("defg", 4), FAKE_OUT("hi", 2),
		FAKE_IN(3),	    FAKE_IN(4),		 FAKE_IN(2),
	};

	assert_true(fake_ring_offer(f->ring, b, 6, false) >= 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.n_out, 3);
	assert_int_equal(f->c.n_in, 3);
}

static void copies_start_and_end_anywhere(void **state)
{
	struct fake_queue *f = *state;
	const char *text = "abcdefghi";
	char buf[9];

	pop_scattered(f);
	for (uint64_t off = 0; off <= 9; off++) {
		for (size_t len = 0; len <= 9 - off; len++) {
			assert_int_equal(virtq_chain_read(&f->c, off, buf, len),
					 0);
			assert_memory_equal(buf, text + off, len);
		}
		assert_int_equal(virtq_chain_read(&f->c, off, buf, 10 - off),
				 -ERANGE);
		assert_int_equal(virtq_chain_write(&f->c, off, text, 10 - off),
				 -ERANGE);
	}
	assert_int_equal(virtq_chain_read(&f->c, 10, buf, 0), -ERANGE);
	assert_int_equal(virtq_chain_read(&f->c, UINT64_MAX, buf, 1), -ERANGE);
	assert_int_equal(virtq_chain_write(&f->c, UINT64_MAX, buf, 2), -ERANGE);
}

static void writes_land_where_the_driver_reads_them(void **state)
{
	struct fake_queue *f = *state;
	struct fake_used u;
	char in[9];

	pop_scattered(f);
	assert_int_equal(virtq_chain_write(&f->c, 0, "123456789", 9), 0);
	assert_int_equal(virtq_chain_write(&f->c, 2, "xyz", 3), 0);
	virtq_push(f->q, &f->c, 9);
	virtq_flush(f->q);
	assert_true(fake_ring_take(f->ring, &u, in, sizeof(in)));
	assert_memory_equal(in, "12xyz6789", 9);
}

static void slices_are_the_pieces_of_a_range(void **state)
{
	struct fake_queue *f = *state;
	struct iovec v[3] = {0};

	pop_scattered(f);
	assert_int_equal(virtq_chain_slice(&f->c, false, 2, 6, v, 3), 3);
	assert_int_equal(v[0].iov_len, 1);
	assert_int_equal(v[1].iov_len, 4);
	assert_int_equal(v[2].iov_len, 1);
	assert_memory_equal(v[2].iov_base, "h", 1);
	assert_int_equal(virtq_chain_slice(&f->c, true, 3, 4, v, 1), 1);
	assert_ptr_equal(v[0].iov_base, f->c.iov[4].iov_base);
	assert_int_equal(virtq_chain_slice(&f->c, true, 3, 5, v, 1), -E2BIG);
	assert_int_equal(virtq_chain_slice(&f->c, true, 9, 0, v, 0), 0);
	assert_int_equal(virtq_chain_slice(&f->c, true, 9, 1, v, 3), -ERANGE);
}

/* --- enabling ----------------------------------------------------------- */

static int try_enable(struct fake_queue *f, struct virtq_layout l)
{
	int r;

	virtq_disable(f->q);
	r = virtq_enable(f->q, &l);
	assert_int_equal(virtq_enabled(f->q), r == 0);
	assert_int_equal(virtq_layout(f->q) != NULL, r == 0);
	return r;
}

static void only_powers_of_two_up_to_the_maximum_are_sizes(void **state)
{
	struct fake_queue *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);

	assert_int_equal(virtq_max_size(f->q), 2 * SIZE);
	for (unsigned int n = 0; n <= 4 * SIZE; n++) {
		l.size = (uint16_t)n;
		assert_int_equal(try_enable(f, l),
				 n == 1 || n == 2 || n == 4 || n == 8 || n == 16
					 ? 0
					 : -EINVAL);
	}
	l.size = 0x8000;
	assert_int_equal(try_enable(f, l), -EINVAL);
}

static void areas_must_be_aligned(void **state)
{
	struct fake_queue *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);

	for (unsigned int i = 0; i < 32; i++) {
		struct virtq_layout d = l, a = l, u = l;

		d.desc += i;
		a.driver += i;
		u.device += i;
		assert_int_equal(try_enable(f, d), i % 16 ? -EINVAL : 0);
		assert_int_equal(try_enable(f, a), i % 2 ? -EINVAL : 0);
		assert_int_equal(try_enable(f, u), i % 4 ? -EINVAL : 0);
	}
}

static void areas_must_be_memory_to_their_last_byte(void **state)
{
	struct fake_queue *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);

	l.desc = RAM - SIZE * 16;
	assert_int_equal(try_enable(f, l), 0);
	l.desc += 16;
	assert_int_equal(virtq_enable(f->q, &l), -EFAULT);
	assert_false(virtq_enabled(f->q)); /* nor the old ones any more */
	l.desc = UINT64_MAX - 15;
	assert_int_equal(try_enable(f, l), -EINVAL);
	l = *fake_ring_layout(f->ring);
	l.driver = RAM - (4 + 2 * SIZE);
	assert_int_equal(try_enable(f, l), 0);
	l.event_idx = true; /* two bytes more */
	assert_int_equal(try_enable(f, l), -EFAULT);
	l.driver = UINT64_MAX - 1;
	assert_int_equal(try_enable(f, l), -EINVAL);
	l = *fake_ring_layout(f->ring);
	l.device = RAM - (4 + 8 * SIZE);
	assert_int_equal(try_enable(f, l), 0);
	l.event_idx = true;
	assert_int_equal(try_enable(f, l), -EFAULT);
}

static void private_memory_holds_no_rings(void **state)
{
	struct fake_queue *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);

	l.device = 0;
	assert_int_equal(try_enable(f, l), -EFAULT);
	l = *fake_ring_layout(f->ring);
	l.driver = 0;
	assert_int_equal(try_enable(f, l), -EFAULT);
	l = *fake_ring_layout(f->ring);
	l.desc = 0;
	assert_int_equal(try_enable(f, l), -EFAULT);
}

static void chains_of_before_a_disable_are_dropped(void **state)
{
	struct fake_queue *f = *state;

	fake_queue_offer(f, "x", 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	virtq_disable(f->q);
	virtq_push(f->q, &f->c, 1);
	virtq_flush(f->q);
	assert_false(virtq_kicks_on(f->q));
	virtq_kicks_off(f->q);
	assert_null(virtq_layout(f->q));
	assert_int_equal(fake_ring_used_idx(f->ring), 0);
	fake_ring_reset(f->ring);
	assert_int_equal(virtq_enable(f->q, fake_ring_layout(f->ring)), 0);
	virtq_push(f->q, &f->c, 1); /* of the era before */
	virtq_flush(f->q);
	assert_int_equal(fake_ring_used_idx(f->ring), 0);
	assert_int_equal(f->interrupts, 0);
	fake_queue_round_trip(f);
}

/* --- interrupts and kicks ----------------------------------------------- */

static void an_interrupt_comes_unless_the_driver_declines(void **state)
{
	struct fake_queue *f = *state;

	virtq_flush(f->q); /* nothing was pushed */
	assert_int_equal(f->interrupts, 0);
	fake_queue_round_trip(f);
	assert_int_equal(f->interrupts, 1);
	fake_ring_irq(f->ring, false, 0);
	fake_queue_round_trip(f);
	assert_int_equal(f->interrupts, 1);
	fake_ring_irq(f->ring, true, 0);
	fake_queue_round_trip(f);
	assert_int_equal(f->interrupts, 2);
}

static void one_kick_suppression_flag_serves_the_plain_ring(void **state)
{
	struct fake_queue *f = *state;

	fake_queue_offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring));
	virtq_kicks_off(f->q);
	assert_int_equal(fake_ring_used_flags(f->ring), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	fake_queue_offer(f, NULL, 1);
	assert_false(fake_ring_wants_kick(f->ring));
	assert_true(virtq_kicks_on(f->q)); /* it came in between */
	assert_int_equal(fake_ring_used_flags(f->ring), 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_false(virtq_kicks_on(f->q));
	fake_queue_offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring));
}

static void a_pop_that_finds_nothing_asks_for_the_next_kick(void **state)
{
	struct fake_queue *f = *state;

	for (int i = 0; i < 3; i++) {
		fake_queue_offer(f, NULL, 1);
		fake_queue_offer(f, NULL, 1);
		assert_true(fake_ring_wants_kick(f->ring));
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
		virtq_push(f->q, &f->c, 0);
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
		virtq_push(f->q, &f->c, 0);
		assert_int_equal(virtq_pop(f->q, &f->c), 0);
		virtq_flush(f->q);
		for (int n = 0; n < 2; n++) {
			struct fake_used u;

			assert_true(fake_ring_take(f->ring, &u, NULL, 0));
		}
	}
}

static void with_kicks_off_the_event_index_stays(void **state)
{
	struct fake_queue *f = *state;

	virtq_kicks_off(f->q);
	fake_queue_offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring)); /* index 0: the first */
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	fake_queue_offer(f, NULL, 1);
	assert_false(fake_ring_wants_kick(f->ring));
	assert_true(virtq_kicks_on(f->q));
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_false(virtq_kicks_on(f->q));
	assert_int_equal(fake_ring_avail_event(f->ring), 2);
	fake_queue_offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring));
}

static void the_used_event_index_asks_for_one_interrupt(void **state)
{
	struct fake_queue *f = *state;
	struct virtq_chain c[4];

	fake_ring_irq(f->ring, true, 2); /* for the third */
	for (size_t i = 0; i < 4; i++) {
		virtq_chain_init(&c[i]);
		fake_queue_offer(f, NULL, 1);
		assert_int_equal(virtq_pop(f->q, &c[i]), 1);
	}
	for (size_t i = 0; i < 4; i++) {
		virtq_push(f->q, &c[i], 1);
		virtq_flush(f->q);
		assert_int_equal(f->interrupts, i >= 2);
		virtq_chain_free(&c[i]);
	}
	fake_ring_irq(f->ring, false, 0);
	fake_queue_offer(f, NULL, 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	virtq_push(f->q, &f->c, 1);
	virtq_flush(f->q);
	assert_int_equal(f->interrupts, 1);
}

static void event_indices_wrap(void **state)
{
	struct fake_queue *f = *state;

	for (unsigned int i = 0; i < 0x10000 + SIZE; i++) {
		fake_queue_round_trip(f);
		assert_int_equal(f->interrupts, i + 1);
	}
}

int main(void)
{
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_chain_goes_there_and_back, setup),
		CASE(a_single_buffer_is_of_one_part_only, setup),
		CASE(indices_wrap, setup),
		CASE(chains_come_back_in_any_order, setup),
		CASE(a_full_queue_is_popped_to_its_end, setup),
		CASE(an_indirect_table_is_a_chain, setup),
		CASE(an_indirect_table_may_end_a_direct_chain, setup),
		CASE(adjacent_buffers_become_one_but_not_across_the_parts,
		     setup),
		CASE(empty_buffers_are_left_out, setup),
		CASE(overlapping_buffers_are_the_guests_own_affair, setup),
		CASE(copies_start_and_end_anywhere, setup),
		CASE(writes_land_where_the_driver_reads_them, setup),
		CASE(slices_are_the_pieces_of_a_range, setup),
		CASE(only_powers_of_two_up_to_the_maximum_are_sizes, setup),
		CASE(areas_must_be_aligned, setup),
		CASE(areas_must_be_memory_to_their_last_byte, setup),
		CASE(private_memory_holds_no_rings, setup_confidential),
		CASE(chains_of_before_a_disable_are_dropped, setup),
		CASE(an_interrupt_comes_unless_the_driver_declines, setup),
		CASE(one_kick_suppression_flag_serves_the_plain_ring, setup),
		CASE(a_pop_that_finds_nothing_asks_for_the_next_kick,
		     setup_event),
		CASE(with_kicks_off_the_event_index_stays, setup_event),
		CASE(the_used_event_index_asks_for_one_interrupt, setup_event),
		CASE(event_indices_wrap, setup_event),
	};

	return cmocka_run_group_tests_name("virtq", tests, NULL, NULL);
}
