/* tests/fake/fake_scsi.c - see fake_scsi.h. */
#include "tests/fake/fake_scsi.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/own.h"

static struct fake_scsi_file *file_of(struct scsi_backend *b)
{
	return container_of(b, struct fake_scsi_file, backend);
}

static void check_alignment(const struct fake_scsi *f, const struct scsi_io *io)
{
	if (f->off_align)
		assert(!(io->off % f->off_align) && !(io->len % f->off_align));
	for (unsigned int i = 0; f->mem_align && i < io->n_iov; i++)
		assert(!((uintptr_t)io->iov[i].iov_base % f->mem_align));
}

static void submit(struct scsi_backend *b, struct scsi_io *io)
{
	struct fake_scsi *f = file_of(b)->f;

	assert(f->n_pending < FAKE_SCSI_PENDING);
	if (io->op == SCSI_IO_READ || io->op == SCSI_IO_WRITE) {
		assert(io->n_iov && io->n_iov <= SCSI_IO_IOV_MAX);
		check_alignment(f, io);
	}
	io->backend = b;
	f->n_ops[io->op]++;
	f->last = (struct fake_scsi_io){
		.op = io->op,
		.file = (unsigned int)(file_of(b) - f->files),
		.off = io->off,
		.len = io->len,
		.fua = io->fua,
		.n_iov = io->n_iov,
	};
	f->pending[f->n_pending++] = io;
}

static void move(const struct scsi_io *io, uint8_t *p)
{
	uint64_t len = io->len;

	for (unsigned int i = 0; i < io->n_iov; i++) {
		size_t n = io->iov[i].iov_len;

		assert(n <= len);
		if (io->op == SCSI_IO_READ)
			memcpy(io->iov[i].iov_base, p, n);
		else
			memcpy(p, io->iov[i].iov_base, n);
		p += n;
		len -= n;
	}
	assert(!len);
}

static void perform(struct fake_scsi *f, struct scsi_io *io)
{
	uint8_t *p = f->data[file_of(io->backend) - f->files] + io->off;

	assert(io->off <= f->bytes && io->len <= f->bytes - io->off);
	if (io->op == SCSI_IO_READ || io->op == SCSI_IO_WRITE)
		move(io, p);
	else if (io->op != SCSI_IO_FLUSH)
		memset(p, 0, io->len);
}

static void complete(struct fake_scsi *f, unsigned int i, int result)
{
	struct scsi_io *io;

	assert(i < f->n_pending);
	io = f->pending[i];
	f->n_pending--;
	memmove(&f->pending[i], &f->pending[i + 1],
		(f->n_pending - i) * sizeof(struct scsi_io *));
	if (!result)
		perform(f, io);
	io->done(io, result);
}

static int result_of(const struct fake_scsi *f, unsigned int i)
{
	return f->fail[f->pending[i]->op];
}

static void commit(struct scsi_engine *e)
{
	struct fake_scsi *f = container_of(e, struct fake_scsi, engine);

	f->commits++;
	while (!f->hold && f->n_pending)
		complete(f, 0, result_of(f, 0));
}

void fake_scsi_finish(struct fake_scsi *f, unsigned int i, int result)
{
	complete(f, i, result);
	if (f->batch_done)
		f->batch_done(f->arg);
}

void fake_scsi_finish_all(struct fake_scsi *f)
{
	while (f->n_pending)
		complete(f, 0, result_of(f, 0));
	if (f->batch_done)
		f->batch_done(f->arg);
}

static int attach(struct scsi_engine *e, struct loop *l,
		  void (*batch_done)(void *arg), void *arg)
{
	struct fake_scsi *f = container_of(e, struct fake_scsi, engine);

	(void)l;
	f->batch_done = batch_done;
	f->arg = arg;
	return 0;
}

static struct scsi_backend *backend(struct scsi_engine *e, unsigned int i)
{
	struct fake_scsi *f = container_of(e, struct fake_scsi, engine);

	assert(i < FAKE_SCSI_FILES);
	return &f->files[i].backend;
}

static void destroy(struct scsi_engine *e)
{
	struct fake_scsi *f = container_of(e, struct fake_scsi, engine);

	for (unsigned int i = 0; i < FAKE_SCSI_FILES; i++)
		free(f->data[i]);
	free(f);
}

static const struct scsi_engine_ops engine_ops = {
	.attach = attach,
	.backend = backend,
	.commit = commit,
	.destroy = destroy,
};

static const struct scsi_backend_ops backend_ops = {.submit = submit};

struct fake_scsi *fake_scsi_create(uint64_t bytes)
{
	struct fake_scsi *f = calloc(1, sizeof(*f));

	assert(f);
	f->engine.ops = &engine_ops;
	f->engine.kind = "fake";
	f->bytes = bytes;
	for (unsigned int i = 0; i < FAKE_SCSI_FILES; i++) {
		f->files[i] = (struct fake_scsi_file){{&backend_ops}, f};
		f->data[i] = calloc(1, bytes);
		assert(f->data[i]);
	}
	return f;
}

void fake_scsi_destroy(struct fake_scsi *f)
{
	destroy(&f->engine);
}

struct scsi_backend *fake_scsi_backend(struct fake_scsi *f, unsigned int i)
{
	return backend(&f->engine, i);
}
