/* tests/unit/test_vsock_conn_end.c - half closes, resets, and who loses nothing
 * by them. */
#include "tests/unit/vsock_conn_fixture.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/own.h"

/* --- closing
 * ------------------------------------------------------------------ */

static void the_guest_may_stop_sending_and_still_receive(void **state)
{
	struct conn_fixture *f = *state;
	char buf[16] = "";
	struct vsock_pkt p;

	cf_open_conn(f, ALLOC);
	cf_give(f, "question", 8);
	cf_say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND);
	cf_assert_host_reads(f, "question");
	cf_assert_host_reads(f, ""); /* the end */
	assert_int_equal(write(f->host, "answer", 6), 6);
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 6);
	assert_string_equal(buf, "answer");
	close(f->host);
	f->host = -1;
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	assert_int_equal(f->c.state, VSOCK_CONN_CLOSED);
	assert_int_equal(f->c.fd, -1);
	cf_say(f, VIRTIO_VSOCK_OP_RST, 0);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void the_host_may_stop_sending_and_still_receive(void **state)
{
	struct conn_fixture *f = *state;
	char buf[16] = "";
	struct vsock_pkt p;

	cf_open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "question", 8), 8);
	shutdown(f->host, SHUT_WR);
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 8);
	cf_expect_none(f); /* the end comes after the data */
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_SEND);
	assert_int_equal(f->c.state, VSOCK_CONN_OPEN);
	assert_int_equal(cf_give(f, "answer", 6), VSOCK_CONN_FINE);
	cf_assert_host_reads(f, "answer");
	cf_event(f);
	cf_expect_none(f); /* said once is enough */
	cf_say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	cf_expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	cf_assert_host_reads(f, "");
}

static void
a_guest_that_closes_is_answered_when_the_host_has_it_all(void **state)
{
	struct conn_fixture *f = *state;
	size_t got = 0;

	cf_open_conn(f, ALLOC);
	cf_stall(f);
	cf_say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	cf_expect_none(f);
	assert_int_equal(cf_give(f, "x", 1), VSOCK_CONN_VIOLATION);
	while (f->c.state == VSOCK_CONN_OPEN) {
		got += cf_drain_host(f);
		cf_event(f);
	}
	cf_expect(f, VIRTIO_VSOCK_OP_RST);
	got += cf_drain_host(f);
	assert_int_equal(got, f->sent - 1); /* but for the bad one */
}

static void a_guest_that_is_gone_still_has_said_what_it_said(void **state)
{
	struct conn_fixture *f = *state;
	size_t got = 0;

	cf_open_conn(f, ALLOC);
	cf_stall(f);
	cf_say(f, VIRTIO_VSOCK_OP_RST, 0);
	assert_int_equal(f->c.state, VSOCK_CONN_DRAINING);
	cf_expect_none(f);
	assert_false(vsock_conn_has_data(&f->c));
	while (f->c.state == VSOCK_CONN_DRAINING) {
		got += cf_drain_host(f);
		cf_event(f);
	}
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	got += cf_drain_host(f);
	assert_int_equal(got, f->sent);
}

static void draining_ends_with_the_reader(void **state)
{
	struct conn_fixture *f = *state;

	cf_open_conn(f, ALLOC);
	cf_stall(f);
	cf_say(f, VIRTIO_VSOCK_OP_RST, 0);
	close(f->host);
	f->host = -1;
	cf_event(f);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	cf_expect_none(f);
}

static void a_guest_that_stops_receiving_stops_the_writer(void **state)
{
	struct conn_fixture *f = *state;

	cf_open_conn(f, ALLOC);
	cf_say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_RCV);
	assert_false(vsock_conn_has_data(&f->c));
	assert_int_equal(send(f->host, "x", 1, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	cf_event(f);
	assert_false(vsock_conn_has_data(&f->c));
	assert_int_equal(cf_give(f, "still", 5), VSOCK_CONN_FINE);
	cf_assert_host_reads(f, "still");
}

static void when_the_host_closes_the_guest_is_told_once_it_has_all(void **state)
{
	struct conn_fixture *f = *state;
	struct vsock_pkt p;
	char buf[16];

	cf_open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "bye", 3), 3);
	close(f->host);
	f->host = -1;
	cf_event(f);
	cf_expect_none(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 3);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
	/* What the guest still sends vanishes, and does not block it. */
	assert_int_equal(cf_give(f, "late", 4), VSOCK_CONN_FINE);
	assert_int_equal(f->c.fwd_cnt, f->sent);
	cf_say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_SEND);
	cf_expect_none(f);
	cf_say(f, VIRTIO_VSOCK_OP_SHUTDOWN, VIRTIO_VSOCK_SHUTDOWN_RCV);
	cf_expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void when_the_guest_does_not_read_it_is_told_at_once(void **state)
{
	struct conn_fixture *f = *state;
	struct vsock_pkt p;
	char buf[16];

	f->has_room = 2;
	cf_open_conn(f, ALLOC);
	assert_int_equal(write(f->host, "bye", 3), 3);
	close(f->host);
	f->host = -1;
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 2);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN); /* it may stop sending */
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_RCV);
	f->got = 2;
	cf_say(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE, 0);
	assert_int_equal(cf_take(f, buf, sizeof(buf)),
			 1); /* and loses nothing */
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_BOTH);
}

static void what_was_kept_for_a_host_that_closed_is_given_back(void **state)
{
	struct conn_fixture *f = *state;

	cf_open_conn(f, ALLOC);
	cf_stall(f);
	close(f->host);
	f->host = -1;
	cf_event(f);
	assert_int_equal(f->c.buf.len, 0);
	assert_int_equal(f->c.fwd_cnt, f->sent);
}

static void writing_to_a_closed_host_is_noticed_without_an_event(void **state)
{
	struct conn_fixture *f = *state;
	struct vsock_pkt p;
	char c;

	cf_open_conn(f, ALLOC);
	shutdown(f->host, SHUT_RD);
	assert_int_equal(cf_give(f, "into the void", 13), VSOCK_CONN_FINE);
	assert_int_equal(cf_take(f, &c, 1), 0);
	p = cf_expect(f, VIRTIO_VSOCK_OP_SHUTDOWN);
	assert_int_equal(p.flags, VIRTIO_VSOCK_SHUTDOWN_RCV);
	assert_int_equal(f->c.fwd_cnt, 13);
	assert_int_equal(f->c.state, VSOCK_CONN_OPEN);
}

static void a_host_that_closes_with_data_unread_resets_the_guest(void **state)
{
	struct conn_fixture *f = *state;
	char buf[16];

	cf_open_conn(f, ALLOC);
	cf_give(f, "unread", 6);
	close(f->host);
	f->host = -1;
	cf_event(f);
	assert_int_equal(cf_take(f, buf, sizeof(buf)), 0);
	cf_expect(f, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
}

static void after_an_abort_only_the_reset_is_left(void **state)
{
	struct conn_fixture *f = *state;

	cf_open_conn(f, ALLOC);
	cf_stall(f);
	cf_say(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0);
	vsock_conn_abort(&f->c);
	assert_int_equal(f->c.fd, -1);
	assert_int_equal(cf_give(f, "x", 1), VSOCK_CONN_FINE);
	assert_int_equal(cf_say(f, VIRTIO_VSOCK_OP_CREDIT_REQUEST, 0),
			 VSOCK_CONN_FINE);
	vsock_conn_event(&f->c, EPOLLIN);
	cf_expect(f, VIRTIO_VSOCK_OP_RST);
	cf_expect_none(f);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	vsock_conn_abort(&f->c); /* once more is fine */
	cf_expect_none(f);
}

static void a_reset_is_not_answered_by_a_reset(void **state)
{
	struct conn_fixture *f = *state;

	cf_open_conn(f, ALLOC);
	vsock_conn_abort(&f->c);
	cf_say(f, VIRTIO_VSOCK_OP_RST, 0);
	assert_int_equal(f->c.state, VSOCK_CONN_GONE);
	cf_expect_none(f);
}

static void unreadable_guest_memory_is_the_guests_fault(void **state)
{
	struct conn_fixture *f = *state;
	struct iovec iov = {(void *)1, 10};
	struct vsock_pkt p;

	cf_open_conn(f, ALLOC);
	p = cf_packet(f, VIRTIO_VSOCK_OP_RW);
	p.len = 10;
	assert_int_equal(vsock_conn_data(&f->c, &p, &iov, 1),
			 VSOCK_CONN_VIOLATION);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, cf_setup, cf_teardown)
	const struct CMUnitTest tests[] = {
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

	return cmocka_run_group_tests_name("vsock_conn_end", tests, NULL, NULL);
}
