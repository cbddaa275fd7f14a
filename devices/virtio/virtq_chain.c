/* devices/virtio/virtq_chain.c - copies in and out of a request. */
#include "devices/virtio/virtq.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/checked.h"

void virtq_chain_init(struct virtq_chain *c)
{
	*c = (struct virtq_chain){0};
}

void virtq_chain_free(struct virtq_chain *c)
{
	free(c->iov);
	*c = (struct virtq_chain){0};
}

/* A walk over [off, off + len) of one part. */
struct walk {
	const struct iovec *iov;
	size_t skip;   /* bytes of *iov that are before the range */
	uint64_t left; /* bytes of the range */
};

static int walk_begin(const struct virtq_chain *c, bool writable, uint64_t off,
		      uint64_t len, struct walk *w)
{
	if (!range_within(off, len, writable ? c->in_len : c->out_len))
		return -ERANGE;
	*w = (struct walk){.left = len};
	if (!len)
		return 0; /* and there may be no entry to look at */
	w->iov = writable ? c->iov + c->n_out : c->iov;
	while (off >= w->iov->iov_len) {
		off -= w->iov->iov_len;
		w->iov++;
	}
	w->skip = (size_t)off;
	return 0;
}

/* The next piece; false at the end. */
static bool walk_next(struct walk *w, struct iovec *ret)
{
	if (!w->left)
		return false;
	ret->iov_base = (char *)w->iov->iov_base + w->skip;
	ret->iov_len = w->iov->iov_len - w->skip;
	if (ret->iov_len > w->left)
		ret->iov_len = (size_t)w->left;
	w->left -= ret->iov_len;
	w->skip = 0;
	w->iov++;
	return true;
}

int virtq_chain_read_any(const struct virtq_chain *c, uint64_t off, void *buf,
			 size_t len)
{
	char *to = buf;
	struct iovec piece;
	struct walk w;
	int r = walk_begin(c, false, off, len, &w);

	if (r < 0)
		return r;
	while (walk_next(&w, &piece)) {
		memcpy(to, piece.iov_base, piece.iov_len);
		to += piece.iov_len;
	}
	return 0;
}

int virtq_chain_write_any(const struct virtq_chain *c, uint64_t off,
			  const void *buf, size_t len)
{
	const char *from = buf;
	struct iovec piece;
	struct walk w;
	int r = walk_begin(c, true, off, len, &w);

	if (r < 0)
		return r;
	while (walk_next(&w, &piece)) {
		memcpy(piece.iov_base, from, piece.iov_len);
		from += piece.iov_len;
	}
	return 0;
}

int virtq_chain_slice_any(const struct virtq_chain *c, bool writable,
			  uint64_t off, uint64_t len, struct iovec *iov,
			  size_t max)
{
	struct iovec piece;
	struct walk w;
	size_t n = 0;
	int r = walk_begin(c, writable, off, len, &w);

	if (r < 0)
		return r;
	while (walk_next(&w, &piece)) {
		if (n == max)
			return -E2BIG;
		iov[n++] = piece;
	}
	return (int)n;
}
