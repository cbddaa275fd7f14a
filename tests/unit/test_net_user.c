/*
 * tests/unit/test_net_user.c - starting and ending passt, which this program
 * plays itself: it is started again with PLAY_PASST in its environment.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/net_forward.h"
#include "vmm/net_user.h"

/* Bounds against hanging; a loaded machine may take its time. */
enum { PATIENCE_MS = 60000 };

/* --- the part of passt -------------------------------------------------- */

/* Listen on "127.0.0.1/PORT:...", the only form the cases use. */
static void play_listen(const char *spec, bool udp)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	int fd = socket(AF_INET, udp ? SOCK_DGRAM : SOCK_STREAM, 0);

	if (!strcmp(spec, "none"))
		return;
	a.sin_port = htons((uint16_t)strtoul(strchr(spec, '/') + 1, NULL, 10));
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
	    (!udp && listen(fd, 1) < 0))
		_exit(9);
}

static int play(const char *how, int argc, char **argv)
{
	char line[1024] = "", buf[256];
	int fd = -1;

	if (!strcmp(how, "fail")) {
		fprintf(stderr, "first line\n  No route\033[1m\n"
				"Failed to send 9 bytes to syslog\n\n");
		return 3;
	}
	if (!strcmp(how, "kill"))
		raise(SIGKILL);
	if (!strcmp(how, "hang"))
		for (;;)
			pause();
	for (int i = 1; i < argc; i++) {
		bool udp = !strcmp(argv[i], "-u");

		snprintf(line + strlen(line), sizeof(line) - strlen(line),
			 "%s ", argv[i]);
		if (!strcmp(argv[i], "--fd"))
			fd = (int)strtol(argv[i + 1], NULL, 10);
		if (strcmp(how, "lazy") != 0 && (udp || !strcmp(argv[i], "-t")))
			play_listen(argv[i + 1], udp);
	}
	if (!strcmp(how, "talk"))
		for (int i = 0; i < 5000; i++)
			if (write(STDERR_FILENO, "a word or two\n", 14) < 0)
				break;
	if (!strcmp(how, "close")) { /* as the kernel, of a process that ends */
		close(fd);
		usleep(300000);
		return 3;
	}
	if (read(fd, buf, sizeof(buf)) != 64 || write(fd, buf, 64) != 64 ||
	    write(fd, line, strlen(line)) < 0)
		return 4;
	if (!strcmp(how, "leave") && read(fd, buf, 1) == 1) {
		fprintf(stderr, "that is all\n");
		return 5;
	}
	return read(fd, buf, 1) == 0 ? 0 : 6; /* until we are gone */
}

/* --- cases -------------------------------------------------------------- */

struct fixture {
	struct net_user *u;
	int fd;
	struct err err;
	struct net_user_params p;
};

static int start(struct fixture *f, const char *how)
{
	*f = (struct fixture){.fd = -1, .p = f->p};
	f->p.program = "/proc/self/exe";
	if (!f->p.timeout_ms)
		f->p.timeout_ms = PATIENCE_MS;
	memcpy(f->p.mac, "\2\1\2\3\4\5", 6);
	setenv("PLAY_PASST", how, 1);
	return net_user_start(&f->p, &f->u, &f->fd, &f->err);
}

static void finish(struct fixture *f)
{
	net_user_destroy(f->u);
	if (f->fd >= 0)
		close(f->fd);
}

/* What it got: the probe, and its arguments behind it. */
static size_t read_some(struct fixture *f, char *buf, size_t size)
{
	struct pollfd p = {.fd = f->fd, .events = POLLIN};
	size_t n = 0;
	ssize_t r;

	while (n < 64 + 2 || buf[n - 1] != ' ') {
		assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
		r = read(f->fd, buf + n, size - n - 1);
		assert_true(r > 0);
		n += (size_t)r;
	}
	buf[n] = 0;
	return n;
}

static void wait_end(struct fixture *f)
{
	struct pollfd p = {.fd = net_user_pidfd(f->u), .events = POLLIN};

	assert_int_equal(poll(&p, 1, PATIENCE_MS), 1);
}

static bool can_bind(uint16_t port, int type)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
	int fd = socket(AF_INET, type, 0), r;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = bind(fd, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	return !r;
}

/*
 * A port nobody uses, nor gets while it is not bound: below those that the
 * kernel gives to whoever asks for any, and another one each time, in each
 * process that runs these tests.
 */
static uint16_t free_port(void)
{
	enum { FIRST = 10000, N = 20000, EACH = 16 };
	static unsigned int next;
	uint16_t port;

	do {
		port = (uint16_t)(FIRST +
				  ((unsigned int)getpid() * EACH + next++) % N);
	} while (!can_bind(port, SOCK_STREAM) || !can_bind(port, SOCK_DGRAM));
	return port;
}

static struct net_forward forward(bool udp)
{
	struct net_forward f = {
		.address = "127.0.0.1", .guest = 80, .udp = udp};

	f.host = free_port();
	return f;
}

static void it_is_ready_when_it_has_read_the_probe(void **state)
{
	static const uint8_t want[20] = {
		0, 0, 0, 60, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		2, 1, 2, 3,  4,	   5,	 0x88, 0xb5, 0,	   0};
	struct fixture f = {0};
	char buf[1024];

	(void)state;
	assert_int_equal(start(&f, "serve"), 0);
	assert_true(fcntl(f.fd, F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(f.fd, F_GETFD) & FD_CLOEXEC);
	read_some(&f, buf, sizeof(buf));
	assert_memory_equal(buf, want, sizeof(want));
	assert_int_equal(net_user_result(f.u, &f.err), 0);
	finish(&f);
}

static void without_forwards_both_kinds_are_none(void **state)
{
	struct fixture f = {0};
	char buf[1024], want[128];

	(void)state;
	assert_int_equal(start(&f, "serve"), 0);
	read_some(&f, buf, sizeof(buf));
	snprintf(want, sizeof(want), "-t none -u none ");
	assert_non_null(strstr(buf + 64, want));
	assert_non_null(strstr(buf + 64, "-f -q -1 --fd "));
	assert_null(strstr(buf + 64, "-m"));
	finish(&f);
}

static void forwards_and_mtu_are_passed_on(void **state)
{
	struct net_forward fw[3] = {forward(false), forward(true),
				    forward(false)};
	struct fixture f = {
		.p = {.forwards = fw, .n_forwards = 3, .mtu = 1400}};
	char buf[1024], want[256];

	(void)state;
	assert_int_equal(start(&f, "serve"), 0);
	read_some(&f, buf, sizeof(buf));
	snprintf(want, sizeof(want),
		 "-m 1400 -t 127.0.0.1/%u:80 -t 127.0.0.1/%u:80 "
		 "-u 127.0.0.1/%u:80 ",
		 fw[0].host, fw[2].host, fw[1].host);
	assert_non_null(strstr(buf + 64, want));
	finish(&f);
}

static void it_ends_when_our_end_is_closed(void **state)
{
	struct fixture f = {0};
	char buf[1024];

	(void)state;
	assert_int_equal(start(&f, "serve"), 0);
	read_some(&f, buf, sizeof(buf));
	close(f.fd);
	f.fd = -1;
	wait_end(&f);
	assert_int_equal(net_user_result(f.u, &f.err), -EPIPE);
	assert_non_null(strstr(f.err.msg, "status 0"));
	finish(&f);
}

static void it_is_ended_when_it_does_not_end_itself(void **state)
{
	struct fixture f = {0};

	(void)state;
	assert_int_equal(start(&f, "serve"), 0);
	net_user_destroy(f.u); /* returns, with the socket open */
	f.u = NULL;
	finish(&f);
}

static void what_it_says_when_it_fails_is_passed_on(void **state)
{
	struct fixture f = {0};

	(void)state;
	assert_int_equal(start(&f, "fail"), -EPIPE);
	assert_null(f.u);
	assert_int_equal(f.fd, -1);
	assert_int_equal(f.err.kind, ERR_HOST);
	assert_string_equal(f.err.msg, "--net: user: passt ended with status "
				       "3: No route?[1m");
}

static void what_it_did_not_read_before_it_ended_is_not_read(void **state)
{
	struct fixture f = {0};

	(void)state;
	assert_int_equal(start(&f, "close"), -EPIPE);
	assert_null(f.u);
	assert_non_null(strstr(f.err.msg, "status 3"));
}

static void a_signal_is_told(void **state)
{
	struct fixture f = {0};

	(void)state;
	assert_int_equal(start(&f, "kill"), -EPIPE);
	assert_non_null(strstr(f.err.msg, "signal 9"));
}

static void it_may_end_later(void **state)
{
	struct fixture f = {0};

	(void)state;
	assert_int_equal(start(&f, "leave"), 0);
	assert_int_equal(send(f.fd, "x", 1, 0), 1);
	wait_end(&f);
	assert_int_equal(net_user_result(f.u, &f.err), -EPIPE);
	assert_string_equal(
		f.err.msg,
		"--net: user: passt ended with status 5: that is all");
	finish(&f);
}

static void one_that_talks_too_much_is_not_held_up(void **state)
{
	struct fixture f = {0};

	(void)state;
	assert_int_equal(start(&f, "talk"), 0);
	finish(&f);
}

static void one_that_hangs_is_given_up(void **state)
{
	struct fixture f = {.p.timeout_ms = 20};

	(void)state;
	assert_int_equal(start(&f, "hang"), -ETIMEDOUT);
	assert_null(f.u);
}

static void a_program_that_is_not_there_is_an_error(void **state)
{
	struct fixture f = {.fd = -1, .p.program = "/nonexistent/passt"};

	(void)state;
	assert_int_equal(net_user_start(&f.p, &f.u, &f.fd, &f.err), -ENOENT);
	assert_non_null(strstr(f.err.msg, "apt install passt"));
	f.p.program = "/";
	assert_int_equal(net_user_start(&f.p, &f.u, &f.fd, &f.err), -EACCES);
}

static void a_port_that_is_taken_is_an_error(void **state)
{
	struct net_forward fw = forward(true);
	struct fixture f = {.p = {.forwards = &fw, .n_forwards = 1}};
	struct sockaddr_in a = {.sin_family = AF_INET,
				.sin_port = htons(fw.host)};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	(void)state;
	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(start(&f, "serve"), -EADDRINUSE);
	assert_non_null(strstr(f.err.msg, "another program"));
	assert_non_null(strstr(f.err.msg, "--publish: "));
	close(fd);
}

static void a_port_it_does_not_bind_is_an_error(void **state)
{
	struct net_forward fw = forward(false);
	struct fixture f = {.p = {.forwards = &fw, .n_forwards = 1}};

	(void)state;
	assert_int_equal(start(&f, "lazy"), -EACCES);
	assert_null(f.u);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_ready_when_it_has_read_the_probe),
		cmocka_unit_test(without_forwards_both_kinds_are_none),
		cmocka_unit_test(forwards_and_mtu_are_passed_on),
		cmocka_unit_test(it_ends_when_our_end_is_closed),
		cmocka_unit_test(it_is_ended_when_it_does_not_end_itself),
		cmocka_unit_test(what_it_says_when_it_fails_is_passed_on),
		cmocka_unit_test(
			what_it_did_not_read_before_it_ended_is_not_read),
		cmocka_unit_test(a_signal_is_told),
		cmocka_unit_test(it_may_end_later),
		cmocka_unit_test(one_that_talks_too_much_is_not_held_up),
		cmocka_unit_test(one_that_hangs_is_given_up),
		cmocka_unit_test(a_program_that_is_not_there_is_an_error),
		cmocka_unit_test(a_port_that_is_taken_is_an_error),
		cmocka_unit_test(a_port_it_does_not_bind_is_an_error),
	};
	const char *how = getenv("PLAY_PASST");

	if (how)
		_exit(play(how, argc, argv));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
