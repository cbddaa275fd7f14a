/*
 * tests/unit/scsi_engine_fixture.h - an engine over real files, and requests
 * that are waited for, for test_scsi_engine.c and test_scsi_engine_limits.c.
 */
#ifndef TESTS_UNIT_SCSI_ENGINE_FIXTURE_H
#define TESTS_UNIT_SCSI_ENGINE_FIXTURE_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_file.h"
#include "devices/virtio/scsi_uring.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"

enum { FILES = 3, WAIT_MS = 20000 };
#define BS UINT64_C(512)
#define BYTES UINT64_C(0x100000)

struct fixture {
	struct scsi_file files[FILES];
	struct loop *loop;
	struct scsi_engine *e;
	unsigned int batches;
};

struct request {
	struct scsi_io io;
	struct iovec iov[2];
	unsigned int done;
	int result;
};

static inline void batch_done(void *arg)
{
	((struct fixture *)arg)->batches++;
}

/* Files without a name, so that nothing is left behind. */
static inline void open_files(struct fixture *f, int flags)
{
	const char *tmp = getenv("TMPDIR");

	for (unsigned int i = 0; i < FILES; i++) {
		int fd = open(tmp ? tmp : "/tmp",
			      O_TMPFILE | O_RDWR | O_CLOEXEC | flags, 0600);

		if (fd < 0 && flags) /* a file system without O_DIRECT */
			skip();
		assert_true(fd >= 0);
		assert_int_equal(ftruncate(fd, BYTES), 0);
		assert_int_equal(
			scsi_file_check(fd, "file", false, &f->files[i], NULL),
			0);
	}
}

static inline int build(void **state, enum scsi_engine_kind kind, int flags)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct err e = {0};
	int r;

	assert_non_null(f);
	*state = f;
	open_files(f, flags);
	assert_int_equal(loop_create(&f->loop, NULL), 0);
	r = scsi_engine_create(f->files, FILES, kind, &f->e, &e);
	if (kind == SCSI_ENGINE_URING && r < 0) {
		print_message("io_uring: %s\n", e.msg);
		skip();
	}
	assert_int_equal(r, 0);
	assert_int_equal(f->e->ops->attach(f->e, f->loop, batch_done, f), 0);
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	scsi_engine_destroy(f->e);
	loop_destroy(f->loop);
	for (unsigned int i = 0; i < FILES; i++)
		close(f->files[i].fd);
	free(f);
	return 0;
}

static inline void on_done(struct scsi_io *io, int result)
{
	struct request *r = container_of(io, struct request, io);

	r->done++;
	r->result = result;
}

static inline void submit(struct fixture *f, unsigned int file,
			  struct request *r, enum scsi_io_op op, uint64_t off,
			  void *p, size_t len)
{
	struct scsi_backend *b = f->e->ops->backend(f->e, file);

	memset(r, 0, sizeof(*r));
	r->iov[0] = (struct iovec){p, len / 2};
	r->iov[1] = (struct iovec){p ? (char *)p + len / 2 : p, len - len / 2};
	r->io.op = op;
	r->io.off = off;
	r->io.len = len;
	r->io.iov = r->iov;
	r->io.n_iov = 2;
	r->io.done = on_done;
	b->ops->submit(b, &r->io);
}

static inline uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static inline unsigned int n_done(const struct request *r, unsigned int n)
{
	unsigned int done = 0;

	for (unsigned int i = 0; i < n; i++)
		done += r[i].done;
	return done;
}

/*
 * Commit, and wait for all of them. What is delivered later, from the loop,
 * ends with a call of batch_done().
 */
static inline void finish(struct fixture *f, struct request *r, unsigned int n)
{
	uint64_t end = now_ms() + WAIT_MS;
	unsigned int batches;
	bool later;

	f->e->ops->commit(f->e);
	later = n_done(r, n) < n;
	batches = f->batches;
	for (unsigned int i = 0; i < n; i++) {
		while (!r[i].done && now_ms() < end)
			loop_step(f->loop, 100);
		assert_int_equal(r[i].done, 1);
	}
	if (later)
		assert_true(f->batches > batches);
}

static inline int one(struct fixture *f, unsigned int file, enum scsi_io_op op,
		      uint64_t off, void *p, size_t len)
{
	struct request r;

	submit(f, file, &r, op, off, p, len);
	finish(f, &r, 1);
	return r.result;
}

static inline void fill(uint8_t *p, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 13 + i / BS * 5 + seed);
}

#endif
