/* tests/unit/test_sd_notify.c - messages to a service manager. */
#include "vmm/supervisor/sd_notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vmm/base/own.h"

/* A manager's socket; @name may begin with '@' and is then abstract. */
static int manager(const char *name)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	size_t len = offsetof(struct sockaddr_un, sun_path) + strlen(name);

	memcpy(a.sun_path, name, strlen(name));
	if (*name == '@')
		a.sun_path[0] = 0;
	assert_int_equal(bind(fd, (struct sockaddr *)&a, (socklen_t)len), 0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static void check_heard(int fd, const char *text)
{
	char buf[100] = "";

	assert_int_equal(recv(fd, buf, sizeof(buf) - 1, 0), strlen(text));
	assert_string_equal(buf, text);
}

static void without_a_manager_nothing_happens(void **state)
{
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	assert_int_equal(sd_notify_send("READY=1"), 0);
	setenv("NOTIFY_SOCKET", "", 1);
	assert_int_equal(sd_notify_send("READY=1"), 0);
}

static void a_manager_hears_it(void **state)
{
	char dir[] = "/tmp/coffer-notify-XXXXXX", name[64];
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(name, sizeof(name), "%s/s", dir);
	fd = manager(name);
	assert_int_equal(sd_notify_send("READY=1\nSTATUS=x y"), 1);
	check_heard(fd, "READY=1\nSTATUS=x y");
	close(fd);
	assert_int_equal(sd_notify_send("STOPPING=1"), -ECONNREFUSED);
	unlink(name);
	rmdir(dir);
	snprintf(name, sizeof(name), "@coffer-notify-%d", getpid());
	fd = manager(name);
	assert_int_equal(sd_notify_send("READY=1"), 1);
	check_heard(fd, "READY=1");
	close(fd);
}

static void a_manager_that_does_not_read_is_not_waited_for(void **state)
{
	char name[64];
	int fd, r, n = 0;

	(void)state;
	snprintf(name, sizeof(name), "@coffer-notify-%d", getpid());
	fd = manager(name);
	do
		r = sd_notify_send("STATUS=again");
	while (r == 1 && n++ < 100000);
	assert_int_equal(r, -EAGAIN);
	close(fd);
}

static void an_address_we_do_not_know_is_refused(void **state)
{
	char longer[200];

	(void)state;
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	assert_int_equal(sd_notify_send("READY=1"), -EAFNOSUPPORT);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = 0;
	setenv("NOTIFY_SOCKET", longer, 1);
	assert_int_equal(sd_notify_send("READY=1"), -EAFNOSUPPORT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_manager_nothing_happens),
		cmocka_unit_test(a_manager_hears_it),
		cmocka_unit_test(
			a_manager_that_does_not_read_is_not_waited_for),
		cmocka_unit_test(an_address_we_do_not_know_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
