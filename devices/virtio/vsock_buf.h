/*
 * devices/virtio/vsock_buf.h - bytes on their way to a socket that is behind: a
 * ring that grows to a limit and holds no memory when it is empty.
 */
#ifndef DEVICES_VIRTIO_VSOCK_BUF_H
#define DEVICES_VIRTIO_VSOCK_BUF_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

/* All zero is an empty one. */
struct vsock_buf {
	uint8_t *data;
	size_t cap, head, len;
};

/*
 * Append what @iov holds behind its first @skip bytes.
 * -ENOSPC      more than @limit bytes would be kept; nothing is appended
 * -ENOMEM      the same, for lack of memory
 */
int vsock_buf_append(struct vsock_buf *b, const struct iovec *iov, size_t n,
		     size_t skip, size_t limit);
/* Where the bytes are, in order, as one or two pieces; returns how many. */
size_t vsock_buf_pieces(const struct vsock_buf *b, struct iovec ret[static 2]);
/* The first @n bytes (no more than there are) are done with. */
void vsock_buf_consume(struct vsock_buf *b, size_t n);
/* Empty it. */
void vsock_buf_clear(struct vsock_buf *b);

#endif
