/*
 * devices/virtio/scsi_backend.h - where a disk's blocks are: asynchronous I/O
 * on open files.
 *
 * An engine runs the I/O of all files of one device; each file is a backend of
 * it. The device submits any number of requests, then commits once, so that an
 * engine can hand them to the kernel in one call. Completions are delivered in
 * the device's thread: from inside commit(), or from the thread's loop, where a
 * call of batch_done() follows the last one of a batch. Everything here is for
 * that thread, except creating and destroying.
 */
#ifndef DEVICES_VIRTIO_SCSI_BACKEND_H
#define DEVICES_VIRTIO_SCSI_BACKEND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "vmm/base/own.h"

struct err;
struct loop;
struct scsi_backend;
struct scsi_engine;

enum scsi_io_op {
	SCSI_IO_READ,
	SCSI_IO_WRITE,
	/* Everything whose completion was delivered is durable. */
	SCSI_IO_FLUSH,
	/*
	 * Give the space back. The range reads as zeros afterwards.
	 * -EOPNOTSUPP: this file cannot; nothing has changed.
	 */
	SCSI_IO_DISCARD,
	/* Zeros that keep their space. -EOPNOTSUPP as above. */
	SCSI_IO_ZERO,
};

enum { SCSI_IO_IOV_MAX = 1024 }; /* IOV_MAX of Linux: preadv(2) takes no more */

/* One request, embedded in whoever makes it and his until submit(). */
struct scsi_io {
	enum scsi_io_op op;
	bool fua;	   /* WRITE: durable before it is done */
	uint64_t off, len; /* bytes; the file has them all */
	/*
	 * READ, WRITE: memory of @len bytes in 1..SCSI_IO_IOV_MAX pieces. The
	 * array stays the requester's, who keeps his own pointer to it: the
	 * backend moves off, len, iov, n_iov and the entries on.
	 */
	struct iovec *iov;
	unsigned int n_iov;
	/*
	 * Once: 0 when all of it is done, or a negative errno, after which
	 * part of it may be. May be called from inside submit(), and may
	 * submit() again.
	 */
	void (*done)(struct scsi_io *io, int result);

	/* The backend's, while the request is with it. */
	struct scsi_backend *backend;
	struct scsi_io *next;
	int result;
	/* The same for a layer between the requester and the backend. */
	struct scsi_backend *layer;
	void (*layer_done)(struct scsi_io *io, int result);
};

struct scsi_backend_ops {
	/* Accept @io. Never fails: an error goes to io->done(). */
	void (*submit)(struct scsi_backend *b, struct scsi_io *io);
};

/* Embedded in the implementation. */
struct scsi_backend {
	const struct scsi_backend_ops *ops;
};

struct scsi_engine_ops {
	/*
	 * Deliver completions through @l from now on. Once, before the first
	 * submit(), before the loop runs or in its thread.
	 */
	int (*attach)(struct scsi_engine *e, struct loop *l,
		      void (*batch_done)(void *arg), void *arg);
	/* File @i, in the order given at creation. */
	struct scsi_backend *(*backend)(struct scsi_engine *e, unsigned int i);
	/* Start what was submitted, if it has not been started yet. */
	void (*commit)(struct scsi_engine *e);
	/*
	 * Waits until the kernel has no request any more; done() of what was
	 * in flight is not called. The loop has ended, and still exists.
	 */
	void (*destroy)(struct scsi_engine *e);
};

/* Embedded in the implementation. */
struct scsi_engine {
	const struct scsi_engine_ops *ops;
	const char *kind; /* "io_uring", "threads": for messages */
};

/* NULL is fine. */
static inline void scsi_engine_destroy(struct scsi_engine *e)
{
	if (e)
		e->ops->destroy(e);
}
DEFINE_CLEANUP(struct scsi_engine, scsi_engine_destroy)

struct scsi_file;

enum scsi_engine_kind {
	SCSI_ENGINE_AUTO, /* io_uring, or threads where that is refused */
	SCSI_ENGINE_URING,
	SCSI_ENGINE_THREADS,
};

/*
 * An engine for @n files (1..SCSI_LUNS_MAX), whose descriptors are borrowed
 * and stay open until it is destroyed. Files with O_DIRECT get a layer that
 * copies what is not aligned as they need it. Everything that a locked-down
 * process may not do (io_uring_setup, threads) happens here.
 * -ENOMEM, -EPERM, -ENOSYS: as the kernel says; the message tells what failed.
 */
int scsi_engine_create(const struct scsi_file *files, unsigned int n,
		       enum scsi_engine_kind kind, struct scsi_engine **ret,
		       struct err *err);

#endif
