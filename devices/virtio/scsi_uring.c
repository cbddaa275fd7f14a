/* devices/virtio/scsi_uring.c - I/O through a restricted ring. */
#include "devices/virtio/scsi_uring.h"

#include <errno.h>
#include <liburing.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_file.h"
#include "devices/virtio/scsi_io.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"

enum { RETRY_MS = 10 };

struct uring_file {
	struct scsi_backend backend;
	struct scsi_uring *u;
	int index; /* among the registered files */
};

struct scsi_uring {
	struct scsi_engine engine;
	struct io_uring ring;
	bool ring_ok;
	struct loop_source *source, *retry;
	void (*batch_done)(void *arg);
	void *arg;
	unsigned int in_flight;	     /* in the submission queue or beyond */
	struct scsi_io_list waiting; /* for room in the ring */
	unsigned int n;
	struct uring_file files[];
};

static struct uring_file *file_of(struct scsi_backend *b)
{
	return container_of(b, struct uring_file, backend);
}

/* The ring has room: in_flight is below its size. */
static void queue_one(struct scsi_uring *u, struct scsi_io *io)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&u->ring);
	int file = file_of(io->backend)->index;

	switch (io->op) {
	case SCSI_IO_READ:
		io_uring_prep_readv(sqe, file, io->iov, io->n_iov, io->off);
		break;
	case SCSI_IO_WRITE:
		io_uring_prep_writev(sqe, file, io->iov, io->n_iov, io->off);
		if (io->fua)
			sqe->rw_flags = RWF_DSYNC;
		break;
	case SCSI_IO_FLUSH:
		io_uring_prep_fsync(sqe, file, IORING_FSYNC_DATASYNC);
		break;
	default:
		io_uring_prep_fallocate(sqe, file, scsi_io_falloc_mode(io),
					(off_t)io->off, (off_t)io->len);
	}
	sqe->flags |= IOSQE_FIXED_FILE;
	io_uring_sqe_set_data(sqe, io);
	u->in_flight++;
}

static void uring_submit(struct scsi_backend *b, struct scsi_io *io)
{
	struct scsi_uring *u = file_of(b)->u;

	io->backend = b;
	if (u->in_flight < SCSI_URING_DEPTH && !u->waiting.head)
		queue_one(u, io);
	else
		scsi_io_append(&u->waiting, io);
}

/* Is it finished? Otherwise the rest of a short transfer is queued. */
static bool progress(struct scsi_uring *u, struct scsi_io *io, int *result)
{
	bool moves = io->op == SCSI_IO_READ || io->op == SCSI_IO_WRITE;

	if (*result == -EINTR) {
		queue_one(u, io);
		return false;
	}
	if (*result < 0) {
		*result = moves ? *result : scsi_io_falloc_result(*result);
		return true;
	}
	if (!moves || (uint64_t)*result >= io->len) {
		*result = 0;
		return true;
	}
	if (!*result) { /* the file has become shorter */
		*result = -EIO;
		return true;
	}
	scsi_io_advance(io, (uint64_t)*result);
	queue_one(u, io);
	return false;
}

/* Hand out what is complete. True: something was. */
static bool reap(struct scsi_uring *u)
{
	struct io_uring_cqe *cqe;
	struct scsi_io *io;
	bool any = false;

	/* one peek of the ring each: done() may take as long as it likes */
	while (!io_uring_peek_cqe(&u->ring, &cqe)) {
		int result = cqe->res;

		io = io_uring_cqe_get_data(cqe);
		io_uring_cqe_seen(&u->ring, cqe);
		u->in_flight--;
		any = true;
		if (progress(u, io, &result))
			io->done(io, result);
		while (u->waiting.head && u->in_flight < SCSI_URING_DEPTH)
			queue_one(u, scsi_io_take(&u->waiting));
	}
	return any;
}

/*
 * Tell the kernel what is queued. When it has no memory for it, try again with
 * the next completion, or a little later.
 */
static void enter(struct scsi_uring *u)
{
	while (io_uring_sq_ready(&u->ring)) {
		int r = io_uring_submit(&u->ring);

		if (r == -EINTR)
			continue;
		if (r <= 0) {
			loop_set_timer(u->retry, RETRY_MS);
			return;
		}
	}
}

/*
 * Much is complete when io_uring_submit() returns (a read from the page cache),
 * and a completion may queue the next step of its request.
 */
static void uring_commit(struct scsi_engine *e)
{
	struct scsi_uring *u = container_of(e, struct scsi_uring, engine);

	enter(u);
	if (reap(u))
		enter(u);
}

static void on_ring(void *arg, int fd, uint32_t events)
{
	struct scsi_uring *u = arg;

	(void)fd;
	(void)events;
	if (reap(u))
		u->batch_done(u->arg);
	enter(u);
}

static void on_retry(void *arg)
{
	enter(arg);
}

static int uring_attach(struct scsi_engine *e, struct loop *l,
			void (*batch_done)(void *arg), void *arg)
{
	struct scsi_uring *u = container_of(e, struct scsi_uring, engine);
	int r = loop_add_timer(l, on_retry, u, &u->retry);

	if (r < 0)
		return r;
	u->batch_done = batch_done;
	u->arg = arg;
	return loop_add_fd(l, u->ring.ring_fd, EPOLLIN, on_ring, u, &u->source);
}

static struct scsi_backend *uring_backend(struct scsi_engine *e, unsigned int i)
{
	struct scsi_uring *u = container_of(e, struct scsi_uring, engine);

	return &u->files[i].backend;
}

/* Until the kernel does not touch anybody's memory for us any more. */
static void drain(struct scsi_uring *u)
{
	unsigned int with_kernel = u->in_flight;
	struct io_uring_cqe *cqe;

	/* what is queued only never gets there */
	if (with_kernel)
		with_kernel -= io_uring_sq_ready(&u->ring);
	while (with_kernel) {
		int r = io_uring_wait_cqe(&u->ring, &cqe);

		if (r == -EINTR)
			continue;
		if (r < 0)
			break;
		io_uring_cqe_seen(&u->ring, cqe);
		with_kernel--;
	}
}

static void uring_destroy(struct scsi_engine *e)
{
	struct scsi_uring *u = container_of(e, struct scsi_uring, engine);

	if (u->ring_ok) {
		drain(u);
		loop_remove(u->source);
		loop_remove(u->retry);
		io_uring_queue_exit(&u->ring);
	}
	free(u);
}

/* Without IPIs for completions where the kernel can do that (5.19). */
static int setup_ring(struct scsi_uring *u)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |
			 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	};
	int r = io_uring_queue_init_params(SCSI_URING_DEPTH, &u->ring, &p);

	if (r == -EINVAL) {
		p = (struct io_uring_params){.flags = IORING_SETUP_R_DISABLED};
		r = io_uring_queue_init_params(SCSI_URING_DEPTH, &u->ring, &p);
	}
	return r;
}

static int register_files(struct scsi_uring *u, const struct scsi_file *files)
{
	AUTO(freep) int *fds = calloc(u->n, sizeof(*fds));

	if (!fds)
		return -ENOMEM;
	for (unsigned int i = 0; i < u->n; i++)
		fds[i] = files[i].fd;
	return io_uring_register_files(&u->ring, fds, u->n);
}

static int restrict_ring(struct scsi_uring *u)
{
	static const uint8_t ops[] = {IORING_OP_READV, IORING_OP_WRITEV,
				      IORING_OP_FSYNC, IORING_OP_FALLOCATE};
	struct io_uring_restriction r[ARRAY_SIZE(ops) + 2] = {0};
	unsigned int n = 0;

	for (; n < ARRAY_SIZE(ops); n++) {
		r[n].opcode = IORING_RESTRICTION_SQE_OP;
		r[n].sqe_op = ops[n];
	}
	r[n].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
	r[n++].sqe_flags = IOSQE_FIXED_FILE;
	r[n].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
	r[n++].sqe_flags = IOSQE_FIXED_FILE;
	return io_uring_register_restrictions(&u->ring, r, n);
}

static int prepare(struct scsi_uring *u, const struct scsi_file *files,
		   struct err *err)
{
	/* bounded work (files), unbounded (which there is none of) */
	unsigned int workers[2] = {SCSI_URING_WORKERS, 1};
	int r = register_files(u, files);

	if (r < 0)
		return err_set(err, r, "io_uring: registering %u files: %s",
			       u->n, strerror(-r));
	r = io_uring_register_iowq_max_workers(&u->ring, workers);
	if (r < 0 && r != -EINVAL) /* before 5.15: RLIMIT_NPROC alone */
		return err_set(err, r, "io_uring: limiting workers: %s",
			       strerror(-r));
	r = restrict_ring(u);
	if (r < 0)
		return err_set(err, r, "io_uring: restricting the ring: %s",
			       strerror(-r));
	r = io_uring_enable_rings(&u->ring);
	if (r < 0)
		return err_set(err, r, "io_uring: enabling the ring: %s",
			       strerror(-r));
	return 0;
}

static const struct scsi_engine_ops engine_ops = {
	.attach = uring_attach,
	.backend = uring_backend,
	.commit = uring_commit,
	.destroy = uring_destroy,
};

static const struct scsi_backend_ops backend_ops = {.submit = uring_submit};

int scsi_uring_create(const struct scsi_file *files, unsigned int n,
		      struct scsi_engine **ret, struct err *err)
{
	AUTO(scsi_engine_destroyp) struct scsi_engine *e = NULL;
	struct scsi_uring *u = calloc(1, sizeof(*u) + n * sizeof(u->files[0]));
	int r;

	if (!u)
		return err_set(err, -ENOMEM, "out of memory");
	e = &u->engine;
	e->ops = &engine_ops;
	e->kind = "io_uring";
	u->n = n;
	for (unsigned int i = 0; i < n; i++)
		u->files[i] = (struct uring_file){{&backend_ops}, u, (int)i};
	r = setup_ring(u);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "io_uring: %s",
				    strerror(-r));
	u->ring_ok = true;
	r = prepare(u, files, err);
	if (r < 0)
		return r;
	*ret = TAKE(e);
	return 0;
}
