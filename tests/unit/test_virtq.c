/* tests/unit/test_virtq.c - rings, well-behaved and hostile. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/virtq.h"
#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "tests/fake/fake_ram.h"
#include "tests/fake/fake_ring.h"

enum { SIZE = 8, RAM = 4 << 20 };

struct fixture {
	struct fake_ram *ram;
	struct fake_ring *ring;
	struct virtq *q;
	struct virtq_chain c;
	struct virtq_irq irq;
	unsigned int interrupts;
};

static void on_interrupt(struct virtq_irq *irq)
{
	container_of(irq, struct fixture, irq)->interrupts++;
}

static const struct virtq_irq_ops irq_ops = {.interrupt = on_interrupt};

static int build(void **state, bool confidential, bool indirect, bool event_idx)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->irq.ops = &irq_ops;
	f->ram = fake_ram_create(RAM, confidential);
	f->ring = fake_ring_create(f->ram, SIZE, indirect, event_idx);
	assert_int_equal(virtq_create(fake_ram_view(f->ram), 2 * SIZE, &f->irq,
				      &f->q, NULL),
			 0);
	assert_int_equal(virtq_enable(f->q, fake_ring_layout(f->ring)), 0);
	virtq_chain_init(&f->c);
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return build(state, false, true, false);
}

static int setup_event(void **state)
{
	return build(state, false, true, true);
}

static int setup_plain(void **state)
{
	return build(state, false, false, false);
}

static int setup_confidential(void **state)
{
	return build(state, true, true, true);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	virtq_chain_free(&f->c);
	virtq_destroy(f->q);
	fake_ring_destroy(f->ring);
	fake_ram_destroy(f->ram);
	free(f);
	return 0;
}

static int offer(struct fixture *f, const char *out, size_t in_len)
{
	struct fake_buf b[2];
	size_t n = 0;

	if (out)
		b[n++] = FAKE_OUT(out, strlen(out));
	if (in_len)
		b[n++] = FAKE_IN(in_len);
	return fake_ring_offer(f->ring, b, n, false);
}

/* One chain through the queue. */
static void round_trip(struct fixture *f)
{
	struct fake_used u;
	char in[4];

	assert_true(offer(f, "ping", 4) >= 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_chain_write(&f->c, 0, "pong", 4), 0);
	virtq_push(f->q, &f->c, 4);
	virtq_flush(f->q);
	assert_true(fake_ring_take(f->ring, &u, in, sizeof(in)));
	assert_int_equal(u.written, 4);
	assert_memory_equal(in, "pong", 4);
}

/* The pop that meets the mistake, and all later ones, say the same. */
static void assert_broken(struct fixture *f, int error)
{
	assert_int_equal(virtq_pop(f->q, &f->c), error);
	assert_int_equal(virtq_pop(f->q, &f->c), error);
	assert_true(virtq_kicks_on(f->q));
	virtq_kicks_off(f->q);
	virtq_disable(f->q);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	fake_ring_reset(f->ring);
	assert_int_equal(virtq_enable(f->q, fake_ring_layout(f->ring)), 0);
	round_trip(f);
}

/* --- good drivers ------------------------------------------------------- */

static void a_chain_goes_there_and_back(void **state)
{
	struct fixture *f = *state;
	struct fake_used u;
	char buf[4], in[8] = "";

	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	offer(f, "ping", 8);
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

static void indices_wrap(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 0x10000 + 2 * SIZE; i++)
		round_trip(f);
	assert_int_equal(fake_ring_used_idx(f->ring), 2 * SIZE);
}

static void chains_come_back_in_any_order(void **state)
{
	struct fixture *f = *state;
	struct virtq_chain c[4];
	struct fake_used u;

	for (size_t i = 0; i < 4; i++) {
		virtq_chain_init(&c[i]);
		offer(f, "x", i + 1);
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
	struct fixture *f = *state;

	for (int i = 0; i < SIZE; i++)
		assert_true(offer(f, NULL, 16) >= 0);
	assert_int_equal(offer(f, NULL, 16), -ENOSPC);
	for (int i = 0; i < SIZE; i++)
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
}

static void an_indirect_table_is_a_chain(void **state)
{
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;

	/* not even their address matters */
	fake_ring_set_desc(f->ring, 0, 0, UINT64_MAX, 0, FAKE_DESC_NEXT, 1);
	fake_ring_set_desc(f->ring, 0, 1, UINT64_MAX, 0, FAKE_DESC_WRITE, 0);
	fake_ring_publish(f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.n_out + f->c.n_in, 0);
	assert_int_equal(virtq_chain_read(&f->c, 0, NULL, 0), 0);
	assert_int_equal(virtq_chain_write(&f->c, 0, "x", 1), -ERANGE);
	virtq_push(f->q, &f->c, 0);
	virtq_flush(f->q);
	assert_int_equal(fake_ring_used_idx(f->ring), 1);
}

static void overlapping_buffers_are_the_guests_own_affair(void **state)
{
	struct fixture *f = *state;
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
static void pop_scattered(struct fixture *f)
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
	struct iovec v[3];

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

static int try_enable(struct fixture *f, struct virtq_layout l)
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);

	l.desc = RAM - SIZE * 16;
	assert_int_equal(try_enable(f, l), 0);
	l.desc += 16;
	assert_int_equal(try_enable(f, l), -EFAULT);
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
	struct fixture *f = *state;
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
	struct fixture *f = *state;

	offer(f, "x", 1);
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
	round_trip(f);
}

/* --- interrupts and kicks ----------------------------------------------- */

static void an_interrupt_comes_unless_the_driver_declines(void **state)
{
	struct fixture *f = *state;

	virtq_flush(f->q); /* nothing was pushed */
	assert_int_equal(f->interrupts, 0);
	round_trip(f);
	assert_int_equal(f->interrupts, 1);
	fake_ring_irq(f->ring, false, 0);
	round_trip(f);
	assert_int_equal(f->interrupts, 1);
	fake_ring_irq(f->ring, true, 0);
	round_trip(f);
	assert_int_equal(f->interrupts, 2);
}

static void one_kick_suppression_flag_serves_the_plain_ring(void **state)
{
	struct fixture *f = *state;

	offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring));
	virtq_kicks_off(f->q);
	assert_int_equal(fake_ring_used_flags(f->ring), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	offer(f, NULL, 1);
	assert_false(fake_ring_wants_kick(f->ring));
	assert_true(virtq_kicks_on(f->q)); /* it came in between */
	assert_int_equal(fake_ring_used_flags(f->ring), 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_false(virtq_kicks_on(f->q));
	offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring));
}

static void a_pop_that_finds_nothing_asks_for_the_next_kick(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 3; i++) {
		offer(f, NULL, 1);
		offer(f, NULL, 1);
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
	struct fixture *f = *state;

	virtq_kicks_off(f->q);
	offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring)); /* index 0: the first */
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	offer(f, NULL, 1);
	assert_false(fake_ring_wants_kick(f->ring));
	assert_true(virtq_kicks_on(f->q));
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_false(virtq_kicks_on(f->q));
	assert_int_equal(fake_ring_avail_event(f->ring), 2);
	offer(f, NULL, 1);
	assert_true(fake_ring_wants_kick(f->ring));
}

static void the_used_event_index_asks_for_one_interrupt(void **state)
{
	struct fixture *f = *state;
	struct virtq_chain c[4];

	fake_ring_irq(f->ring, true, 2); /* for the third */
	for (size_t i = 0; i < 4; i++) {
		virtq_chain_init(&c[i]);
		offer(f, NULL, 1);
		assert_int_equal(virtq_pop(f->q, &c[i]), 1);
	}
	for (size_t i = 0; i < 4; i++) {
		virtq_push(f->q, &c[i], 1);
		virtq_flush(f->q);
		assert_int_equal(f->interrupts, i >= 2);
		virtq_chain_free(&c[i]);
	}
	fake_ring_irq(f->ring, false, 0);
	offer(f, NULL, 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	virtq_push(f->q, &f->c, 1);
	virtq_flush(f->q);
	assert_int_equal(f->interrupts, 1);
}

static void event_indices_wrap(void **state)
{
	struct fixture *f = *state;

	for (unsigned int i = 0; i < 0x10000 + SIZE; i++) {
		round_trip(f);
		assert_int_equal(f->interrupts, i + 1);
	}
}

/* --- hostile drivers ---------------------------------------------------- */

static void an_index_that_jumps_ahead_is_refused(void **state)
{
	struct fixture *f = *state;

	fake_ring_set_avail_idx(f->ring, SIZE + 1);
	assert_broken(f, -EPROTO);
	fake_ring_set_avail_idx(f->ring, 0x9000);
	assert_broken(f, -EPROTO);
}

static void an_index_that_goes_back_is_refused(void **state)
{
	struct fixture *f = *state;

	offer(f, NULL, 1);
	offer(f, NULL, 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	fake_ring_set_avail_idx(f->ring, 1);
	assert_broken(f, -EPROTO);
}

static void more_chains_than_descriptors_are_refused(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < SIZE; i++)
		offer(f, NULL, 1);
	for (int i = 0; i < SIZE; i++)
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
	/* none was given back */
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
}

static void the_same_head_twice_is_refused(void **state)
{
	struct fixture *f = *state;
	int head = offer(f, NULL, 1);

	fake_ring_publish(f->ring, (uint16_t)head);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_broken(f, -EPROTO);
}

static void a_head_outside_the_table_is_refused(void **state)
{
	struct fixture *f = *state;

	fake_ring_publish(f->ring, SIZE);
	assert_broken(f, -EPROTO);
	fake_ring_publish(f->ring, UINT16_MAX);
	assert_broken(f, -EPROTO);
}

static void a_next_outside_the_table_is_refused(void **state)
{
	struct fixture *f = *state;
	gpa_t a = fake_ram_alloc(f->ram, 16), t = fake_ram_alloc(f->ram, 64);

	fake_ring_set_desc(f->ring, 0, 0, a, 1, FAKE_DESC_NEXT, SIZE);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
	fake_ring_set_desc(f->ring, 0, 0, t, 32, FAKE_DESC_INDIRECT, 0);
	fake_ring_set_desc(f->ring, t, 0, a, 1, FAKE_DESC_NEXT, 2);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
}

static void loops_are_refused(void **state)
{
	struct fixture *f = *state;
	gpa_t a = fake_ram_alloc(f->ram, 16), t = fake_ram_alloc(f->ram, 64);

	fake_ring_set_desc(f->ring, 0, 0, a, 1, FAKE_DESC_NEXT, 0);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
	fake_ring_set_desc(f->ring, 0, 0, a, 1, FAKE_DESC_NEXT, 1);
	fake_ring_set_desc(f->ring, 0, 1, a, 1, FAKE_DESC_NEXT, 0);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
	fake_ring_set_desc(f->ring, 0, 0, t, 32, FAKE_DESC_INDIRECT, 0);
	fake_ring_set_desc(f->ring, t, 0, a, 0, FAKE_DESC_NEXT, 1);
	fake_ring_set_desc(f->ring, t, 1, a, 0, FAKE_DESC_NEXT, 0);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
}

static void readable_after_writable_is_refused(void **state)
{
	struct fixture *f = *state;
	struct fake_buf b[3] = {FAKE_IN(4), FAKE_OUT("x", 1), FAKE_IN(4)};

	fake_ring_offer(f->ring, b, 2, false);
	assert_broken(f, -EPROTO);
	fake_ring_offer(f->ring, b, 3, true);
	assert_broken(f, -EPROTO);
}

/* Offer a table of @len bytes whose first entry has @flags. */
static void offer_table(struct fixture *f, gpa_t t, uint32_t len,
			uint16_t table_flags, uint16_t flags)
{
	gpa_t a = fake_ram_alloc(f->ram, 16);

	fake_ring_set_desc(f->ring, 0, 0, t, len,
			   FAKE_DESC_INDIRECT | table_flags, 1);
	fake_ring_set_desc(f->ring, 0, 1, a, 1, 0, 0);
	if (t < RAM)
		fake_ring_set_desc(f->ring, t, 0, a, 1, flags, 0);
	fake_ring_publish(f->ring, 0);
}

static void bad_indirect_tables_are_refused(void **state)
{
	struct fixture *f = *state;
	gpa_t t = fake_ram_alloc(f->ram, 4096);

	offer_table(f, t, 16, 0, FAKE_DESC_INDIRECT);
	assert_broken(f, -EPROTO);
	offer_table(f, t, 16, FAKE_DESC_NEXT, 0);
	assert_broken(f, -EPROTO);
	offer_table(f, t, 0, 0, 0);
	assert_broken(f, -EPROTO);
	offer_table(f, t, 8, 0, 0);
	assert_broken(f, -EPROTO);
	offer_table(f, t, 24, 0, 0);
	assert_broken(f, -EPROTO);
	offer_table(f, t, (VIRTQ_SIZE_MAX + 1) * 16, 0, 0);
	assert_broken(f, -EPROTO);
	offer_table(f, t, 0xfffffff0, 0, 0);
	assert_broken(f, -EPROTO);
	offer_table(f, UINT64_MAX - 15, 32, 0, 0);
	assert_broken(f, -EFAULT);
	offer_table(f, RAM, 16, 0, 0);
	assert_broken(f, -EFAULT);
}

static void indirect_tables_that_were_not_negotiated_are_refused(void **state)
{
	struct fixture *f = *state;

	offer_table(f, fake_ram_alloc(f->ram, 64), 16, 0, 0);
	assert_broken(f, -EPROTO);
}

static void buffers_outside_memory_are_refused(void **state)
{
	static const struct {
		uint64_t addr;
		uint32_t len;
	} bad[] = {
		{RAM - 1, 2},
		{RAM, 1},
		{0, UINT32_MAX},
		{UINT64_MAX, 1},
		{UINT64_MAX, 2},
		{UINT64_MAX - 100, 200},
		{UINT64_MAX - 0xfffffffe, UINT32_MAX},
		{UINT64_C(1) << 63, 1},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		for (uint16_t flags = 0; flags <= FAKE_DESC_WRITE;
		     flags += FAKE_DESC_WRITE) {
			fake_ring_set_desc(f->ring, 0, 0, bad[i].addr,
					   bad[i].len, flags, 0);
			fake_ring_publish(f->ring, 0);
			assert_broken(f, -EFAULT);
		}
}

static void private_buffers_are_refused_and_untouched(void **state)
{
	struct fixture *f = *state;
	struct dma_view_counters before, after;
	char secret[16] = "secret", got[16];

	fake_ram_write(f->ram, 4096, secret, sizeof(secret));
	dma_view_counters(fake_ram_view(f->ram), &before);
	fake_ring_set_desc(f->ring, 0, 0, 4096, 16, FAKE_DESC_WRITE, 0);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EFAULT);
	fake_ring_set_desc(f->ring, 0, 0, 4096, 16, 0, 0);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EFAULT);
	offer_table(f, 4096, 16, 0, 0);
	assert_broken(f, -EFAULT);
	dma_view_counters(fake_ram_view(f->ram), &after);
	assert_int_equal(after.refused, before.refused + 3);
	fake_ram_read(f->ram, 4096, got, sizeof(got));
	/* but for the entry offer_table() wrote */
	assert_memory_not_equal(got, secret, sizeof(secret));
	fake_ram_write(f->ram, 8192, secret, sizeof(secret));
	fake_ring_set_desc(f->ring, 0, 0, 8192, 16, FAKE_DESC_WRITE, 0);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EFAULT);
	fake_ram_read(f->ram, 8192, got, sizeof(got));
	assert_memory_equal(got, secret, sizeof(secret));
}

static void more_than_4_gib_in_a_chain_are_refused(void **state)
{
	struct fixture *f = *state;
	gpa_t t = fake_ram_alloc(f->ram, VIRTQ_SIZE_MAX * 16);
	uint16_t n = VIRTQ_SIZE_MAX;

	/* 1024 times 4 MiB, all the same memory */
	for (uint16_t i = 0; i < n; i++)
		fake_ring_set_desc(f->ring, t, i, 0, RAM,
				   (uint16_t)(FAKE_DESC_WRITE |
					      (i + 1 < n ? FAKE_DESC_NEXT : 0)),
				   (uint16_t)(i + 1));
	fake_ring_set_desc(f->ring, 0, 0, t, n * 16u, FAKE_DESC_INDIRECT, 0);
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
	/* a byte less is fine */
	fake_ring_set_desc(f->ring, t, (uint16_t)(n - 1), 0, RAM - 1,
			   FAKE_DESC_WRITE, 0);
	fake_ring_set_desc(f->ring, 0, 0, t, n * 16u, FAKE_DESC_INDIRECT, 0);
	fake_ring_publish(f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.in_len, UINT32_MAX);
	assert_int_equal(f->c.n_in, n);
}

static void a_ring_that_becomes_private_is_met_by_the_next_access(void **state)
{
	struct fixture *f = *state;
	struct dma_view *v = fake_ram_view(f->ram);
	const struct virtq_layout *l = fake_ring_layout(f->ring);
	/* the three areas share a page */
	gpa_t page = l->desc & ~(gpa_t)4095;
	struct virtq_chain c[2];
	uint32_t id, len;

	assert_int_equal(l->device & ~(gpa_t)4095, page);
	for (int i = 0; i < 2; i++) {
		virtq_chain_init(&c[i]);
		offer(f, "x", 1);
		assert_int_equal(virtq_pop(f->q, &c[i]), 1);
	}
	assert_int_equal(dma_view_report(v, page, 4096, true), 0);
	for (int i = 0; i < 2; i++) {
		virtq_push(f->q, &c[i], 7);
		virtq_chain_free(&c[i]);
	}
	virtq_flush(f->q);
	for (uint16_t i = 0; i < 2; i++) {
		fake_ring_used(f->ring, i, &id, &len);
		assert_int_equal(len, 0); /* nothing was written */
	}
	assert_int_equal(fake_ring_used_idx(f->ring), 0);
	assert_int_equal(f->interrupts, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), -EFAULT);
	virtq_disable(f->q);
	assert_int_equal(virtq_enable(f->q, l), -EFAULT);
	assert_int_equal(dma_view_report(v, page, 4096, false), 0);
	fake_ring_reset(f->ring);
	assert_int_equal(virtq_enable(f->q, l), 0);
	round_trip(f);
	/* one access at a time */
	assert_int_equal(dma_view_report(v, page, 4096, true), 0);
	assert_int_equal(virtq_pop(f->q, &f->c), -EFAULT);
	virtq_disable(f->q);
	assert_int_equal(dma_view_report(v, page, 4096, false), 0);
	fake_ring_reset(f->ring);
	assert_int_equal(virtq_enable(f->q, l), 0);
	assert_int_equal(dma_view_report(v, page, 4096, true), 0);
	assert_true(virtq_kicks_on(f->q));
	assert_int_equal(virtq_pop(f->q, &f->c), -EFAULT);
}

/* With a flag instead of an index, switching kicks off writes to the ring. */
static void switching_kicks_off_meets_a_private_ring(void **state)
{
	struct fixture *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);

	l.event_idx = false;
	assert_int_equal(try_enable(f, l), 0);
	assert_int_equal(dma_view_report(fake_ram_view(f->ram),
					 l.device & ~(gpa_t)4095, 4096, true),
			 0);
	virtq_kicks_off(f->q);
	assert_int_equal(virtq_pop(f->q, &f->c), -EFAULT);
}

int main(void)
{
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_chain_goes_there_and_back, setup),
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
		CASE(an_index_that_jumps_ahead_is_refused, setup),
		CASE(an_index_that_goes_back_is_refused, setup),
		CASE(more_chains_than_descriptors_are_refused, setup),
		CASE(the_same_head_twice_is_refused, setup),
		CASE(a_head_outside_the_table_is_refused, setup),
		CASE(a_next_outside_the_table_is_refused, setup),
		CASE(loops_are_refused, setup),
		CASE(readable_after_writable_is_refused, setup),
		CASE(bad_indirect_tables_are_refused, setup),
		CASE(indirect_tables_that_were_not_negotiated_are_refused,
		     setup_plain),
		CASE(buffers_outside_memory_are_refused, setup),
		CASE(private_buffers_are_refused_and_untouched,
		     setup_confidential),
		CASE(more_than_4_gib_in_a_chain_are_refused, setup),
		CASE(a_ring_that_becomes_private_is_met_by_the_next_access,
		     setup_confidential),
		CASE(switching_kicks_off_meets_a_private_ring,
		     setup_confidential),
	};

	return cmocka_run_group_tests_name("virtq", tests, NULL, NULL);
}
