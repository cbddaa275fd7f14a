/* tests/unit/test_net_forward.c - ports to be forwarded. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/net_forward.h"

static void assert_parses(const char *text, const char *address,
			  unsigned int host, unsigned int guest, bool udp)
{
	struct net_forward f = {0};
	struct err err = {0};

	assert_int_equal(net_forward_parse(text, &f, &err), 0);
	assert_string_equal(f.address, address);
	assert_int_equal(f.host, host);
	assert_int_equal(f.guest, guest);
	assert_int_equal(f.udp, udp);
}

static void forwards_are_parsed(void **state)
{
	(void)state;
	assert_parses("8080:80", "", 8080, 80, false);
	assert_parses("1:65535/tcp", "", 1, 65535, false);
	assert_parses("53:5353/udp", "", 53, 5353, true);
	assert_parses("127.0.0.1:2222:22", "127.0.0.1", 2222, 22, false);
	assert_parses("[::1]:2222:22/udp", "::1", 2222, 22, true);
	assert_parses("[0:0::0:1]:1:1", "::1", 1, 1, false);
}

static void what_is_not_a_forward_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"80",
		":",
		"80:",
		":80",
		"0:80",
		"80:0",
		"65536:80",
		"80:65536",
		"80:99999999",
		"-1:80",
		"+1:80",
		" 80:80",
		"80:80 ",
		"80:80/",
		"80:80/sctp",
		"80:80/UDP",
		"x:80",
		"80:0x50",
		"::1:80:80",
		"[::1]",
		"[]:80:80",
		"[::1:80:80",
		"host:80:80",
		":80:80",
		"1.2.3:80:80",
		"[1.2.3.4]:80:80",
		"fe80::1:80:80",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct net_forward f = {.host = 7};
		struct err err = {0};

		if (net_forward_parse(bad[i], &f, &err) != -EINVAL)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_int_equal(f.host, 7);
	}
}

static void an_address_of_any_length_is_refused_safely(void **state)
{
	char text[512];
	struct net_forward f;

	(void)state;
	memset(text, '1', sizeof(text));
	snprintf(text + sizeof(text) - 8, 8, ":80:80");
	assert_int_equal(net_forward_parse(text, &f, NULL), -EINVAL);
}

/* A socket bound to a free port of 127.0.0.1. */
static int take_port(int type, uint16_t *ret_port)
{
	struct sockaddr_in a = {.sin_family = AF_INET};
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static void a_port_that_is_taken_is_noticed(void **state)
{
	struct net_forward f = {.guest = 1, .address = "127.0.0.1"};
	int fd;

	(void)state;
	for (int udp = 0; udp < 2; udp++) {
		f.udp = udp;
		fd = take_port(udp ? SOCK_DGRAM : SOCK_STREAM, &f.host);
		assert_int_equal(net_forward_probe(&f), -EADDRINUSE);
		f.address[0] = 0; /* on all addresses is on that one, too */
		assert_int_equal(net_forward_probe(&f), -EADDRINUSE);
		close(fd);
		assert_int_equal(net_forward_probe(&f), 0);
		snprintf(f.address, sizeof(f.address), "127.0.0.1");
		assert_int_equal(net_forward_probe(&f), 0);
	}
}

static void an_address_of_somebody_else_cannot_be_had(void **state)
{
	struct net_forward f = {
		.host = 40000, .guest = 1, .address = "192.0.2.254"};

	(void)state;
	assert_int_equal(net_forward_probe(&f), -EADDRNOTAVAIL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forwards_are_parsed),
		cmocka_unit_test(what_is_not_a_forward_is_refused),
		cmocka_unit_test(an_address_of_any_length_is_refused_safely),
		cmocka_unit_test(a_port_that_is_taken_is_noticed),
		cmocka_unit_test(an_address_of_somebody_else_cannot_be_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
