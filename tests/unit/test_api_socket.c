/* tests/unit/test_api_socket.c - a socket of ours, or one that is passed. */
#include "vmm/supervisor/api_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/unix_listen.h"

enum { PASSED_FD = 3 };

struct fixture {
	char dir[40];
	char path[64];
	int saved; /* what was open as descriptor 3 */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	strcpy(f->dir, "/tmp/coffer-sock-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	f->saved = fcntl(PASSED_FD, F_DUPFD_CLOEXEC, 100);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->saved >= 0) {
		dup2(f->saved, PASSED_FD);
		close(f->saved);
	}
	unlink(f->path);
	rmdir(f->dir);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	free(f);
	return 0;
}

/* As a service manager would: @fd as descriptor 3, for process @pid. */
static void pass(int fd, long pid, const char *n)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", pid);
	setenv("LISTEN_PID", text, 1);
	setenv("LISTEN_FDS", n, 1);
	assert_int_equal(dup2(fd, PASSED_FD), PASSED_FD);
	if (fd != PASSED_FD)
		close(fd);
}

static void nothing_asked_nothing_opened(void **state)
{
	struct api_socket s;

	(void)state;
	assert_int_equal(api_socket_open(NULL, &s, NULL), 0);
	assert_int_equal(s.fd, -1);
	api_socket_close(&s);
}

static void a_path_is_for_its_owner_and_removed(void **state)
{
	struct fixture *f = *state;
	struct api_socket s;
	struct stat st;

	assert_int_equal(api_socket_open(f->path, &s, NULL), 0);
	assert_int_equal(stat(f->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	api_socket_close(&s);
	assert_int_equal(stat(f->path, &st), -1);
	api_socket_close(&s);
}

static void a_path_in_use_is_refused(void **state)
{
	struct fixture *f = *state;
	struct api_socket a, b;
	struct err err = {0};

	assert_int_equal(api_socket_open(f->path, &a, NULL), 0);
	assert_int_equal(api_socket_open(f->path, &b, &err), -EADDRINUSE);
	assert_non_null(strstr(err.msg, "--api"));
	assert_int_equal(access(f->path, F_OK), 0);
	api_socket_close(&b);
	assert_int_equal(access(f->path, F_OK), 0);
	api_socket_close(&a);
}

static void a_passed_socket_is_taken_and_stays_where_it_is(void **state)
{
	struct fixture *f = *state;
	struct api_socket s;

	pass(unix_listen(f->path, 1, "test", NULL), getpid(), "1");
	assert_int_equal(api_socket_open(NULL, &s, NULL), 0);
	assert_int_equal(s.fd, PASSED_FD);
	assert_true(fcntl(s.fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(s.fd, F_GETFL) & O_NONBLOCK);
	assert_null(getenv("LISTEN_FDS"));
	api_socket_close(&s);
	assert_int_equal(access(f->path, F_OK), 0);
}

static void a_passed_socket_may_be_named(void **state)
{
	struct fixture *f = *state;
	struct api_socket s;
	struct err err = {0};

	pass(unix_listen(f->path, 1, "test", NULL), getpid(), "1");
	assert_int_equal(api_socket_open(f->path, &s, NULL), 0);
	assert_int_equal(s.fd, PASSED_FD);
	pass(PASSED_FD, getpid(), "1");
	assert_int_equal(api_socket_open("/elsewhere", &s, &err), -EINVAL);
	assert_non_null(strstr(err.msg, f->path));
	close(PASSED_FD);
}

static void a_passed_socket_is_known_before_it_is_taken(void **state)
{
	struct fixture *f = *state;

	assert_false(api_socket_is_passed());
	pass(unix_listen(f->path, 1, "test", NULL), getpid(), "1");
	assert_true(api_socket_is_passed());
	setenv("LISTEN_FDS", "0", 1);
	assert_false(api_socket_is_passed());
	close(PASSED_FD);
}

static void what_is_for_another_process_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct api_socket s;

	pass(unix_listen(f->path, 1, "test", NULL), getpid() + 1L, "1");
	assert_int_equal(api_socket_open(NULL, &s, NULL), 0);
	assert_int_equal(s.fd, -1);
	assert_true(fcntl(PASSED_FD, F_GETFD) >= 0);
	close(PASSED_FD);
}

static void only_one_listening_stream_will_do(void **state)
{
	struct api_socket s;
	struct err err = {0};

	(void)state;
	pass(socket(AF_UNIX, SOCK_STREAM, 0), getpid(), "2");
	assert_int_equal(api_socket_open(NULL, &s, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "2 sockets"));
	pass(socket(AF_UNIX, SOCK_STREAM, 0), getpid(), "1");
	assert_int_equal(api_socket_open(NULL, &s, &err), -EINVAL);
	pass(socket(AF_UNIX, SOCK_DGRAM, 0), getpid(), "1");
	assert_int_equal(api_socket_open(NULL, &s, &err), -EINVAL);
	pass(open("/dev/null", O_RDONLY), getpid(), "1");
	assert_int_equal(api_socket_open(NULL, &s, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "LISTEN_FDS"));
	close(PASSED_FD);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(nothing_asked_nothing_opened),
		CASE(a_path_is_for_its_owner_and_removed),
		CASE(a_path_in_use_is_refused),
		CASE(a_passed_socket_is_taken_and_stays_where_it_is),
		CASE(a_passed_socket_may_be_named),
		CASE(a_passed_socket_is_known_before_it_is_taken),
		CASE(what_is_for_another_process_is_left_alone),
		CASE(only_one_listening_stream_will_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
