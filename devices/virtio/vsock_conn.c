/* devices/virtio/vsock_conn.c - credit, half closes, and the host's socket. */
#include "devices/virtio/vsock_conn.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/loop.h"

/* Bits of `want`, in the order in which they are sent. */
enum {
	WANT_RST = 1,
	WANT_REQUEST = 2,
	WANT_RESPONSE = 4,
	WANT_SHUTDOWN = 8,
	WANT_CREDIT_UPDATE = 16,
	WANT_CREDIT_REQUEST = 32,
};

/*
 * The guest gets an update when it has less credit than this (or half of all,
 * if that is less): late enough to be rare, early enough not to stall it.
 */
enum { CREDIT_LOW = 64 << 10 };

static void close_fd(struct vsock_conn *c)
{
	loop_remove(c->source);
	c->source = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	c->readable = false;
}

static void init(struct vsock_conn *c, uint32_t host_port, uint32_t guest_port,
		 uint32_t buf_alloc)
{
	*c = (struct vsock_conn){
		.host_port = host_port,
		.guest_port = guest_port,
		.buf_alloc = buf_alloc,
		.fd = -1,
	};
}

void vsock_conn_init_dial(struct vsock_conn *c, const struct vsock_pkt *pkt,
			  uint32_t buf_alloc)
{
	init(c, pkt->dst_port, pkt->src_port, buf_alloc);
	c->state = VSOCK_CONN_DIALLING;
	c->peer_alloc = pkt->buf_alloc;
	c->peer_fwd = pkt->fwd_cnt;
}

void vsock_conn_init_offer(struct vsock_conn *c, uint32_t host_port,
			   uint32_t guest_port, uint32_t buf_alloc, int fd)
{
	init(c, host_port, guest_port, buf_alloc);
	c->state = VSOCK_CONN_OFFERED;
	c->fd = fd;
	c->want = WANT_REQUEST;
}

void vsock_conn_destroy(struct vsock_conn *c)
{
	close_fd(c);
	vsock_buf_clear(&c->buf);
}

static void leave(struct vsock_conn *c, enum vsock_conn_state state,
		  unsigned int want)
{
	close_fd(c);
	vsock_buf_clear(&c->buf);
	c->state = state;
	c->want = want;
}

void vsock_conn_abort(struct vsock_conn *c)
{
	if (c->state == VSOCK_CONN_DRAINING || c->state == VSOCK_CONN_GONE)
		leave(c, VSOCK_CONN_GONE, 0);
	else
		leave(c, VSOCK_CONN_RESET, WANT_RST);
}

/* --- where it stands ------------------------------------------------------ */

static void settle_open(struct vsock_conn *c)
{
	bool guest_sent_all = c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND;
	bool in_done =
		c->host_eof || (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV);
	bool out_done = c->host_gone || (guest_sent_all && !c->buf.len);
	unsigned int flags;

	if (out_done && !c->host_gone && !c->wr_shut) {
		shutdown(c->fd, SHUT_WR);
		c->wr_shut = true;
	}
	if (out_done && c->guest_shut == VIRTIO_VSOCK_SHUTDOWN_BOTH) {
		leave(c, VSOCK_CONN_RESET, WANT_RST);
		return;
	}
	if (in_done && out_done) {
		leave(c, VSOCK_CONN_CLOSED, c->want | WANT_SHUTDOWN);
		return;
	}
	flags = (c->host_eof ? VIRTIO_VSOCK_SHUTDOWN_SEND : 0) |
		(c->host_gone ? VIRTIO_VSOCK_SHUTDOWN_RCV : 0);
	if (flags & ~c->told_shut)
		c->want |= WANT_SHUTDOWN;
}

static void settle(struct vsock_conn *c)
{
	if (c->state == VSOCK_CONN_OPEN)
		settle_open(c);
	else if (c->state == VSOCK_CONN_DRAINING &&
		 (c->host_gone || !c->buf.len))
		leave(c, VSOCK_CONN_GONE, 0);
}

static void open_up(struct vsock_conn *c)
{
	c->state = VSOCK_CONN_OPEN;
	c->readable = true; /* what came before we watched it */
}

void vsock_conn_dialled(struct vsock_conn *c, int fd)
{
	assert(c->state == VSOCK_CONN_DIALLING);
	c->fd = fd;
	c->want |= WANT_RESPONSE;
	open_up(c);
}

/* --- from the guest ------------------------------------------------------- */

/*
 * Threads of the guest may number their packets in one order and send them in
 * another, so an older fwd_cnt is not a lie; one ahead of what was sent is.
 */
static bool take_credit(struct vsock_conn *c, const struct vsock_pkt *pkt)
{
	uint32_t flying = c->tx_cnt - pkt->fwd_cnt;

	if (flying > INT32_MAX)
		return false;
	if (flying <= c->tx_cnt - c->peer_fwd)
		c->peer_fwd = pkt->fwd_cnt;
	c->peer_alloc = pkt->buf_alloc;
	return true;
}

/* Update the guest when it runs low on credit that it could have back. */
static void offer_credit(struct vsock_conn *c)
{
	uint32_t left = c->buf_alloc - (c->rx_cnt - c->told_fwd);
	uint32_t low =
		c->buf_alloc / 2 < CREDIT_LOW ? c->buf_alloc / 2 : CREDIT_LOW;

	if (c->fwd_cnt != c->told_fwd && left < low)
		c->want |= WANT_CREDIT_UPDATE;
}

/* The host takes no more: what there is counts as forwarded, and vanishes. */
static void host_gone(struct vsock_conn *c)
{
	c->host_gone = true;
	c->fwd_cnt += (uint32_t)c->buf.len;
	vsock_buf_clear(&c->buf);
}

static void watch_out(struct vsock_conn *c, bool on)
{
	if (c->out_armed == on)
		return;
	c->out_armed = on;
	if (c->source)
		loop_set_events(c->source,
				VSOCK_CONN_EVENTS |
					(on ? (uint32_t)EPOLLOUT : 0));
}

/* Bytes that the socket took; -EFAULT: they were not readable. */
static ssize_t send_some(struct vsock_conn *c, const struct iovec *iov,
			 size_t n)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n};
	ssize_t r;

	r = sendmsg(c->fd, &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (r >= 0)
		return r;
	if (errno == EFAULT)
		return -EFAULT;
	if (errno != EAGAIN)
		host_gone(c);
	return 0;
}

static void flush(struct vsock_conn *c)
{
	struct iovec piece[2];
	size_t n = vsock_buf_pieces(&c->buf, piece);
	ssize_t r;

	if (!n)
		return;
	r = send_some(c, piece, n);
	if (r > 0) {
		vsock_buf_consume(&c->buf, (size_t)r);
		c->fwd_cnt += (uint32_t)r;
	}
}

/* What the socket does not take now is kept until it does. */
static enum vsock_conn_result
forward(struct vsock_conn *c, const struct iovec *iov, size_t n, uint32_t len)
{
	ssize_t sent = 0;

	if (!c->buf.len)
		sent = send_some(c, iov, n);
	if (sent < 0)
		return VSOCK_CONN_VIOLATION;
	c->fwd_cnt += (uint32_t)sent;
	if (c->host_gone) {
		c->fwd_cnt += len - (uint32_t)sent;
		return VSOCK_CONN_FINE;
	}
	if ((uint32_t)sent == len)
		return VSOCK_CONN_FINE;
	if (vsock_buf_append(&c->buf, iov, n, (size_t)sent, c->buf_alloc) < 0)
		return VSOCK_CONN_VIOLATION;
	watch_out(c, true);
	return VSOCK_CONN_FINE;
}

enum vsock_conn_result vsock_conn_data(struct vsock_conn *c,
				       const struct vsock_pkt *pkt,
				       const struct iovec *iov, size_t n)
{
	enum vsock_conn_result r = VSOCK_CONN_FINE;

	if (c->state == VSOCK_CONN_RESET)
		return VSOCK_CONN_FINE; /* it does not know yet */
	if ((c->state != VSOCK_CONN_OPEN && c->state != VSOCK_CONN_CLOSED) ||
	    (c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_SEND) ||
	    !take_credit(c, pkt) ||
	    pkt->len > c->buf_alloc - (c->rx_cnt - c->told_fwd))
		return VSOCK_CONN_VIOLATION;
	c->rx_cnt += pkt->len;
	if (c->state == VSOCK_CONN_CLOSED || c->host_gone)
		c->fwd_cnt += pkt->len;
	else
		r = forward(c, iov, n, pkt->len);
	offer_credit(c);
	settle(c);
	return r;
}

/* The guest has accepted what a client asked for: tell the client. */
static void accepted(struct vsock_conn *c)
{
	char line[16];
	int len = snprintf(line, sizeof(line), "OK %u\n", c->host_port);
	struct iovec iov = {line, (size_t)len};

	open_up(c);
	/* The first thing in an empty socket: it fits, or nobody is there. */
	if (send_some(c, &iov, 1) != len)
		host_gone(c);
	settle(c);
}

static void guest_shutdown(struct vsock_conn *c, uint32_t flags)
{
	flags &= VIRTIO_VSOCK_SHUTDOWN_BOTH;
	c->guest_shut |= flags;
	if (c->state == VSOCK_CONN_CLOSED) {
		if (c->guest_shut == VIRTIO_VSOCK_SHUTDOWN_BOTH)
			leave(c, VSOCK_CONN_RESET, WANT_RST);
		return;
	}
	if (flags & VIRTIO_VSOCK_SHUTDOWN_RCV) {
		shutdown(c->fd, SHUT_RD);
		c->readable = false;
	}
	settle(c);
}

/* The guest has dropped the connection, or refuses it. */
static void guest_reset(struct vsock_conn *c)
{
	if (c->state == VSOCK_CONN_OPEN && c->buf.len) {
		/* It was sent before, and is the host's to read. */
		c->state = VSOCK_CONN_DRAINING;
		c->want = 0;
		c->readable = false;
	} else {
		leave(c, VSOCK_CONN_GONE, 0);
	}
}

static enum vsock_conn_result packet_open(struct vsock_conn *c,
					  const struct vsock_pkt *pkt)
{
	switch (pkt->op) {
	case VIRTIO_VSOCK_OP_SHUTDOWN:
		guest_shutdown(c, pkt->flags);
		return VSOCK_CONN_FINE;
	case VIRTIO_VSOCK_OP_CREDIT_REQUEST:
		c->want |= WANT_CREDIT_UPDATE;
		return VSOCK_CONN_FINE;
	case VIRTIO_VSOCK_OP_CREDIT_UPDATE:
		return VSOCK_CONN_FINE;
	default:
		return VSOCK_CONN_VIOLATION;
	}
}

enum vsock_conn_result vsock_conn_packet(struct vsock_conn *c,
					 const struct vsock_pkt *pkt)
{
	if (pkt->op == VIRTIO_VSOCK_OP_RST) {
		guest_reset(c);
		return VSOCK_CONN_FINE;
	}
	if (c->state == VSOCK_CONN_RESET)
		return VSOCK_CONN_FINE;
	if (!take_credit(c, pkt))
		return VSOCK_CONN_VIOLATION;
	switch (c->state) {
	case VSOCK_CONN_OPEN:
	case VSOCK_CONN_CLOSED:
		return packet_open(c, pkt);
	case VSOCK_CONN_OFFERED:
		if (pkt->op != VIRTIO_VSOCK_OP_RESPONSE ||
		    (c->want & WANT_REQUEST))
			return VSOCK_CONN_VIOLATION;
		accepted(c);
		return VSOCK_CONN_FINE;
	default: /* DIALLING: it has to wait for the answer */
		return VSOCK_CONN_VIOLATION;
	}
}

/* --- from the host -------------------------------------------------------- */

static void event_open(struct vsock_conn *c, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR) &&
	    !(c->guest_shut & VIRTIO_VSOCK_SHUTDOWN_RCV))
		c->readable = true;
	if (events & EPOLLOUT) {
		if (!c->buf.len)
			watch_out(c, false); /* it keeps up again */
		flush(c);
		offer_credit(c);
	}
	if (events & (EPOLLHUP | EPOLLERR))
		host_gone(c);
	settle(c);
}

void vsock_conn_event(struct vsock_conn *c, uint32_t events)
{
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		c->host_ends = true;
	switch (c->state) {
	case VSOCK_CONN_OPEN:
		event_open(c, events);
		break;
	case VSOCK_CONN_DRAINING:
		if (events & EPOLLOUT)
			flush(c);
		if (events & (EPOLLHUP | EPOLLERR))
			host_gone(c);
		settle(c);
		break;
	case VSOCK_CONN_OFFERED:
		/* The client went away. Has the guest heard of it yet? */
		if (!(events & (EPOLLHUP | EPOLLERR)))
			break;
		if (c->want & WANT_REQUEST)
			leave(c, VSOCK_CONN_GONE, 0);
		else
			vsock_conn_abort(c);
		break;
	default:
		break;
	}
}

/* --- to the guest --------------------------------------------------------- */

static void header(struct vsock_conn *c, uint16_t op, struct vsock_pkt *ret)
{
	*ret = (struct vsock_pkt){
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = c->buf_alloc,
		.fwd_cnt = c->fwd_cnt,
	};
	c->told_fwd = c->fwd_cnt;
	c->want &= ~(unsigned int)WANT_CREDIT_UPDATE;
}

static bool take_want(struct vsock_conn *c, unsigned int bit)
{
	bool due = c->want & bit;

	c->want &= ~bit;
	return due;
}

/*
 * A host that closed has often left something to read, or at least its end:
 * one SHUTDOWN after that says all. But what the guest does not take must not
 * hold back the news.
 */
static bool shutdown_waits(const struct vsock_conn *c)
{
	return vsock_conn_has_data(c) && vsock_conn_credit(c);
}

bool vsock_conn_wants(const struct vsock_conn *c)
{
	unsigned int want = c->want;

	if (want & WANT_SHUTDOWN && shutdown_waits(c))
		want &= ~(unsigned int)WANT_SHUTDOWN;
	return want != 0;
}

bool vsock_conn_next(struct vsock_conn *c, struct vsock_pkt *ret)
{
	if (take_want(c, WANT_RST)) {
		header(c, VIRTIO_VSOCK_OP_RST, ret);
		c->state = VSOCK_CONN_GONE;
	} else if (take_want(c, WANT_REQUEST)) {
		header(c, VIRTIO_VSOCK_OP_REQUEST, ret);
	} else if (take_want(c, WANT_RESPONSE)) {
		header(c, VIRTIO_VSOCK_OP_RESPONSE, ret);
	} else if (!shutdown_waits(c) && take_want(c, WANT_SHUTDOWN)) {
		header(c, VIRTIO_VSOCK_OP_SHUTDOWN, ret);
		if (c->state == VSOCK_CONN_CLOSED)
			c->told_shut = VIRTIO_VSOCK_SHUTDOWN_BOTH;
		if (c->host_eof)
			c->told_shut |= VIRTIO_VSOCK_SHUTDOWN_SEND;
		if (c->host_gone)
			c->told_shut |= VIRTIO_VSOCK_SHUTDOWN_RCV;
		ret->flags = c->told_shut;
	} else if (take_want(c, WANT_CREDIT_UPDATE)) {
		header(c, VIRTIO_VSOCK_OP_CREDIT_UPDATE, ret);
	} else if (take_want(c, WANT_CREDIT_REQUEST)) {
		header(c, VIRTIO_VSOCK_OP_CREDIT_REQUEST, ret);
	} else {
		return false;
	}
	return true;
}

size_t vsock_conn_read(struct vsock_conn *c, const struct iovec *iov, size_t n)
{
	struct msghdr msg = {.msg_iov = (struct iovec *)iov, .msg_iovlen = n};
	size_t room = 0;
	ssize_t r;

	for (size_t i = 0; i < n; i++)
		room += iov[i].iov_len;
	assert(room && room <= vsock_conn_credit(c));
	r = recvmsg(c->fd, &msg, MSG_DONTWAIT);
	if (r < 0 && errno == EINTR)
		return 0;
	if (r < 0 && errno == EAGAIN) {
		c->readable = false;
		return 0;
	}
	if (r < 0) { /* ECONNRESET: it closed without reading everything */
		vsock_conn_abort(c);
		return 0;
	}
	if (r == 0) {
		c->readable = false;
		c->host_eof = true;
		settle(c);
		return 0;
	}
	/*
	 * A short read has emptied the socket, and what comes later is a new
	 * event; only ancillary data, which nobody wants, ends a read early.
	 * But an end of which the event has been is yet to be read.
	 */
	c->readable = (size_t)r == room || c->host_ends ||
		      (msg.msg_flags & MSG_CTRUNC);
	c->tx_cnt += (uint32_t)r;
	return (size_t)r;
}

void vsock_conn_data_header(struct vsock_conn *c, uint32_t len,
			    struct vsock_pkt *ret)
{
	header(c, VIRTIO_VSOCK_OP_RW, ret);
	ret->len = len;
}

void vsock_conn_ask_credit(struct vsock_conn *c)
{
	c->want |= WANT_CREDIT_REQUEST;
}
