/* devices/virtio/scsi_io.c - what engines share. */
#include "devices/virtio/scsi_io.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <string.h>

void scsi_io_advance(struct scsi_io *io, uint64_t n)
{
	io->off += n;
	io->len -= n;
	while (n >= io->iov->iov_len) {
		n -= io->iov->iov_len;
		io->iov++;
		io->n_iov--;
	}
	io->iov->iov_base = (char *)io->iov->iov_base + n;
	io->iov->iov_len -= (size_t)n;
}

void scsi_io_copy(const struct scsi_io *io, uint64_t off, void *buf, size_t len,
		  bool to_io)
{
	const struct iovec *v = io->iov;
	char *p = buf;

	while (off >= v->iov_len) {
		off -= v->iov_len;
		v++;
	}
	while (len) {
		size_t n = v->iov_len - (size_t)off;
		char *q = (char *)v->iov_base + off;

		if (n > len)
			n = len;
		memcpy(to_io ? q : p, to_io ? p : q, n);
		p += n;
		len -= n;
		off = 0;
		v++;
	}
}

int scsi_io_falloc_mode(const struct scsi_io *io)
{
	if (io->op == SCSI_IO_DISCARD)
		return FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
	return FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE;
}

int scsi_io_falloc_result(int result)
{
	return result == -ENOSYS || result == -ENOTTY || result == -ENODEV
		       ? -EOPNOTSUPP
		       : result;
}
