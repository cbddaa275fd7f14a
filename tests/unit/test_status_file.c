/* tests/unit/test_status_file.c - what is written, and how safely. */
#include "tests/unit/unit.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/status_file.h"
#include "vmm/version.h"

struct fixture {
	char dir[32];
	char path[64];
	char link[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-test-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/status", f->dir);
	snprintf(f->link, sizeof(f->link), "%s/link", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	unlink(f->link);
	/* fails, and so does the test, when a temporary file is left */
	assert_int_equal(rmdir(f->dir), 0);
	free(f);
	return 0;
}

static const struct run_result debug_exit = {
	.how = RUN_DEBUG_EXIT, .value = 4660, .why = "the guest wrote 4660"};

static void the_file_says_how_and_why(void **state)
{
	struct fixture *f = *state;
	const char *how, *why, *version;
	json_int_t value;
	int status;
	json_t *j;

	assert_int_equal(status_file_write(f->path, &debug_exit, 63, NULL), 0);
	j = json_load_file(f->path, 0, NULL);
	assert_non_null(j);
	assert_int_equal(json_object_size(j), 5);
	assert_int_equal(json_unpack(j, "{s:s, s:s, s:I, s:i, s:s}", "how",
				     &how, "why", &why, "value", &value,
				     "exit_status", &status, "coffer_version",
				     &version),
			 0);
	assert_string_equal(how, "debug-exit");
	assert_string_equal(why, "the guest wrote 4660");
	assert_int_equal(value, 4660);
	assert_int_equal(status, 63);
	assert_string_equal(version, coffer_version());
	json_decref(j);
}

static void what_protected_a_guest_that_ran_is_said(void **state)
{
	struct run_result res = {.how = RUN_POWEROFF, .protection = "a safe"};
	struct fixture *f = *state;
	json_t *j;

	assert_int_equal(status_file_write(f->path, &res, 0, NULL), 0);
	j = json_load_file(f->path, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "protection")),
			    "a safe");
	json_decref(j);
}

static void a_message_that_is_not_utf8_is_still_json(void **state)
{
	struct run_result res = {.how = RUN_ERROR, .why = "kernel 'a\xff\"'"};
	struct fixture *f = *state;
	json_t *j;

	assert_int_equal(status_file_write(f->path, &res, 66, NULL), 0);
	j = json_load_file(f->path, 0, NULL);
	assert_non_null(j);
	assert_string_equal(json_string_value(json_object_get(j, "why")),
			    "kernel 'a?\"'");
	json_decref(j);
}

static void an_old_file_is_replaced_and_not_rewritten(void **state)
{
	struct fixture *f = *state;
	char buf[4] = "";
	int fd = open(f->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(write(fd, "old", 3), 3);
	assert_int_equal(status_file_write(f->path, &debug_exit, 63, NULL), 0);
	/* who has the old one open keeps the old one */
	assert_int_equal(pread(fd, buf, 4, 0), 3);
	assert_string_equal(buf, "old");
	close(fd);
}

static void a_symbolic_link_stays_one(void **state)
{
	struct fixture *f = *state;
	struct stat st;

	close(open(f->path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	assert_int_equal(symlink(f->path, f->link), 0);
	assert_int_equal(status_file_write(f->link, &debug_exit, 63, NULL), 0);
	assert_int_equal(lstat(f->link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(st.st_size > 0);
}

static void a_pipe_is_written_to_and_stays(void **state)
{
	struct fixture *f = *state;
	char buf[512];
	struct stat st;
	int fd;

	assert_int_equal(mkfifo(f->path, 0600), 0);
	fd = open(f->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	assert_int_equal(status_file_check(f->path, NULL), 0);
	assert_int_equal(status_file_write(f->path, &debug_exit, 63, NULL), 0);
	assert_true(read(fd, buf, sizeof(buf)) > 0);
	assert_int_equal(buf[0], '{');
	assert_int_equal(stat(f->path, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));
	close(fd);
}

static void places_that_cannot_be_written_are_found_before(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(status_file_check(f->path, &err), 0);
	assert_int_equal(status_file_check("/dev/null", &err), 0);
	assert_int_equal(status_file_check(f->dir, &err), -EISDIR);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(status_file_check("/nonexistent/x", &err), -ENOENT);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(status_file_check("/dev/null/x", &err), -ENOTDIR);
	assert_non_null(strstr(err.msg, "--status-file: "));
	assert_int_equal(access(f->path, F_OK), -1);
}

static void a_directory_without_permission_is_found_before(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	uid_t me = getuid();

	/* access() asks for the real user, and root may write anywhere */
	assert_int_equal(chmod(f->dir, 0500), 0);
	if (!me)
		assert_int_equal(setreuid(65534, 0), 0);
	assert_int_equal(status_file_check(f->path, &err), -EACCES);
	if (!me)
		assert_int_equal(setreuid(0, 0), 0);
	assert_int_equal(err.kind, ERR_PERM);
	assert_int_equal(chmod(f->dir, 0700), 0);
}

static void a_failed_write_leaves_nothing_behind(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, small;
	struct err err = {0};

	/* as on a full disk: no file grows beyond eight bytes */
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	small = (struct rlimit){.rlim_cur = 8, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	assert_int_equal(status_file_write(f->path, &debug_exit, 63, &err),
			 -EFBIG);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(err.kind, ERR_HOST);
	assert_int_equal(access(f->path, F_OK), -1);
}

static void a_directory_is_not_replaced(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(mkdir(f->path, 0700), 0);
	assert_true(status_file_write(f->path, &debug_exit, 63, &err) < 0);
	assert_int_equal(err.kind, ERR_HOST);
	assert_int_equal(rmdir(f->path), 0);
	assert_true(status_file_write("/nonexistent/x", &debug_exit, 63, &err) <
		    0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_file_says_how_and_why),
		CASE(what_protected_a_guest_that_ran_is_said),
		CASE(a_message_that_is_not_utf8_is_still_json),
		CASE(an_old_file_is_replaced_and_not_rewritten),
		CASE(a_symbolic_link_stays_one),
		CASE(a_pipe_is_written_to_and_stays),
		CASE(places_that_cannot_be_written_are_found_before),
		CASE(a_directory_without_permission_is_found_before),
		CASE(a_failed_write_leaves_nothing_behind),
		CASE(a_directory_is_not_replaced),
	};

	return cmocka_run_group_tests_name("status_file", tests, NULL, NULL);
}
