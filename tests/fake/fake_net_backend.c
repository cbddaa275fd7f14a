/* tests/fake/fake_net_backend.c - see fake_net_backend.h. */
#include "tests/fake/fake_net_backend.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "vmm/base/own.h"

enum { FRAMES_MAX = 4096 };

struct queue {
	int fd, peer; /* fd is the one the device waits on */
	struct fake_net_frame in[FRAMES_MAX], out[FRAMES_MAX];
	size_t first_in, n_in, n_out, room;
	int failure;
	bool rest, lose, stuffed;
};

struct fake_net {
	struct net_backend b;
	struct fake_net_log log;
	struct queue *q;
	int refusal;
};

static struct fake_net *to_fake(struct net_backend *b)
{
	return container_of(b, struct fake_net, b);
}

/* --- readiness ---------------------------------------------------------- */

static void make_readable(struct queue *q)
{
	ssize_t r = send(q->peer, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL);

	(void)r;
}

static void drain(int fd)
{
	char buf[4096];

	while (recv(fd, buf, sizeof(buf), MSG_DONTWAIT) > 0)
		;
}

/* EPOLLOUT is there when the socket is empty, and not when it is stuffed. */
static void stuff(struct queue *q, bool on)
{
	char buf[4096] = "";

	if (q->stuffed && !on)
		drain(q->peer);
	while (on &&
	       send(q->fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		;
	q->stuffed = on;
}

/* --- the backend -------------------------------------------------------- */

static int fake_fd(const struct net_backend *b, unsigned int queue)
{
	assert(queue < b->n_queues);
	return container_of(b, const struct fake_net, b)->q[queue].fd;
}

static void copy_frame(struct fake_net_frame *to, const struct net_frame *f)
{
	size_t at = 0;

	assert(f->n_iov >= 2 && f->n_iov <= NET_FRAME_IOV);
	assert(f->iov[0].iov_len == NET_HDR_LEN);
	memcpy(to->hdr, f->iov[0].iov_base, NET_HDR_LEN);
	to->data = malloc(f->len);
	to->len = f->len;
	assert(to->data);
	for (size_t i = 1; i < f->n_iov; i++) {
		assert(at + f->iov[i].iov_len <= f->len);
		memcpy(to->data + at, f->iov[i].iov_base, f->iov[i].iov_len);
		at += f->iov[i].iov_len;
	}
	assert(at == f->len);
}

static int fake_send(struct net_backend *b, unsigned int queue,
		     const struct net_frame *frames, size_t n)
{
	struct fake_net *f = to_fake(b);
	struct queue *q = &f->q[queue];
	size_t i;

	f->log.sends++;
	if (n > f->log.largest_send)
		f->log.largest_send = (unsigned int)n;
	if (q->failure)
		return q->failure;
	if (q->room)
		q->rest = false;
	for (i = 0; i < n && q->room; i++) {
		assert(q->n_out < FRAMES_MAX);
		copy_frame(&q->out[q->n_out++], &frames[i]);
		q->room -= q->room != SIZE_MAX;
	}
	if (!q->room)
		stuff(q, true);
	return (int)i;
}

static bool fake_wants_write(const struct net_backend *b, unsigned int queue)
{
	return container_of(b, const struct fake_net, b)->q[queue].rest;
}

static ssize_t fake_recv(struct net_backend *b, unsigned int queue,
			 const struct iovec *iov, size_t n)
{
	struct fake_net *f = to_fake(b);
	struct queue *q = &f->q[queue];
	struct fake_net_frame *in = &q->in[q->first_in];
	size_t at = 0;

	f->log.recvs++;
	if (q->lose) {
		q->lose = false;
		return 0;
	}
	if (!q->n_in) {
		drain(q->fd);
		return q->failure ? q->failure : -EAGAIN;
	}
	memcpy(iov[0].iov_base, in->hdr, NET_HDR_LEN);
	for (size_t i = 1; i < n && at < in->len; i++) {
		size_t piece = iov[i].iov_len;

		if (piece > in->len - at)
			piece = in->len - at;
		memcpy(iov[i].iov_base, in->data + at, piece);
		at += piece;
	}
	assert(at == in->len);
	free(in->data);
	in->data = NULL;
	q->first_in = (q->first_in + 1) % FRAMES_MAX;
	q->n_in--;
	return (ssize_t)at;
}

static int fake_set_offloads(struct net_backend *b, uint32_t offloads)
{
	struct fake_net *f = to_fake(b);

	if (f->refusal)
		return f->refusal;
	assert(!(offloads & ~b->offloads));
	f->log.offloads = offloads;
	return 0;
}

static int fake_set_queues(struct net_backend *b, unsigned int n)
{
	struct fake_net *f = to_fake(b);

	if (f->refusal)
		return f->refusal;
	assert(n && n <= b->n_queues);
	f->log.n_queues = n;
	return 0;
}

static void fake_destroy(struct net_backend *b)
{
	struct fake_net *f = to_fake(b);

	for (unsigned int i = 0; i < b->n_queues; i++) {
		struct queue *q = &f->q[i];

		/* only what there is: most of the arrays was never touched */
		for (size_t j = 0; j < q->n_in; j++)
			free(q->in[(q->first_in + j) % FRAMES_MAX].data);
		for (size_t j = 0; j < q->n_out; j++)
			free(q->out[j].data);
		close(q->fd);
		if (q->peer >= 0)
			close(q->peer);
	}
	free(f->q);
	free(f);
}

static const struct net_backend_ops ops = {
	.fd = fake_fd,
	.send = fake_send,
	.wants_write = fake_wants_write,
	.recv = fake_recv,
	.set_offloads = fake_set_offloads,
	.set_queues = fake_set_queues,
	.destroy = fake_destroy,
};

/* --- the test's side ---------------------------------------------------- */

struct fake_net *fake_net_create(unsigned int n_queues, uint32_t offloads)
{
	struct fake_net *f = calloc(1, sizeof(*f));

	assert(f);
	f->q = calloc(n_queues, sizeof(*f->q));
	assert(f->q);
	f->b.ops = &ops;
	f->b.n_queues = n_queues;
	f->b.offloads = offloads;
	for (unsigned int i = 0; i < n_queues; i++) {
		int sv[2];
		int r = socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv);

		assert(!r);
		/* the least there is: stuff() fills it */
		setsockopt(sv[0], SOL_SOCKET, SO_SNDBUF, &(int){0},
			   sizeof(int));
		f->q[i].fd = sv[0];
		f->q[i].peer = sv[1];
		f->q[i].room = SIZE_MAX;
	}
	return f;
}

struct net_backend *fake_net_backend(struct fake_net *f)
{
	return &f->b;
}

const struct fake_net_log *fake_net_log(const struct fake_net *f)
{
	return &f->log;
}

void fake_net_push(struct fake_net *f, unsigned int queue, const uint8_t *hdr,
		   const void *data, size_t len)
{
	struct queue *q = &f->q[queue];
	struct fake_net_frame *in;

	assert(q->n_in < FRAMES_MAX);
	in = &q->in[(q->first_in + q->n_in++) % FRAMES_MAX];
	memset(in->hdr, 0, NET_HDR_LEN);
	if (hdr)
		memcpy(in->hdr, hdr, NET_HDR_LEN);
	in->data = malloc(len ? len : 1);
	assert(in->data);
	memcpy(in->data, data, len);
	in->len = len;
	make_readable(q);
}

size_t fake_net_n_waiting(const struct fake_net *f, unsigned int queue)
{
	return f->q[queue].n_in;
}

size_t fake_net_n_sent(const struct fake_net *f, unsigned int queue)
{
	return f->q[queue].n_out;
}

const struct fake_net_frame *fake_net_sent(const struct fake_net *f,
					   unsigned int queue, size_t i)
{
	assert(i < f->q[queue].n_out);
	return &f->q[queue].out[i];
}

void fake_net_set_room(struct fake_net *f, unsigned int queue, size_t n)
{
	f->q[queue].room = n;
	stuff(&f->q[queue], !n);
}

void fake_net_set_rest(struct fake_net *f, unsigned int queue)
{
	f->q[queue].rest = true;
}

void fake_net_fail(struct fake_net *f, unsigned int queue, int r)
{
	f->q[queue].failure = r;
	make_readable(&f->q[queue]);
}

void fake_net_lose(struct fake_net *f, unsigned int queue)
{
	f->q[queue].lose = true;
	make_readable(&f->q[queue]);
}

void fake_net_hang_up(struct fake_net *f, unsigned int queue)
{
	f->q[queue].failure = -ECONNRESET;
	close(f->q[queue].peer);
	f->q[queue].peer = -1;
}

void fake_net_refuse(struct fake_net *f, int r)
{
	f->refusal = r;
}
