/* tests/unit/test_image_file.c - windows of files. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "firmware/image_file.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/err.h"

static int open_as_initrd(int fd, struct image_file *ret, struct err *err)
{
	return image_file_open(fd, "initrd", "some/file", ret, err);
}

static void a_regular_file_is_one_window(void **state)
{
	AUTO(fd_closep) int fd = fake_file("abcdef", 6);
	struct image_file f;
	char buf[6];

	(void)state;
	assert_int_equal(open_as_initrd(fd, &f, NULL), 0);
	assert_int_equal(f.off, 0);
	assert_int_equal(f.len, 6);
	assert_int_equal(image_file_read(&f, 0, buf, 6, NULL), 0);
	assert_memory_equal(buf, "abcdef", 6);
}

static void reading_stays_inside_the_window(void **state)
{
	AUTO(fd_closep) int fd = fake_file("abcdef", 6);
	struct image_file f = {.fd = fd, .name = "f", .off = 2, .len = 3};
	struct err err = {0};
	char buf[4] = "";

	(void)state;
	assert_int_equal(image_file_read(&f, 1, buf, 2, &err), 0);
	assert_string_equal(buf, "de");
	assert_int_equal(image_file_read(&f, 1, buf, 3, &err), -ENODATA);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(image_file_read(&f, 4, buf, 0, &err), -ENODATA);
	assert_int_equal(image_file_read(&f, UINT64_MAX, buf, 1, &err),
			 -ENODATA);
}

static void a_file_that_shrinks_is_noticed(void **state)
{
	AUTO(fd_closep) int fd = fake_file("abcdef", 6);
	struct err err = {0};
	struct image_file f;
	char buf[6];

	(void)state;
	assert_int_equal(open_as_initrd(fd, &f, NULL), 0);
	assert_int_equal(ftruncate(fd, 4), 0);
	assert_int_equal(image_file_read(&f, 0, buf, 6, &err), -ENODATA);
	assert_non_null(strstr(err.msg, "became shorter"));
}

static void an_unreadable_descriptor_gives_its_errno(void **state)
{
	AUTO(fd_closep) int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);
	struct image_file f;
	struct err err = {0};
	char c;

	(void)state;
	assert_int_equal(open_as_initrd(fd, &f, NULL), 0);
	assert_int_equal(image_file_read(&f, 0, &c, 1, &err), -EBADF);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(open_as_initrd(-1, &f, &err), -EBADF);
	assert_non_null(strstr(err.msg, "initrd 'some/file'"));
}

static void a_directory_is_refused(void **state)
{
	AUTO(fd_closep) int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct image_file f;
	struct err err = {0};

	(void)state;
	assert_int_equal(open_as_initrd(fd, &f, &err), -EISDIR);
	assert_string_equal(err.msg, "initrd 'some/file' is a directory");
	assert_int_equal(err.kind, ERR_INPUT);
}

static void devices_and_pipes_are_refused(void **state)
{
	AUTO(fd_closep) int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	AUTO(fd_closep) int in = -1;
	struct image_file f;
	struct err err = {0};
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	in = fds[0];
	close(fds[1]);
	assert_int_equal(open_as_initrd(null_fd, &f, &err), -EINVAL);
	assert_int_equal(open_as_initrd(in, &f, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_INPUT);
}

static void an_empty_file_is_refused(void **state)
{
	AUTO(fd_closep) int fd = fake_file("", 0);
	struct image_file f;
	struct err err = {0};

	(void)state;
	assert_int_equal(open_as_initrd(fd, &f, &err), -ENODATA);
	assert_string_equal(err.msg, "initrd 'some/file' is empty");
	assert_int_equal(err.kind, ERR_INPUT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_regular_file_is_one_window),
		cmocka_unit_test(reading_stays_inside_the_window),
		cmocka_unit_test(a_file_that_shrinks_is_noticed),
		cmocka_unit_test(an_unreadable_descriptor_gives_its_errno),
		cmocka_unit_test(a_directory_is_refused),
		cmocka_unit_test(devices_and_pipes_are_refused),
		cmocka_unit_test(an_empty_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
