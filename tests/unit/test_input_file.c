/* tests/unit/test_input_file.c - files that are not what an option needs. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/input_file.h"

struct fixture {
	char dir[32];
	char path[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/x", f->dir);
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

static void make(const char *path, const char *text, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void refused(const char *path, int code, enum err_kind kind,
		    const char *says)
{
	struct input_file f = {.fd = -1, .size = 7};
	struct err err = {0};

	assert_int_equal(input_file_open(&f, "kernel", path, &err), code);
	assert_int_equal(err.kind, kind);
	assert_non_null(strstr(err.msg, "kernel"));
	assert_non_null(strstr(err.msg, says));
	assert_int_equal(f.fd, -1);
	assert_int_equal(f.size, 7);
}

static void a_regular_file_opens_with_its_size(void **state)
{
	struct fixture *x = *state;
	struct input_file f = {.fd = -1};
	char buf[8];

	make(x->path, "hello", 0600);
	assert_int_equal(input_file_open(&f, "kernel", x->path, NULL), 0);
	assert_int_equal(f.size, 5);
	assert_int_equal(read(f.fd, buf, sizeof(buf)), 5);
	assert_true(fcntl(f.fd, F_GETFD) & FD_CLOEXEC);
	input_file_close(&f);
	assert_int_equal(f.fd, -1);
	input_file_close(&f);
}

static void a_missing_file_is_named(void **state)
{
	refused(((struct fixture *)*state)->path, -ENOENT, ERR_INPUT,
		"does not exist");
}

static void an_empty_path_is_refused(void **state)
{
	(void)state;
	refused("", -EINVAL, ERR_INPUT, "path is empty");
}

static void an_empty_file_is_refused(void **state)
{
	struct fixture *x = *state;

	make(x->path, "", 0600);
	refused(x->path, -ENODATA, ERR_INPUT, "is empty");
}

static void a_directory_is_refused(void **state)
{
	refused(((struct fixture *)*state)->dir, -EISDIR, ERR_INPUT,
		"is a directory");
}

static void a_file_as_directory_is_refused(void **state)
{
	(void)state;
	refused("/dev/null/vmlinuz", -ENOTDIR, ERR_INPUT, "Not a directory");
}

static void a_device_is_refused(void **state)
{
	(void)state;
	refused("/dev/zero", -EINVAL, ERR_INPUT, "not a regular file");
}

static void a_pipe_is_refused_without_waiting_for_its_writer(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(mkfifo(x->path, 0600), 0);
	refused(x->path, -EINVAL, ERR_INPUT, "not a regular file");
}

static void an_unreadable_file_is_a_matter_of_permission(void **state)
{
	struct fixture *x = *state;
	uid_t me = geteuid();

	make(x->path, "hello", 0);
	/* To root every file is readable: become somebody else meanwhile. */
	if (!me) {
		assert_int_equal(chmod(x->dir, 0755), 0);
		assert_int_equal(seteuid(65534), 0);
	}
	refused(x->path, -EACCES, ERR_PERM, "no permission");
	if (!me)
		assert_int_equal(seteuid(0), 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_regular_file_opens_with_its_size),
		CASE(a_missing_file_is_named),
		CASE(an_empty_path_is_refused),
		CASE(an_empty_file_is_refused),
		CASE(a_directory_is_refused),
		CASE(a_file_as_directory_is_refused),
		CASE(a_device_is_refused),
		CASE(a_pipe_is_refused_without_waiting_for_its_writer),
		CASE(an_unreadable_file_is_a_matter_of_permission),
	};

	return cmocka_run_group_tests_name("input_file", tests, NULL, NULL);
}
