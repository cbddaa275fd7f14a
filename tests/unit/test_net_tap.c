/*
 * tests/unit/test_net_tap.c - the tap backend over datagram sockets, which keep
 * frames apart as a tap does, and its queues over a tap where one can be made.
 * What the kernel does with offloads is seen in the nested machine only.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "devices/virtio/net_backend.h"
#include "devices/virtio/net_tap.h"

struct fixture {
	struct net_backend *b;
	int peer;
	uint8_t hdr[NET_HDR_LEN];
	uint8_t data[2000];
};

static int build(void **state, bool vnet_hdr)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct net_tap_params p = {
		.n_fds = 1,
		.vnet_hdr = vnet_hdr,
		.offloads = vnet_hdr ? NET_OFFLOAD_CSUM : 0,
	};
	int sv[2];

	assert_non_null(f);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, sv),
			 0);
	p.fds = &sv[0];
	f->peer = sv[1];
	assert_int_equal(net_tap_create(&p, &f->b, NULL), 0);
	memset(f->hdr, 0x77, sizeof(f->hdr));
	for (size_t i = 0; i < sizeof(f->data); i++)
		f->data[i] = (uint8_t)(i * 13 + (i >> 8));
	*state = f;
	return 0;
}

static int setup(void **state)
{
	return build(state, true);
}

static int setup_plain(void **state)
{
	return build(state, false);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	net_backend_destroy(f->b);
	if (f->peer >= 0)
		close(f->peer);
	free(f);
	return 0;
}

static int send_n(struct fixture *f, size_t n, size_t len)
{
	struct iovec iov[3] = {
		{f->hdr, NET_HDR_LEN}, {f->data, 10}, {f->data + 10, len - 10}};
	struct net_frame fr[64];

	assert_true(n <= ARRAY_SIZE(fr));
	for (size_t i = 0; i < n; i++)
		fr[i] = (struct net_frame){iov, 3, len};
	return f->b->ops->send(f->b, 0, fr, n);
}

static void assert_got(struct fixture *f, bool hdr, size_t len)
{
	uint8_t buf[4096];
	size_t skip = hdr ? NET_HDR_LEN : 0;

	assert_int_equal(recv(f->peer, buf, sizeof(buf), 0),
			 (ssize_t)(skip + len));
	assert_memory_equal(buf, f->hdr, skip);
	assert_memory_equal(buf + skip, f->data, len);
}

static void frames_are_sent_with_their_header(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(send_n(f, 3, 100), 3);
	for (int i = 0; i < 3; i++)
		assert_got(f, true, 100);
	assert_false(f->b->ops->wants_write(f->b, 0));
}

static void a_tap_without_header_gets_none(void **state)
{
	struct fixture *f = *state;

	assert_null(f->b->ops->set_offloads);
	assert_int_equal(send_n(f, 2, 100), 2);
	assert_got(f, false, 100);
	assert_got(f, false, 100);
}

static void a_full_tap_takes_as_many_as_it_can(void **state)
{
	struct fixture *f = *state;
	int all = 0, n;

	while ((n = send_n(f, 64, 1000)) == 64)
		all += n;
	assert_true(n >= 0);
	all += n;
	assert_int_equal(send_n(f, 1, 1000), 0);
	assert_int_equal(f->b->refused, 0);
	for (int i = 0; i < all; i++)
		assert_got(f, true, 1000);
	assert_int_equal(send_n(f, 1, 1000), 1);
}

static void frames_the_kernel_refuses_are_counted(void **state)
{
	struct fixture *f = *state;

	close(f->peer);
	f->peer = -1;
	assert_int_equal(send_n(f, 3, 100), 3);
	assert_int_equal(f->b->refused, 3);
}

static ssize_t receive(struct fixture *f, uint8_t *hdr, uint8_t *buf,
		       size_t len)
{
	struct iovec iov[3] = {
		{hdr, NET_HDR_LEN}, {buf, 7}, {buf + 7, len - 7}};

	return f->b->ops->recv(f->b, 0, iov, 3);
}

static void a_frame_is_received_behind_its_header(void **state)
{
	struct fixture *f = *state;
	uint8_t all[NET_HDR_LEN + 60], hdr[NET_HDR_LEN], buf[2000];

	assert_int_equal(receive(f, hdr, buf, sizeof(buf)), -EAGAIN);
	memcpy(all, f->hdr, NET_HDR_LEN);
	memcpy(all + NET_HDR_LEN, f->data, 60);
	send(f->peer, all, sizeof(all), 0);
	assert_int_equal(receive(f, hdr, buf, sizeof(buf)), 60);
	assert_memory_equal(hdr, f->hdr, NET_HDR_LEN);
	assert_memory_equal(buf, f->data, 60);
	/* not even a header */
	send(f->peer, all, NET_HDR_LEN - 1, 0);
	assert_int_equal(receive(f, hdr, buf, sizeof(buf)), 0);
}

static void a_tap_without_header_gives_an_empty_one(void **state)
{
	static const uint8_t zero[NET_HDR_LEN];
	struct fixture *f = *state;
	uint8_t hdr[NET_HDR_LEN], buf[2000];

	memset(hdr, 0xff, sizeof(hdr));
	send(f->peer, f->data, 60, 0);
	assert_int_equal(receive(f, hdr, buf, sizeof(buf)), 60);
	assert_memory_equal(hdr, zero, NET_HDR_LEN);
	assert_memory_equal(buf, f->data, 60);
}

static void an_interface_that_is_gone_is_an_error(void **state)
{
	int none = -1;
	struct net_tap_params p = {.fds = &none, .n_fds = 1, .vnet_hdr = true};
	struct fixture f = {0};
	uint8_t hdr[NET_HDR_LEN], buf[100];

	(void)state;
	assert_int_equal(net_tap_create(&p, &f.b, NULL), 0);
	assert_int_equal(send_n(&f, 1, 100), -EBADF);
	assert_int_equal(receive(&f, hdr, buf, sizeof(buf)), -EBADF);
	net_backend_destroy(f.b);
}

static void a_failed_read_is_a_lost_frame(void **state)
{
	struct fixture *f = *state;
	struct iovec iov[2] = {{f->hdr, NET_HDR_LEN}, {(void *)8, 100}};

	send(f->peer, f->data, 100, 0);
	assert_int_equal(f->b->ops->recv(f->b, 0, iov, 2), 0);
}

static void what_the_kernel_says_to_an_ioctl_is_passed_on(void **state)
{
	struct fixture *f = *state;

	assert_true(f->b->ops->set_offloads(f->b, NET_OFFLOAD_CSUM) < 0);
	assert_int_equal(f->b->ops->set_queues(f->b, 1), 0);
}

static void queues_that_cannot_be_detached_are_an_error(void **state)
{
	struct net_backend *b;
	int fds[2];
	struct net_tap_params p = {.fds = fds, .n_fds = 2, .vnet_hdr = true};

	(void)state;
	fds[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	fds[1] = open("/dev/null", O_RDWR | O_CLOEXEC);
	assert_int_equal(net_tap_create(&p, &b, NULL), 0);
	assert_int_equal(b->n_queues, 2);
	assert_int_equal(b->ops->fd(b, 1), fds[1]);
	assert_int_equal(b->ops->set_queues(b, 2), -ENOTTY);
	assert_int_equal(b->ops->set_queues(b, 1), -ENOTTY);
	net_backend_destroy(b);
}

/* Two queues of a new tap, in a network namespace of our own. */
static void open_tap(int fds[static 2])
{
	struct ifreq ifr = {
		.ifr_name = "tap0",
		.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_MULTI_QUEUE,
	};

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		skip();
	for (int i = 0; i < 2; i++) {
		fds[i] = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fds[i] < 0 || ioctl(fds[i], TUNSETIFF, &ifr) < 0)
			skip();
	}
}

/* The kernel refuses to attach what is. */
static bool is_attached(int fd)
{
	struct ifreq ifr = {.ifr_flags = IFF_ATTACH_QUEUE};

	return ioctl(fd, TUNSETQUEUE, &ifr) < 0 && errno == EINVAL;
}

static void queues_are_as_told_whatever_an_earlier_guest_left(void **state)
{
	struct net_backend *b;
	int fds[2], mine[2];
	struct net_tap_params p = {.fds = mine, .n_fds = 2, .vnet_hdr = true};

	(void)state;
	open_tap(fds);
	for (unsigned int n = 0; n < 2; n++) {
		mine[0] = dup(fds[0]);
		mine[1] = dup(fds[1]);
		assert_int_equal(net_tap_create(&p, &b, NULL), 0);
		assert_int_equal(b->ops->set_queues(b, 2), 0);
		assert_true(is_attached(fds[1]));
		assert_int_equal(b->ops->set_queues(b, 1), 0);
		assert_int_equal(b->ops->set_queues(b, 1), 0);
		net_backend_destroy(b);
	}
	assert_false(is_attached(fds[1]));
	close(fds[0]);
	close(fds[1]);
}

static void bad_parameters_are_refused(void **state)
{
	struct net_backend *b = NULL;
	int fds[NET_PAIRS_MAX + 1] = {0};
	struct net_tap_params p = {.fds = fds, .vnet_hdr = true};

	(void)state;
	assert_int_equal(net_tap_create(&p, &b, NULL), -EINVAL);
	p.n_fds = NET_PAIRS_MAX + 1;
	assert_int_equal(net_tap_create(&p, &b, NULL), -EINVAL);
	p.n_fds = 1;
	p.vnet_hdr = false;
	p.offloads = NET_OFFLOAD_CSUM;
	assert_int_equal(net_tap_create(&p, &b, NULL), -EINVAL);
	assert_null(b);
}

int main(void)
{
#define CASE(fn, s) cmocka_unit_test_setup_teardown(fn, s, teardown)
	const struct CMUnitTest tests[] = {
		CASE(frames_are_sent_with_their_header, setup),
		CASE(a_tap_without_header_gets_none, setup_plain),
		CASE(a_full_tap_takes_as_many_as_it_can, setup),
		CASE(frames_the_kernel_refuses_are_counted, setup),
		CASE(a_frame_is_received_behind_its_header, setup),
		CASE(a_tap_without_header_gives_an_empty_one, setup_plain),
		cmocka_unit_test(an_interface_that_is_gone_is_an_error),
		CASE(a_failed_read_is_a_lost_frame, setup),
		CASE(what_the_kernel_says_to_an_ioctl_is_passed_on, setup),
		cmocka_unit_test(queues_that_cannot_be_detached_are_an_error),
		cmocka_unit_test(
			queues_are_as_told_whatever_an_earlier_guest_left),
		cmocka_unit_test(bad_parameters_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
