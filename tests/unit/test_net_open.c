/*
 * tests/unit/test_net_open.c - --net without a privilege: sockets, everything
 * that is refused, and addresses. Real taps are opened in the nested machine.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/config_devices.h"
#include "vmm/net_open.h"

struct fixture {
	struct net_config c;
	struct net_open_opts o;
	struct net_host h;
	struct err err;
	char dir[32];
	char path[64];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->c.fd = CONFIG_FD_NONE;
	f->c.queues = 1;
	net_host_init(&f->h);
	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-net-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/sock", f->dir);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	net_host_close(&f->h);
	unlink(f->path);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int open_net(struct fixture *f)
{
	f->err = (struct err){0};
	return net_open(&f->c, &f->o, &f->h, &f->err);
}

static void assert_refused(struct fixture *f, int code, enum err_kind kind,
			   const char *says)
{
	assert_int_equal(open_net(f), code);
	assert_int_equal(f->err.kind, kind);
	assert_int_equal(strncmp(f->err.msg, "--net: ", 7), 0);
	if (!strstr(f->err.msg, says))
		fail_msg("'%s' is not in '%s'", says, f->err.msg);
	assert_int_equal(f->h.n_fds, 0);
}

/* --- tap ---------------------------------------------------------------- */

static void a_tap_that_is_not_there_is_not_created(void **state)
{
	struct fixture *f = *state;

	f->c.tap = "coffnone0";
	assert_refused(f, -ENODEV, ERR_HOST,
		       "ip tuntap add dev coffnone0 mode tap user ");
	f->c.queues = 4;
	assert_refused(f, -ENODEV, ERR_HOST, " multi_queue ");
	assert_int_not_equal(access("/sys/class/net/coffnone0", F_OK), 0);
}

static void what_cannot_be_a_name_is_refused(void **state)
{
	static char *const bad[] = {
		"", "a/b", ".", "..", "tap%d", "a b", "sixteen-letters0"};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		f->c.tap = bad[i];
		assert_refused(f, -EINVAL, ERR_USAGE, "name");
	}
}

static void an_interface_that_is_no_tap_is_refused(void **state)
{
	struct fixture *f = *state;

	f->c.tap = "lo";
	assert_refused(f, -EINVAL, ERR_HOST, "'lo' is not a tap");
}

/* --- fd ----------------------------------------------------------------- */

static void a_connected_socket_is_taken_over(void **state)
{
	struct fixture *f = *state;
	struct net_backend *b = NULL;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	f->c.fd = (uint64_t)sv[0];
	assert_int_equal(open_net(f), 0);
	assert_int_equal(f->h.kind, NET_HOST_STREAM);
	assert_int_equal(f->h.n_fds, 1);
	assert_int_equal(f->h.fds[0], sv[0]);
	assert_int_equal(f->h.offloads, 0);
	assert_int_equal(f->h.mtu, 0);
	assert_true(fcntl(sv[0], F_GETFL) & O_NONBLOCK);
	assert_int_equal(fcntl(sv[0], F_GETFD), FD_CLOEXEC);
	assert_int_equal(net_host_backend(&f->h, &b, NULL), 0);
	assert_int_equal(f->h.n_fds, 0);
	assert_int_equal(b->ops->fd(b, 0), sv[0]);
	net_backend_destroy(b);
	assert_int_equal(fcntl(sv[0], F_GETFD), -1);
	close(sv[1]);
}

static void a_descriptor_that_is_not_used_is_closed(void **state)
{
	struct fixture *f = *state;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	f->c.fd = (uint64_t)sv[0];
	assert_int_equal(open_net(f), 0);
	net_host_close(&f->h);
	assert_int_equal(fcntl(sv[0], F_GETFD), -1);
	close(sv[1]);
}

static void a_descriptor_of_something_else_is_refused(void **state)
{
	struct fixture *f = *state;
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int lone = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int sv[2];

	f->c.fd = (uint64_t)null;
	assert_refused(f, -ENOTSOCK, ERR_USAGE, "neither a tap nor");
	f->c.fd = (uint64_t)lone;
	assert_refused(f, -ENOTSOCK, ERR_USAGE, "neither a tap nor");
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), 0);
	f->c.fd = (uint64_t)sv[0];
	assert_refused(f, -ENOTSOCK, ERR_USAGE, "neither a tap nor");
	close(null);
	close(lone);
	close(sv[1]);
	close(sv[0]);
	assert_refused(f, -EBADF, ERR_USAGE, "not open");
}

/* --- passt -------------------------------------------------------------- */

static int bind_to(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	return fd;
}

static void a_socket_is_connected_to(void **state)
{
	struct fixture *f = *state;
	int fd = bind_to(f->path), peer;

	assert_int_equal(listen(fd, 1), 0);
	f->c.passt = f->path;
	f->c.mtu = 9000;
	assert_int_equal(open_net(f), 0);
	assert_int_equal(f->h.kind, NET_HOST_STREAM);
	assert_int_equal(f->h.mtu, 9000);
	assert_true(fcntl(f->h.fds[0], F_GETFL) & O_NONBLOCK);
	assert_true(fcntl(f->h.fds[0], F_GETFD) & FD_CLOEXEC);
	peer = accept(fd, NULL, NULL);
	assert_true(peer >= 0);
	assert_int_equal(send(peer, "x", 1, 0), 1);
	assert_int_equal(close(peer), 0);
	close(fd);
}

static void a_socket_that_nobody_serves_is_an_error(void **state)
{
	struct fixture *f = *state;
	int fd;

	f->c.passt = f->path;
	assert_refused(f, -ENOENT, ERR_HOST, "start passt first");
	fd = bind_to(f->path);
	assert_refused(f, -ECONNREFUSED, ERR_HOST, f->path);
	close(fd);
}

static void a_path_too_long_is_refused(void **state)
{
	struct fixture *f = *state;
	char path[200];

	memset(path, 'a', sizeof(path));
	path[sizeof(path) - 1] = 0;
	f->c.passt = path;
	assert_refused(f, -ENAMETOOLONG, ERR_USAGE, "107");
}

/* --- user --------------------------------------------------------------- */

static void without_passt_user_says_how_to_get_it(void **state)
{
	struct fixture *f = *state;

	f->c.user = true;
	f->o.passt = "/nonexistent/passt";
	assert_refused(f, -ENOENT, ERR_HOST, "apt install passt");
}

/* --- addresses ---------------------------------------------------------- */

static void a_given_mac_is_used(void **state)
{
	struct fixture *f = *state;
	int sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	f->c.fd = (uint64_t)sv[0];
	f->c.mac.given = true;
	memcpy(f->c.mac.bytes, "\x52\x54\0\1\2\3", 6);
	assert_int_equal(open_net(f), 0);
	assert_memory_equal(f->h.mac, "\x52\x54\0\1\2\3", 6);
	close(sv[1]);
}

static void the_same_network_has_the_same_mac_again(void **state)
{
	struct fixture *f = *state;
	uint8_t first[6];
	int fd = bind_to(f->path);

	assert_int_equal(listen(fd, 4), 0);
	f->c.passt = f->path;
	assert_int_equal(open_net(f), 0);
	memcpy(first, f->h.mac, 6);
	net_host_close(&f->h);
	assert_int_equal(open_net(f), 0);
	assert_memory_equal(f->h.mac, first, 6);
	net_host_close(&f->h);
	f->o.index = 1;
	assert_int_equal(open_net(f), 0);
	assert_memory_not_equal(f->h.mac, first, 6);
	close(fd);
}

/* All that goes into an address, one thing changed at a time. */
static void whatever_differs_makes_another_mac(void **state)
{
	static const uint8_t u1[16] = {1}, u2[16] = {[15] = 1};
	uint8_t m[9][6];

	(void)state;
	net_mac_derive("id", u1, "tap", "tap0", 0, m[0]);
	net_mac_derive("id2", u1, "tap", "tap0", 0, m[1]);
	net_mac_derive("id", u2, "tap", "tap0", 0, m[2]);
	net_mac_derive("id", NULL, "tap", "tap0", 0, m[3]);
	net_mac_derive("id", u1, "passt", "tap0", 0, m[4]);
	net_mac_derive("id", u1, "tap", "tap1", 0, m[5]);
	net_mac_derive("id", u1, "tap", "tap0", 1, m[6]);
	net_mac_derive("id", u1, "tapt", "ap0", 0, m[7]);
	net_mac_derive("id", u1, "tap", "tap0", 256, m[8]);
	for (size_t i = 0; i < ARRAY_SIZE(m); i++) {
		assert_int_equal(m[i][0] & 3, 2);
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(m[i], m[j], 6);
	}
	net_mac_derive("id", u1, "tap", "tap0", 0, m[1]);
	assert_memory_equal(m[0], m[1], 6);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_tap_that_is_not_there_is_not_created),
		CASE(what_cannot_be_a_name_is_refused),
		CASE(an_interface_that_is_no_tap_is_refused),
		CASE(a_connected_socket_is_taken_over),
		CASE(a_descriptor_that_is_not_used_is_closed),
		CASE(a_descriptor_of_something_else_is_refused),
		CASE(a_socket_is_connected_to),
		CASE(a_socket_that_nobody_serves_is_an_error),
		CASE(a_path_too_long_is_refused),
		CASE(without_passt_user_says_how_to_get_it),
		CASE(a_given_mac_is_used),
		CASE(the_same_network_has_the_same_mac_again),
		cmocka_unit_test(whatever_differs_makes_another_mac),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
