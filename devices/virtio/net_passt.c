/* devices/virtio/net_passt.c - frames in a stream. */
#include "devices/virtio/net_passt.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "devices/virtio/net_backend.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

enum {
	LEN_BYTES = 4,
	BATCH_FRAMES = 32,
	BATCH_IOV = 256,
	/*
	 * What passt reads at once are whole frames: Debian 12's loses its step
	 * when a read ends within a length. The kernel hands over up to 32 KiB
	 * as a unit (net/unix/af_unix.c, unix_stream_sendmsg()); a longer frame
	 * goes alone, so that it is cut behind its length.
	 */
	BATCH_BYTES = 32768,
	FRAME_MAX = LEN_BYTES + NET_FRAME_MAX,
	/* several frames for one system call, and the rest of the last */
	IN_MAX = 3 * FRAME_MAX,
};

struct net_passt {
	struct net_backend b;
	int fd;
	/* The rest of a frame whose beginning is in the socket. */
	size_t out_first, out_end;
	size_t in_first, in_end;
	uint8_t out[FRAME_MAX], in[IN_MAX];
};

/* One message to the socket, of whole frames with their lengths. */
struct batch {
	uint8_t len[BATCH_FRAMES][LEN_BYTES];
	struct iovec iov[BATCH_IOV];
	size_t n_iov, n_frames, bytes;
};

static struct net_passt *to_passt(struct net_backend *b)
{
	return container_of(b, struct net_passt, b);
}

static int passt_fd(const struct net_backend *b, unsigned int queue)
{
	(void)queue;
	return container_of(b, const struct net_passt, b)->fd;
}

static bool passt_wants_write(const struct net_backend *b, unsigned int queue)
{
	const struct net_passt *p = container_of(b, const struct net_passt, b);

	(void)queue;
	return p->out_first < p->out_end;
}

/* --- to the socket ------------------------------------------------------ */

/* Bytes the socket took, 0 when it is full. */
static ssize_t write_some(int fd, struct iovec *iov, size_t n)
{
	struct msghdr m = {.msg_iov = iov, .msg_iovlen = n};
	ssize_t r = sendmsg(fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (r >= 0)
		return r;
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ? 0
								     : -errno;
}

/* 1: nothing is left over; 0: something is. */
static int send_rest(struct net_passt *p)
{
	while (p->out_first < p->out_end) {
		struct iovec iov = {p->out + p->out_first,
				    p->out_end - p->out_first};
		ssize_t r = write_some(p->fd, &iov, 1);

		if (r <= 0)
			return (int)r;
		p->out_first += (size_t)r;
	}
	p->out_first = p->out_end = 0;
	return 1;
}

static bool has_room(const struct batch *b, const struct net_frame *f)
{
	return !b->n_frames || (b->n_frames < BATCH_FRAMES &&
				b->n_iov + f->n_iov <= BATCH_IOV &&
				b->bytes + LEN_BYTES + f->len <= BATCH_BYTES);
}

static void build(struct batch *b, const struct net_frame *f, size_t n)
{
	b->n_iov = b->n_frames = b->bytes = 0;
	while (b->n_frames < n && has_room(b, f)) {
		uint8_t *len = b->len[b->n_frames++];

		/* the length stands where the header did */
		assert(f->n_iov <= NET_FRAME_IOV && f->len <= NET_FRAME_MAX);
		store_be32(len, (uint32_t)f->len);
		b->iov[b->n_iov++] = (struct iovec){len, LEN_BYTES};
		memcpy(&b->iov[b->n_iov], f->iov + 1,
		       (f->n_iov - 1) * sizeof(*f->iov));
		b->n_iov += f->n_iov - 1;
		b->bytes += LEN_BYTES + f->len;
		f++;
	}
}

/*
 * Keep what the socket did not take of a frame it took a part of: frames are
 * not to be mixed, and the guest's buffer is not ours for longer.
 */
static void keep_rest(struct net_passt *p, const struct net_frame *f,
		      const uint8_t *len, size_t sent)
{
	size_t at = LEN_BYTES;

	memcpy(p->out, len, LEN_BYTES);
	for (size_t i = 1; i < f->n_iov; i++) {
		assert(at + f->iov[i].iov_len <= FRAME_MAX);
		memcpy(p->out + at, f->iov[i].iov_base, f->iov[i].iov_len);
		at += f->iov[i].iov_len;
	}
	p->out_first = sent;
	p->out_end = at;
}

/* How many frames @sent bytes are, the last one perhaps in part. */
static size_t account(struct net_passt *p, const struct net_frame *f,
		      const struct batch *t, size_t sent)
{
	size_t i = 0;

	for (; i < t->n_frames && sent; i++) {
		size_t len = LEN_BYTES + f[i].len;

		if (sent < len) {
			keep_rest(p, &f[i], t->len[i], sent);
			return i + 1;
		}
		sent -= len;
	}
	return i;
}

static int passt_send(struct net_backend *b, unsigned int queue,
		      const struct net_frame *f, size_t n)
{
	struct net_passt *p = to_passt(b);
	size_t done = 0;
	int r = send_rest(p);

	if (r < 0)
		return r;
	while (!passt_wants_write(b, queue) && done < n) {
		struct batch t;
		ssize_t sent;
		size_t took;

		build(&t, f + done, n - done);
		sent = write_some(p->fd, t.iov, t.n_iov);
		if (sent < 0)
			return (int)sent;
		took = account(p, f + done, &t, (size_t)sent);
		done += took;
		if (took < t.n_frames)
			break;
	}
	return (int)done;
}

/* --- from the socket ---------------------------------------------------- */

/* 1: a whole frame of *ret_len bytes is at @at; 0: not yet. */
static int frame_at(const struct net_passt *p, size_t at, size_t *ret_len)
{
	size_t have = p->in_end - at, len;

	if (have < LEN_BYTES)
		return 0;
	len = load_be32(p->in + at);
	/* out of step, or not what we were told it is */
	if (len < NET_FRAME_MIN || len > NET_FRAME_MAX)
		return -EPROTO;
	*ret_len = len;
	return have - LEN_BYTES >= len;
}

/* @len more bytes, behind those that are there; or fewer. */
static ssize_t take(struct net_passt *p, size_t len)
{
	ssize_t r = recv(p->fd, p->in + p->in_end, len, MSG_DONTWAIT);

	if (r > 0)
		p->in_end += (size_t)r;
	return r;
}

/*
 * Take the rest of a frame that a read has cut. A guest that restarts has the
 * same socket, and what its predecessor had taken of a frame would be missing.
 */
static void take_rest(struct net_passt *p)
{
	size_t at = 0, len = 0;
	int r;

	while ((r = frame_at(p, at, &len)) > 0)
		at += LEN_BYTES + len;
	while (!r && p->in_end > at) {
		size_t have = p->in_end - at;

		/* its length first, unless that is there */
		len = have < LEN_BYTES ? 0 : load_be32(p->in + at);
		if (take(p, LEN_BYTES + len - have) <= 0)
			return;
		r = frame_at(p, at, &len);
	}
}

/* More bytes, behind those that are there, which are less than a frame. */
static int read_more(struct net_passt *p)
{
	size_t len;
	ssize_t r;

	if (p->in_first) {
		memmove(p->in, p->in + p->in_first, p->in_end - p->in_first);
		p->in_end -= p->in_first;
		p->in_first = 0;
	}
	len = IN_MAX - FRAME_MAX - p->in_end;
	r = take(p, len);
	if (!r)
		return -ECONNRESET;
	if (r < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	if ((size_t)r == len)
		take_rest(p);
	return 0;
}

static ssize_t passt_recv(struct net_backend *b, unsigned int queue,
			  const struct iovec *iov, size_t n)
{
	struct net_passt *p = to_passt(b);
	size_t len, done = 0;
	const uint8_t *from;
	int r;

	(void)queue;
	while ((r = frame_at(p, p->in_first, &len)) == 0) {
		r = read_more(p);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return r;
	memset(iov[0].iov_base, 0, NET_HDR_LEN);
	from = p->in + p->in_first + LEN_BYTES;
	for (size_t i = 1; i < n && done < len; i++) {
		size_t piece = iov[i].iov_len;

		if (piece > len - done)
			piece = len - done;
		memcpy(iov[i].iov_base, from + done, piece);
		done += piece;
	}
	p->in_first += LEN_BYTES + len;
	return (ssize_t)len;
}

static void passt_destroy(struct net_backend *b)
{
	struct net_passt *p = to_passt(b);

	close(p->fd);
	free(p);
}

static const struct net_backend_ops ops = {
	.fd = passt_fd,
	.send = passt_send,
	.wants_write = passt_wants_write,
	.recv = passt_recv,
	.destroy = passt_destroy,
};

int net_passt_create(int fd, struct net_backend **ret, struct err *err)
{
	struct net_passt *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	p->b.ops = &ops;
	p->b.n_queues = 1;
	p->fd = fd;
	*ret = &p->b;
	return 0;
}
