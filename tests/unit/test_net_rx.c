/* tests/unit/test_net_rx.c - frames to the guest. */
#include "tests/unit/net_fixture.h"

#include <errno.h>

static int setup(void **state)
{
	return net_build(state,
			 &(struct net_opts){.offloads = NET_TEST_OFFLOADS});
}

static int setup_plain(void **state)
{
	return net_build(
		state, &(struct net_opts){
			       .offloads = NET_TEST_OFFLOADS,
			       .driver.refuse = BIT64(VIRTIO_NET_F_MRG_RXBUF)});
}

static int setup_no_offloads(void **state)
{
	return net_build(state,
			 &(struct net_opts){.offloads = NET_TEST_OFFLOADS,
					    .driver.refuse = BIT64(
						    VIRTIO_NET_F_GUEST_CSUM)});
}

static int setup_small_ring(void **state)
{
	return net_build(state, &(struct net_opts){.driver.queue_size = 4});
}

static void settle(struct net_fixture *f)
{
	fake_driver_settle(f->d);
}

/* The next @n buffers hold one frame of @len bytes with @seed. */
static void take_frame(struct net_fixture *f, unsigned int n, size_t len,
		       unsigned int seed)
{
	uint8_t *want = malloc(len), *got = malloc(NET_HDR_LEN + len + 65536);
	size_t at = 0;

	assert_true(want && got);
	net_fill(want, len, seed);
	for (unsigned int i = 0; i < n; i++) {
		struct fake_used u;

		assert_true(fake_driver_take(f->d, NET_TEST_RX, &u, got + at,
					     65536));
		assert_true(i + 1 == n || u.written == u.in_len);
		at += u.written;
	}
	assert_int_equal(at, NET_HDR_LEN + len);
	assert_int_equal(load_le16(got + NET_HDR_NUM_BUFFERS), n);
	assert_memory_equal(got + NET_HDR_LEN, want, len);
	free(want);
	free(got);
}

static bool has_used(struct net_fixture *f)
{
	return fake_ring_n_used(fake_driver_ring(f->d, NET_TEST_RX));
}

static void a_frame_arrives_with_a_header_in_front(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 4, NET_TEST_BUF);
	net_push(f, 0, 60, 3);
	settle(f);
	take_frame(f, 1, 60, 3);
	assert_false(has_used(f));
	assert_int_equal(net_counted(f).rx_frames, 1);
	assert_int_equal(net_counted(f).rx_bytes, 60);
}

static void header_and_data_may_be_in_buffers_of_any_size(void **state)
{
	static const size_t cuts[] = {1, 5, 12, 13, 20, 71};
	struct net_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		struct fake_buf b[2] = {FAKE_IN(cuts[i]), FAKE_IN(1500)};

		fake_driver_add(f->d, NET_TEST_RX, b, 2, true);
		assert_int_equal(fake_driver_kick(f->d, NET_TEST_RX), 0);
		net_push(f, 0, 60 + i, (unsigned int)i);
		settle(f);
		take_frame(f, 1, 60 + i, (unsigned int)i);
	}
}

static void a_chain_of_more_pieces_than_we_list_is_filled(void **state)
{
	struct fake_buf b[200];
	struct net_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		b[i] = FAKE_IN(8);
	fake_driver_add(f->d, NET_TEST_RX, b, ARRAY_SIZE(b), true);
	net_offer_rx(f, 1, NET_TEST_BUF);
	net_push(f, 0, 1000, 9);
	settle(f);
	take_frame(f, 1, 1000, 9);
}

static void a_large_frame_fills_several_buffers(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 64, NET_TEST_BUF);
	for (unsigned int i = 0; i < 3; i++) {
		/* the first comes by way of the spill, the others do not */
		net_push(f, 0, 20000, i);
		settle(f);
		take_frame(f, 14, 20000, i);
	}
	net_push(f, 0, 60, 7);
	settle(f);
	take_frame(f, 1, 60, 7);
}

static void a_frame_that_ends_with_its_buffer_takes_no_other(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 4, NET_TEST_BUF);
	net_push(f, 0, 1518, 1);
	net_push(f, 0, 1519, 2);
	settle(f);
	take_frame(f, 1, 1518, 1);
	take_frame(f, 2, 1519, 2);
}

static void a_frame_waits_for_the_buffers_it_needs(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 3, NET_TEST_BUF);
	net_push(f, 0, 9000, 1);
	settle(f);
	assert_false(has_used(f));
	net_offer_rx(f, 2, NET_TEST_BUF);
	assert_false(has_used(f));
	net_offer_rx(f, 1, NET_TEST_BUF);
	take_frame(f, 6, 9000, 1);
	assert_int_equal(net_counted(f).rx_dropped, 0);
}

static void without_buffers_frames_stay_in_the_backend(void **state)
{
	struct net_fixture *f = *state;
	unsigned int calls;

	for (unsigned int i = 0; i < 5; i++)
		net_push(f, 0, 100, i);
	settle(f);
	calls = fake_net_log(f->far)->recvs;
	settle(f);
	settle(f);
	assert_int_equal(fake_net_log(f->far)->recvs, calls);
	assert_int_equal(fake_net_n_waiting(f->far, 0), 5);
	fake_driver_offer(f->d, NET_TEST_RX, NULL, 0, NET_TEST_BUF);
	assert_true(fake_ring_wants_kick(fake_driver_ring(f->d, NET_TEST_RX)));
	net_offer_rx(f, 8, NET_TEST_BUF);
	settle(f);
	for (unsigned int i = 0; i < 5; i++)
		take_frame(f, 1, 100, i);
}

static void with_buffers_no_kick_is_wanted(void **state)
{
	struct net_fixture *f = *state;

	/* less than is held for a frame, so that the ring was seen empty */
	net_offer_rx(f, 1, NET_TEST_BUF);
	settle(f);
	fake_ring_wants_kick(fake_driver_ring(f->d, NET_TEST_RX));
	fake_driver_offer(f->d, NET_TEST_RX, NULL, 0, NET_TEST_BUF);
	assert_false(fake_ring_wants_kick(fake_driver_ring(f->d, NET_TEST_RX)));
}

static void a_batch_of_frames_is_one_interrupt(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 64, NET_TEST_BUF);
	for (unsigned int i = 0; i < 20; i++)
		net_push(f, 0, 100, i);
	settle(f);
	for (unsigned int i = 0; i < 20; i++)
		take_frame(f, 1, 100, i);
	assert_int_equal(fake_driver_interrupts(f->d, NET_TEST_RX), 1);
}

static void many_frames_come_in_turns_and_in_order(void **state)
{
	struct net_fixture *f = *state;

	for (unsigned int i = 0; i < 1000; i++)
		net_push(f, 0, 64 + i % 900, i);
	net_offer_rx(f, 256, NET_TEST_BUF);
	for (unsigned int i = 0; i < 1000; i++) {
		settle(f);
		take_frame(f, 1, 64 + i % 900, i);
		net_offer_rx(f, 1, NET_TEST_BUF);
	}
	assert_int_equal(net_counted(f).rx_frames, 1000);
}

static void without_merging_a_frame_takes_one_buffer(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 2, NET_HDR_LEN + 65562);
	net_push(f, 0, 60000, 1);
	net_push(f, 0, 60, 2);
	settle(f);
	take_frame(f, 1, 60000, 1);
	take_frame(f, 1, 60, 2);
}

static void without_merging_a_frame_that_does_not_fit_is_dropped(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 4, NET_TEST_BUF);
	net_push(f, 0, 1519, 1);
	net_push(f, 0, 1518, 2);
	settle(f);
	take_frame(f, 1, 1518, 2);
	assert_false(has_used(f));
	assert_int_equal(net_counted(f).rx_dropped, 1);
}

static void a_frame_larger_than_the_whole_ring_is_dropped(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 4, 1000);
	net_push(f, 0, 4000, 1);
	net_push(f, 0, 3988, 2);
	settle(f);
	assert_int_equal(net_counted(f).rx_dropped, 1);
	take_frame(f, 4, 3988, 2);
}

static void bad_receive_buffers_come_back_empty(void **state)
{
	struct net_fixture *f = *state;
	struct fake_used u;

	fake_driver_offer(f->d, NET_TEST_RX, NULL, 0, NET_HDR_LEN - 1);
	fake_driver_offer(f->d, NET_TEST_RX, "x", 1, 2000);
	fake_driver_offer(f->d, NET_TEST_RX, "only readable", 13, 0);
	net_offer_rx(f, 1, NET_TEST_BUF);
	net_push(f, 0, 80, 5);
	settle(f);
	for (unsigned int i = 0; i < 3; i++) {
		assert_true(fake_driver_take(f->d, NET_TEST_RX, &u, NULL, 0));
		assert_int_equal(u.written, 0);
	}
	take_frame(f, 1, 80, 5);
	assert_int_equal(net_counted(f).bad_chains, 3);
}

static void a_ring_full_of_bad_buffers_does_not_hold_the_thread(void **state)
{
	struct net_fixture *f = *state;
	struct fake_used u;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 256; i++)
		fake_driver_offer(f->d, NET_TEST_RX, NULL, 0, 4);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_RX), 0);
	assert_true(net_counted(f).bad_chains < 256);
	settle(f);
	while (fake_driver_take(f->d, NET_TEST_RX, &u, NULL, 0))
		n++;
	assert_int_equal(n, 256);
}

static void a_buffer_of_the_header_alone_takes_part(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 1, NET_HDR_LEN);
	net_offer_rx(f, 1, NET_TEST_BUF);
	net_push(f, 0, 99, 8);
	settle(f);
	take_frame(f, 2, 99, 8);
}

/* The header of the next frame. */
static void take_hdr(struct net_fixture *f, uint8_t hdr[NET_HDR_LEN])
{
	struct fake_used u;

	assert_true(fake_driver_take(f->d, NET_TEST_RX, &u, hdr, NET_HDR_LEN));
}

static void offloads_the_guest_takes_are_passed_on(void **state)
{
	static const uint8_t tso[NET_HDR_LEN] = {VIRTIO_NET_HDR_F_NEEDS_CSUM,
						 VIRTIO_NET_HDR_GSO_TCPV4,
						 66,
						 0,
						 0xb4,
						 5,
						 34,
						 0,
						 16,
						 0,
						 9,
						 9};
	struct net_fixture *f = *state;
	uint8_t data[60], hdr[NET_HDR_LEN];

	net_fill(data, sizeof(data), 1);
	net_offer_rx(f, 4, NET_TEST_BUF);
	assert_int_equal(fake_net_log(f->far)->offloads, NET_TEST_OFFLOADS);
	fake_net_push(f->far, 0, tso, data, sizeof(data));
	settle(f);
	take_hdr(f, hdr);
	assert_memory_equal(hdr, tso, NET_HDR_NUM_BUFFERS);
	assert_int_equal(load_le16(hdr + NET_HDR_NUM_BUFFERS), 1);
}

static void offloads_the_guest_does_not_take_are_dropped(void **state)
{
	static const uint8_t bad[][2] = {
		{VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_NONE},
		{VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_GSO_TCPV4},
		{0, VIRTIO_NET_HDR_GSO_UDP},
	};
	struct net_fixture *f = *state;
	uint8_t data[60], hdr[NET_HDR_LEN] = {0};

	net_fill(data, sizeof(data), 1);
	net_offer_rx(f, 4, NET_TEST_BUF);
	assert_int_equal(fake_net_log(f->far)->offloads, 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		memcpy(hdr, bad[i], 2);
		fake_net_push(f->far, 0, hdr, data, sizeof(data));
	}
	/* a hint, which it must not see, is no reason to drop */
	hdr[0] = VIRTIO_NET_HDR_F_DATA_VALID;
	hdr[1] = 0;
	fake_net_push(f->far, 0, hdr, data, sizeof(data));
	settle(f);
	take_hdr(f, hdr);
	assert_int_equal(hdr[0], 0);
	assert_false(has_used(f));
	assert_int_equal(net_counted(f).rx_dropped, 3);
}

static void a_frame_too_short_or_lost_is_dropped(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 4, NET_TEST_BUF);
	net_push(f, 0, NET_FRAME_MIN - 1, 1);
	net_push(f, 0, NET_FRAME_MIN, 2);
	settle(f);
	take_frame(f, 1, NET_FRAME_MIN, 2);
	fake_net_lose(f->far, 0);
	settle(f);
	assert_false(has_used(f));
	assert_int_equal(net_counted(f).rx_dropped, 2);
}

static void a_frame_longer_than_any_is_dropped(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 64, NET_TEST_BUF);
	for (unsigned int i = 0; i < 3; i++) {
		net_push(f, 0, NET_FRAME_MAX, i);
		settle(f);
		take_frame(f, 43, NET_FRAME_MAX, i);
		net_offer_rx(f, 43, NET_TEST_BUF);
	}
	net_push(f, 0, NET_FRAME_MAX + 1, 1);
	settle(f);
	assert_false(has_used(f));
	assert_int_equal(net_counted(f).rx_dropped, 1);
}

static void what_the_guest_filters_does_not_arrive(void **state)
{
	static const uint8_t not_promisc[] = {0, 0, 0};
	struct net_fixture *f = *state;
	uint8_t data[100];

	net_fill(data, sizeof(data), 1);
	net_offer_rx(f, 4, NET_TEST_BUF);
	data[5] ^= 1;
	fake_net_push(f->far, 0, NULL, data, sizeof(data));
	settle(f);
	assert_true(has_used(f)); /* promiscuous at first */
	assert_int_equal(net_command(f, NET_TEST_CTRL, not_promisc, 3), 0);
	fake_net_push(f->far, 0, NULL, data, sizeof(data));
	net_push(f, 0, 77, 4);
	settle(f);
	assert_int_equal(net_counted(f).rx_filtered, 1);
	assert_int_equal(net_counted(f).rx_frames, 2);
}

static void a_broken_ring_needs_a_reset(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 1, NET_TEST_BUF);
	fake_ring_set_avail_idx(fake_driver_ring(f->d, NET_TEST_RX), 0x4000);
	for (unsigned int i = 0; i < 4; i++)
		net_push(f, 0, 60, i);
	settle(f);
	assert_int_equal(fake_driver_host(f->d)->needs_reset, 1);
	settle(f);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_RX), 0);
	assert_true(fake_driver_reset(f->d));
	fake_driver_activate(f->d);
	net_offer_rx(f, 8, NET_TEST_BUF);
	settle(f);
	assert_int_equal(fake_driver_host(f->d)->needs_reset, 1);
	assert_true(has_used(f));
}

static void a_broken_ring_is_told_to_whoever_kicks(void **state)
{
	struct net_fixture *f = *state;

	fake_ring_set_avail_idx(fake_driver_ring(f->d, NET_TEST_RX), 0x4000);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_RX), -EPROTO);
	settle(f);
	assert_int_equal(fake_driver_host(f->d)->needs_reset, 1);
}

static void a_reset_forgets_buffers_and_the_frame_that_waits(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 3, NET_TEST_BUF);
	net_push(f, 0, 9000, 1);
	settle(f);
	assert_true(fake_driver_reset(f->d));
	net_push(f, 0, 60, 2);
	settle(f);
	assert_int_equal(fake_net_n_waiting(f->far, 0), 1);
	fake_driver_activate(f->d);
	net_offer_rx(f, 3, NET_TEST_BUF);
	settle(f);
	take_frame(f, 1, 60, 2);
}

static void one_queue_can_be_reset(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 3, NET_TEST_BUF);
	net_push(f, 0, 9000, 1);
	settle(f);
	assert_true(fake_driver_queue_reset(f->d, NET_TEST_RX));
	net_push(f, 0, 60, 2);
	settle(f);
	fake_driver_queue_enable(f->d, NET_TEST_RX);
	net_offer_rx(f, 3, NET_TEST_BUF);
	settle(f);
	take_frame(f, 1, 60, 2);
}

int main(void)
{
#define CASE(fn, s) cmocka_unit_test_setup_teardown(fn, s, net_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_frame_arrives_with_a_header_in_front, setup),
		CASE(header_and_data_may_be_in_buffers_of_any_size, setup),
		CASE(a_chain_of_more_pieces_than_we_list_is_filled, setup),
		CASE(a_large_frame_fills_several_buffers, setup),
		CASE(a_frame_that_ends_with_its_buffer_takes_no_other, setup),
		CASE(a_frame_waits_for_the_buffers_it_needs, setup),
		CASE(without_buffers_frames_stay_in_the_backend, setup),
		CASE(with_buffers_no_kick_is_wanted, setup),
		CASE(a_batch_of_frames_is_one_interrupt, setup),
		CASE(many_frames_come_in_turns_and_in_order, setup),
		CASE(without_merging_a_frame_takes_one_buffer, setup_plain),
		CASE(without_merging_a_frame_that_does_not_fit_is_dropped,
		     setup_plain),
		CASE(a_frame_larger_than_the_whole_ring_is_dropped,
		     setup_small_ring),
		CASE(bad_receive_buffers_come_back_empty, setup),
		CASE(a_ring_full_of_bad_buffers_does_not_hold_the_thread,
		     setup),
		CASE(a_buffer_of_the_header_alone_takes_part, setup),
		CASE(offloads_the_guest_takes_are_passed_on, setup),
		CASE(offloads_the_guest_does_not_take_are_dropped,
		     setup_no_offloads),
		CASE(a_frame_too_short_or_lost_is_dropped, setup),
		CASE(a_frame_longer_than_any_is_dropped, setup),
		CASE(what_the_guest_filters_does_not_arrive, setup),
		CASE(a_broken_ring_needs_a_reset, setup),
		CASE(a_broken_ring_is_told_to_whoever_kicks, setup),
		CASE(a_reset_forgets_buffers_and_the_frame_that_waits, setup),
		CASE(one_queue_can_be_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
