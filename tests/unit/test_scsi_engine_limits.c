/* tests/unit/test_scsi_engine_limits.c - what an engine does not do, and where
 * there is no io_uring. */
#include "tests/unit/scsi_engine_fixture.h"

#include <dirent.h>
#include <liburing.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_ring_does_nothing_else),
		cmocka_unit_test(the_kernel_makes_few_workers),
		cmocka_unit_test(threads_do_where_io_uring_is_refused),
		cmocka_unit_test(the_engine_says_what_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
