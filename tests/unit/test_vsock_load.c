/* tests/unit/test_vsock_load.c - the device with streams that are many, slow or
 * fast, and with guests that break the rules. */
#include "tests/unit/vsock_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vmm/base/own.h"

/* --- many, slow and fast
 * ------------------------------------------------------- */

static void a_read_fills_many_buffers_at_once(void **state)
{
	struct vsock_fixture *f = *state;
	uint8_t *big = malloc(50000);
	size_t got = 0;
	int fd = vf_dial(f, 1000, 80);

	for (unsigned int i = 0; i < 50000; i++)
		big[i] = (uint8_t)(i * 7);
	assert_int_equal(write(fd, big, 50000), 50000);
	fake_driver_settle(f->d);
	assert_int_equal(fake_ring_n_used(fake_driver_ring(f->d, VSOCK_RXQ)),
			 (50000 + f->rx_buf - 1) / f->rx_buf);
	while (got < 50000) {
		vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
		assert_memory_equal(f->data, big + got, f->got.len);
		got += f->got.len;
	}
	assert_int_equal(got, 50000);
	free(big);
	close(fd);
}

static void a_large_buffer_is_used_whole(void **state)
{
	struct vsock_fixture *f = *state;
	uint8_t *big = calloc(1, VSOCK_PKT_MAX);
	int fd;

	f->rx_buf = 2 * VSOCK_PKT_MAX; /* a packet holds no more than half */
	vf_offer_rx(f, 8);
	fd = vf_dial(f, 1000, 80);
	assert_int_equal(write(fd, big, VSOCK_PKT_MAX), VSOCK_PKT_MAX);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
	assert_int_equal(f->got.len, VSOCK_PKT_MAX);
	free(big);
	close(fd);
}

static void without_receive_buffers_only_that_direction_waits(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_msg m;
	int fd;

	f->hold_rx = true;
	vf_offer_rx(f, 1);
	fd = vf_dial(f, 1000, 80); /* takes the one there was */
	assert_int_equal(write(fd, "waits", 5), 5);
	for (int i = 0; i < 100; i++)
		vf_give(f, 1000, 80, "0123456789", 10);
	fake_driver_settle(f->d);
	assert_int_equal(vf_counters(f).to_host_bytes, 1000);
	assert_false(vf_hear(f));
	vf_say(f, 1001, 81, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &m));
	vf_offer_rx(f, 1);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
	assert_memory_equal(f->data, "waits", 5);
	close(fd);
}

static void the_driver_is_asked_to_kick_only_when_that_is_needed(void **state)
{
	struct vsock_fixture *f = *state;
	struct fake_ring *rx = fake_driver_ring(f->d, VSOCK_RXQ);
	struct fake_ring *tx = fake_driver_ring(f->d, VSOCK_TXQ);
	struct vsock_pkt p = vf_packet(5, 6, VIRTIO_VSOCK_OP_RST);
	int fd;

	f->hold_rx = true;
	vf_offer_rx(f, 2);
	fake_ring_wants_kick(rx); /* the first one is due in any case */
	fd = vf_dial(f, 1000, 80);
	fake_driver_offer(f->d, VSOCK_RXQ, NULL, 0, 4096);
	assert_false(fake_ring_wants_kick(rx)); /* nobody waits for it */
	for (int i = 0; i < 3; i++) {
		assert_int_equal(write(fd, "x", 1), 1);
		fake_driver_settle(f->d);
	}
	fake_driver_offer(f->d, VSOCK_RXQ, NULL, 0, 4096);
	assert_true(fake_ring_wants_kick(rx)); /* the third byte waits */
	vf_queue(f, &p, NULL, 0);
	assert_true(fake_ring_wants_kick(tx)); /* always: nobody else tells */
	close(fd);
}

static void many_that_wait_for_buffers_all_get_theirs(void **state)
{
	enum { N = 40 }; /* more than one run serves */
	struct vsock_fixture *f = *state;
	unsigned int n = 0;
	int fd[N];

	f->hold_rx = true;
	vf_offer_rx(f, N);
	for (uint32_t i = 0; i < N; i++)
		fd[i] = vf_dial(f, 1000 + i, 80);
	for (int i = 0; i < N; i++) {
		assert_int_equal(write(fd[i], "x", 1), 1);
		fake_driver_settle(f->d);
	}
	vf_offer_rx(f, N);
	while (vf_hear(f))
		n++;
	assert_int_equal(n, N);
	for (int i = 0; i < N; i++)
		close(fd[i]);
}

static void a_stalled_stream_does_not_hold_up_a_fast_one(void **state)
{
	struct vsock_fixture *f = *state;
	int slow = vf_dial(f, 1000, 80), fast;
	uint32_t alloc = f->got.buf_alloc;
	char text[16], back[16];

	vf_stall(f, 1000, alloc);
	fast = vf_dial(f, 1001, 80);
	for (int i = 0; i < 500; i++) {
		int n = snprintf(text, sizeof(text), "message %d", i);

		vf_give(f, 1001, 80, text, (size_t)n);
		assert_int_equal(read(fast, back, sizeof(back)), n);
		assert_memory_equal(text, back, (size_t)n);
		assert_int_equal(write(fast, text, (size_t)n), n);
		vf_expect(f, 1001, 80, VIRTIO_VSOCK_OP_RW);
		assert_memory_equal(f->data, text, (size_t)n);
	}
	assert_int_equal(vf_counters(f).violations, 0);
	close(slow);
	close(fast);
}

static void a_guest_that_exceeds_its_credit_is_reset(void **state)
{
	struct vsock_fixture *f = *state;
	int fd = vf_dial(f, 1000, 80);

	vf_stall(f, 1000, f->got.buf_alloc);
	vf_give(f, 1000, 80, "too much, by a block", 20);
	vf_give(f, 1000, 80, f->data, 4096);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	assert_true(vf_counters(f).violations >= 1);
	assert_int_equal(vf_counters(f).n_conns, 0);
	close(fd);
}

static void streams_take_turns(void **state)
{
	enum { N = 4, BYTES = 150000 };
	struct vsock_fixture *f = *state;
	static const uint8_t big[BYTES];
	uint32_t got[N] = {0}, least = 0;
	int fd[N];

	f->hold_rx = true; /* nobody is served before all are waiting */
	vf_offer_rx(f, N);
	for (uint32_t i = 0; i < N; i++)
		fd[i] = vf_dial(f, 1000 + i, 80);
	for (int i = 0; i < N; i++)
		assert_int_equal(write(fd[i], big, BYTES), BYTES);
	fake_driver_settle(f->d);
	f->hold_rx = false;
	vf_offer_rx(f, 64);
	while (least < BYTES && vf_hear(f)) {
		uint32_t most = 0;

		assert_int_equal(f->got.op, VIRTIO_VSOCK_OP_RW);
		got[f->got.dst_port - 1000] += f->got.len;
		least = UINT32_MAX;
		for (int i = 0; i < N; i++) {
			least = got[i] < least ? got[i] : least;
			most = got[i] > most ? got[i] : most;
		}
		assert_true(most - least <= VSOCK_TURN);
	}
	assert_int_equal(least, BYTES);
	for (int i = 0; i < N; i++)
		close(fd[i]);
}

static void two_thousand_connections_open_talk_and_close(void **state)
{
	enum { N = 2000 };
	struct vsock_fixture *f = *state;
	static int fd[N];
	uint32_t least = UINT32_MAX, most = 0;
	struct rlimit lim;

	getrlimit(RLIMIT_NOFILE, &lim);
	lim.rlim_cur = lim.rlim_max;
	setrlimit(RLIMIT_NOFILE, &lim);
	assert_true(lim.rlim_cur > 2 * N + 100);
	for (uint32_t i = 0; i < N; i++) {
		fd[i] = vf_dial(f, 1000 + i, 80);
		least = f->got.buf_alloc < least ? f->got.buf_alloc : least;
		most = f->got.buf_alloc > most ? f->got.buf_alloc : most;
	}
	assert_int_equal(most, VSOCK_CREDIT_MAX);
	assert_true(least >= VSOCK_CREDIT_MIN && least < most);
	assert_int_equal(vf_counters(f).n_conns, N);
	for (uint32_t i = 0; i < N; i++) {
		vf_give(f, 1000 + i, 80, &i, sizeof(i));
		assert_int_equal(read(fd[i], f->data, 64), sizeof(i));
		assert_memory_equal(f->data, &i, sizeof(i));
	}
	for (uint32_t i = 0; i < N; i++) {
		if (i % 2) {
			close(fd[i]);
			vf_expect(f, 1000 + i, 80, VIRTIO_VSOCK_OP_SHUTDOWN);
			vf_say(f, 1000 + i, 80, VIRTIO_VSOCK_OP_RST);
		} else {
			struct vsock_pkt p = vf_packet(
				1000 + i, 80, VIRTIO_VSOCK_OP_SHUTDOWN);

			p.flags = VIRTIO_VSOCK_SHUTDOWN_BOTH;
			vf_say_pkt(f, &p);
			vf_expect(f, 1000 + i, 80, VIRTIO_VSOCK_OP_RST);
			vf_assert_host_reads(f, fd[i], "");
			close(fd[i]);
		}
	}
	assert_int_equal(vf_counters(f).n_conns, 0);
}

/* As many as there may be, which are then refused. */
static void fill_up(struct vsock_fixture *f)
{
	static struct vsock_msg m[VSOCK_CONNS_MAX];
	const struct vsock_msg offer = {.type = VSOCK_MSG_OFFER};
	uint64_t refused = vf_counters(f).refused;
	uint64_t credit = 0;
	int fd;

	for (uint32_t i = 0; i < VSOCK_CONNS_MAX; i++) {
		vf_say(f, 1000 + i, 80, VIRTIO_VSOCK_OP_REQUEST);
		assert_true(vf_broker_hears(f, &m[i]));
	}
	assert_int_equal(vf_counters(f).n_conns, VSOCK_CONNS_MAX);
	vf_say(f, 1, 80, VIRTIO_VSOCK_OP_REQUEST);
	vf_expect(f, 1, 80, VIRTIO_VSOCK_OP_RST);
	fd = vf_broker_gives(f, &offer);
	vf_assert_host_reads(f, fd, "");
	close(fd);
	assert_int_equal(vf_counters(f).refused, refused + 2);
	for (uint32_t i = 0; i < VSOCK_CONNS_MAX; i++) {
		m[i].type = VSOCK_MSG_REFUSED;
		assert_int_equal(vsock_msg_send(f->broker, &m[i], -1), 0);
		vf_expect(f, 1000 + i, 80, VIRTIO_VSOCK_OP_RST);
		assert_true(f->got.buf_alloc >= VSOCK_CREDIT_MIN);
		credit += f->got.buf_alloc;
	}
	assert_true(credit <= VSOCK_CREDIT_ALL);
	assert_true(credit >= VSOCK_CREDIT_ALL / 2);
	assert_int_equal(vf_counters(f).n_conns, 0);
}

static void there_is_an_end_to_connections_and_to_credit(void **state)
{
	struct vsock_fixture *f = *state;

	fill_up(f);
	fill_up(f); /* all credit has come back, and not more */
	close(vf_dial(f, 1000, 80));
	assert_int_equal(f->got.buf_alloc, VSOCK_CREDIT_MAX);
}

/* --- the hostile guest
 * ----------------------------------------------------------- */

static void chains_of_the_wrong_shape_are_counted_and_given_back(void **state)
{
	uint8_t hdr[VSOCK_HDR_LEN] = {0};
	const struct fake_buf both[] = {FAKE_OUT(hdr, sizeof(hdr)),
					FAKE_IN(4096)};
	struct vsock_fixture *f = *state;

	fake_driver_offer(f->d, VSOCK_TXQ, hdr, sizeof(hdr) - 1, 0);
	fake_driver_add(f->d, VSOCK_TXQ, both, 2, false);
	vf_kick_tx(f);
	assert_int_equal(vf_counters(f).bad_chains, 2);
	assert_int_equal(fake_driver_host(f->d)->needs_reset, 0);
}

static void receive_buffers_without_room_stop_the_device(void **state)
{
	uint8_t hdr[VSOCK_HDR_LEN] = {0};
	const struct fake_buf both[] = {FAKE_OUT(hdr, sizeof(hdr)),
					FAKE_IN(4096)};
	const struct fake_buf header = FAKE_IN(VSOCK_HDR_LEN);
	const struct fake_buf tiny = FAKE_IN(4);
	const struct {
		const struct fake_buf *buf;
		size_t n;
	} bad[] = {{both, 2}, {&header, 1}, {&tiny, 1}};
	struct vsock_fixture *f = *state;

	for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
		vf_say(f, 1, 1, VIRTIO_VSOCK_OP_RESPONSE);
		fake_driver_add(f->d, VSOCK_RXQ, bad[i].buf, bad[i].n, false);
		assert_int_equal(fake_driver_kick(f->d, VSOCK_RXQ), -EPROTO);
		assert_int_equal(vf_counters(f).bad_chains, i + 1);
		assert_true(fake_driver_reset(f->d));
		fake_driver_activate(f->d);
	}
}

static void a_receive_buffer_of_tiny_pieces_is_used(void **state)
{
	enum { PIECES = 250 };
	struct vsock_fixture *f = *state;
	static struct fake_buf buf[PIECES];
	int fd;

	for (int i = 0; i < PIECES; i++)
		buf[i] = FAKE_IN(1);
	f->hold_rx = true;
	vf_offer_rx(f, 1);
	fd = vf_dial(f, 1000, 80);
	fake_driver_add(f->d, VSOCK_RXQ, buf, PIECES, true);
	fake_driver_kick(f->d, VSOCK_RXQ);
	assert_int_equal(write(fd, "hello", 5), 5);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RW);
	assert_memory_equal(f->data, "hello", 5);
	close(fd);
}

static void packets_that_lie_are_counted_and_end_their_connection(void **state)
{
	struct vsock_fixture *f = *state;
	int fd = vf_dial(f, 1000, 80);
	struct vsock_pkt p = vf_packet(1000, 80, VIRTIO_VSOCK_OP_RW);

	p.src_cid = CID + 1; /* somebody else: not heard, not answered */
	vf_say_pkt(f, &p);
	assert_false(vf_hear(f));
	p.src_cid = CID;
	p.type = 2;
	vf_say_pkt(f, &p);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	assert_int_equal(f->got.type, 2); /* the stream is another type */
	p.type = VIRTIO_VSOCK_TYPE_STREAM;
	vf_give(f, 1000, 80, "alive", 5);
	vf_assert_host_reads(f, fd, "alive");
	p.len = 100000; /* there is nothing */
	vf_say_pkt(f, &p);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	vf_assert_host_reads(f, fd, "");
	assert_int_equal(vf_counters(f).bad_packets, 3);
	assert_int_equal(vf_counters(f).violations, 1);
	close(fd);
}

static void a_packet_in_many_pieces_is_put_together(void **state)
{
	struct vsock_fixture *f = *state;
	static struct fake_buf buf[256];
	uint8_t hdr[VSOCK_HDR_LEN];
	struct vsock_pkt p = vf_packet(1000, 80, VIRTIO_VSOCK_OP_RW);
	int fd = vf_dial(f, 1000, 80);
	char back[300];

	p.len = 211;
	vsock_pkt_build(&p, hdr);
	for (size_t i = 0; i < ARRAY_SIZE(buf); i++)
		buf[i] = FAKE_OUT("x", 1);
	for (size_t i = 0; i < sizeof(hdr); i++)
		buf[i] = FAKE_OUT(hdr + i, 1);
	assert_true(fake_driver_add(f->d, VSOCK_TXQ, buf, 255, true) >= 0);
	vf_kick_tx(f);
	assert_int_equal(read(fd, back, sizeof(back)), 211);
	close(fd);
}

enum { TABLE = 1024, PIECES = TABLE + 1 }; /* one more than a call takes */

/*
 * A chain of @hdr and PIECES bytes that are apart from one another, kicked:
 * two descriptors, and a table as long as one may be.
 */
static int kick_pieces(struct vsock_fixture *f, unsigned int q,
		       const uint8_t hdr[static VSOCK_HDR_LEN], uint16_t flags)
{
	struct fake_ring *ring = fake_driver_ring(f->d, q);
	struct fake_ram *ram = fake_driver_ram(f->d);
	gpa_t table = fake_ram_alloc(ram, (size_t)TABLE * 16);
	gpa_t at = fake_ram_alloc(ram, 4096);

	fake_ram_write(ram, at, hdr, VSOCK_HDR_LEN);
	fake_ring_set_desc(ring, 0, 200, at, VSOCK_HDR_LEN,
			   flags | FAKE_DESC_NEXT, 201);
	at += VSOCK_HDR_LEN + 1;
	fake_ring_set_desc(ring, 0, 201, at, 1, flags | FAKE_DESC_NEXT, 202);
	fake_ring_set_desc(ring, 0, 202, table, TABLE * 16, FAKE_DESC_INDIRECT,
			   0);
	for (unsigned int i = 0; i < TABLE; i++)
		fake_ring_set_desc(ring, table, (uint16_t)i, at += 2, 1,
				   i + 1 < TABLE ? flags | FAKE_DESC_NEXT
						 : flags,
				   (uint16_t)(i + 1));
	fake_ring_publish(ring, 200);
	return fake_driver_kick(f->d, q);
}

static void a_packet_in_a_thousand_pieces_is_refused_not_cut(void **state)
{
	struct vsock_fixture *f = *state;
	uint8_t hdr[VSOCK_HDR_LEN];
	struct vsock_pkt p = vf_packet(1000, 80, VIRTIO_VSOCK_OP_RW);
	int fd = vf_dial(f, 1000, 80);

	p.len = PIECES;
	vsock_pkt_build(&p, hdr);
	assert_int_equal(kick_pieces(f, VSOCK_TXQ, hdr, 0), 0);
	vf_expect(f, 1000, 80, VIRTIO_VSOCK_OP_RST);
	vf_assert_host_reads(f, fd, "");
	close(fd);
}

static void a_receive_buffer_in_a_thousand_pieces_stops_the_device(void **state)
{
	static const uint8_t hdr[VSOCK_HDR_LEN];
	struct vsock_fixture *f = *state;
	int fd;

	f->hold_rx = true;
	vf_offer_rx(f, 1);
	fd = vf_dial(f, 1000, 80);
	assert_int_equal(write(fd, "hello", 5), 5);
	fake_driver_settle(f->d);
	assert_int_equal(kick_pieces(f, VSOCK_RXQ, hdr, FAKE_DESC_WRITE),
			 -EPROTO);
	assert_int_equal(vf_counters(f).bad_chains, 1);
	close(fd);
}

static void refusals_are_not_for_the_driver_after_a_reset(void **state)
{
	struct vsock_fixture *f = *state;

	vf_say(f, 7, 9, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_true(fake_driver_reset(f->d));
	fake_driver_activate(f->d);
	vf_offer_rx(f, 8);
	assert_false(vf_hear(f));
}

static void refusals_nobody_takes_are_bounded(void **state)
{
	struct vsock_fixture *f = *state;

	for (uint32_t i = 0; i < VSOCK_RSTS_MAX + 10; i++)
		vf_say(f, i, 9, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	assert_int_equal(vf_counters(f).lost_rsts, 10);
	vf_offer_rx(f, 8);
	for (uint32_t i = 0; i < VSOCK_RSTS_MAX; i++)
		vf_expect(f, i, 9, VIRTIO_VSOCK_OP_RST);
	assert_false(vf_hear(f));
}

static void a_flood_of_packets_lets_others_have_their_turn(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_pkt p = vf_packet(5, 6, VIRTIO_VSOCK_OP_RST);
	struct fake_ring *tx = fake_driver_ring(f->d, VSOCK_TXQ);

	for (int i = 0; i < 200; i++)
		vf_queue(f, &p, NULL, 0);
	fake_driver_kick(f->d, VSOCK_TXQ);
	assert_int_equal(fake_ring_n_used(tx), 128);
	fake_driver_settle(f->d);
	assert_int_equal(fake_ring_n_used(tx), 200);
}

static void payload_makes_a_turn_shorter(void **state)
{
	struct vsock_fixture *f = *state;
	struct vsock_pkt p = vf_packet(5, 6, VIRTIO_VSOCK_OP_RW);
	struct fake_ring *tx = fake_driver_ring(f->d, VSOCK_TXQ);

	p.len = 1;
	for (int i = 0; i < 100; i++)
		vf_queue(f, &p, "x", 1);
	fake_driver_kick(f->d, VSOCK_TXQ);
	assert_int_equal(fake_ring_n_used(tx), 64);
	fake_driver_settle(f->d);
	assert_int_equal(fake_ring_n_used(tx), 100);
}

static void a_broken_queue_stops_the_device_until_it_is_reset(void **state)
{
	struct vsock_fixture *f = *state;
	struct fake_virtio_host *host = fake_driver_host(f->d);
	struct virtio_dev *dev = vsock_virtio_dev(f->v);
	int fd = vf_dial(f, 1000, 80);

	fake_ring_set_avail_idx(fake_driver_ring(f->d, VSOCK_TXQ), 30000);
	assert_true(fake_driver_kick(f->d, VSOCK_TXQ) < 0);
	assert_int_equal(host->needs_reset, 1);
	assert_int_equal(write(fd, "x", 1), 1);
	fake_driver_settle(f->d);
	assert_int_equal(host->needs_reset, 1); /* said once */
	assert_int_equal(dev->ops->kick(dev, VSOCK_TXQ), 0);
	assert_int_equal(dev->ops->kick(dev, VSOCK_EVENTQ), 0);
	close(fd);
	assert_true(fake_driver_reset(f->d));
	fake_driver_activate(f->d);
	vf_offer_rx(f, 64);
	close(vf_dial(f, 1000, 80));
}

static void a_receive_queue_that_breaks_asks_for_a_reset(void **state)
{
	struct vsock_fixture *f = *state;
	struct fake_virtio_host *host = fake_driver_host(f->d);
	int fd = vf_dial(f, 1000, 80);

	/* Not kicked: it is found when the host has something to say. */
	fake_ring_set_avail_idx(fake_driver_ring(f->d, VSOCK_RXQ), 30000);
	for (int i = 0; i < 100 && !host->needs_reset; i++) {
		assert_int_equal(write(fd, f->data, 4096), 4096);
		fake_driver_settle(f->d);
	}
	assert_int_equal(host->needs_reset, 1);
	close(fd);
}

int main(void)
{
#define CASE(f, s) cmocka_unit_test_setup_teardown(f, s, vf_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_read_fills_many_buffers_at_once, vf_setup),
		CASE(a_large_buffer_is_used_whole, vf_setup_bare),
		CASE(without_receive_buffers_only_that_direction_waits,
		     vf_setup_bare),
		CASE(the_driver_is_asked_to_kick_only_when_that_is_needed,
		     vf_setup_bare),
		CASE(many_that_wait_for_buffers_all_get_theirs, vf_setup_bare),
		CASE(a_stalled_stream_does_not_hold_up_a_fast_one, vf_setup),
		CASE(a_guest_that_exceeds_its_credit_is_reset, vf_setup),
		CASE(streams_take_turns, vf_setup_bare),
		CASE(two_thousand_connections_open_talk_and_close, vf_setup),
		CASE(there_is_an_end_to_connections_and_to_credit, vf_setup),
		CASE(chains_of_the_wrong_shape_are_counted_and_given_back,
		     vf_setup),
		CASE(receive_buffers_without_room_stop_the_device,
		     vf_setup_bare),
		CASE(a_receive_buffer_of_tiny_pieces_is_used, vf_setup_bare),
		CASE(packets_that_lie_are_counted_and_end_their_connection,
		     vf_setup),
		CASE(a_packet_in_many_pieces_is_put_together, vf_setup),
		CASE(a_packet_in_a_thousand_pieces_is_refused_not_cut,
		     vf_setup),
		CASE(a_receive_buffer_in_a_thousand_pieces_stops_the_device,
		     vf_setup_bare),
		CASE(refusals_nobody_takes_are_bounded, vf_setup_bare),
		CASE(refusals_are_not_for_the_driver_after_a_reset,
		     vf_setup_bare),
		CASE(a_flood_of_packets_lets_others_have_their_turn, vf_setup),
		CASE(payload_makes_a_turn_shorter, vf_setup),
		CASE(a_broken_queue_stops_the_device_until_it_is_reset,
		     vf_setup),
		CASE(a_receive_queue_that_breaks_asks_for_a_reset, vf_setup),
	};

	return cmocka_run_group_tests_name("vsock_load", tests, NULL, NULL);
}
