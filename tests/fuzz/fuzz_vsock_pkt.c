/*
 * tests/fuzz/fuzz_vsock_pkt.c - a guest and a host that do what the input says
 * to a vsock device: packets of any bytes, receive buffers of any size, sockets
 * that talk, stall and close.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/vsock.h"
#include "devices/virtio/vsock_broker.h"
#include "devices/virtio/vsock_pkt.h"
#include "tests/fake/fake_driver.h"
#include "vmm/base/bytes.h"
#include "vmm/base/io_thread.h"
#include "vmm/base/own.h"

enum { CID = 3, STEPS_MAX = 200, SOCKETS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
	const uint8_t *in;
	size_t left;
	struct io_thread *thread;
	struct vsock *v;
	struct fake_driver *d;
	int broker;
	int host[SOCKETS]; /* the host's ends, or -1 */
};

/* The next byte of the input, 0 behind its end. */
static uint8_t byte(struct world *w)
{
	if (!w->left)
		return 0;
	w->left--;
	return *w->in++;
}

static uint16_t word(struct world *w)
{
	uint8_t low = byte(w);

	return (uint16_t)(low | byte(w) << 8);
}

/* Ports are few, so that packets meet connections. */
static uint32_t port(uint8_t b)
{
	return b & 0x80 ? UINT32_C(0x40000000) + (b & 7) : b & 7;
}

/*
 * A packet that may well be right: the rest of the input makes it wrong where
 * it likes to.
 */
static void send_packet(struct world *w)
{
	static uint8_t payload[VSOCK_PKT_MAX];
	uint8_t ports = byte(w), spoil = byte(w);
	struct vsock_pkt p = {
		.src_cid = CID,
		.dst_cid = VSOCK_CID_HOST,
		.src_port = ports & 7,
		.dst_port = port((ports & 0x80) | (ports >> 3 & 7)),
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = byte(w) & 15,
		.flags = byte(w),
		.buf_alloc = (uint32_t)word(w) << (spoil & 7),
		.fwd_cnt = word(w),
	};
	uint16_t len = p.op == VIRTIO_VSOCK_OP_RW ? word(w) : 0;
	uint8_t hdr[VSOCK_HDR_LEN];
	struct fake_buf buf[3] = {FAKE_OUT(hdr, sizeof(hdr)),
				  FAKE_OUT(payload, len / 2),
				  FAKE_OUT(payload, len - len / 2)};
	size_t n = len > 1 ? 3 : 1;

	p.len = len > 1 ? len : 0;
	vsock_pkt_build(&p, hdr);
	if (spoil & 8)
		hdr[byte(w) % VSOCK_HDR_LEN] ^= byte(w);
	if (spoil & 16)
		buf[0].len = byte(w) % (VSOCK_HDR_LEN + 1);
	if (spoil & 32)
		buf[n - 1].write = true;
	fake_driver_add(w->d, VSOCK_TXQ, buf, n, spoil & 64);
	if (!(spoil & 128))
		fake_driver_kick(w->d, VSOCK_TXQ);
}

static void offer_buffers(struct world *w)
{
	size_t len = word(w) + 1u;
	unsigned int n = byte(w) & 15;

	for (unsigned int i = 0; i < n; i++)
		fake_driver_offer(w->d, VSOCK_RXQ, w->in,
				  len & 1 && w->left ? 1 : 0, len);
	fake_driver_kick(w->d, VSOCK_RXQ);
}

/* Take what came back, so that there is room in rings and memory. */
static void take_all(struct world *w)
{
	struct fake_used used;

	for (unsigned int q = 0; q < VSOCK_QUEUES; q++)
		while (fake_driver_take(w->d, q, &used, NULL, 0))
			;
}

/* A place for a socket; whoever was there has to go. */
static int *place(struct world *w)
{
	int *fd = &w->host[byte(w) % SOCKETS];

	fd_closep(fd);
	*fd = -1;
	return fd;
}

static void give_socket(struct world *w, const struct vsock_msg *m)
{
	int *mine = place(w), fd[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
		       fd) < 0)
		abort();
	vsock_msg_send(w->broker, m, fd[0]);
	close(fd[0]);
	*mine = fd[1];
}

static void answer(struct world *w)
{
	struct vsock_msg m;
	int fd;

	if (vsock_msg_recv(w->broker, &m, &fd) != 1)
		return;
	m.type = byte(w) & 3 ? VSOCK_MSG_CONNECTED : VSOCK_MSG_REFUSED;
	if (m.type == VSOCK_MSG_CONNECTED)
		give_socket(w, &m);
	else
		vsock_msg_send(w->broker, &m, -1);
}

static void host_acts(struct world *w)
{
	static uint8_t block[1 << 16];
	uint8_t what = byte(w);
	int *fd = &w->host[what % SOCKETS];
	ssize_t n = 0;

	if (*fd < 0)
		return;
	switch (what >> 5) {
	case 0:
		shutdown(*fd, SHUT_WR);
		break;
	case 1:
		shutdown(*fd, SHUT_RD);
		break;
	case 2:
		close(*fd);
		*fd = -1;
		break;
	case 3:
	case 4:
		n = read(*fd, block, word(w));
		break;
	default:
		n = send(*fd, block, word(w), MSG_NOSIGNAL);
		break;
	}
	(void)n;
}

static void step(struct world *w)
{
	const struct vsock_msg offer = {.type = VSOCK_MSG_OFFER,
					.guest_port = 5};

	switch (byte(w) & 15) {
	case 0:
		take_all(w);
		break;
	case 1:
		give_socket(w, &offer);
		break;
	case 2:
	case 3:
		answer(w);
		break;
	case 4:
		vsock_transport_reset(w->v);
		break;
	case 5:
		fake_driver_reset(w->d);
		fake_driver_activate(w->d);
		break;
	case 6:
		fake_driver_offer(w->d, VSOCK_EVENTQ, NULL, 0, 1u + byte(w));
		fake_driver_kick(w->d, VSOCK_EVENTQ);
		break;
	case 7:
	case 8:
		offer_buffers(w);
		break;
	case 9:
	case 10:
		host_acts(w);
		break;
	default:
		send_packet(w);
		break;
	}
	fake_driver_settle(w->d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.in = data, .left = size};
	struct vsock_params p = {.name = "vsock0", .guest_cid = CID};
	int channel[2];

	memset(w.host, -1, sizeof(w.host));
	if (io_thread_create("vsock", &w.thread, NULL) < 0 ||
	    vsock_channel_create(channel, NULL) < 0)
		abort();
	w.broker = channel[0];
	p.thread = w.thread;
	p.channel = channel[1];
	p.tick_ms = 3600 * 1000; /* inputs mean the same on every machine */
	if (vsock_create(&p, &w.v, NULL) < 0)
		abort();
	w.d = fake_driver_create(vsock_virtio_dev(w.v), NULL);
	fake_driver_activate(w.d);
	for (int i = 0; i < STEPS_MAX && w.left; i++)
		step(&w);
	fake_driver_destroy(w.d);
	vsock_destroy(w.v);
	io_thread_destroy(w.thread);
	close(w.broker);
	for (int i = 0; i < SOCKETS; i++)
		fd_closep(&w.host[i]);
	return 0;
}
