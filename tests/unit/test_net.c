/* tests/unit/test_net.c - features, configuration, commands, link, several
 * pairs of queues. */
#include "tests/unit/net_fixture.h"

#include <errno.h>

#include "vmm/base/err.h"

enum { PAIRS = 4, CTRL = 2 * PAIRS };

static int setup(void **state)
{
	return net_build(
		state,
		&(struct net_opts){.offloads = NET_TEST_OFFLOADS, .mtu = 1400});
}

static int setup_bare(void **state)
{
	return net_build(state, &(struct net_opts){0});
}

static int setup_idle(void **state)
{
	return net_build(state, &(struct net_opts){.idle = true});
}

static int setup_pairs(void **state)
{
	return net_build(state,
			 &(struct net_opts){.pairs = PAIRS,
					    .offloads = NET_TEST_OFFLOADS});
}

static int setup_pairs_no_mq(void **state)
{
	return net_build(state, &(struct net_opts){.pairs = PAIRS,
						   .driver.refuse = BIT64(
							   VIRTIO_NET_F_MQ)});
}

static int setup_no_status(void **state)
{
	return net_build(state,
			 &(struct net_opts){
				 .driver.refuse = BIT64(VIRTIO_NET_F_STATUS)});
}

static void settle(struct net_fixture *f)
{
	fake_driver_settle(f->d);
}

static uint64_t config(struct net_fixture *f, uint32_t off, size_t len)
{
	uint8_t buf[8] = {0};

	f->dev->ops->config_read(f->dev, off, buf, len);
	return load_le64(buf);
}

static bool offers(struct net_fixture *f, unsigned int bit)
{
	return f->dev->offered >> bit & 1;
}

/* --- what is offered ---------------------------------------------------- */

static void bad_parameters_are_refused(void **state)
{
	struct net_params p = {.name = "net0"};
	struct net *n = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(net_create(&p, &n, &err), -EINVAL);
	p.mac[0] = 1;
	assert_int_equal(net_create(&p, &n, &err), -EINVAL);
	p.mac[0] = 2;
	p.mtu = NET_MTU_MIN - 1;
	assert_int_equal(net_create(&p, &n, &err), -EINVAL);
	assert_null(n);
	assert_non_null(strstr(err.msg, "67"));
}

static void features_follow_the_backend_and_the_options(void **state)
{
	struct net_fixture *f = *state;

	assert_true(offers(f, VIRTIO_NET_F_MAC));
	assert_true(offers(f, VIRTIO_NET_F_MTU));
	assert_true(offers(f, VIRTIO_NET_F_MRG_RXBUF));
	assert_true(offers(f, VIRTIO_NET_F_HOST_TSO4));
	assert_true(offers(f, VIRTIO_NET_F_GUEST_TSO6));
	assert_true(offers(f, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS));
	assert_false(offers(f, VIRTIO_NET_F_HOST_USO));
	assert_false(offers(f, VIRTIO_NET_F_MQ));
	assert_int_equal(f->dev->n_queues, 3);
	assert_int_equal(f->dev->queue_max[2], NET_CTRL_QUEUE_SIZE);
}

static void without_offloads_none_is_offered(void **state)
{
	struct net_fixture *f = *state;

	assert_int_equal(f->dev->offered,
			 BIT64(VIRTIO_NET_F_MAC) | BIT64(VIRTIO_NET_F_STATUS) |
				 BIT64(VIRTIO_NET_F_MRG_RXBUF) |
				 BIT64(VIRTIO_NET_F_CTRL_VQ) |
				 BIT64(VIRTIO_NET_F_CTRL_RX) |
				 BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) |
				 BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR));
}

static void the_configuration_can_be_read_at_any_width(void **state)
{
	struct net_fixture *f = *state;

	assert_int_equal(config(f, 0, 8), 0x0001010000000002);
	assert_int_equal(config(f, 5, 1), 1);
	assert_int_equal(config(f, 6, 2), 1);
	assert_int_equal(config(f, 8, 4), 1400 << 16 | 1);
	assert_int_equal(f->dev->config_len, 12);
}

/* --- commands ----------------------------------------------------------- */

static void the_driver_can_change_its_mac_until_a_reset(void **state)
{
	static const uint8_t set[] = {1, 1, 2, 0xaa, 0xbb, 0xcc, 0xdd, 0xee};
	static const uint8_t quiet[] = {0, 0, 0};
	struct net_fixture *f = *state;
	uint8_t data[60] = {2, 0xaa, 0xbb, 0xcc, 0xdd, 0xee};

	assert_int_equal(net_command(f, NET_TEST_CTRL, set, sizeof(set)), 0);
	assert_int_equal(net_command(f, NET_TEST_CTRL, quiet, 3), 0);
	assert_int_equal(config(f, 0, 6), 0xeeddccbbaa02);
	net_offer_rx(f, 4, NET_TEST_BUF);
	fake_net_push(f->far, 0, NULL, data, sizeof(data));
	settle(f);
	assert_int_equal(net_counted(f).rx_frames, 1);
	net_push(f, 0, 60, 1); /* to the old address */
	settle(f);
	assert_int_equal(net_counted(f).rx_frames, 1);
	assert_int_equal(net_counted(f).rx_filtered, 1);
	assert_true(fake_driver_reset(f->d));
	assert_int_equal(config(f, 0, 6), 0x010000000002);
}

static void the_mac_table_is_used(void **state)
{
	static const uint8_t quiet[] = {0, 0, 0};
	uint8_t table[2 + 4 + 6 + 4 + 6] = {1, 0, 1, 0, 0, 0, 2, 9,    9, 9, 9,
					    9, 1, 0, 0, 0, 1, 0, 0x5e, 0, 0, 1};
	struct net_fixture *f = *state;
	uint8_t data[60];

	assert_int_equal(net_command(f, NET_TEST_CTRL, quiet, 3), 0);
	assert_int_equal(net_command(f, NET_TEST_CTRL, table, sizeof(table)),
			 0);
	net_offer_rx(f, 4, NET_TEST_BUF);
	memset(data, 0, sizeof(data));
	memcpy(data, table + 6, 6);
	fake_net_push(f->far, 0, NULL, data, sizeof(data));
	memcpy(data, table + 16, 6);
	fake_net_push(f->far, 0, NULL, data, sizeof(data));
	data[5]++;
	fake_net_push(f->far, 0, NULL, data, sizeof(data));
	settle(f);
	assert_int_equal(net_counted(f).rx_frames, 2);
	assert_int_equal(net_counted(f).rx_filtered, 1);
}

static void offloads_can_be_switched(void **state)
{
	uint8_t cmd[10] = {5, 0};
	struct net_fixture *f = *state;

	store_le64(cmd + 2, BIT64(VIRTIO_NET_F_GUEST_CSUM));
	assert_int_equal(net_command(f, NET_TEST_CTRL, cmd, 10), 0);
	assert_int_equal(fake_net_log(f->far)->offloads, NET_OFFLOAD_CSUM);
	store_le64(cmd + 2, 0);
	assert_int_equal(net_command(f, NET_TEST_CTRL, cmd, 10), 0);
	assert_int_equal(fake_net_log(f->far)->offloads, 0);
	fake_net_refuse(f->far, -EINVAL);
	assert_int_equal(net_command(f, NET_TEST_CTRL, cmd, 10), 1);
	fake_net_refuse(f->far, 0);
	assert_int_equal(net_counted(f).commands, 2);
	assert_int_equal(net_counted(f).bad_commands, 1);
}

static void a_reset_takes_back_what_the_guest_took(void **state)
{
	struct net_fixture *f = *state;

	assert_int_equal(fake_net_log(f->far)->offloads, NET_TEST_OFFLOADS);
	assert_true(fake_driver_reset(f->d));
	assert_int_equal(fake_net_log(f->far)->offloads, 0);
}

static void a_reset_forgets_what_the_guest_wanted_to_receive(void **state)
{
	static const uint8_t quiet[] = {0, 0, 0}, other[60] = {2, 9};
	struct net_fixture *f = *state;

	assert_int_equal(net_command(f, NET_TEST_CTRL, quiet, 3), 0);
	assert_true(fake_driver_reset(f->d));
	fake_driver_activate(f->d);
	net_offer_rx(f, 1, NET_TEST_BUF);
	fake_net_push(f->far, 0, NULL, other, sizeof(other));
	settle(f);
	assert_int_equal(net_counted(f).rx_frames, 1);
	assert_int_equal(net_counted(f).rx_filtered, 0);
}

static void bad_commands_are_answered_with_an_error(void **state)
{
	static const uint8_t unknown[] = {9, 0, 0}, mq[] = {4, 0, 1, 0};
	struct net_fixture *f = *state;

	assert_int_equal(net_command(f, NET_TEST_CTRL, unknown, 3), 1);
	assert_int_equal(net_command(f, NET_TEST_CTRL, unknown, 1), 1);
	/* not offered: one pair */
	assert_int_equal(net_command(f, NET_TEST_CTRL, mq, 4), 1);
	assert_int_equal(net_counted(f).bad_commands, 3);
}

static void a_command_without_room_for_an_answer_comes_back(void **state)
{
	struct net_fixture *f = *state;
	struct fake_used u;

	fake_driver_offer(f->d, NET_TEST_CTRL, "\0\0", 3, 0);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_CTRL), 0);
	assert_true(fake_driver_take(f->d, NET_TEST_CTRL, &u, NULL, 0));
	assert_int_equal(u.written, 0);
	assert_int_equal(net_counted(f).bad_chains, 1);
}

static void a_queue_full_of_commands_is_obeyed(void **state)
{
	static const uint8_t promisc[] = {0, 0, 1};
	struct net_fixture *f = *state;

	for (unsigned int i = 0; i < NET_CTRL_QUEUE_SIZE / 2; i++)
		assert_true(fake_driver_offer(f->d, NET_TEST_CTRL, promisc, 3,
					      1) >= 0);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_CTRL), 0);
	assert_int_equal(net_counted(f).commands, NET_CTRL_QUEUE_SIZE / 2);
	assert_int_equal(fake_driver_interrupts(f->d, NET_TEST_CTRL), 1);
}

static void commands_wait_for_their_turn(void **state)
{
	static const uint8_t promisc[] = {0, 0, 1};
	struct net_fixture *f = *state;
	struct fake_buf b[2] = {FAKE_OUT(promisc, 3), FAKE_IN(1)};

	/* without MQ the commands come through a long queue */
	for (unsigned int i = 0; i < 200; i++)
		assert_true(fake_driver_add(f->d, 2, b, 2, true) >= 0);
	assert_int_equal(fake_driver_kick(f->d, 2), 0);
	assert_int_equal(net_counted(f).commands, NET_CTRL_QUEUE_SIZE);
	settle(f);
	assert_int_equal(net_counted(f).commands, 200);
}

static void a_broken_control_queue_needs_a_reset(void **state)
{
	struct net_fixture *f = *state;

	fake_ring_publish(fake_driver_ring(f->d, NET_TEST_CTRL), 0xffff);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_CTRL), -EPROTO);
}

/* --- several pairs ------------------------------------------------------ */

static int use_pairs(struct net_fixture *f, uint16_t n)
{
	uint8_t cmd[4] = {4, 0};

	store_le16(cmd + 2, n);
	return net_command(f, CTRL, cmd, sizeof(cmd));
}

static void offer_pair(struct net_fixture *f, unsigned int pair)
{
	for (unsigned int i = 0; i < 4; i++)
		fake_driver_offer(f->d, 2 * pair, NULL, 0, NET_TEST_BUF);
	assert_int_equal(fake_driver_kick(f->d, 2 * pair), 0);
}

static unsigned int n_received(struct net_fixture *f, unsigned int pair)
{
	return fake_ring_n_used(fake_driver_ring(f->d, 2 * pair));
}

static void the_driver_says_how_many_pairs_it_uses(void **state)
{
	struct net_fixture *f = *state;

	assert_true(offers(f, VIRTIO_NET_F_MQ));
	assert_int_equal(config(f, 8, 2), PAIRS);
	/* until it says so, one: the others would keep what comes to them */
	assert_int_equal(fake_net_log(f->far)->n_queues, 1);
	for (unsigned int i = 0; i < PAIRS; i++)
		offer_pair(f, i);
	net_push(f, 0, 60, 0);
	net_push(f, 3, 60, 3);
	settle(f);
	assert_int_equal(n_received(f, 0), 1);
	assert_int_equal(n_received(f, 3), 0);
	assert_int_equal(use_pairs(f, PAIRS), 0);
	assert_int_equal(fake_net_log(f->far)->n_queues, PAIRS);
	settle(f);
	assert_int_equal(n_received(f, 3), 1);
	assert_int_equal(use_pairs(f, 2), 0);
	assert_int_equal(fake_net_log(f->far)->n_queues, 2);
	net_push(f, 1, 60, 1);
	net_push(f, 2, 60, 2);
	settle(f);
	assert_int_equal(n_received(f, 1), 1);
	assert_int_equal(n_received(f, 2), 0);
}

static void pairs_out_of_range_are_refused(void **state)
{
	struct net_fixture *f = *state;

	assert_int_equal(use_pairs(f, 0), 1);
	assert_int_equal(use_pairs(f, PAIRS + 1), 1);
	fake_net_refuse(f->far, -EBUSY);
	assert_int_equal(use_pairs(f, 2), 1);
	fake_net_refuse(f->far, 0);
	assert_int_equal(use_pairs(f, 2), 0);
}

static void a_pair_out_of_use_gives_its_frames_back(void **state)
{
	static const uint8_t frame[NET_HDR_LEN + 60];
	struct net_fixture *f = *state;

	assert_int_equal(use_pairs(f, 2), 0);
	settle(f);
	fake_net_set_room(f->far, 1, 0);
	fake_driver_offer(f->d, 3, frame, sizeof(frame), 0);
	assert_int_equal(fake_driver_kick(f->d, 3), 0);
	assert_int_equal(fake_ring_n_used(fake_driver_ring(f->d, 3)), 0);
	assert_int_equal(use_pairs(f, 1), 0);
	assert_int_equal(fake_ring_n_used(fake_driver_ring(f->d, 3)), 1);
	/* and is not served any more */
	fake_net_set_room(f->far, 1, SIZE_MAX);
	fake_driver_offer(f->d, 3, frame, sizeof(frame), 0);
	assert_int_equal(fake_driver_kick(f->d, 3), 0);
	settle(f);
	assert_int_equal(fake_net_n_sent(f->far, 1), 0);
	assert_int_equal(use_pairs(f, 2), 0);
	settle(f);
	assert_int_equal(fake_net_n_sent(f->far, 1), 1);
}

static void a_reset_goes_back_to_one_pair(void **state)
{
	struct net_fixture *f = *state;

	assert_int_equal(use_pairs(f, PAIRS), 0);
	assert_true(fake_driver_reset(f->d));
	assert_int_equal(fake_net_log(f->far)->n_queues, 1);
	fake_driver_activate(f->d);
	offer_pair(f, 0);
	offer_pair(f, 1);
	net_push(f, 1, 60, 1);
	net_push(f, 0, 60, 1);
	settle(f);
	assert_int_equal(n_received(f, 1), 0);
	assert_int_equal(n_received(f, 0), 1);
}

static void without_mq_the_control_queue_is_the_third(void **state)
{
	static const uint8_t promisc[] = {0, 0, 1};
	struct net_fixture *f = *state;

	assert_int_equal(net_command(f, 2, promisc, 3), 0);
	assert_int_equal(net_counted(f).commands, 1);
}

/* --- link --------------------------------------------------------------- */

static void the_link_can_be_taken_down_and_up(void **state)
{
	struct net_fixture *f = *state;
	struct fake_virtio_host *h = fake_driver_host(f->d);

	net_offer_rx(f, 8, NET_TEST_BUF);
	net_set_link(f->net, false);
	settle(f);
	assert_int_equal(h->config_changes, 1);
	assert_int_equal(config(f, 6, 2), 0);
	net_push(f, 0, 60, 1);
	settle(f);
	assert_int_equal(fake_net_n_waiting(f->far, 0), 0);
	assert_int_equal(net_counted(f).rx_dropped, 1);
	net_set_link(f->net, false);
	settle(f);
	assert_int_equal(h->config_changes, 1);
	net_set_link(f->net, true);
	settle(f);
	assert_int_equal(h->config_changes, 2);
	assert_int_equal(config(f, 6, 2), 1);
	net_push(f, 0, 60, 1);
	settle(f);
	assert_int_equal(net_counted(f).rx_frames, 1);
}

static void a_link_that_is_down_takes_frames_without_buffers(void **state)
{
	struct net_fixture *f = *state;

	net_push(f, 0, 60, 1);
	settle(f);
	net_set_link(f->net, false);
	settle(f);
	assert_int_equal(fake_net_n_waiting(f->far, 0), 0);
	net_set_link(f->net, true);
	net_push(f, 0, 60, 2);
	settle(f);
	assert_int_equal(fake_net_n_waiting(f->far, 0), 1);
}

static void a_driver_without_status_is_not_interrupted(void **state)
{
	struct net_fixture *f = *state;

	net_set_link(f->net, false);
	settle(f);
	assert_int_equal(fake_driver_host(f->d)->config_changes, 0);
	assert_false(net_link(f->net));
}

static void an_idle_device_remembers_the_link(void **state)
{
	struct net_fixture *f = *state;

	/* of a driver that was there before */
	f->dev->features = BIT64(VIRTIO_NET_F_STATUS);
	net_set_link(f->net, false);
	settle(f);
	assert_int_equal(fake_driver_host(f->d)->config_changes, 0);
	assert_int_equal(config(f, 6, 2), 0);
}

static void an_idle_device_reads_nothing(void **state)
{
	struct net_fixture *f = *state;

	net_push(f, 0, 60, 1);
	settle(f);
	assert_int_equal(fake_net_log(f->far)->recvs, 0);
	assert_int_equal(f->dev->ops->kick(f->dev, 0), 0);
	assert_int_equal(f->dev->ops->kick(f->dev, 2), 0);
	assert_int_equal(fake_net_log(f->far)->recvs, 0);
}

static void a_backend_that_hangs_up_takes_the_link_down(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 8, NET_TEST_BUF);
	net_push(f, 0, 60, 1);
	fake_net_hang_up(f->far, 0);
	settle(f);
	assert_int_equal(net_counted(f).rx_frames, 1);
	assert_false(net_link(f->net));
	assert_int_equal(fake_driver_host(f->d)->config_changes, 1);
	/* and the loop is quiet */
	settle(f);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_RX), 0);
}

static void a_backend_that_fails_takes_the_link_down(void **state)
{
	struct net_fixture *f = *state;
	unsigned int calls;

	net_offer_rx(f, 8, NET_TEST_BUF);
	fake_net_fail(f->far, 0, -EBADFD);
	settle(f);
	assert_false(net_link(f->net));
	assert_int_equal(fake_driver_host(f->d)->config_changes, 1);
	calls = fake_net_log(f->far)->recvs;
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_RX), 0);
	assert_int_equal(fake_net_log(f->far)->recvs, calls);
}

static void a_hang_up_counts_though_nothing_fails(void **state)
{
	struct net_fixture *f = *state;

	net_offer_rx(f, 8, NET_TEST_BUF);
	fake_net_hang_up(f->far, 0);
	fake_net_fail(f->far, 0, 0); /* recv says: nothing there */
	settle(f);
	assert_false(net_link(f->net));
}

static void what_came_before_the_hang_up_waits_for_buffers(void **state)
{
	struct net_fixture *f = *state;

	net_push(f, 0, 60, 1);
	settle(f);
	fake_net_hang_up(f->far, 0);
	settle(f); /* returns: the hang-up is not reported for ever */
	assert_true(net_link(f->net));
	net_offer_rx(f, 2, NET_TEST_BUF);
	settle(f);
	assert_int_equal(net_counted(f).rx_frames, 1);
	assert_false(net_link(f->net));
}

static void a_queue_the_driver_did_not_enable_is_left_alone(void **state)
{
	struct net_fixture *f = *state;

	fake_driver_skip_queue(f->d, NET_TEST_RX);
	fake_driver_activate(f->d);
	net_push(f, 0, 60, 1);
	settle(f);
	assert_int_equal(fake_net_n_waiting(f->far, 0), 1);
}

int main(void)
{
#define CASE(fn, s) cmocka_unit_test_setup_teardown(fn, s, net_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bad_parameters_are_refused),
		CASE(features_follow_the_backend_and_the_options, setup),
		CASE(without_offloads_none_is_offered, setup_bare),
		CASE(the_configuration_can_be_read_at_any_width, setup),
		CASE(the_driver_can_change_its_mac_until_a_reset, setup),
		CASE(the_mac_table_is_used, setup),
		CASE(offloads_can_be_switched, setup),
		CASE(a_reset_takes_back_what_the_guest_took, setup),
		CASE(a_reset_forgets_what_the_guest_wanted_to_receive, setup),
		CASE(bad_commands_are_answered_with_an_error, setup),
		CASE(a_command_without_room_for_an_answer_comes_back, setup),
		CASE(a_queue_full_of_commands_is_obeyed, setup),
		CASE(commands_wait_for_their_turn, setup_pairs_no_mq),
		CASE(a_broken_control_queue_needs_a_reset, setup),
		CASE(the_driver_says_how_many_pairs_it_uses, setup_pairs),
		CASE(pairs_out_of_range_are_refused, setup_pairs),
		CASE(a_pair_out_of_use_gives_its_frames_back, setup_pairs),
		CASE(a_reset_goes_back_to_one_pair, setup_pairs),
		CASE(without_mq_the_control_queue_is_the_third,
		     setup_pairs_no_mq),
		CASE(the_link_can_be_taken_down_and_up, setup),
		CASE(a_link_that_is_down_takes_frames_without_buffers, setup),
		CASE(a_driver_without_status_is_not_interrupted,
		     setup_no_status),
		CASE(an_idle_device_remembers_the_link, setup_idle),
		CASE(an_idle_device_reads_nothing, setup_idle),
		CASE(a_backend_that_hangs_up_takes_the_link_down, setup),
		CASE(a_backend_that_fails_takes_the_link_down, setup),
		CASE(a_hang_up_counts_though_nothing_fails, setup),
		CASE(what_came_before_the_hang_up_waits_for_buffers, setup),
		CASE(a_queue_the_driver_did_not_enable_is_left_alone,
		     setup_idle),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
