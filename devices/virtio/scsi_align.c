/* devices/virtio/scsi_align.c - misaligned requests over an aligned file. */
#include "devices/virtio/scsi_align.h"

#include <errno.h>
#include <stdlib.h>

#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_file.h"
#include "devices/virtio/scsi_io.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

/* A buffer, and the request it serves, one stretch after the other. */
struct bounce {
	struct scsi_io io; /* towards the file */
	struct iovec iov;
	struct scsi_align *a;
	struct scsi_io *outer; /* NULL: free */
	uint64_t pos;	       /* bytes of outer that are done */
	uint64_t lo, hi;       /* the aligned stretch of the file in buf */
	bool alone;
	uint8_t *buf;
};

struct scsi_align {
	struct scsi_backend backend;
	struct scsi_backend *inner;
	uint32_t mem_align, off_align;
	bool gated; /* a write may have to read first */

	/* The gate, for requests that change the file. */
	unsigned int changing; /* in progress */
	bool alone;	       /* one of them reads before it writes */
	struct scsi_io_list held;

	struct bounce bounces[SCSI_ALIGN_BUFFERS];
	struct scsi_io_list starved; /* of a bounce */
};

static void bounce_stretch(struct bounce *x);

static bool changes(const struct scsi_io *io)
{
	return io->op == SCSI_IO_WRITE || io->op == SCSI_IO_DISCARD ||
	       io->op == SCSI_IO_ZERO;
}

static bool partial(const struct scsi_align *a, const struct scsi_io *io)
{
	return !is_aligned(io->off | io->len, a->off_align);
}

/* May the file have it as it is? */
static bool fits(const struct scsi_align *a, const struct scsi_io *io)
{
	if (io->op != SCSI_IO_READ && io->op != SCSI_IO_WRITE)
		return true;
	if (partial(a, io))
		return false;
	for (unsigned int i = 0; i < io->n_iov; i++)
		if (!is_aligned((uintptr_t)io->iov[i].iov_base, a->mem_align) ||
		    !is_aligned(io->iov[i].iov_len, a->off_align))
			return false;
	return true;
}

static void bounce_start(struct scsi_align *a, struct scsi_io *io)
{
	for (size_t i = 0; i < ARRAY_SIZE(a->bounces); i++) {
		struct bounce *x = &a->bounces[i];

		if (x->outer)
			continue;
		x->outer = io;
		x->pos = 0;
		x->alone = io->op == SCSI_IO_WRITE && partial(a, io);
		bounce_stretch(x);
		return;
	}
	scsi_io_append(&a->starved, io);
}

static bool may_pass(const struct scsi_align *a, const struct scsi_io *io)
{
	bool alone = io->op == SCSI_IO_WRITE && partial(a, io);

	return !a->alone && !(alone && a->changing);
}

static void gate_leave(struct scsi_align *a, bool alone);

/* A request that fitted, and went through the gate. */
static void passed_done(struct scsi_io *io, int result)
{
	struct scsi_align *a =
		container_of(io->layer, struct scsi_align, backend);

	io->done = io->layer_done;
	gate_leave(a, false);
	io->done(io, result);
}

static void start(struct scsi_align *a, struct scsi_io *io)
{
	bool gated = a->gated && changes(io);

	if (gated) {
		a->changing++;
		a->alone = io->op == SCSI_IO_WRITE && partial(a, io);
	}
	if (!fits(a, io)) {
		bounce_start(a, io);
		return;
	}
	if (gated) {
		io->layer = &a->backend;
		io->layer_done = io->done;
		io->done = passed_done;
	}
	a->inner->ops->submit(a->inner, io);
}

static void gate_leave(struct scsi_align *a, bool alone)
{
	a->changing--;
	if (alone)
		a->alone = false;
	while (a->held.head && may_pass(a, a->held.head))
		start(a, scsi_io_take(&a->held));
}

static void align_submit(struct scsi_backend *b, struct scsi_io *io)
{
	struct scsi_align *a = container_of(b, struct scsi_align, backend);

	/* in order: nobody overtakes one that waits to be alone */
	if (a->gated && changes(io) && (a->held.head || !may_pass(a, io)))
		scsi_io_append(&a->held, io);
	else
		start(a, io);
}

static void bounce_finish(struct bounce *x, int result)
{
	struct scsi_align *a = x->a;
	struct scsi_io *outer = x->outer, *next;

	x->outer = NULL;
	if (a->gated && changes(outer))
		gate_leave(a, x->alone);
	next = scsi_io_take(&a->starved);
	if (next)
		bounce_start(a, next);
	outer->done(outer, result);
}

static void bounce_submit(struct bounce *x, enum scsi_io_op op,
			  void (*done)(struct scsi_io *io, int result))
{
	x->iov = (struct iovec){x->buf, (size_t)(x->hi - x->lo)};
	x->io = (struct scsi_io){
		.op = op,
		.fua = x->outer->fua,
		.off = x->lo,
		.len = x->hi - x->lo,
		.iov = &x->iov,
		.n_iov = 1,
		.done = done,
	};
	x->a->inner->ops->submit(x->a->inner, &x->io);
}

/* The part of the stretch that the request is about: copy, count. */
static void bounce_copy(struct bounce *x, bool to_outer)
{
	uint64_t from = x->outer->off + x->pos;
	uint64_t end = x->outer->off + x->outer->len;
	uint64_t to = x->hi < end ? x->hi : end;

	scsi_io_copy(x->outer, x->pos, x->buf + (from - x->lo),
		     (size_t)(to - from), to_outer);
	x->pos += to - from;
}

static void bounce_stretch_done(struct bounce *x, int result)
{
	if (result < 0 || x->pos == x->outer->len)
		bounce_finish(x, result);
	else
		bounce_stretch(x);
}

static void written(struct scsi_io *io, int result)
{
	bounce_stretch_done(container_of(io, struct bounce, io), result);
}

static void read_first(struct scsi_io *io, int result)
{
	struct bounce *x = container_of(io, struct bounce, io);

	if (result < 0) {
		bounce_finish(x, result);
		return;
	}
	if (x->outer->op == SCSI_IO_WRITE) {
		bounce_copy(x, false);
		bounce_submit(x, SCSI_IO_WRITE, written);
		return;
	}
	bounce_copy(x, true);
	bounce_stretch_done(x, 0);
}

static void bounce_stretch(struct bounce *x)
{
	uint64_t from = x->outer->off + x->pos;
	uint64_t end = x->outer->off + x->outer->len;

	x->lo = align_down(from, x->a->off_align);
	x->hi = align_up(end, x->a->off_align);
	if (x->hi - x->lo > SCSI_ALIGN_BYTES)
		x->hi = x->lo + SCSI_ALIGN_BYTES;
	if (x->outer->op == SCSI_IO_WRITE && x->lo == from && x->hi <= end) {
		bounce_copy(x, false);
		bounce_submit(x, SCSI_IO_WRITE, written);
	} else {
		bounce_submit(x, SCSI_IO_READ, read_first);
	}
}

static const struct scsi_backend_ops align_ops = {.submit = align_submit};

bool scsi_align_needed(const struct scsi_file *f)
{
	return f->mem_align > 1 || f->off_align > 1;
}

int scsi_align_create(const struct scsi_file *f, struct scsi_backend *inner,
		      struct scsi_align **ret, struct err *err)
{
	AUTO(scsi_align_destroyp) struct scsi_align *a = calloc(1, sizeof(*a));

	if (!a)
		return err_set(err, -ENOMEM, "out of memory");
	a->backend.ops = &align_ops;
	a->inner = inner;
	a->mem_align = f->mem_align;
	a->off_align = f->off_align;
	a->gated = f->off_align > f->block_size;
	for (size_t i = 0; i < ARRAY_SIZE(a->bounces); i++) {
		a->bounces[i].a = a;
		a->bounces[i].buf = aligned_alloc(4096, SCSI_ALIGN_BYTES);
		if (!a->bounces[i].buf)
			return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = TAKE(a);
	return 0;
}

void scsi_align_destroy(struct scsi_align *a)
{
	if (!a)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(a->bounces); i++)
		free(a->bounces[i].buf);
	free(a);
}

struct scsi_backend *scsi_align_backend(struct scsi_align *a)
{
	return &a->backend;
}
