/* tests/unit/test_vsock_conn.c - one stream, the guest's packets on one side
 * and a socket on the other. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/vsock_conn.h"
#include "vmm/base/own.h"

enum { ALLOC = 64 << 10, HOST_PORT = 80, GUEST_PORT = 1025 };

struct fixture {
	struct vsock_conn c;
	int host;	   /* the other end of the socket */
	uint32_t sent;	   /* by the guest */
	uint32_t got;	   /* by the guest */
	uint32_t has_room; /* the guest's buf_alloc */
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.host = -1, .has_room = ALLOC};
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vsock_conn_destroy(&f->c);
	fd_closep(&f->host);
	return 0;
}

static struct vsock_pkt packet(struct fixture *f, uint16_t op)
{
	return (struct vsock_pkt){
		.src_port = GUEST_PORT,
		.dst_port = HOST_PORT,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = f->has_room,
		.fwd_cnt = f->got,
	};
}

static enum vsock_conn_result say(struct fixture *f, uint16_t op,
				  uint32_t flags)
{
	struct vsock_pkt p = packet(f, op);

	p.flags = flags;
	return vsock_conn_packet(&f->c, &p);
}

static enum vsock_conn_result give(struct fixture *f, const void *data,
				   size_t len)
{
	struct iovec iov[2] = {{(void *)data, len / 2},
			       {(char *)data + len / 2, len - len / 2}};
	struct vsock_pkt p = packet(f, VIRTIO_VSOCK_OP_RW);

	p.len = (uint32_t)len;
	f->sent += p.len;
	return vsock_conn_data(&f->c, &p, iov, 2);
}

/* The next packet to the guest is @op. */
static struct vsock_pkt expect(struct fixture *f, uint16_t op)
{
	struct vsock_pkt p = {0};

	assert_true(vsock_conn_wants(&f->c));
	assert_true(vsock_conn_next(&f->c, &p));
	assert_int_equal(p.op, op);
	assert_int_equal(p.type, VIRTIO_VSOCK_TYPE_STREAM);
	assert_int_equal(p.src_port, HOST_PORT);
	assert_int_equal(p.dst_port, GUEST_PORT);
	assert_int_equal(p.len, 0);
	return p;
}

static void expect_none(struct fixture *f)
{
	struct vsock_pkt p;

	assert_false(vsock_conn_wants(&f->c));
	assert_false(vsock_conn_next(&f->c, &p));
}

/* What epoll would say now. */
static void event(struct fixture *f)
{
	struct pollfd p = {.fd = f->c.fd, .events = POLLIN | POLLRDHUP};
	uint32_t events = 0;

	if (f->c.out_armed)
		p.events |= POLLOUT;
	assert_true(poll(&p, 1, 0) >= 0);
	events |= p.revents & POLLIN ? (uint32_t)EPOLLIN : 0;
	events |= p.revents & POLLOUT ? (uint32_t)EPOLLOUT : 0;
	events |= p.revents & POLLRDHUP ? (uint32_t)EPOLLRDHUP : 0;
	events |= p.revents & POLLHUP ? (uint32_t)EPOLLHUP : 0;
	events |= p.revents & POLLERR ? (uint32_t)EPOLLERR : 0;
	vsock_conn_event(&f->c, events);
}

/* What the guest receives, as much as it may. */
static size_t take(struct fixture *f, void *buf, size_t len)
{
	uint32_t credit = vsock_conn_credit(&f->c);
	struct iovec iov = {buf, len < credit ? len : credit};

	if (!iov.iov_len || !vsock_conn_has_data(&f->c))
		return 0;
	return vsock_conn_read(&f->c, &iov, 1);
}

static int pair(struct fixture *f)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fd),
			 0);
	f->host = fd[1];
	return fd[0];
}

static void begin(struct fixture *f, uint32_t alloc)
{
	struct vsock_pkt p = packet(f, VIRTIO_VSOCK_OP_REQUEST);

	vsock_conn_init_dial(&f->c, &p, alloc);
}

/* An open connection that the guest began. */
static void open_conn(struct fixture *f, uint32_t alloc)
{
	struct vsock_pkt p;

	begin(f, alloc);
	expect_none(f);
	vsock_conn_dialled(&f->c, pair(f));
	p = expect(f, VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(p.buf_alloc, alloc);
	expect_none(f);
}

static void assert_host_reads(struct fixture *f, const char *text)
{
	char buf[64] = "";

	assert_int_equal(read(f->host, buf, sizeof(buf)), strlen(text));
	assert_string_equal(buf, text);
}

/* Until the socket is full: the host does not read. */
static size_t stall(struct fixture *f)
{
	static const char block[4096];

	while (!f->c.buf.len) {
		assert_int_equal(give(f, block, sizeof(block)),
				 VSOCK_CONN_FINE);
		while (vsock_conn_wants(&f->c))
			expect(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	}
	return f->c.buf.len;
}

/* The host reads all there is; returns how much. */
static size_t drain_host(struct fixture *f)
{
	char buf[4096];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(f->host, buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	return sum;
}

/* --- opening ----------------------------------------------------------------
 */

static void a_guest_connects_and_both_sides_talk(void **state)
{
	struct fixture *f = *state;
	struct vsock_pkt p;
	char buf[16] = "";

	open_conn(f, ALLOC);
	assert_int_equal(give(f, "ping", 4), VSOCK_CONN_FINE);
	assert_host_reads(f, "ping");
	assert_int_equal(write(f->host, "pong!", 5), 5);
	event(f);
	assert_true(vsock_conn_has_data(&f->c));
	assert_int_equal(take(f, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "pong!");
	vsock_conn_data_header(&f->c, 5, &p);
	assert_int_equal(p.op, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(p.len, 5);
	assert_int_equal(p.fwd_cnt, 4);
	expect_none(f);
}

static void an_offer_says_ok_when_the_guest_has_accepted(void **state)
{
	struct fixture *f = *state;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, pair(f));
	expect(f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(f->c.state, VSOCK_CONN_OFFERED);
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_RESPONSE, 0), VSOCK_CONN_FINE);
	assert_int_equal(f->c.state, VSOCK_CONN_OPEN);
	assert_host_reads(f, "OK 80\n");
	assert_true(vsock_conn_has_data(&f->c)); /* it may have been early */
}

static void an_offer_the_guest_refuses_is_closed(void **state)
{
	struct fixture *f = *state;
	char c;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, pair(f));
	expect(f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_RST, 0), VSOCK_CONN_FINE);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	assert_int_equal(read(f->host, &c, 1), 0);
}

static void
a_client_that_leaves_before_the_answer_is_no_connection(void **state)
{
	struct fixture *f = *state;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, pair(f));
	event(f); /* nothing is wrong yet */
	assert_int_equal(f->c.state, VSOCK_CONN_OFFERED);
	close(f->host);
	f->host = -1;
	event(f);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, pair(f));
	expect(f, VIRTIO_VSOCK_OP_REQUEST); /* this one the guest has heard */
	close(f->host);
	f->host = -1;
	event(f);
	expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void a_client_that_leaves_as_the_guest_accepts_ends_it(void **state)
{
	struct fixture *f = *state;
	struct vsock_pkt p;
	char buf;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, pair(f));
	expect(f, VIRTIO_VSOCK_OP_REQUEST);
	close(f->host);
	f->host = -1;
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_RESPONSE, 0), VSOCK_CONN_FINE);
	assert_int_equal(take(f, &buf, 1), 0);
	p = expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	assert_int_equal(f->c.state, VSOCK_CONN_CLOSED);
}

static void before_it_is_open_only_the_due_answer_is_accepted(void **state)
{
	const uint16_t ops[] = {
		VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_OP_CREDIT_UPDATE,
		VIRTIO_VSOCK_OP_CREDIT_REQUEST, VIRTIO_VSOCK_OP_RESPONSE};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		begin(f, ALLOC);
		assert_int_equal(say(f, ops[i], 0), VSOCK_CONN_VIOLATION);
	}
	assert_int_equal(give(f, "x", 1), VSOCK_CONN_VIOLATION);
	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, pair(f));
	/* an answer to a question that was not asked yet */
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_RESPONSE, 0),
			 VSOCK_CONN_VIOLATION);
	expect(f, VIRTIO_VSOCK_OP_REQUEST);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(ops); i++)
		assert_int_equal(say(f, ops[i], 0), VSOCK_CONN_VIOLATION);
	assert_int_equal(give(f, "x", 1), VSOCK_CONN_VIOLATION);
}

static void a_guest_that_gives_up_while_we_connect_is_forgotten(void **state)
{
	struct fixture *f = *state;

	begin(f, ALLOC);
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_RST, 0), VSOCK_CONN_FINE);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	expect_none(f);
}

static void an_open_connection_accepts_no_second_answer(void **state)
{
	struct fixture *f = *state;

	open_conn(f, ALLOC);
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_RESPONSE, 0),
			 VSOCK_CONN_VIOLATION);
}

/* --- credit ------------------------------------------------------------------
 */

static void what_a_slow_reader_leaves_is_kept_within_the_credit(void **state)
{
	struct fixture *f = *state;
	static char block[ALLOC];
	size_t kept, room;

	open_conn(f, ALLOC);
	kept = stall(f);
	assert_true(kept <= 4096);
	room = ALLOC - (f->c.rx_cnt - f->c.told_fwd);
	assert_true(room >= ALLOC - 2 * 4096);
	assert_int_equal(give(f, block, room), VSOCK_CONN_FINE);
	assert_true(f->c.buf.len <= ALLOC);
	assert_int_equal(give(f, block, 0), VSOCK_CONN_FINE);
	assert_int_equal(give(f, block, 1), VSOCK_CONN_VIOLATION);
}

static void a_reader_that_goes_on_gets_every_byte_in_order(void **state)
{
	struct fixture *f = *state;
	static uint8_t block[4096];
	uint8_t next = 0, seen = 0, buf[1000];
	uint32_t total = 0;
	ssize_t n;

	open_conn(f, ALLOC);
	while (total < 4 << 20) {
		uint32_t room = ALLOC - (f->c.rx_cnt - f->c.told_fwd);
		uint32_t len = room < 3000 ? room : 3000;

		for (uint32_t i = 0; i < len; i++)
			block[i] = next++;
		if (len)
			assert_int_equal(give(f, block, len), VSOCK_CONN_FINE);
		total += len;
		while (vsock_conn_wants(&f->c))
			expect(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		if (len) /* let it fall behind until there is no credit */
			continue;
		while ((n = read(f->host, buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(buf[i], seen++);
		event(f);
	}
	do {
		event(f);
		while ((n = read(f->host, buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(buf[i], seen++);
	} while (f->c.buf.len);
	assert_int_equal(seen, next);
	assert_int_equal(f->c.fwd_cnt, f->c.rx_cnt);
}

static void credit_is_told_only_when_the_guest_runs_low(void **state)
{
	struct fixture *f = *state;
	static char block[1024];
	unsigned int updates = 0;
	struct vsock_pkt p;

	open_conn(f, ALLOC);
	for (unsigned int i = 0; i < 4 * ALLOC / sizeof(block); i++) {
		give(f, block, sizeof(block));
		drain_host(f);
		while (vsock_conn_next(&f->c, &p)) {
			assert_int_equal(p.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
			assert_int_equal(p.fwd_cnt, f->sent);
			updates++;
		}
	}
	assert_in_range(updates, 4, 8);
}

static void any_packet_tells_credit_and_makes_an_update_needless(void **state)
{
	struct fixture *f = *state;
	static char block[ALLOC - 10];
	struct vsock_pkt p;

	open_conn(f, ALLOC);
	assert_int_equal(give(f, block, sizeof(block)), VSOCK_CONN_FINE);
	assert_true(vsock_conn_wants(&f->c));
	vsock_conn_data_header(&f->c, 1, &p);
	assert_int_equal(p.fwd_cnt, f->sent);
	expect_none(f);
}

static void a_credit_request_is_answered(void **state)
{
	struct fixture *f = *state;
	struct vsock_pkt p;

	open_conn(f, ALLOC);
	give(f, "12345", 5);
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0),
			 VSOCK_CONN_FINE);
	p = expect(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(p.buf_alloc, ALLOC);
	assert_int_equal(p.fwd_cnt, 5);
	expect_none(f);
}

static void the_guest_is_never_sent_more_than_it_takes(void **state)
{
	struct fixture *f = *state;
	char buf[64];

	f->has_room = 10;
	open_conn(f, ALLOC);
	assert_int_equal(vsock_conn_credit(&f->c), 10);
	assert_int_equal(write(f->host, "abcdefghijklmno", 15), 15);
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 10);
	assert_int_equal(vsock_conn_credit(&f->c), 0);
	assert_true(vsock_conn_has_data(&f->c));
	f->got = 4; /* it has read some */
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0),
			 VSOCK_CONN_FINE);
	assert_int_equal(vsock_conn_credit(&f->c), 4);
	assert_int_equal(take(f, buf, sizeof(buf)), 4);
	vsock_conn_ask_credit(&f->c);
	expect(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST);
}

static void a_shrinking_buffer_is_no_credit(void **state)
{
	struct fixture *f = *state;
	char buf[64];

	open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "abcdefghij", 10), 10);
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 10);
	f->has_room = 5; /* less than is on its way */
	say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	assert_int_equal(vsock_conn_credit(&f->c), 0);
}

static void credit_out_of_order_is_no_lie_but_the_future_is(void **state)
{
	struct fixture *f = *state;
	char buf[64];

	f->has_room = 20;
	open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "abcdefghij", 10), 10);
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 10);
	f->got = 10;
	say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	f->got = 3; /* built before, sent after */
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0),
			 VSOCK_CONN_FINE);
	assert_int_equal(vsock_conn_credit(&f->c), 20);
	f->got = 11; /* one more than was ever sent */
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0),
			 VSOCK_CONN_VIOLATION);
	assert_int_equal(give(f, "x", 1), VSOCK_CONN_VIOLATION);
}

static void counters_that_wrap_change_nothing(void **state)
{
	struct fixture *f = *state;
	static char block[ALLOC];
	char buf[64];

	open_conn(f, ALLOC);
	f->c.rx_cnt = f->c.fwd_cnt = f->c.told_fwd = UINT32_MAX - 2;
	f->c.tx_cnt = f->c.peer_fwd = UINT32_MAX - 2;
	f->got = UINT32_MAX - 2;
	assert_int_equal(give(f, "hello", 5), VSOCK_CONN_FINE);
	assert_int_equal(f->c.fwd_cnt, 2);
	assert_host_reads(f, "hello");
	assert_int_equal(write(f->host, "world", 5), 5);
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 5);
	f->got = 2;
	assert_int_equal(give(f, block, ALLOC - 5), VSOCK_CONN_FINE);
	assert_int_equal(vsock_conn_credit(&f->c), ALLOC);
}

/* --- closing
 * ------------------------------------------------------------------ */

static void the_guest_may_stop_sending_and_still_receive(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";
	struct vsock_pkt p;

	open_conn(f, ALLOC);
	give(f, "question", 8);
	say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND);
	assert_host_reads(f, "question");
	assert_host_reads(f, ""); /* the end */
	assert_int_equal(write(f->host, "answer", 6), 6);
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 6);
	assert_string_equal(buf, "answer");
	close(f->host);
	f->host = -1;
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 0);
	p = expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	assert_int_equal(f->c.state, VSOCK_CONN_CLOSED);
	assert_int_equal(f->c.fd, -1);
	say(f, VIRTIO_VSOCK_OP_RST, 0);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void the_host_may_stop_sending_and_still_receive(void **state)
{
	struct fixture *f = *state;
	char buf[16] = "";
	struct vsock_pkt p;

	open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "question", 8), 8);
	shutdown(f->host, SHUT_WR);
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 8);
	expect_none(f); /* the end comes after the data */
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 0);
	p = expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	assert_int_equal(f->c.state, VSOCK_CONN_OPEN);
	assert_int_equal(give(f, "answer", 6), VSOCK_CONN_FINE);
	assert_host_reads(f, "answer");
	event(f);
	expect_none(f); /* said once is enough */
	say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	assert_host_reads(f, "");
}

static void
a_guest_that_closes_is_answered_when_the_host_has_it_all(void **state)
{
	struct fixture *f = *state;
	size_t got = 0;

	open_conn(f, ALLOC);
	stall(f);
	say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	expect_none(f);
	assert_int_equal(give(f, "x", 1), VSOCK_CONN_VIOLATION);
	while (f->c.state == VSOCK_CONN_OPEN) {
		got += drain_host(f);
		event(f);
	}
	expect(f, VIRTIO_VSOCK_OP_RST);
	got += drain_host(f);
	assert_int_equal(got, f->sent - 1); /* but for the bad one */
}

static void a_guest_that_is_gone_still_has_said_what_it_said(void **state)
{
	struct fixture *f = *state;
	size_t got = 0;

	open_conn(f, ALLOC);
	stall(f);
	say(f, VIRTIO_VSOCK_OP_RST, 0);
	assert_int_equal(f->c.state, VSOCK_CONN_DRAINING);
	expect_none(f);
	assert_false(vsock_conn_has_data(&f->c));
	while (f->c.state == VSOCK_CONN_DRAINING) {
		got += drain_host(f);
		event(f);
	}
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	got += drain_host(f);
	assert_int_equal(got, f->sent);
}

static void draining_ends_with_the_reader(void **state)
{
	struct fixture *f = *state;

	open_conn(f, ALLOC);
	stall(f);
	say(f, VIRTIO_VSOCK_OP_RST, 0);
	close(f->host);
	f->host = -1;
	event(f);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	expect_none(f);
}

static void a_guest_that_stops_receiving_stops_the_writer(void **state)
{
	struct fixture *f = *state;

	open_conn(f, ALLOC);
	say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_RCV);
	assert_false(vsock_conn_has_data(&f->c));
	assert_int_equal(send(f->host, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	event(f);
	assert_false(vsock_conn_has_data(&f->c));
	assert_int_equal(give(f, "still", 5), VSOCK_CONN_FINE);
	assert_host_reads(f, "still");
}

static void when_the_host_closes_the_guest_is_told_once_it_has_all(void **state)
{
	struct fixture *f = *state;
	struct vsock_pkt p;
	char buf[16];

	open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "bye", 3), 3);
	close(f->host);
	f->host = -1;
	event(f);
	expect_none(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 3);
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 0);
	p = expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	/* What the guest still sends vanishes, and does not block it. */
	assert_int_equal(give(f, "late", 4), VSOCK_CONN_FINE);
	assert_int_equal(f->c.fwd_cnt, f->sent);
	say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND);
	expect_none(f);
	say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_RCV);
	expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void when_the_guest_does_not_read_it_is_told_at_once(void **state)
{
	struct fixture *f = *state;
	struct vsock_pkt p;
	char buf[16];

	f->has_room = 2;
	open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "bye", 3), 3);
	close(f->host);
	f->host = -1;
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 2);
	p = expect(f, VIRTIO_VSOCK_OP_SHUTDOWN); /* it may stop sending */
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_RCV);
	f->got = 2;
	say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	assert_int_equal(take(f, buf, sizeof(buf)), 1); /* and loses nothing */
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 0);
	p = expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
}

static void what_was_kept_for_a_host_that_closed_is_given_back(void **state)
{
	struct fixture *f = *state;

	open_conn(f, ALLOC);
	stall(f);
	close(f->host);
	f->host = -1;
	event(f);
	assert_int_equal(f->c.buf.len, 0);
	assert_int_equal(f->c.fwd_cnt, f->sent);
}

static void writing_to_a_closed_host_is_noticed_without_an_event(void **state)
{
	struct fixture *f = *state;
	struct vsock_pkt p;
	char c;

	open_conn(f, ALLOC);
	shutdown(f->host, SHUT_RD);
	assert_int_equal(give(f, "into the void", 13), VSOCK_CONN_FINE);
	assert_int_equal(take(f, &c, 1), 0);
	p = expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_RCV);
	assert_int_equal(f->c.fwd_cnt, 13);
	assert_int_equal(f->c.state, VSOCK_CONN_OPEN);
}

static void a_host_that_closes_with_data_unread_resets_the_guest(void **state)
{
	struct fixture *f = *state;
	char buf[16];

	open_conn(f, ALLOC);
	give(f, "unread", 6);
	close(f->host);
	f->host = -1;
	event(f);
	assert_int_equal(take(f, buf, sizeof(buf)), 0);
	expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void after_an_abort_only_the_reset_is_left(void **state)
{
	struct fixture *f = *state;

	open_conn(f, ALLOC);
	stall(f);
	say(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	vsock_conn_abort(&f->c);
	assert_int_equal(f->c.fd, -1);
	assert_int_equal(give(f, "x", 1), VSOCK_CONN_FINE);
	assert_int_equal(say(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0),
			 VSOCK_CONN_FINE);
	vsock_conn_event(&f->c, EPOLLIN);
	expect(f, VIRTIO_VSOCK_OP_RST);
	expect_none(f);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	vsock_conn_abort(&f->c); /* once more is fine */
	expect_none(f);
}

static void a_reset_is_not_answered_by_a_reset(void **state)
{
	struct fixture *f = *state;

	open_conn(f, ALLOC);
	vsock_conn_abort(&f->c);
	say(f, VIRTIO_VSOCK_OP_RST, 0);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	expect_none(f);
}

static void unreadable_guest_memory_is_the_guests_fault(void **state)
{
	struct fixture *f = *state;
	struct iovec iov = {(void *)1, 10};
	struct vsock_pkt p;

	open_conn(f, ALLOC);
	p = packet(f, VIRTIO_VSOCK_OP_RW);
	p.len = 10;
	assert_int_equal(vsock_conn_data(&f->c, &p, &iov, 1),
			 VSOCK_CONN_VIOLATION);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_guest_connects_and_both_sides_talk),
		CASE(an_offer_says_ok_when_the_guest_has_accepted),
		CASE(an_offer_the_guest_refuses_is_closed),
		CASE(a_client_that_leaves_before_the_answer_is_no_connection),
		CASE(a_client_that_leaves_as_the_guest_accepts_ends_it),
		CASE(before_it_is_open_only_the_due_answer_is_accepted),
		CASE(a_guest_that_gives_up_while_we_connect_is_forgotten),
		CASE(an_open_connection_accepts_no_second_answer),
		CASE(what_a_slow_reader_leaves_is_kept_within_the_credit),
		CASE(a_reader_that_goes_on_gets_every_byte_in_order),
		CASE(credit_is_told_only_when_the_guest_runs_low),
		CASE(any_packet_tells_credit_and_makes_an_update_needless),
		CASE(a_credit_request_is_answered),
		CASE(the_guest_is_never_sent_more_than_it_takes),
		CASE(a_shrinking_buffer_is_no_credit),
		CASE(credit_out_of_order_is_no_lie_but_the_future_is),
		CASE(counters_that_wrap_change_nothing),
		CASE(the_guest_may_stop_sending_and_still_receive),
		CASE(the_host_may_stop_sending_and_still_receive),
		CASE(a_guest_that_closes_is_answered_when_the_host_has_it_all),
		CASE(a_guest_that_is_gone_still_has_said_what_it_said),
		CASE(draining_ends_with_the_reader),
		CASE(a_guest_that_stops_receiving_stops_the_writer),
		CASE(when_the_host_closes_the_guest_is_told_once_it_has_all),
		CASE(when_the_guest_does_not_read_it_is_told_at_once),
		CASE(what_was_kept_for_a_host_that_closed_is_given_back),
		CASE(writing_to_a_closed_host_is_noticed_without_an_event),
		CASE(a_host_that_closes_with_data_unread_resets_the_guest),
		CASE(after_an_abort_only_the_reset_is_left),
		CASE(a_reset_is_not_answered_by_a_reset),
		CASE(unreadable_guest_memory_is_the_guests_fault),
	};

	return cmocka_run_group_tests_name("vsock_conn", tests, NULL, NULL);
}
