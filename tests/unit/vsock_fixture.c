/* tests/unit/vsock_fixture.c - see vsock_fixture.h. */
#include "tests/unit/vsock_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/io_thread.h"
#include "vmm/base/own.h"

enum {
	RX_BUF = 4096,
	GUEST_ALLOC = 256 << 10,
	NEVER_MS = 3600 * 1000, /* however slow the machine is */
};

void vf_offer_rx(struct vsock_fixture *f, unsigned int n)
{
	while (n--)
		assert_true(fake_driver_offer(f->d, VSOCK_RXQ, NULL, 0,
					      VSOCK_HDR_LEN + f->rx_buf) >= 0);
	fake_driver_kick(f->d, VSOCK_RXQ);
}

static int setup_with(void **state, unsigned int tick_ms)
{
	struct vsock_fixture *f = calloc(1, sizeof(*f));
	struct vsock_params p = {
		.name = "vsock0", .guest_cid = CID, .tick_ms = tick_ms};
	int channel[2];

	assert_non_null(f);
	f->rx_buf = RX_BUF;
	assert_int_equal(io_thread_create("vsock", &f->thread, NULL), 0);
	assert_int_equal(vsock_channel_create(channel, NULL), 0);
	f->broker = channel[0];
	p.thread = f->thread;
	p.channel = channel[1];
	assert_int_equal(vsock_create(&p, &f->v, NULL), 0);
	f->d = fake_driver_create(vsock_virtio_dev(f->v), NULL);
	fake_driver_activate(f->d);
	*state = f;
	return 0;
}

int vf_setup(void **state)
{
	int r = setup_with(state, NEVER_MS);

	vf_offer_rx(*state, 64);
	return r;
}

int vf_setup_bare(void **state)
{
	return setup_with(state, NEVER_MS);
}

int vf_setup_hasty(void **state)
{
	int r = setup_with(state, 1);

	vf_offer_rx(*state, 64);
	return r;
}

int vf_teardown(void **state)
{
	struct vsock_fixture *f = *state;

	fake_driver_destroy(f->d);
	vsock_destroy(f->v);
	io_thread_destroy(f->thread);
	fd_closep(&f->broker);
	free(f);
	return 0;
}

/* --- the guest ---------------------------------------------------------------
 */

struct vsock_pkt vf_packet(uint32_t guest_port, uint32_t host_port, uint16_t op)
{
	return (struct vsock_pkt){
		.src_cid = CID,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = guest_port,
		.dst_port = host_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = GUEST_ALLOC,
	};
}

/* Queue a packet as Linux does: header and payload apart. */
void vf_queue(struct vsock_fixture *f, const struct vsock_pkt *p,
	      const void *data, size_t len)
{
	uint8_t hdr[VSOCK_HDR_LEN];
	struct fake_buf buf[2] = {FAKE_OUT(hdr, sizeof(hdr)),
				  FAKE_OUT(data, len)};

	vsock_pkt_build(p, hdr);
	assert_true(fake_driver_add(f->d, VSOCK_TXQ, buf, len ? 2 : 1, true) >=
		    0);
}

void vf_kick_tx(struct vsock_fixture *f)
{
	struct fake_used used;

	fake_driver_kick(f->d, VSOCK_TXQ);
	fake_driver_settle(f->d);
	while (fake_driver_take(f->d, VSOCK_TXQ, &used, NULL, 0))
		assert_int_equal(used.written, 0);
}

void vf_say_pkt(struct vsock_fixture *f, const struct vsock_pkt *p)
{
	vf_queue(f, p, NULL, 0);
	vf_kick_tx(f);
}

void vf_say(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port,
	    uint16_t op)
{
	struct vsock_pkt p = vf_packet(guest_port, host_port, op);

	vf_say_pkt(f, &p);
}

void vf_give(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port,
	     const void *data, size_t len)
{
	struct vsock_pkt p =
		vf_packet(guest_port, host_port, VIRTIO_VSOCK_OP_RW);

	p.len = (uint32_t)len;
	vf_queue(f, &p, data, len);
	vf_kick_tx(f);
}

/* The next packet for the guest into f->got and f->data; false: none. */
bool vf_hear(struct vsock_fixture *f)
{
	static uint8_t buf[VSOCK_HDR_LEN + VSOCK_PKT_MAX];
	struct fake_used used;

	fake_driver_settle(f->d);
	if (!fake_driver_take(f->d, VSOCK_RXQ, &used, buf, sizeof(buf)))
		return false;
	assert_true(used.written >= VSOCK_HDR_LEN);
	vsock_pkt_parse(buf, &f->got);
	assert_int_equal(used.written, VSOCK_HDR_LEN + f->got.len);
	assert_true(f->got.src_cid == VSOCK_CID_HOST);
	assert_true(f->got.dst_cid == CID);
	memcpy(f->data, buf + VSOCK_HDR_LEN, f->got.len);
	if (!f->hold_rx)
		vf_offer_rx(f, 1);
	return true;
}

void vf_expect(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port,
	       uint16_t op)
{
	assert_true(vf_hear(f));
	assert_int_equal(f->got.op, op);
	assert_int_equal(f->got.dst_port, guest_port);
	assert_int_equal(f->got.src_port, host_port);
}

/* --- the broker --------------------------------------------------------------
 */

bool vf_broker_hears(struct vsock_fixture *f, struct vsock_msg *m)
{
	int fd;
	int r = vsock_msg_recv(f->broker, m, &fd);

	if (r == -EAGAIN)
		return false;
	assert_int_equal(r, 1);
	assert_int_equal(fd, -1);
	return true;
}

static void pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fd),
			 0);
}

/* Hand one end of a new socket over with @m; returns the other. */
int vf_broker_gives(struct vsock_fixture *f, const struct vsock_msg *m)
{
	int fd[2];

	pair(fd);
	assert_int_equal(vsock_msg_send(f->broker, m, fd[0]), 0);
	close(fd[0]);
	fake_driver_settle(f->d);
	return fd[1];
}

/* The guest connects from @guest_port to @host_port; the host's socket. */
int vf_dial(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port)
{
	struct vsock_msg m;
	int fd;

	vf_say(f, guest_port, host_port, VIRTIO_VSOCK_OP_REQUEST);
	assert_true(vf_broker_hears(f, &m));
	assert_int_equal(m.type, VSOCK_MSG_CONNECT);
	assert_int_equal(m.host_port, host_port);
	assert_int_equal(m.guest_port, guest_port);
	m.type = VSOCK_MSG_CONNECTED;
	fd = vf_broker_gives(f, &m);
	vf_expect(f, guest_port, host_port, VIRTIO_VSOCK_OP_RESPONSE);
	return fd;
}

/* A client connects to @guest_port; *ret_port is our end's port. */
int vf_offer(struct vsock_fixture *f, uint32_t guest_port, uint32_t *ret_port)
{
	const struct vsock_msg m = {.type = VSOCK_MSG_OFFER,
				    .guest_port = guest_port};
	int fd = vf_broker_gives(f, &m);

	assert_true(vf_hear(f));
	assert_int_equal(f->got.op, VIRTIO_VSOCK_OP_REQUEST);
	assert_int_equal(f->got.dst_port, guest_port);
	*ret_port = f->got.src_port;
	return fd;
}

void vf_assert_host_reads(struct vsock_fixture *f, int fd, const char *text)
{
	char buf[64] = "";

	fake_driver_settle(f->d);
	assert_int_equal(read(fd, buf, sizeof(buf)), strlen(text));
	assert_string_equal(buf, text);
}

struct vsock_counters vf_counters(struct vsock_fixture *f)
{
	struct vsock_counters c;

	vsock_counters(f->v, &c);
	return c;
}

bool vf_something_to_hear(void *arg)
{
	struct vsock_fixture *f = arg;

	return fake_ring_n_used(fake_driver_ring(f->d, VSOCK_RXQ)) > 0;
}

void vf_stall(struct vsock_fixture *f, uint32_t guest_port, uint32_t alloc)
{
	static uint8_t block[4096];
	uint32_t sent = 0, fwd = 0;

	for (;;) {
		while (sent - fwd + sizeof(block) <= alloc) {
			vf_give(f, guest_port, 80, block, sizeof(block));
			sent += (uint32_t)sizeof(block);
		}
		if (!vf_hear(f))
			return;
		assert_int_equal(f->got.op, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
		fwd = f->got.fwd_cnt;
	}
}
