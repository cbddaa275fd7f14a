/* tests/unit/test_unix_listen.c - sockets that are new, stale, or taken. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/unix_listen.h"

struct fixture {
	char dir[64];
	char path[96];
	struct err err;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){.dir = "/tmp/unix_listen.XXXXXX"};
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.path, sizeof(f.path), "%s/sock", f.dir);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0);
	return 0;
}

static int reach(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO(fd_closep) int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	assert_true(fd >= 0);
	strcpy(a.sun_path, path);
	return connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
}

static void a_new_socket_is_for_its_user_alone(void **state)
{
	struct fixture *f = *state;
	mode_t mask = umask(022);
	int fd = unix_listen(f->path, 4, "--x", &f->err);
	struct stat st;

	assert_true(fd >= 0);
	assert_int_equal(lstat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(umask(mask), 022); /* as it was */
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(reach(f->path), 0);
	close(fd);
}

static void a_socket_nobody_listens_on_is_replaced(void **state)
{
	struct fixture *f = *state;
	int fd = unix_listen(f->path, 4, "--x", &f->err);

	close(fd); /* as a killed process leaves it */
	assert_int_equal(reach(f->path), -ECONNREFUSED);
	fd = unix_listen(f->path, 4, "--x", &f->err);
	assert_true(fd >= 0);
	assert_int_equal(reach(f->path), 0);
	close(fd);
}

static void a_socket_in_use_is_left_alone(void **state)
{
	struct fixture *f = *state;
	int fd = unix_listen(f->path, 4, "--x", &f->err);

	assert_int_equal(unix_listen(f->path, 4, "--x", &f->err), -EADDRINUSE);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, f->path));
	assert_non_null(strstr(f->err.msg, "--x"));
	assert_non_null(strstr(f->err.msg, "in use"));
	assert_int_equal(reach(f->path), 0);
	close(fd);
}

static void a_file_is_left_alone(void **state)
{
	struct fixture *f = *state;
	int fd = open(f->path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	struct stat st;

	close(fd);
	assert_int_equal(unix_listen(f->path, 4, "--x", &f->err), -EADDRINUSE);
	assert_non_null(strstr(f->err.msg, "no socket"));
	assert_int_equal(lstat(f->path, &st), 0);
	assert_true(S_ISREG(st.st_mode));
}

static void what_somebody_else_has_put_there_is_not_removed(void **state)
{
	struct fixture *f = *state;
	int first = unix_listen(f->path, 4, "--x", &f->err);
	struct unix_name name = unix_name_of(f->path);
	struct unix_name other;
	int second;

	unlink(f->path); /* who starts the next one may do that */
	unix_unlink(f->path, &name);
	second = unix_listen(f->path, 4, "--x", &f->err);
	other = unix_name_of(f->path);
	assert_true(first >= 0 && second >= 0);
	unix_unlink(f->path, &name);
	assert_int_equal(reach(f->path), 0);
	unix_unlink(f->path, &other);
	assert_int_equal(reach(f->path), -ENOENT);
	unix_unlink(f->path, &other);
	close(first);
	close(second);
}

static void a_path_that_does_not_fit_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[200];

	memset(path, 'x', 108);
	path[108] = 0;
	assert_int_equal(unix_listen(path, 4, "--x", &f->err), -ENAMETOOLONG);
	assert_int_equal(f->err.kind, ERR_USAGE);
	assert_non_null(strstr(f->err.msg, "107"));
}

static void a_missing_directory_is_named(void **state)
{
	struct fixture *f = *state;
	char path[96];

	snprintf(path, sizeof(path), "%s/none/sock", f->dir);
	assert_int_equal(unix_listen(path, 4, "--x", &f->err), -ENOENT);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, path));
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_new_socket_is_for_its_user_alone),
		CASE(a_socket_nobody_listens_on_is_replaced),
		CASE(a_socket_in_use_is_left_alone),
		CASE(a_file_is_left_alone),
		CASE(what_somebody_else_has_put_there_is_not_removed),
		CASE(a_path_that_does_not_fit_is_refused),
		CASE(a_missing_directory_is_named),
	};

	return cmocka_run_group_tests_name("unix_listen", tests, NULL, NULL);
}
