/* tests/unit/test_scsi_engine.c - both engines on real files. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

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

static void batch_done(void *arg)
{
	((struct fixture *)arg)->batches++;
}

/* Files without a name, so that nothing is left behind. */
static void open_files(struct fixture *f, int flags)
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

static int build(void **state, enum scsi_engine_kind kind, int flags)
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

static int teardown(void **state)
{
	struct fixture *f = *state;

	scsi_engine_destroy(f->e);
	loop_destroy(f->loop);
	for (unsigned int i = 0; i < FILES; i++)
		close(f->files[i].fd);
	free(f);
	return 0;
}

/* cmocka cannot skip in a setup function: each case builds its own. */
#define BOTH(body)                                                             \
	static void body##_uring(void **state)                                 \
	{                                                                      \
		build(state, SCSI_ENGINE_URING, 0);                            \
		body(*state);                                                  \
		teardown(state);                                               \
	}                                                                      \
	static void body##_threads(void **state)                               \
	{                                                                      \
		build(state, SCSI_ENGINE_THREADS, 0);                          \
		body(*state);                                                  \
		teardown(state);                                               \
	}

static void on_done(struct scsi_io *io, int result)
{
	struct request *r = container_of(io, struct request, io);

	r->done++;
	r->result = result;
}

static void submit(struct fixture *f, unsigned int file, struct request *r,
		   enum scsi_io_op op, uint64_t off, void *p, size_t len)
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

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Commit, and wait for all of them. */
static void finish(struct fixture *f, struct request *r, unsigned int n)
{
	uint64_t end = now_ms() + WAIT_MS;

	f->e->ops->commit(f->e);
	for (unsigned int i = 0; i < n; i++) {
		while (!r[i].done && now_ms() < end)
			loop_step(f->loop, 100);
		assert_int_equal(r[i].done, 1);
	}
}

static int one(struct fixture *f, unsigned int file, enum scsi_io_op op,
	       uint64_t off, void *p, size_t len)
{
	struct request r;

	submit(f, file, &r, op, off, p, len);
	finish(f, &r, 1);
	return r.result;
}

static void fill(uint8_t *p, size_t n, unsigned int seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 13 + i / BS * 5 + seed);
}

/* --- both ----------------------------------------------------------------- */

static void data_goes_to_its_file_and_comes_back(struct fixture *f)
{
	static uint8_t in[FILES][8 * BS], out[FILES][8 * BS];
	struct request r[FILES];

	for (unsigned int i = 0; i < FILES; i++) {
		fill(out[i], sizeof(out[i]), i);
		submit(f, i, &r[i], SCSI_IO_WRITE, 3 * BS * i, out[i],
		       sizeof(out[i]));
		r[i].io.fua = i == 1;
	}
	finish(f, r, FILES);
	for (unsigned int i = 0; i < FILES; i++) {
		assert_int_equal(r[i].result, 0);
		assert_int_equal(
			pread(f->files[i].fd, in[i], sizeof(in[i]), 3 * BS * i),
			sizeof(in[i]));
		assert_memory_equal(in[i], out[i], sizeof(in[i]));
		memset(in[i], 0, sizeof(in[i]));
		submit(f, i, &r[i], SCSI_IO_READ, 3 * BS * i, in[i],
		       sizeof(in[i]));
	}
	finish(f, r, FILES);
	for (unsigned int i = 0; i < FILES; i++)
		assert_memory_equal(in[i], out[i], sizeof(in[i]));
}
BOTH(data_goes_to_its_file_and_comes_back)

static void flush_discard_and_zero_work(struct fixture *f)
{
	static uint8_t b[64 * BS], zero[64 * BS];
	int r;

	memset(b, 0xff, sizeof(b));
	assert_int_equal(one(f, 0, SCSI_IO_WRITE, 0, b, sizeof(b)), 0);
	assert_int_equal(one(f, 0, SCSI_IO_FLUSH, 0, NULL, 0), 0);
	r = one(f, 0, SCSI_IO_DISCARD, BS, NULL, 16 * BS);
	assert_true(!r || r == -EOPNOTSUPP);
	assert_int_equal(pread(f->files[0].fd, b, sizeof(b), 0), sizeof(b));
	assert_int_equal(b[BS - 1], 0xff);
	assert_int_equal(b[17 * BS], 0xff);
	if (!r)
		assert_memory_equal(b + BS, zero, 16 * BS);
	r = one(f, 0, SCSI_IO_ZERO, 32 * BS, NULL, BS);
	assert_true(!r || r == -EOPNOTSUPP); /* tmpfs cannot */
	assert_int_equal(pread(f->files[0].fd, b, sizeof(b), 0), sizeof(b));
	assert_int_equal(b[33 * BS], 0xff);
	if (!r)
		assert_memory_equal(b + 32 * BS, zero, BS);
	/* the size is as it was */
	assert_int_equal(one(f, 0, SCSI_IO_READ, BYTES - BS, b, BS), 0);
}
BOTH(flush_discard_and_zero_work)

enum { MANY = 1000 };

static void any_number_of_requests_may_be_submitted(struct fixture *f)
{
	static struct request r[MANY];
	static uint8_t b[MANY][BS];

	for (unsigned int i = 0; i < MANY; i++) {
		fill(b[i], BS, i);
		submit(f, i % FILES, &r[i], SCSI_IO_WRITE, i / FILES * BS, b[i],
		       BS);
	}
	finish(f, r, MANY);
	for (unsigned int i = 0; i < MANY; i++)
		submit(f, i % FILES, &r[i],
		       i % 10 ? SCSI_IO_READ : SCSI_IO_FLUSH, i / FILES * BS,
		       memset(b[i], 0, BS), BS);
	finish(f, r, MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		uint8_t want[BS];

		assert_int_equal(r[i].result, 0);
		fill(want, BS, i);
		if (i % 10)
			assert_memory_equal(b[i], want, BS);
	}
}
BOTH(any_number_of_requests_may_be_submitted)

static void a_file_that_became_shorter_is_an_io_error(struct fixture *f)
{
	uint8_t b[4 * BS];

	assert_int_equal(ftruncate(f->files[0].fd, 10 * BS), 0);
	assert_int_equal(one(f, 0, SCSI_IO_READ, 8 * BS, b, 4 * BS), -EIO);
	assert_int_equal(one(f, 0, SCSI_IO_READ, 20 * BS, b, BS), -EIO);
	assert_int_equal(one(f, 0, SCSI_IO_READ, 6 * BS, b, 4 * BS), 0);
}
BOTH(a_file_that_became_shorter_is_an_io_error)

/* A limit on the size cuts a write short: the rest is tried, and refused. */
static void a_short_transfer_is_continued(struct fixture *f)
{
	struct rlimit old, limit;
	uint8_t b[8 * BS], in[4 * BS];
	int r;

	fill(b, sizeof(b), 1);
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	limit = (struct rlimit){BYTES - 3 * BS, old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	r = one(f, 0, SCSI_IO_WRITE, BYTES - 7 * BS, b, sizeof(b));
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(r, -EFBIG);
	assert_int_equal(pread(f->files[0].fd, in, sizeof(in), BYTES - 7 * BS),
			 sizeof(in));
	assert_memory_equal(in, b, sizeof(in));
}
BOTH(a_short_transfer_is_continued)

static void an_error_is_for_its_request_alone(struct fixture *f)
{
	uint8_t b[2][BS];
	struct request r[3];

	submit(f, 0, &r[0], SCSI_IO_READ, 0, b[0], BS);
	submit(f, 0, &r[1], SCSI_IO_READ, UINT64_C(1) << 63, b[0], BS);
	submit(f, 0, &r[2], SCSI_IO_READ, 0, b[1], BS);
	finish(f, r, 3);
	assert_int_equal(r[0].result, 0);
	assert_true(r[1].result < 0);
	assert_int_equal(r[2].result, 0);
}
BOTH(an_error_is_for_its_request_alone)

/* done() may submit the next step; it starts without another commit(). */
struct chain {
	struct request r;
	struct fixture *f;
	unsigned int left;
	uint8_t b[BS];
};

static void chain_next(struct scsi_io *io, int result)
{
	struct chain *c = container_of(io, struct chain, r.io);

	assert_int_equal(result, 0);
	if (!--c->left)
		return;
	submit(c->f, 0, &c->r, c->left % 3 ? SCSI_IO_WRITE : SCSI_IO_FLUSH,
	       c->left * BS, c->b, BS);
	c->r.io.done = chain_next;
}

static void a_completion_may_submit(struct fixture *f)
{
	struct chain c = {.f = f, .left = 50};
	uint64_t end = now_ms() + WAIT_MS;

	submit(f, 0, &c.r, SCSI_IO_READ, 0, c.b, BS);
	c.r.io.done = chain_next;
	f->e->ops->commit(f->e);
	while (c.left && now_ms() < end)
		loop_step(f->loop, 100);
	assert_int_equal(c.left, 0);
}
BOTH(a_completion_may_submit)

static void it_may_end_with_requests_in_flight(struct fixture *f)
{
	static struct request r[128];
	static uint8_t b[128][BS];

	for (unsigned int i = 0; i < 64; i++)
		submit(f, i % FILES, &r[i],
		       i % 2 ? SCSI_IO_READ : SCSI_IO_FLUSH, 0, b[i], BS);
	f->e->ops->commit(f->e);
	for (unsigned int i = 64; i < 128; i++) /* these are not committed */
		submit(f, i % FILES, &r[i], SCSI_IO_WRITE, 0, b[i], BS);
}
BOTH(it_may_end_with_requests_in_flight)

static void direct_io_takes_any_address(void **state)
{
	static const enum scsi_engine_kind kinds[] = {SCSI_ENGINE_AUTO,
						      SCSI_ENGINE_THREADS};
	static uint8_t out[300 * BS + 1], in[300 * BS + 1];

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		struct fixture *f;

		build(state, kinds[i], O_DIRECT);
		f = *state;
		assert_true(f->files[0].direct);
		fill(out + 1, 300 * BS, 4);
		assert_int_equal(
			one(f, 0, SCSI_IO_WRITE, 3 * BS, out + 1, 300 * BS), 0);
		assert_int_equal(
			one(f, 0, SCSI_IO_READ, 3 * BS, in + 1, 300 * BS), 0);
		assert_memory_equal(in + 1, out + 1, 300 * BS);
		teardown(state);
	}
}

/* --- io_uring ------------------------------------------------------------- */

/* The descriptor of the only ring of this process. */
static int ring_fd(void)
{
	DIR *d = opendir("/proc/self/fd");
	struct dirent *de;
	int fd = -1;

	assert_non_null(d);
	while ((de = readdir(d))) {
		char path[300], to[64] = "";

		snprintf(path, sizeof(path), "/proc/self/fd/%s", de->d_name);
		if (readlink(path, to, sizeof(to) - 1) > 0 &&
		    !strcmp(to, "anon_inode:[io_uring]"))
			fd = (int)strtol(de->d_name, NULL, 10);
	}
	closedir(d);
	return fd;
}

/* A second mapping of that ring, as an intruder would make it. */
static void intrude(int fd, struct io_uring *ring)
{
	struct io_uring_params p = {
		.flags = IORING_SETUP_R_DISABLED | IORING_SETUP_SUBMIT_ALL |
			 IORING_SETUP_COOP_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
	};
	struct io_uring other;

	/* one of the same shape tells where things are in the mapping */
	assert_int_equal(
		io_uring_queue_init_params(SCSI_URING_DEPTH, &other, &p), 0);
	io_uring_queue_exit(&other);
	assert_int_equal(io_uring_queue_mmap(fd, &p, ring), 0);
	ring->int_flags = 0;
	ring->ring_fd = ring->enter_ring_fd = fd;
}

static int run_sqe(struct io_uring *ring)
{
	struct io_uring_cqe *cqe;
	int r;

	assert_int_equal(io_uring_submit(ring), 1);
	assert_int_equal(io_uring_wait_cqe(ring, &cqe), 0);
	r = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return r;
}

static void the_ring_does_nothing_else(void **state)
{
	struct io_uring_sqe *sqe;
	struct io_uring ring;
	int fd, fds[1];
	uint8_t b[BS];

	build(state, SCSI_ENGINE_URING, 0);
	fd = ring_fd();
	assert_true(fd >= 0);
	intrude(fd, &ring);
	/* the intrusion works: a permitted operation does its work */
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_fsync(sqe, 0, 0);
	sqe->flags = IOSQE_FIXED_FILE;
	assert_int_equal(run_sqe(&ring), 0);
	/* no other operation */
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_openat(sqe, AT_FDCWD, "/dev/null", O_RDONLY, 0);
	sqe->flags = IOSQE_FIXED_FILE;
	assert_int_equal(run_sqe(&ring), -EACCES);
	io_uring_prep_socket(io_uring_get_sqe(&ring), 1, 1, 0, 0);
	assert_int_equal(run_sqe(&ring), -EACCES);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_read(sqe, 0, b, BS, 0);
	sqe->flags = IOSQE_FIXED_FILE;
	assert_int_equal(run_sqe(&ring), -EACCES);
	/* no other file, no other flag */
	io_uring_prep_fsync(io_uring_get_sqe(&ring), fd, 0);
	assert_int_equal(run_sqe(&ring), -EACCES);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_fsync(sqe, 0, 0);
	sqe->flags = IOSQE_FIXED_FILE | IOSQE_IO_DRAIN;
	assert_int_equal(run_sqe(&ring), -EACCES);
	sqe = io_uring_get_sqe(&ring);
	io_uring_prep_fsync(sqe, FILES, 0);
	sqe->flags = IOSQE_FIXED_FILE;
	assert_int_equal(run_sqe(&ring), -EBADF);
	/* and no registering either */
	fds[0] = 0;
	assert_int_equal(io_uring_register_files(&ring, fds, 1), -EACCES);
	assert_int_equal(io_uring_unregister_files(&ring), -EACCES);
	teardown(state);
}

static unsigned int kernel_workers(void)
{
	DIR *d = opendir("/proc/self/task");
	unsigned int n = 0;
	struct dirent *de;

	assert_non_null(d);
	while ((de = readdir(d))) {
		char path[300], name[32] = "";
		FILE *c;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm",
			 de->d_name);
		c = fopen(path, "r");
		if (!c)
			continue;
		n += fgets(name, sizeof(name), c) &&
		     !strncmp(name, "iou-wrk", 7);
		fclose(c);
	}
	closedir(d);
	return n;
}

static void the_kernel_makes_few_workers(void **state)
{
	static struct request r[200];
	static uint8_t b[200][BS];
	struct fixture *f;

	build(state, SCSI_ENGINE_URING, 0);
	f = *state;
	for (unsigned int i = 0; i < 200; i++) {
		enum scsi_io_op op = i % 2 ? SCSI_IO_WRITE : SCSI_IO_FLUSH;

		submit(f, i % FILES, &r[i], op, i * BS, b[i], BS);
		r[i].io.fua = true;
	}
	f->e->ops->commit(f->e);
	assert_in_range(kernel_workers(), 0, SCSI_URING_WORKERS + 1);
	finish(f, r, 200);
	teardown(state);
}

/* From here on io_uring_setup(2) fails, as in many containers. */
static void refuse_io_uring(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {ARRAY_SIZE(code), code};

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
}

/* In a child, for there is no way back. 0: all is as it should be. */
static int without_io_uring(struct fixture *f)
{
	struct scsi_engine *e = NULL;
	struct err err = {0};
	int r;

	refuse_io_uring();
	r = scsi_engine_create(f->files, FILES, SCSI_ENGINE_URING, &e, &err);
	if (r != -EPERM || e || !strstr(err.msg, "io_uring"))
		return 1;
	r = scsi_engine_create(f->files, FILES, SCSI_ENGINE_AUTO, &e, &err);
	if (r || strcmp(e->kind, "threads") != 0)
		return 2;
	scsi_engine_destroy(e);
	return 0;
}

static void threads_do_where_io_uring_is_refused(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int status = -1;
	pid_t pid;

	assert_non_null(f);
	*state = f;
	open_files(f, 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		_exit(without_io_uring(f));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	teardown(state);
}

static void the_engine_says_what_it_is(void **state)
{
	build(state, SCSI_ENGINE_URING, 0);
	assert_string_equal(((struct fixture *)*state)->e->kind, "io_uring");
	teardown(state);
}

#define TEST_BOTH(fn)                                                          \
	cmocka_unit_test(fn##_uring), cmocka_unit_test(fn##_threads)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_BOTH(data_goes_to_its_file_and_comes_back),
		TEST_BOTH(flush_discard_and_zero_work),
		TEST_BOTH(any_number_of_requests_may_be_submitted),
		TEST_BOTH(a_file_that_became_shorter_is_an_io_error),
		TEST_BOTH(a_short_transfer_is_continued),
		TEST_BOTH(an_error_is_for_its_request_alone),
		TEST_BOTH(a_completion_may_submit),
		TEST_BOTH(it_may_end_with_requests_in_flight),
		cmocka_unit_test(direct_io_takes_any_address),
		cmocka_unit_test(the_ring_does_nothing_else),
		cmocka_unit_test(the_kernel_makes_few_workers),
		cmocka_unit_test(threads_do_where_io_uring_is_refused),
		cmocka_unit_test(the_engine_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
