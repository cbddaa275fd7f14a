/* tests/unit/test_vsock.c - the device: its life, its connections, its time. */
#include "tests/unit/vsock_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* --- life
 * --------------------------------------------------------------------- */

static void a_reserved_cid_is_refused(void **state)
{
	const uint64_t bad[] = {0, 1, 2, UINT32_MAX, UINT64_C(1) << 32};
	struct vsock_fixture *f = *state;
	struct vsock *v = NULL;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct vsock_params p = {.name = "vsock0",
					 .guest_cid = bad[i],
					 .thread = f->thread,
					 .channel = -1};

		assert_int_equal(vsock_create(&p, &v, &err), -EINVAL);
		assert_non_null(strstr(err.msg, "cid"));
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

static void a_channel_that_cannot_be_watched_stays_the_callers(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_params p = {
		.name = "vsock0", .guest_cid = CID, .thread = f->thread};
	struct vsock *v = NULL;
	struct err err = {0};

	p.channel = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_int_equal(vsock_create(&p, &v, &err), -EPERM);
	assert_null(v);
	assert_int_equal(close(p.channel), 0);
}

static void the_configuration_is_the_cid(void **state)
{
	struct vsock_fixture *f = *state;
	struct virtio_dev *dev = vsock_virtio_dev(f->v);
	uint8_t buf[8];

	dev->ops->config_read(dev, 0, buf, 8);
	assert_true(load_le64(buf) == CID);
	dev->ops->config_read(dev, 4, buf, 4);
	assert_true(load_le32(buf) == 0);
	assert_int_equal(dev->config_len, 8);
	assert_int_equal(dev->type, VIRTIO_ID_VSOCK);
	assert_true(dev->offered == 0); /* streams only */
}

static void a_reset_closes_everything_and_starts_anew(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_msg m;
	uint32_t port;
	int a = vf_dial(f, 1000, 80), b = vf_offer(f, 22, &port), c;

	vf_say(f, 1001, 81, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &m));
	assert_int_equal(vf_counters(f).n_conns, 3);
	assert_true(fake_driver_reset(f->d));
	assert_int_equal(vf_counters(f).n_conns, 0);
	vf_assert_host_reads(f, a, "");
	vf_assert_host_reads(f, b, "");
	m.type = VSOCK_MSG_CONNECTED; /* too late */
	c = vf_broker_gives(f, &m);
	vf_assert_host_reads(f, c, "");
	close(a);
	close(b);
	close(c);
	fake_driver_activate(f->d);
	vf_offer_rx(f, 64);
	a = vf_dial(f, 1000, 80);
	vf_give(f, 1000, 80, "again", 5);
	vf_assert_host_reads(f, a, "again");
	close(a);
}

static void an_offer_to_a_guest_without_a_driver_is_closed(void **state)
{
	const struct vsock_msg m = {.type = VSOCK_MSG_OFFER, .guest_port = 22};
	struct vsock_fixture *f = *state;
	int fd;

	assert_true(fake_driver_reset(f->d));
	fd = vf_broker_gives(f, &m);
	vf_assert_host_reads(f, fd, "");
	assert_int_equal(vf_counters(f).refused, 1);
	close(fd);
}

static void queues_are_reset_one_by_one(void **state)
{
	struct vsock_fixture *f = *state;
	int fd = vf_dial(f, 1000, 80);

	for (unsigned int q = 0; q < VSOCK_QUEUES; q++) {
		assert_true(fake_driver_queue_reset(f->d, q));
		fake_driver_queue_enable(f->d, q);
	}
	vf_offer_rx(f, 8);
	vf_give(f, 1000, 80, "still here", 10);
	vf_assert_host_reads(f, fd, "still here");
	assert_int_equal(write(fd, "so am I", 7), 7);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
	assert_memory_equal(f->data, "so am I", 7);
	close(fd);
}

/* --- connections
 * --------------------------------------------------------------- */

static void guest_and_host_talk_when_the_guest_began(void **state)
{
	struct vsock_fixture *f = *state;
	int fd = vf_dial(f, 1000, 80);

	vf_give(f, 1000, 80, "ping", 4);
	vf_assert_host_reads(f, fd, "ping");
	assert_int_equal(write(fd, "pong", 4), 4);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f->got.len, 4);
	assert_int_equal(f->got.fwd_cnt, 4);
	assert_memory_equal(f->data, "pong", 4);
	assert_int_equal(vf_counters(f).opened, 1);
	assert_int_equal(vf_counters(f).to_host_bytes, 4);
	assert_int_equal(vf_counters(f).to_guest_bytes, 4);
	close(fd);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_SHUTDOWN);
	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(vf_counters(f).n_conns, 0);
}

static void guest_and_host_talk_when_the_host_began(void **state)
{
	struct vsock_fixture *f = *state;
	uint32_t port, other;
	char line[32];
	int fd = vf_offer(f, 22, &port), fd2;

	assert_int_equal(write(fd, "early", 5), 5);
	vf_say(f, 22, port, VIRTIO_VSOCK_OP_RESPONSE);
	snprintf(line, sizeof(line), "OK %u\n", port);
	vf_assert_host_reads(f, fd, line);
	vf_expect(f, 22, port, VIRTIO_VSOCK_OP_RW);
	assert_memory_equal(f->data, "early", 5);
	vf_give(f, 22, port, "welcome", 7);
	vf_assert_host_reads(f, fd, "welcome");
	fd2 = vf_offer(f, 22, &other);
	assert_int_not_equal(port, other);
	close(fd);
	close(fd2);
}

static void a_port_nobody_serves_is_refused(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_msg m;
	uint32_t port;
	int fd;

	vf_say(f, 1000, 81, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &m));
	m.type = VSOCK_MSG_REFUSED;
	assert_int_equal(vsock_msg_send(f->broker, &m, -1), 0);
	vf_expect(f, 1000, 81, VIRTIO_VSOCK_OP_RST);
	fd = vf_offer(f, 23, &port);
	vf_say(f, 23, port, VIRTIO_VSOCK_OP_RST);
	vf_assert_host_reads(f, fd, "");
	assert_int_equal(vf_counters(f).refused, 2);
	assert_int_equal(vf_counters(f).opened, 0);
	assert_int_equal(vf_counters(f).n_conns, 0);
	close(fd);
}

static void a_packet_of_no_connection_is_refused_but_not_a_reset(void **state)
{
	struct vsock_fixture *f = *state;

	for (unsigned int op = VIRTIO_VSOCK_OP_RESPONSE;
	     op <= VIRTIO_VSOCK_OP_CREDIT_REQUEST; op++) {
		vf_say(f, 7, 8, (uint16_t)op);
		if (op != VIRTIO_VSOCK_OP_RST)
			vf_expect(f, 7, 8, VIRTIO_VSOCK_OP_RST);
		assert_false(vf_hear(f));
	}
}

static void answers_of_the_broker_to_nobody_are_dropped(void **state)
{
	struct vsock_msg m = {.type = VSOCK_MSG_CONNECTED,
			      .host_port = 80,
			      .guest_port = 1000,
			      .id = 99};
	struct vsock_fixture *f = *state;
	int a, b;

	a = vf_broker_gives(f, &m);
	vf_assert_host_reads(f, a, "");
	close(a);
	b = vf_dial(f, 1000, 80);
	a = vf_broker_gives(f, &m); /* right ports, other connection */
	vf_assert_host_reads(f, a, "");
	m.type = VSOCK_MSG_REFUSED;
	assert_int_equal(vsock_msg_send(f->broker, &m, -1), 0);
	m.type = VSOCK_MSG_CONNECT;
	assert_int_equal(vsock_msg_send(f->broker, &m, -1), 0);
	assert_int_equal(send(f->broker, "junk", 4, 0), 4);
	fake_driver_settle(f->d);
	assert_false(vf_hear(f));
	vf_give(f, 1000, 80, "fine", 4);
	vf_assert_host_reads(f, b, "fine");
	close(a);
	close(b);
}

/* The guest breaks it off, and has no room to hear that it is over. */
static void an_answer_to_a_request_that_was_broken_off_is_dropped(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_msg m;
	int fd;

	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &m));
	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_RESPONSE);
	m.type = VSOCK_MSG_CONNECTED;
	fd = vf_broker_gives(f, &m);
	vf_assert_host_reads(f, fd, "");
	vf_offer_rx(f, 2);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	assert_false(vf_hear(f));
	close(fd);
}

/* Both begin at once; the guest has chosen the port that was to be ours. */
static void a_port_that_the_guest_has_taken_is_not_used(void **state)
{
	struct vsock_fixture *f = *state;
	uint32_t first, port;
	int a = vf_offer(f, 22, &first), b, c;

	vf_say(f, 22, first + 1, VIRTIO_VSOCK_OP_REQUEST);
	vf_say(f, 22, first + 2, VIRTIO_VSOCK_OP_REQUEST);
	b = vf_offer(f, 22, &port);
	assert_int_equal(port, first + 3);
	c = vf_offer(f, 23, &port);
	assert_int_equal(port, first + 4);
	close(a);
	close(b);
	close(c);
}

static void a_request_for_ports_in_use_ends_the_connection(void **state)
{
	struct vsock_fixture *f = *state;
	int fd = vf_dial(f, 1000, 80);

	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_REQUEST);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	vf_assert_host_reads(f, fd, "");
	assert_int_equal(vf_counters(f).violations, 1);
	close(fd);
}

static void a_port_may_be_used_again_after_a_close(void **state)
{
	struct vsock_fixture *f = *state;
	int fd = vf_dial(f, 1000, 80);

	close(fd);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_SHUTDOWN);
	fd = vf_dial(f, 1000, 80);
	vf_give(f, 1000, 80, "new", 3);
	vf_assert_host_reads(f, fd, "new");
	assert_int_equal(vf_counters(f).n_conns, 1);
	close(fd);
}

static void
an_answer_to_an_earlier_request_is_not_taken_for_this_one(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_msg first, second;
	int a, b;

	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &first));
	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_RST); /* it gives up, and retries */
	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &second));
	first.type = second.type = VSOCK_MSG_CONNECTED;
	a = vf_broker_gives(f, &first);
	vf_assert_host_reads(f, a, "");
	assert_false(vf_hear(f));
	b = vf_broker_gives(f, &second);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RESPONSE);
	close(a);
	close(b);
}

static void while_the_host_still_reads_the_ports_are_free_again(void **state)
{
	static uint8_t block[4096];
	struct vsock_fixture *f = *state;
	int slow = vf_dial(f, 1000, 80), fast;
	uint64_t sent, got = 0;
	ssize_t n;

	vf_stall(f, 1000, f->got.buf_alloc);
	sent = vf_counters(f).to_host_bytes;
	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	fast = vf_dial(f, 1000, 80);
	vf_give(f, 1000, 80, "new", 3);
	vf_assert_host_reads(f, fast, "new");
	while ((n = read(slow, block, sizeof(block))) != 0) {
		fake_driver_settle(f->d);
		got += n > 0 ? (uint64_t)n : 0;
	}
	assert_true(got == sent); /* nothing was lost, and then it ended */
	assert_int_equal(vf_counters(f).n_conns, 1);
	vf_give(f, 1000, 80, "still new", 9);
	vf_assert_host_reads(f, fast, "still new");
	close(slow);
	close(fast);
}

static void without_a_broker_requests_are_refused(void **state)
{
	struct vsock_fixture *f = *state;
	int fd = vf_dial(f, 1000, 80);

	vf_say(f, 1001, 80, VIRTIO_VSOCK_OP_REQUEST);
	close(f->broker);
	f->broker = -1;
	vf_expect(f, 1001, 80, VIRTIO_VSOCK_OP_RST);
	vf_say(f, 1002, 80, VIRTIO_VSOCK_OP_REQUEST);
	vf_expect(f, 1002, 80, VIRTIO_VSOCK_OP_RST);
	vf_give(f, 1000, 80, "on", 2);
	vf_assert_host_reads(f, fd, "on");
	close(fd);
}

static void a_broker_that_is_behind_hears_of_every_request(void **state)
{
	enum { N = 1500 };
	struct vsock_fixture *f = *state;
	unsigned int n = 0, first;
	struct vsock_msg m;

	for (uint32_t i = 0; i < N; i++)
		vf_say(f, 1000 + i, 80, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(vf_counters(f).n_conns, N);
	while (vf_broker_hears(f, &m))
		assert_int_equal(m.guest_port, 1000 + n++);
	first = n;
	assert_true(n < N); /* or the channel is larger than thought */
	while (n < N) {
		fake_driver_settle(f->d);
		assert_true(vf_broker_hears(f, &m));
		assert_int_equal(m.guest_port, 1000 + n++);
	}
	assert_true(first > 0);
}

/* It gives up those of which the broker has not even heard. */
static void a_broker_that_is_behind_hears_nothing_of_the_dead(void **state)
{
	enum { N = 1500 };
	struct vsock_fixture *f = *state;
	unsigned int n = 0;
	struct vsock_msg m;

	for (uint32_t i = 0; i < N; i++)
		vf_say(f, 1000 + i, 80, VIRTIO_VSOCK_OP_REQUEST);
	for (uint32_t i = 1; i < N; i++)
		vf_say(f, 1000 + i, 80, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(vf_counters(f).n_conns, 1);
	while (vf_broker_hears(f, &m))
		n++;
	assert_true(n < N); /* as above */
	fake_driver_settle(f->d);
	assert_false(vf_broker_hears(f, &m));
	vf_say(f, 999, 80, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &m));
	assert_int_equal(m.guest_port, 999);
}

/* --- time
 * ---------------------------------------------------------------------- */

static void who_does_not_answer_is_given_up(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_msg m;
	uint32_t port;
	int a, b;

	vf_say(f, 1000, 80, VIRTIO_VSOCK_OP_REQUEST); /* the broker sleeps */
	assert_true(fake_driver_pump(f->d, vf_something_to_hear, f));
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	assert_true(vf_broker_hears(f, &m));
	a = vf_offer(f, 22, &port); /* the guest sleeps */
	assert_true(fake_driver_pump(f->d, vf_something_to_hear, f));
	vf_expect(f, 22, port, VIRTIO_VSOCK_OP_RST);
	vf_assert_host_reads(f, a, "");
	b = vf_dial(f, 1001, 80); /* and does not hear that it is over */
	close(b);
	vf_expect(f, 1001, 80, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_true(fake_driver_pump(f->d, vf_something_to_hear, f));
	vf_expect(f, 1001, 80, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(vf_counters(f).n_conns, 0);
	close(a);
}

static void a_guest_that_gives_no_credit_is_asked_for_it(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_pkt p = vf_packet(1000, 80, VIRTIO_VSOCK_OP_REQUEST);
	struct vsock_msg m;
	int fd;

	p.buf_alloc = 4;
	vf_say_pkt(f, &p);
	assert_true(vf_broker_hears(f, &m));
	m.type = VSOCK_MSG_CONNECTED;
	fd = vf_broker_gives(f, &m);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(write(fd, "abcdefgh", 8), 8);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f->got.len, 4);
	for (int i = 0; i < 2; i++) {
		assert_true(fake_driver_pump(f->d, vf_something_to_hear, f));
		vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_CREDIT_REQUEST);
	}
	p.op = VIRTIO_VSOCK_OP_CREDIT_UPDATE;
	p.buf_alloc = 4;
	p.fwd_cnt = 4;
	vf_say_pkt(f, &p);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
	assert_memory_equal(f->data, "efgh", 4);
	close(fd);
}

/* --- events
 * ---------------------------------------------------------------------- */

static void a_transport_reset_is_told_once_there_is_a_buffer(void **state)
{
	struct vsock_fixture *f = *state;
	struct fake_used used;
	int fd = vf_dial(f, 1000, 80);
	uint8_t event[8];

	vsock_transport_reset(f->v);
	assert_int_equal(vf_counters(f).n_conns, 0);
	vf_assert_host_reads(f, fd, "");
	assert_false(vf_hear(f));
	fake_driver_offer(f->d, VSOCK_EVENTQ, NULL, 0, 3); /* too small */
	fake_driver_offer(f->d, VSOCK_EVENTQ, NULL, 0, 8);
	fake_driver_offer(f->d, VSOCK_EVENTQ, NULL, 0, 4);
	assert_int_equal(fake_driver_kick(f->d, VSOCK_EVENTQ), 0);
	assert_true(fake_driver_take(f->d, VSOCK_EVENTQ, &used, NULL, 0));
	assert_int_equal(used.written, 0);
	memset(event, 0xff, sizeof(event));
	assert_true(fake_driver_take(f->d, VSOCK_EVENTQ, &used, event, 8));
	assert_int_equal(used.written, 4);
	assert_int_equal(load_le32(event), 0);
	assert_false(fake_driver_take(f->d, VSOCK_EVENTQ, &used, NULL, 0));
	vsock_transport_reset(f->v); /* a buffer is waiting for this one */
	assert_true(fake_driver_take(f->d, VSOCK_EVENTQ, &used, event, 8));
	assert_int_equal(used.written, 4);
	close(fd);
}

static void a_broken_event_queue_asks_for_a_reset(void **state)
{
	struct vsock_fixture *f = *state;

	fake_ring_set_avail_idx(fake_driver_ring(f->d, VSOCK_EVENTQ), 30000);
	assert_int_equal(fake_driver_kick(f->d, VSOCK_EVENTQ), 0);
	vsock_transport_reset(f->v);
	assert_int_equal(fake_driver_host(f->d)->needs_reset, 1);
}

int main(void)
{
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, vf_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_reserved_cid_is_refused, vf_setup),
		CASE(a_channel_that_cannot_be_watched_stays_the_callers,
		     vf_setup),
		CASE(the_configuration_is_the_cid, vf_setup),
		CASE(a_reset_closes_everything_and_starts_anew, vf_setup),
		CASE(an_offer_to_a_guest_without_a_driver_is_closed, vf_setup),
		CASE(queues_are_reset_one_by_one, vf_setup),
		CASE(guest_and_host_talk_when_the_guest_began, vf_setup),
		CASE(guest_and_host_talk_when_the_host_began, vf_setup),
		CASE(a_port_nobody_serves_is_refused, vf_setup),
		CASE(a_packet_of_no_connection_is_refused_but_not_a_reset,
		     vf_setup),
		CASE(answers_of_the_broker_to_nobody_are_dropped, vf_setup),
		CASE(an_answer_to_a_request_that_was_broken_off_is_dropped,
		     vf_setup_bare),
		CASE(a_port_that_the_guest_has_taken_is_not_used, vf_setup),
		CASE(a_request_for_ports_in_use_ends_the_connection, vf_setup),
		CASE(a_port_may_be_used_again_after_a_close, vf_setup),
		CASE(an_answer_to_an_earlier_request_is_not_taken_for_this_one,
		     vf_setup),
		CASE(while_the_host_still_reads_the_ports_are_free_again,
		     vf_setup),
		CASE(without_a_broker_requests_are_refused, vf_setup),
		CASE(a_broker_that_is_behind_hears_of_every_request, vf_setup),
		CASE(a_broker_that_is_behind_hears_nothing_of_the_dead,
		     vf_setup),
		CASE(who_does_not_answer_is_given_up, vf_setup_hasty),
		CASE(a_guest_that_gives_no_credit_is_asked_for_it,
		     vf_setup_hasty),
		CASE(a_transport_reset_is_told_once_there_is_a_buffer,
		     vf_setup),
		CASE(a_broken_event_queue_asks_for_a_reset, vf_setup),
	};

	return cmocka_run_group_tests_name("vsock", tests, NULL, NULL);
}
