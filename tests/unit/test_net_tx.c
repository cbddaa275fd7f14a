/* tests/unit/test_net_tx.c - frames from the guest. */
#include "tests/unit/net_fixture.h"

#include <errno.h>

static int setup(void **state)
{
	return net_build(state,
			 &(struct net_opts){.offloads = NET_TEST_OFFLOADS});
}

static int setup_no_offloads(void **state)
{
	return net_build(state, &(struct net_opts){0});
}

static void settle(struct net_fixture *f)
{
	fake_driver_settle(f->d);
}

/* Offer header and frame in two buffers. */
static void offer(struct net_fixture *f, const uint8_t *hdr, size_t len,
		  unsigned int seed)
{
	static const uint8_t zero[NET_HDR_LEN];
	uint8_t *data = malloc(len ? len : 1);
	struct fake_buf b[2] = {FAKE_OUT(hdr ? hdr : zero, NET_HDR_LEN),
				FAKE_OUT(data, len)};

	assert_non_null(data);
	net_fill(data, len, seed);
	assert_true(fake_driver_add(f->d, NET_TEST_TX, b, len ? 2 : 1, true) >=
		    0);
	free(data);
}

static void kick(struct net_fixture *f)
{
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_TX), 0);
}

static void assert_sent(struct net_fixture *f, size_t i, size_t len,
			unsigned int seed)
{
	const struct fake_net_frame *s = fake_net_sent(f->far, 0, i);
	uint8_t *want = malloc(len);

	assert_non_null(want);
	net_fill(want, len, seed);
	assert_int_equal(s->len, len);
	assert_memory_equal(s->data, want, len);
	free(want);
}

static unsigned int n_back(struct net_fixture *f)
{
	return fake_ring_n_used(fake_driver_ring(f->d, NET_TEST_TX));
}

static void a_frame_leaves_and_its_buffers_come_back(void **state)
{
	struct net_fixture *f = *state;
	struct fake_used u;

	offer(f, NULL, 60, 1);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 1);
	assert_sent(f, 0, 60, 1);
	assert_true(fake_driver_take(f->d, NET_TEST_TX, &u, NULL, 0));
	assert_int_equal(u.written, 0);
	assert_int_equal(net_counted(f).tx_frames, 1);
	assert_int_equal(net_counted(f).tx_bytes, 60);
}

static void header_and_frame_may_share_buffers(void **state)
{
	static const size_t cuts[] = {1, 11, 12, 13, 40};
	struct net_fixture *f = *state;
	uint8_t all[NET_HDR_LEN + 90] = {0};

	net_fill(all + NET_HDR_LEN, 90, 4);
	for (size_t i = 0; i < ARRAY_SIZE(cuts); i++) {
		struct fake_buf b[2] = {
			FAKE_OUT(all, cuts[i]),
			FAKE_OUT(all + cuts[i], sizeof(all) - cuts[i])};

		fake_driver_add(f->d, NET_TEST_TX, b, 2, false);
		kick(f);
		assert_sent(f, i, 90, 4);
	}
	fake_driver_offer(f->d, NET_TEST_TX, all, sizeof(all), 0);
	kick(f);
	assert_sent(f, ARRAY_SIZE(cuts), 90, 4);
}

static void frames_in_many_pieces_leave_in_order(void **state)
{
	struct net_fixture *f = *state;
	uint8_t all[NET_HDR_LEN + 300] = {0};
	struct fake_buf b[sizeof(all) / 2];

	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		b[i] = FAKE_OUT(all + 2 * i, 2);
	offer(f, NULL, 60, 1);
	net_fill(all + NET_HDR_LEN, 300, 2);
	fake_driver_add(f->d, NET_TEST_TX, b, ARRAY_SIZE(b), true);
	net_fill(all + NET_HDR_LEN, 300, 4);
	fake_driver_add(f->d, NET_TEST_TX, b, ARRAY_SIZE(b), true);
	offer(f, NULL, 60, 3);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 4);
	assert_sent(f, 0, 60, 1);
	assert_sent(f, 1, 300, 2);
	assert_sent(f, 2, 300, 4);
	assert_sent(f, 3, 60, 3);
	assert_int_equal(n_back(f), 4);
}

static void a_batch_is_one_call_and_one_interrupt(void **state)
{
	struct net_fixture *f = *state;

	for (unsigned int i = 0; i < 20; i++)
		offer(f, NULL, 100, i);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 20);
	assert_int_equal(fake_net_log(f->far)->largest_send, 20);
	assert_int_equal(fake_driver_interrupts(f->d, NET_TEST_TX), 1);
}

static void who_goes_on_sending_is_not_asked_to_kick(void **state)
{
	struct net_fixture *f = *state;
	struct fake_ring *ring = fake_driver_ring(f->d, NET_TEST_TX);

	offer(f, NULL, 60, 1);
	fake_ring_wants_kick(ring);
	assert_int_equal(f->dev->ops->kick(f->dev, NET_TEST_TX), 0);
	assert_int_equal(fake_net_n_sent(f->far, 0), 1);
	offer(f, NULL, 60, 2);
	assert_false(fake_ring_wants_kick(ring));
	settle(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 2);
	/* it has looked again and found nothing */
	offer(f, NULL, 60, 3);
	assert_true(fake_ring_wants_kick(ring));
}

static void a_full_ring_leaves_in_turns(void **state)
{
	struct net_fixture *f = *state;

	for (unsigned int i = 0; i < 256; i++)
		offer(f, NULL, 64 + i, i);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 128);
	settle(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 256);
	for (unsigned int i = 0; i < 256; i++)
		assert_sent(f, i, 64 + i, i);
	/* and the next one is kicked for */
	fake_ring_wants_kick(fake_driver_ring(f->d, NET_TEST_TX));
	while (fake_driver_take(f->d, NET_TEST_TX, &(struct fake_used){0}, NULL,
				0))
		;
	offer(f, NULL, 60, 1);
	assert_true(fake_ring_wants_kick(fake_driver_ring(f->d, NET_TEST_TX)));
}

static void a_full_backend_keeps_the_frames_in_the_guest(void **state)
{
	struct net_fixture *f = *state;
	unsigned int calls;

	fake_net_set_room(f->far, 0, 3);
	for (unsigned int i = 0; i < 50; i++)
		offer(f, NULL, 100, i);
	kick(f);
	settle(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 3);
	assert_int_equal(n_back(f), 3);
	calls = fake_net_log(f->far)->sends;
	settle(f);
	assert_int_equal(fake_net_log(f->far)->sends, calls);
	assert_int_equal(net_counted(f).tx_dropped, 0);
	fake_net_set_room(f->far, 0, SIZE_MAX);
	settle(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 50);
	for (unsigned int i = 0; i < 50; i++)
		assert_sent(f, i, 100, i);
	assert_int_equal(n_back(f), 50);
}

static void a_backend_with_a_rest_is_called_again(void **state)
{
	struct net_fixture *f = *state;

	fake_net_set_rest(f->far, 0);
	fake_net_set_room(f->far, 0, 0);
	kick(f);
	settle(f);
	assert_int_equal(fake_net_log(f->far)->sends, 1);
	fake_net_set_room(f->far, 0, SIZE_MAX);
	settle(f);
	assert_int_equal(fake_net_log(f->far)->sends, 2);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 1);
}

static void a_chain_without_a_whole_header_is_refused(void **state)
{
	struct net_fixture *f = *state;

	fake_driver_offer(f->d, NET_TEST_TX, "eleven byte", 11, 0);
	fake_driver_offer(f->d, NET_TEST_TX, NULL, 0, 100);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_int_equal(n_back(f), 3);
	assert_int_equal(net_counted(f).bad_chains, 2);
	assert_sent(f, 0, 60, 1);
}

static void frames_too_short_or_too_long_are_dropped(void **state)
{
	struct net_fixture *f = *state;

	offer(f, NULL, 0, 1);
	offer(f, NULL, NET_FRAME_MIN - 1, 1);
	offer(f, NULL, NET_FRAME_MIN, 1);
	offer(f, NULL, NET_FRAME_MAX, 2);
	offer(f, NULL, NET_FRAME_MAX + 1, 3);
	kick(f);
	assert_int_equal(n_back(f), 5);
	assert_int_equal(net_counted(f).tx_dropped, 3);
	assert_int_equal(fake_net_n_sent(f->far, 0), 2);
	assert_sent(f, 0, NET_FRAME_MIN, 1);
	assert_sent(f, 1, NET_FRAME_MAX, 2);
}

static void negotiated_offloads_are_passed_on(void **state)
{
	static const uint8_t tso[NET_HDR_LEN] = {VIRTIO_NET_HDR_F_NEEDS_CSUM,
						 VIRTIO_NET_HDR_GSO_TCPV6 |
							 VIRTIO_NET_HDR_GSO_ECN,
						 86,
						 0,
						 0xa0,
						 5,
						 54,
						 0,
						 16,
						 0,
						 0x55,
						 0x55};
	struct net_fixture *f = *state;
	uint8_t want[NET_HDR_LEN];

	memcpy(want, tso, sizeof(want));
	store_le16(want + NET_HDR_NUM_BUFFERS, 0);
	offer(f, tso, 9000, 1);
	kick(f);
	assert_memory_equal(fake_net_sent(f->far, 0, 0)->hdr, want,
			    sizeof(want));
}

static void offloads_that_were_not_negotiated_are_dropped(void **state)
{
	static const uint8_t bad[][NET_HDR_LEN] = {
		{VIRTIO_NET_HDR_F_NEEDS_CSUM},
		{0, VIRTIO_NET_HDR_GSO_TCPV4},
		{0, VIRTIO_NET_HDR_GSO_UDP_L4},
		{0, 2},
	};
	struct net_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		offer(f, bad[i], 60, 1);
	offer(f, NULL, 60, 7);
	kick(f);
	assert_int_equal(n_back(f), 5);
	assert_int_equal(net_counted(f).bad_headers, 4);
	assert_int_equal(fake_net_n_sent(f->far, 0), 1);
	assert_sent(f, 0, 60, 7);
}

static void a_dead_backend_drops_frames_and_takes_the_link_down(void **state)
{
	struct net_fixture *f = *state;
	unsigned int before = fake_driver_host(f->d)->config_changes;

	fake_net_set_room(f->far, 0, 0);
	for (unsigned int i = 0; i < 40; i++)
		offer(f, NULL, 60, i);
	kick(f);
	fake_net_fail(f->far, 0, -ENODEV);
	fake_net_set_room(f->far, 0, 1);
	settle(f);
	assert_int_equal(n_back(f), 40);
	assert_int_equal(fake_net_n_sent(f->far, 0), 0);
	assert_false(net_link(f->net));
	assert_int_equal(fake_driver_host(f->d)->config_changes, before + 1);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_int_equal(n_back(f), 41);
	assert_int_equal(net_counted(f).tx_dropped, 41);
	/* a dead link does not come back */
	net_set_link(f->net, true);
	settle(f);
	assert_false(net_link(f->net));
}

static void a_backend_that_dies_while_receiving_frees_what_waits(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 4, NET_TEST_BUF);
	fake_net_set_room(f->far, 0, 0);
	for (unsigned int i = 0; i < 80; i++) /* more than a batch */
		offer(f, NULL, 60, i);
	kick(f);
	fake_net_fail(f->far, 0, -EBADFD);
	settle(f);
	assert_int_equal(n_back(f), 80);
	assert_false(net_link(f->net));
}

static void a_dead_backend_is_noticed_by_sending(void **state)
{
	struct net_fixture *f = *state;

	fake_net_fail(f->far, 0, -ENODEV);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_int_equal(n_back(f), 1);
	assert_false(net_link(f->net));
}

static void a_link_that_is_down_drops_frames(void **state)
{
	struct net_fixture *f = *state;

	net_set_link(f->net, false);
	settle(f);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_int_equal(n_back(f), 1);
	assert_int_equal(net_counted(f).tx_dropped, 1);
	net_set_link(f->net, true);
	settle(f);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 1);
}

static void a_link_that_goes_down_drops_what_waits(void **state)
{
	struct net_fixture *f = *state;

	fake_net_set_room(f->far, 0, 0);
	for (unsigned int i = 0; i < 40; i++)
		offer(f, NULL, 60, i);
	kick(f);
	net_set_link(f->net, false);
	settle(f);
	assert_int_equal(n_back(f), 40);
	assert_int_equal(net_counted(f).tx_dropped, 40);
}

static void a_broken_ring_is_told_to_whoever_kicks(void **state)
{
	struct net_fixture *f = *state;

	fake_ring_publish(fake_driver_ring(f->d, NET_TEST_TX), 0xffff);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_TX), -EPROTO);
}

static void a_ring_that_breaks_while_waiting_needs_a_reset(void **state)
{
	struct net_fixture *f = *state;

	fake_net_set_room(f->far, 0, 0);
	offer(f, NULL, 60, 1);
	kick(f);
	fake_ring_publish(fake_driver_ring(f->d, NET_TEST_TX), 0xffff);
	fake_net_set_room(f->far, 0, SIZE_MAX);
	settle(f);
	assert_int_equal(fake_driver_host(f->d)->needs_reset, 1);
}

static void a_reset_forgets_frames_that_wait(void **state)
{
	struct net_fixture *f = *state;

	fake_net_set_room(f->far, 0, 0);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_true(fake_driver_reset(f->d));
	fake_net_set_room(f->far, 0, SIZE_MAX);
	settle(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 0);
	fake_driver_activate(f->d);
	offer(f, NULL, 60, 2);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 1);
	assert_sent(f, 0, 60, 2);
}

static void one_queue_can_be_reset(void **state)
{
	struct net_fixture *f = *state;

	fake_net_set_room(f->far, 0, 0);
	offer(f, NULL, 60, 1);
	kick(f);
	assert_true(fake_driver_queue_reset(f->d, NET_TEST_TX));
	fake_net_set_room(f->far, 0, SIZE_MAX);
	settle(f);
	fake_driver_queue_enable(f->d, NET_TEST_TX);
	offer(f, NULL, 60, 2);
	kick(f);
	assert_int_equal(fake_net_n_sent(f->far, 0), 1);
	assert_sent(f, 0, 60, 2);
}

int main(void)
{
#define CASE(fn, s) cmocka_unit_test_setup_teardown(fn, s, net_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_frame_leaves_and_its_buffers_come_back, setup),
		CASE(header_and_frame_may_share_buffers, setup),
		CASE(frames_in_many_pieces_leave_in_order, setup),
		CASE(a_batch_is_one_call_and_one_interrupt, setup),
		CASE(who_goes_on_sending_is_not_asked_to_kick, setup),
		CASE(a_full_ring_leaves_in_turns, setup),
		CASE(a_full_backend_keeps_the_frames_in_the_guest, setup),
		CASE(a_backend_with_a_rest_is_called_again, setup),
		CASE(a_chain_without_a_whole_header_is_refused, setup),
		CASE(frames_too_short_or_too_long_are_dropped, setup),
		CASE(negotiated_offloads_are_passed_on, setup),
		CASE(offloads_that_were_not_negotiated_are_dropped,
		     setup_no_offloads),
		CASE(a_dead_backend_drops_frames_and_takes_the_link_down,
		     setup),
		CASE(a_backend_that_dies_while_receiving_frees_what_waits,
		     setup),
		CASE(a_dead_backend_is_noticed_by_sending, setup),
		CASE(a_link_that_is_down_drops_frames, setup),
		CASE(a_link_that_goes_down_drops_what_waits, setup),
		CASE(a_broken_ring_is_told_to_whoever_kicks, setup),
		CASE(a_ring_that_breaks_while_waiting_needs_a_reset, setup),
		CASE(a_reset_forgets_frames_that_wait, setup),
		CASE(one_queue_can_be_reset, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
