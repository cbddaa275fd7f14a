/* tests/unit/test_virtq_hostile.c - rings with a driver that does not. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/virtq.h"
#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "tests/fake/fake_queue.h"
#include "tests/fake/fake_ram.h"
#include "tests/fake/fake_ring.h"

enum { SIZE = FAKE_QUEUE_SIZE, RAM = FAKE_QUEUE_RAM };

static int setup(void **state)
{
	*state = fake_queue_create(false, true, false);
	return 0;
}

static int setup_plain(void **state)
{
	*state = fake_queue_create(false, false, false);
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

/* The pop that meets the mistake, and all later ones, say the same. */
static void assert_broken(struct fake_queue *f, int error)
{
	assert_int_equal(virtq_pop(f->q, &f->c), error);
	assert_int_equal(virtq_pop(f->q, &f->c), error);
	assert_true(virtq_kicks_on(f->q));
	virtq_kicks_off(f->q);
	virtq_disable(f->q);
	assert_int_equal(virtq_pop(f->q, &f->c), 0);
	fake_ring_reset(f->ring);
	assert_int_equal(virtq_enable(f->q, fake_ring_layout(f->ring)), 0);
	fake_queue_round_trip(f);
}

/* --- hostile drivers ---------------------------------------------------- */

static void an_index_that_jumps_ahead_is_refused(void **state)
{
	struct fake_queue *f = *state;

	fake_ring_set_avail_idx(f->ring, SIZE + 1);
	assert_broken(f, -EPROTO);
	fake_ring_set_avail_idx(f->ring, 0x9000);
	assert_broken(f, -EPROTO);
}

static void an_index_that_goes_back_is_refused(void **state)
{
	struct fake_queue *f = *state;

	fake_queue_offer(f, NULL, 1);
	fake_queue_offer(f, NULL, 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	/* what lies there would be a good chain */
	fake_ring_set_desc(f->ring, 0, 5, 0, 1, 0, 0);
	fake_ring_set_avail(f->ring, 2, 5);
	fake_ring_set_avail_idx(f->ring, 1);
	assert_broken(f, -EPROTO);
}

static void more_chains_than_descriptors_are_refused(void **state)
{
	struct fake_queue *f = *state;

	for (int i = 0; i < SIZE; i++)
		fake_queue_offer(f, NULL, 1);
	for (int i = 0; i < SIZE; i++)
		assert_int_equal(virtq_pop(f->q, &f->c), 1);
	/* none was given back */
	fake_ring_publish(f->ring, 0);
	assert_broken(f, -EPROTO);
}

static void the_same_head_twice_is_refused(void **state)
{
	struct fake_queue *f = *state;
	int head = fake_queue_offer(f, NULL, 1);

	fake_ring_publish(f->ring, (uint16_t)head);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_broken(f, -EPROTO);
}

static void a_head_outside_the_table_is_refused(void **state)
{
	struct fake_queue *f = *state;

	fake_ring_publish(f->ring, SIZE);
	assert_broken(f, -EPROTO);
	fake_ring_publish(f->ring, UINT16_MAX);
	assert_broken(f, -EPROTO);
}

static void a_next_outside_the_table_is_refused(void **state)
{
	struct fake_queue *f = *state;
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
	struct fake_queue *f = *state;
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
	struct fake_queue *f = *state;
	struct fake_buf b[3] = {FAKE_IN(4), FAKE_OUT("x", 1), FAKE_IN(4)};

	fake_ring_offer(f->ring, b, 2, false);
	assert_broken(f, -EPROTO);
	fake_ring_offer(f->ring, b, 3, true);
	assert_broken(f, -EPROTO);
}

/* Offer a table of @len bytes whose first entry has @flags. */
static void offer_table(struct fake_queue *f, gpa_t t, uint32_t len,
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
	struct fake_queue *f = *state;
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
	struct fake_queue *f = *state;

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
	struct fake_queue *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		for (int write = 0; write < 2; write++) {
			fake_ring_set_desc(f->ring, 0, 0, bad[i].addr,
					   bad[i].len,
					   write ? FAKE_DESC_WRITE : 0, 0);
			fake_ring_publish(f->ring, 0);
			assert_broken(f, -EFAULT);
		}
}

/* Firmware, say: a device may read it, and nothing more. */
static void rom_is_not_written_to(void **state)
{
	struct fake_queue *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);
	gpa_t rom = 2 * RAM;

	assert_int_equal(
		guest_mem_add_rom(fake_ram_mem(f->ram), rom, 4096, NULL), 0);
	for (int i = 0; i < 2; i++) { /* before and after other buffers */
		fake_ring_set_desc(f->ring, 0, 0, rom, 16, FAKE_DESC_WRITE, 0);
		fake_ring_publish(f->ring, 0);
		assert_broken(f, -EFAULT);
	}
	fake_ring_set_desc(f->ring, 0, 0, rom, 16, 0, 0);
	fake_ring_publish(f->ring, 0);
	assert_int_equal(virtq_pop(f->q, &f->c), 1);
	assert_int_equal(f->c.out_len, 16);
	l.device = rom;
	assert_int_equal(virtq_enable(f->q, &l), -EFAULT);
}

static void private_buffers_are_refused_and_untouched(void **state)
{
	struct fake_queue *f = *state;
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
	struct fake_queue *f = *state;
	gpa_t t = fake_ram_alloc(f->ram, (size_t)VIRTQ_SIZE_MAX * 16);
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
	struct fake_queue *f = *state;
	struct dma_view *v = fake_ram_view(f->ram);
	const struct virtq_layout *l = fake_ring_layout(f->ring);
	/* the three areas share a page */
	gpa_t page = l->desc & ~(gpa_t)4095;
	struct virtq_chain c[2];
	uint32_t id, len;

	assert_int_equal(l->device & ~(gpa_t)4095, page);
	for (int i = 0; i < 2; i++) {
		virtq_chain_init(&c[i]);
		fake_queue_offer(f, "x", 1);
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
	fake_queue_round_trip(f);
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
	struct fake_queue *f = *state;
	struct virtq_layout l = *fake_ring_layout(f->ring);

	l.event_idx = false;
	assert_int_equal(virtq_enable(f->q, &l), 0);
	assert_int_equal(dma_view_report(fake_ram_view(f->ram),
					 l.device & ~(gpa_t)4095, 4096, true),
			 0);
	virtq_kicks_off(f->q);
	assert_int_equal(fake_ring_used_flags(f->ring), 0);
	assert_int_equal(virtq_pop(f->q, &f->c), -EFAULT);
}

int main(void)
{
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, teardown)
	const struct CMUnitTest tests[] = {
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
		CASE(rom_is_not_written_to, setup),
		CASE(private_buffers_are_refused_and_untouched,
		     setup_confidential),
		CASE(more_than_4_gib_in_a_chain_are_refused, setup),
		CASE(a_ring_that_becomes_private_is_met_by_the_next_access,
		     setup_confidential),
		CASE(switching_kicks_off_meets_a_private_ring,
		     setup_confidential),
	};

	return cmocka_run_group_tests_name("virtq_hostile", tests, NULL, NULL);
}
