/* tests/unit/test_scsi_file.c - which files can be disks. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "devices/virtio/scsi_file.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

struct fixture {
	char dir[64], path[80];
};

static int setup(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->dir, sizeof(f->dir), "%s/scsi_file.XXXXXX",
		 tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/disk", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int image(struct fixture *f, off_t size, int flags)
{
	int fd = open(f->path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	close(fd);
	return open(f->path, flags | O_CLOEXEC);
}

/* Refused as @want, with a message that names the file and says @text. */
static void refused(int fd, bool read_only, int want, const char *text)
{
	struct scsi_file file = {.fd = 4711};
	struct err e = {0};

	assert_true(fd >= 0);
	assert_int_equal(scsi_file_check(fd, "the-disk", read_only, &file, &e),
			 want);
	assert_int_equal(file.fd, 4711);
	assert_non_null(strstr(e.msg, "the-disk"));
	assert_non_null(strstr(e.msg, text));
	assert_int_equal(e.kind, ERR_INPUT);
	close(fd);
}

static void an_image_is_a_disk_of_its_size(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_closep) int fd = image(f, 1 << 20, O_RDWR);
	struct scsi_file file;
	uint64_t bytes;

	assert_int_equal(scsi_file_check(fd, "x", false, &file, NULL), 0);
	assert_int_equal(file.fd, fd);
	assert_int_equal(file.bytes, 1 << 20);
	assert_int_equal(file.block_size, 512);
	assert_true(file.phys_block_size >= 512);
	assert_true(file.discard_granularity >= 512);
	assert_int_equal(file.mem_align, 1);
	assert_int_equal(file.off_align, 1);
	assert_false(file.direct || file.block_dev || file.read_only);
	/* later, it may have any size */
	assert_int_equal(ftruncate(fd, (2 << 20) + 513), 0);
	assert_int_equal(scsi_file_size(&file, &bytes), 0);
	assert_int_equal(bytes, (2 << 20) + 512);
	file.fd = -1;
	assert_int_equal(scsi_file_size(&file, &bytes), -EBADF);
}

/* Who opens may have asked not to wait; the disk's I/O does. */
static void its_io_may_block(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_closep) int fd = image(f, 1 << 20, O_RDWR | O_NONBLOCK);
	struct scsi_file file;

	assert_int_equal(scsi_file_check(fd, "x", false, &file, NULL), 0);
	assert_int_equal(fcntl(fd, F_GETFL) & (O_NONBLOCK | O_ACCMODE), O_RDWR);
}

static void what_is_no_disk_is_refused(void **state)
{
	struct fixture *f = *state;
	int p[2];

	refused(open(f->dir, O_RDONLY | O_CLOEXEC), true, -EISDIR, "directory");
	refused(open("/dev/null", O_RDWR | O_CLOEXEC), false, -EINVAL,
		"neither");
	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	refused(p[1], false, -EINVAL, "neither");
	close(p[0]);
}

static void a_size_that_is_no_number_of_blocks_is_refused(void **state)
{
	struct fixture *f = *state;

	refused(image(f, 0, O_RDWR), false, -EINVAL, "0 bytes");
	refused(image(f, 511, O_RDWR), false, -EINVAL, "511 bytes");
	refused(image(f, 1025, O_RDWR), false, -EINVAL, "multiple of 512");
}

static void a_file_that_is_read_only_needs_ro(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_closep) int fd = -1;
	struct scsi_file file;

	refused(image(f, 512, O_RDONLY), false, -EROFS, ",ro");
	refused(image(f, 512, O_WRONLY), false, -EROFS, ",ro");
	fd = image(f, 512, O_RDONLY);
	assert_int_equal(scsi_file_check(fd, "x", true, &file, NULL), 0);
	assert_true(file.read_only);
}

static void a_writer_is_alone(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_closep) int fd = image(f, 512, O_RDWR);
	struct scsi_file file;

	assert_int_equal(scsi_file_check(fd, "x", false, &file, NULL), 0);
	refused(image(f, 512, O_RDWR), false, -EBUSY, "in use");
	refused(image(f, 512, O_RDONLY), true, -EBUSY, "for writing");
	/* the same open file again is no conflict: a restart does that */
	assert_int_equal(scsi_file_check(fd, "x", false, &file, NULL), 0);
}

static void readers_share(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_closep) int a = image(f, 512, O_RDONLY);
	AUTO(fd_closep) int b = open(f->path, O_RDWR | O_CLOEXEC);
	struct scsi_file file;

	assert_int_equal(scsi_file_check(a, "x", true, &file, NULL), 0);
	assert_int_equal(scsi_file_check(b, "x", true, &file, NULL), 0);
	refused(image(f, 512, O_RDWR), false, -EBUSY, "in use");
}

static void the_lock_goes_with_the_descriptor(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_closep) int dup = -1;
	int fd = image(f, 512, O_RDWR);
	struct scsi_file file;

	assert_int_equal(scsi_file_check(fd, "x", false, &file, NULL), 0);
	dup = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	close(fd);
	refused(image(f, 512, O_RDWR), false, -EBUSY, "in use");
	close(TAKE_FD(dup));
	dup = image(f, 512, O_RDWR);
	assert_int_equal(scsi_file_check(dup, "x", false, &file, NULL), 0);
}

static void *unlock_later(void *arg)
{
	int *fd = arg;

	usleep(60000);
	close(*fd);
	return NULL;
}

static void a_lock_that_ends_soon_is_waited_for(void **state)
{
	struct fixture *f = *state;
	int first = image(f, 512, O_RDWR);
	AUTO(fd_closep) int second = image(f, 512, O_RDWR);
	struct scsi_file file;
	pthread_t t;

	assert_int_equal(scsi_file_check(first, "x", false, &file, NULL), 0);
	assert_int_equal(pthread_create(&t, NULL, unlock_later, &first), 0);
	assert_int_equal(scsi_file_check(second, "x", false, &file, NULL), 0);
	pthread_join(t, NULL);
}

static void direct_io_has_an_alignment(void **state)
{
	struct fixture *f = *state;
	AUTO(fd_closep) int fd = image(f, 1 << 20, O_RDWR | O_DIRECT);
	struct scsi_file file;

	if (fd < 0)
		skip(); /* a file system without O_DIRECT */
	assert_int_equal(scsi_file_check(fd, "x", false, &file, NULL), 0);
	assert_true(file.direct);
	assert_in_range(file.mem_align, 2, 4096);
	assert_in_range(file.off_align, 512, 4096);
	assert_int_equal(file.bytes % file.off_align, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_image_is_a_disk_of_its_size),
		TEST(its_io_may_block),
		TEST(what_is_no_disk_is_refused),
		TEST(a_size_that_is_no_number_of_blocks_is_refused),
		TEST(a_file_that_is_read_only_needs_ro),
		TEST(a_writer_is_alone),
		TEST(readers_share),
		TEST(the_lock_goes_with_the_descriptor),
		TEST(a_lock_that_ends_soon_is_waited_for),
		TEST(direct_io_has_an_alignment),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
