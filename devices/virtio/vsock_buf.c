/* devices/virtio/vsock_buf.c - a byte ring that grows by doubling. */
#include "devices/virtio/vsock_buf.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { FIRST_CAP = 4096 };

static size_t total(const struct iovec *iov, size_t n)
{
	size_t sum = 0;

	for (size_t i = 0; i < n; i++)
		sum += iov[i].iov_len;
	return sum;
}

size_t vsock_buf_pieces(const struct vsock_buf *b, struct iovec ret[static 2])
{
	size_t first = b->cap - b->head;

	if (!b->len)
		return 0;
	if (b->len <= first) {
		ret[0] = (struct iovec){b->data + b->head, b->len};
		return 1;
	}
	ret[0] = (struct iovec){b->data + b->head, first};
	ret[1] = (struct iovec){b->data, b->len - first};
	return 2;
}

static int grow(struct vsock_buf *b, size_t need)
{
	struct iovec piece[2];
	size_t cap = b->cap ? b->cap : FIRST_CAP;
	size_t n, at = 0;
	uint8_t *data;

	while (cap < need)
		cap *= 2;
	if (cap == b->cap)
		return 0;
	data = malloc(cap);
	if (!data)
		return -ENOMEM;
	n = vsock_buf_pieces(b, piece);
	for (size_t i = 0; i < n; at += piece[i++].iov_len)
		memcpy(data + at, piece[i].iov_base, piece[i].iov_len);
	free(b->data);
	b->data = data;
	b->cap = cap;
	b->head = 0;
	return 0;
}

/* There is room. */
static void put(struct vsock_buf *b, const uint8_t *src, size_t len)
{
	while (len) {
		size_t at = (b->head + b->len) & (b->cap - 1);
		size_t n = b->cap - at < len ? b->cap - at : len;

		memcpy(b->data + at, src, n);
		b->len += n;
		src += n;
		len -= n;
	}
}

int vsock_buf_append(struct vsock_buf *b, const struct iovec *iov, size_t n,
		     size_t skip, size_t limit)
{
	size_t len = total(iov, n);
	int r;

	assert(skip <= len);
	len -= skip;
	if (len > limit || b->len > limit - len)
		return -ENOSPC;
	if (!len)
		return 0;
	r = grow(b, b->len + len);
	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		const uint8_t *p = iov[i].iov_base;
		size_t off = skip < iov[i].iov_len ? skip : iov[i].iov_len;

		put(b, p + off, iov[i].iov_len - off);
		skip -= off;
	}
	return 0;
}

void vsock_buf_consume(struct vsock_buf *b, size_t n)
{
	assert(n <= b->len);
	b->len -= n;
	if (!b->len) {
		vsock_buf_clear(b);
		return;
	}
	b->head = (b->head + n) & (b->cap - 1);
}

void vsock_buf_clear(struct vsock_buf *b)
{
	free(b->data);
	*b = (struct vsock_buf){0};
}
