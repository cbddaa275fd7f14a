/* tests/unit/test_vsock_conn.c - opening a stream, and its credit. */
#include "tests/unit/vsock_conn_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/own.h"

/* --- opening ----------------------------------------------------------------
 */

static void a_guest_connects_and_both_sides_talk(void **state)
{
	struct conn_fixture *f = *state;
	struct vsock_pkt p;
	char buf[16] = "";

	cf_open_conn(f, ALLOC);
	assert_int_equal(cf_give(f, "ping", 4), VSOCK_CONN_FINE);
	cf_assert_host_reads(f, "ping");
	assert_int_equal(write(f->host, "pong!", 5), 5);
	cf_event(f);
	assert_true(vsock_conn_has_data(&f->c));
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 5);
	assert_string_equal(buf, "pong!");
	vsock_conn_data_header(&f->c, 5, &p);
	assert_int_equal(p.op, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(p.len, 5);
	assert_int_equal(p.fwd_cnt, 4);
	cf_expect_none(f);
}

static void an_offer_says_ok_when_the_guest_has_accepted(void **state)
{
	struct conn_fixture *f = *state;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, cf_pair(f));
	cf_expect(f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(f->c.state, VSOCK_CONN_OFFERED);
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_RESPONSE, 0),
			 VSOCK_CONN_FINE);
	assert_int_equal(f->c.state, VSOCK_CONN_OPEN);
	cf_assert_host_reads(f, "OK 80\n");
	assert_true(vsock_conn_has_data(&f->c)); /* it may have been early */
}

static void an_end_that_came_with_the_data_is_not_lost(void **state)
{
	struct conn_fixture *f = *state;
	char buf[16] = "";
	struct vsock_pkt p;

	cf_open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "last", 4), 4);
	assert_int_equal(shutdown(f->host, SHUT_WR), 0);
	cf_event(f); /* the only one there will be */
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 4);
	assert_true(vsock_conn_has_data(&f->c));
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	assert_int_equal(f->c.state, VSOCK_CONN_OPEN);
}

static void an_end_before_the_guest_accepts_is_not_lost(void **state)
{
	struct conn_fixture *f = *state;
	char buf[16] = "";
	struct vsock_pkt p;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, cf_pair(f));
	assert_int_equal(write(f->host, "all", 3), 3);
	assert_int_equal(shutdown(f->host, SHUT_WR), 0);
	cf_event(f);
	cf_expect(f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_RESPONSE, 0),
			 VSOCK_CONN_FINE);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 3);
	assert_true(vsock_conn_has_data(&f->c));
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
}

static void an_offer_the_guest_refuses_is_closed(void **state)
{
	struct conn_fixture *f = *state;
	char c;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, cf_pair(f));
	cf_expect(f, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_RST, 0), VSOCK_CONN_FINE);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	assert_int_equal(read(f->host, &c, 1), 0);
}

static void
a_client_that_leaves_before_the_answer_is_no_connection(void **state)
{
	struct conn_fixture *f = *state;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, cf_pair(f));
	cf_event(f); /* nothing is wrong yet */
	assert_int_equal(f->c.state, VSOCK_CONN_OFFERED);
	close(f->host);
	f->host = -1;
	cf_event(f);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, cf_pair(f));
	cf_expect(f,
		  VIRTIO_VSOCK_OP_REQUEST); /* this one the guest has heard */
	close(f->host);
	f->host = -1;
	cf_event(f);
	cf_expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void a_client_that_leaves_as_the_guest_accepts_ends_it(void **state)
{
	struct conn_fixture *f = *state;
	struct vsock_pkt p;
	char buf;

	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, cf_pair(f));
	cf_expect(f, VIRTIO_VSOCK_OP_REQUEST);
	close(f->host);
	f->host = -1;
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_RESPONSE, 0),
			 VSOCK_CONN_FINE);
	assert_int_equal(cf_take(f, &buf, 1), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	assert_int_equal(f->c.state, VSOCK_CONN_CLOSED);
}

static void before_it_is_open_only_the_due_answer_is_accepted(void **state)
{
	const uint16_t ops[] = {
		VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_OP_CREDIT_UPDATE,
		VIRTIO_VSOCK_OP_CREDIT_REQUEST, VIRTIO_VSOCK_OP_RESPONSE};
	struct conn_fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		cf_begin(f, ALLOC);
		assert_int_equal(cf_say(f, ops[i], 0), VSOCK_CONN_VIOLATION);
	}
	assert_int_equal(cf_give(f, "x", 1), VSOCK_CONN_VIOLATION);
	vsock_conn_init_offer(&f->c, HOST_PORT, GUEST_PORT, ALLOC, cf_pair(f));
	/* an answer to a question that was not asked yet */
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_RESPONSE, 0),
			 VSOCK_CONN_VIOLATION);
	cf_expect(f, VIRTIO_VSOCK_OP_REQUEST);
	for (size_t i = 0; i + 1 < ARRAY_SIZE(ops); i++)
		assert_int_equal(cf_say(f, ops[i], 0), VSOCK_CONN_VIOLATION);
	assert_int_equal(cf_give(f, "x", 1), VSOCK_CONN_VIOLATION);
}

static void a_guest_that_gives_up_while_we_connect_is_forgotten(void **state)
{
	struct conn_fixture *f = *state;

	cf_begin(f, ALLOC);
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_RST, 0), VSOCK_CONN_FINE);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	cf_expect_none(f);
}

static void an_open_connection_accepts_no_second_answer(void **state)
{
	struct conn_fixture *f = *state;

	cf_open_conn(f, ALLOC);
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_RESPONSE, 0),
			 VSOCK_CONN_VIOLATION);
}

/* --- credit ------------------------------------------------------------------
 */

static void what_a_slow_reader_leaves_is_kept_within_the_credit(void **state)
{
	struct conn_fixture *f = *state;
	static char block[ALLOC];
	size_t kept, room;

	cf_open_conn(f, ALLOC);
	kept = cf_stall(f);
	assert_true(kept <= 4096);
	room = ALLOC - (f->c.rx_cnt - f->c.told_fwd);
	assert_true(room >= ALLOC - 2 * 4096);
	assert_int_equal(cf_give(f, block, room), VSOCK_CONN_FINE);
	assert_true(f->c.buf.len <= ALLOC);
	assert_int_equal(cf_give(f, block, 0), VSOCK_CONN_FINE);
	assert_int_equal(cf_give(f, block, 1), VSOCK_CONN_VIOLATION);
}

static void a_reader_that_goes_on_gets_every_byte_in_order(void **state)
{
	struct conn_fixture *f = *state;
	static uint8_t block[4096];
	uint8_t next = 0, seen = 0, buf[1000];
	uint32_t total = 0;
	ssize_t n;

	cf_open_conn(f, ALLOC);
	while (total < 4 << 20) {
		uint32_t room = ALLOC - (f->c.rx_cnt - f->c.told_fwd);
		uint32_t len = room < 3000 ? room : 3000;

		for (uint32_t i = 0; i < len; i++)
			block[i] = next++;
		if (len)
			assert_int_equal(cf_give(f, block, len),
					 VSOCK_CONN_FINE);
		total += len;
		while (vsock_conn_wants(&f->c))
			cf_expect(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		if (len) /* let it fall behind until there is no credit */
			continue;
		while ((n = read(f->host, buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(buf[i], seen++);
		cf_event(f);
	}
	do {
		cf_event(f);
		while ((n = read(f->host, buf, sizeof(buf))) > 0)
			for (ssize_t i = 0; i < n; i++)
				assert_int_equal(buf[i], seen++);
	} while (f->c.buf.len);
	assert_int_equal(seen, next);
	assert_int_equal(f->c.fwd_cnt, f->c.rx_cnt);
}

static void what_is_kept_goes_before_what_comes(void **state)
{
	struct conn_fixture *f = *state;
	static char buf[4096];
	size_t left;
	ssize_t n;

	cf_open_conn(f, ALLOC);
	cf_stall(f);
	n = read(f->host, buf, sizeof(buf)); /* now the socket has room */
	assert_true(n > 0);
	left = f->sent - (size_t)n;
	while (read(f->host, buf, sizeof(buf)) == sizeof(buf))
		left -= sizeof(buf);
	assert_int_equal(cf_give(f, "last", 4), VSOCK_CONN_FINE);
	assert_int_equal(read(f->host, buf, 1), -1); /* it waits, too */
	cf_event(f);
	while ((n = read(f->host, buf, sizeof(buf))) == sizeof(buf))
		left -= sizeof(buf);
	assert_int_equal(n, left + 4);
	assert_memory_equal(buf + left, "last", 4);
}

static void credit_is_told_only_when_the_guest_runs_low(void **state)
{
	struct conn_fixture *f = *state;
	static char block[1024];
	unsigned int updates = 0;
	struct vsock_pkt p;

	cf_open_conn(f, ALLOC);
	for (unsigned int i = 0; i < 4 * ALLOC / sizeof(block); i++) {
		cf_give(f, block, sizeof(block));
		cf_drain_host(f);
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
	struct conn_fixture *f = *state;
	static char block[ALLOC - 10];
	struct vsock_pkt p;

	cf_open_conn(f, ALLOC);
	assert_int_equal(cf_give(f, block, sizeof(block)), VSOCK_CONN_FINE);
	assert_true(vsock_conn_wants(&f->c));
	vsock_conn_data_header(&f->c, 1, &p);
	assert_int_equal(p.fwd_cnt, f->sent);
	cf_expect_none(f);
}

static void credit_that_was_not_told_is_not_given(void **state)
{
	struct conn_fixture *f = *state;
	static char block[ALLOC];

	cf_open_conn(f, ALLOC);
	assert_int_equal(cf_give(f, block, ALLOC), VSOCK_CONN_FINE);
	while (cf_drain_host(f)) /* all has left, and nobody has said so */
		cf_event(f);
	assert_int_equal(f->c.fwd_cnt, ALLOC);
	assert_int_equal(cf_give(f, block, 1), VSOCK_CONN_VIOLATION);
	f->sent--;
	cf_expect(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(cf_give(f, block, 1), VSOCK_CONN_FINE);
}

static void a_credit_request_is_answered(void **state)
{
	struct conn_fixture *f = *state;
	struct vsock_pkt p;

	cf_open_conn(f, ALLOC);
	cf_give(f, "12345", 5);
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0),
			 VSOCK_CONN_FINE);
	p = cf_expect(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(p.buf_alloc, ALLOC);
	assert_int_equal(p.fwd_cnt, 5);
	cf_expect_none(f);
}

static void the_guest_is_never_sent_more_than_it_takes(void **state)
{
	struct conn_fixture *f = *state;
	char buf[64];

	f->has_room = 10;
	cf_open_conn(f, ALLOC);
	assert_int_equal(vsock_conn_credit(&f->c), 10);
	assert_int_equal(write(f->host, "abcdefghijklmno", 15), 15);
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 10);
	assert_int_equal(vsock_conn_credit(&f->c), 0);
	assert_true(vsock_conn_has_data(&f->c));
	f->got = 4; /* it has read some */
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0),
			 VSOCK_CONN_FINE);
	assert_int_equal(vsock_conn_credit(&f->c), 4);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 4);
	vsock_conn_ask_credit(&f->c);
	cf_expect(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST);
}

static void descriptors_among_the_data_do_not_hide_what_follows(void **state)
{
	struct conn_fixture *f = *state;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = {0};
	struct iovec iov = {"fd", 2};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	char buf[64];

	cf_open_conn(f, ALLOC);
	cm->cmsg_level = SOL_SOCKET;
	cm->cmsg_type = SCM_RIGHTS;
	cm->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(cm), &f->host, sizeof(int));
	assert_int_equal(sendmsg(f->host, &msg, 0), 2);
	assert_int_equal(write(f->host, "more", 4), 4);
	cf_event(f); /* there will be no other */
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 2);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 4);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
}

static void a_shrinking_buffer_is_no_credit(void **state)
{
	struct conn_fixture *f = *state;
	char buf[64];

	cf_open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "abcdefghij", 10), 10);
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 10);
	f->has_room = 5; /* less than is on its way */
	cf_say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	assert_int_equal(vsock_conn_credit(&f->c), 0);
}

static void credit_out_of_order_is_no_lie_but_the_future_is(void **state)
{
	struct conn_fixture *f = *state;
	char buf[64];

	f->has_room = 20;
	cf_open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "abcdefghij", 10), 10);
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 10);
	f->got = 10;
	cf_say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	f->got = 3; /* built before, sent after */
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0),
			 VSOCK_CONN_FINE);
	assert_int_equal(vsock_conn_credit(&f->c), 20);
	f->got = 11; /* one more than was ever sent */
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0),
			 VSOCK_CONN_VIOLATION);
	assert_int_equal(cf_give(f, "x", 1), VSOCK_CONN_VIOLATION);
}

static void counters_that_wrap_change_nothing(void **state)
{
	struct conn_fixture *f = *state;
	static char block[ALLOC];
	char buf[64];

	cf_open_conn(f, ALLOC);
	f->c.rx_cnt = f->c.fwd_cnt = f->c.told_fwd = UINT32_MAX - 2;
	f->c.tx_cnt = f->c.peer_fwd = UINT32_MAX - 2;
	f->got = UINT32_MAX - 2;
	assert_int_equal(cf_give(f, "hello", 5), VSOCK_CONN_FINE);
	assert_int_equal(f->c.fwd_cnt, 2);
	cf_assert_host_reads(f, "hello");
	assert_int_equal(write(f->host, "world", 5), 5);
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 5);
	f->got = 2;
	assert_int_equal(cf_give(f, block, ALLOC - 5), VSOCK_CONN_FINE);
	assert_int_equal(vsock_conn_credit(&f->c), ALLOC);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, cf_setup, cf_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_guest_connects_and_both_sides_talk),
		CASE(an_offer_says_ok_when_the_guest_has_accepted),
		CASE(an_end_that_came_with_the_data_is_not_lost),
		CASE(an_end_before_the_guest_accepts_is_not_lost),
		CASE(an_offer_the_guest_refuses_is_closed),
		CASE(a_client_that_leaves_before_the_answer_is_no_connection),
		CASE(a_client_that_leaves_as_the_guest_accepts_ends_it),
		CASE(before_it_is_open_only_the_due_answer_is_accepted),
		CASE(a_guest_that_gives_up_while_we_connect_is_forgotten),
		CASE(an_open_connection_accepts_no_second_answer),
		CASE(what_a_slow_reader_leaves_is_kept_within_the_credit),
		CASE(a_reader_that_goes_on_gets_every_byte_in_order),
		CASE(what_is_kept_goes_before_what_comes),
		CASE(credit_is_told_only_when_the_guest_runs_low),
		CASE(any_packet_tells_credit_and_makes_an_update_needless),
		CASE(credit_that_was_not_told_is_not_given),
		CASE(a_credit_request_is_answered),
		CASE(the_guest_is_never_sent_more_than_it_takes),
		CASE(descriptors_among_the_data_do_not_hide_what_follows),
		CASE(a_shrinking_buffer_is_no_credit),
		CASE(credit_out_of_order_is_no_lie_but_the_future_is),
		CASE(counters_that_wrap_change_nothing),
	};

	return cmocka_run_group_tests_name("vsock_conn", tests, NULL, NULL);
}
