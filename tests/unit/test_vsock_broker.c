/* tests/unit/test_vsock_broker.c - messages and the descriptors they carry. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "devices/virtio/vsock_broker.h"
#include "vmm/base/own.h"

struct fixture {
	int fd[2], pipe[2];
};

static const struct vsock_msg offer = {.type = VSOCK_MSG_OFFER,
				       .guest_port = 22};

static int setup(void **state)
{
	static struct fixture f;

	assert_int_equal(vsock_channel_create(f.fd, NULL), 0);
	assert_int_equal(pipe2(f.pipe, O_CLOEXEC), 0);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		fd_closep(&f->fd[i]);
		fd_closep(&f->pipe[i]);
	}
	return 0;
}

/* Any bytes with any number of descriptors. */
static void send_raw(struct fixture *f, const void *buf, size_t len,
		     unsigned int n_fds)
{
	union {
		char buf[CMSG_SPACE(8 * sizeof(int))];
		struct cmsghdr align;
	} c = {0};
	struct iovec iov = {(void *)buf, len};
	struct msghdr m = {.msg_iov = &iov, .msg_iovlen = 1};

	if (n_fds) {
		struct cmsghdr *cm;

		m.msg_control = c.buf;
		m.msg_controllen = CMSG_SPACE(n_fds * sizeof(int));
		cm = CMSG_FIRSTHDR(&m);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(n_fds * sizeof(int));
		for (unsigned int i = 0; i < n_fds; i++)
			memcpy(CMSG_DATA(cm) + i * sizeof(int), &f->pipe[1],
			       sizeof(int));
	}
	assert_int_equal(sendmsg(f->fd[0], &m, 0), len);
}

/* Are all copies of the pipe's end for writing closed but for ours? */
static void assert_no_copies(struct fixture *f)
{
	char c;

	close(f->pipe[1]);
	f->pipe[1] = -1;
	assert_int_equal(read(f->pipe[0], &c, 1), 0);
}

static int receive(struct fixture *f, struct vsock_msg *m, int *fd)
{
	return vsock_msg_recv(f->fd[1], m, fd);
}

static void a_message_arrives_as_it_was_sent(void **state)
{
	const struct vsock_msg out = {.type = VSOCK_MSG_CONNECT,
				      .host_port = 1,
				      .guest_port = 0xfffffffe,
				      .id = UINT64_MAX};
	struct fixture *f = *state;
	struct vsock_msg in;
	int fd = 0;

	assert_int_equal(receive(f, &in, &fd), -EAGAIN);
	assert_int_equal(vsock_msg_send(f->fd[0], &out, -1), 0);
	assert_int_equal(receive(f, &in, &fd), 1);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(fd, -1);
}

static void a_descriptor_arrives_and_is_the_receivers(void **state)
{
	struct fixture *f = *state;
	struct vsock_msg in;
	int fd = -1;
	char c = 0;

	assert_int_equal(vsock_msg_send(f->fd[0], &offer, f->pipe[1]), 0);
	assert_int_equal(receive(f, &in, &fd), 1);
	assert_int_equal(in.guest_port, 22);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fd, "x", 1), 1);
	assert_int_equal(read(f->pipe[0], &c, 1), 1);
	close(fd);
	assert_no_copies(f);
}

static void the_end_of_the_other_side_is_seen(void **state)
{
	struct fixture *f = *state;
	struct vsock_msg in;
	int fd;

	close(f->fd[0]);
	f->fd[0] = -1;
	assert_int_equal(receive(f, &in, &fd), 0);
	assert_int_equal(vsock_msg_send(f->fd[1], &offer, -1), -EPIPE);
}

static void a_full_channel_says_so_and_loses_nothing(void **state)
{
	struct vsock_msg m = {.type = VSOCK_MSG_CONNECT};
	struct fixture *f = *state;
	uint64_t sent = 0, got = 0;
	int fd, r;

	do {
		m.id = sent;
		r = vsock_msg_send(f->fd[0], &m, -1);
		sent += r == 0;
	} while (!r);
	assert_int_equal(r, -EAGAIN);
	assert_true(sent > 0);
	while (receive(f, &m, &fd) == 1)
		assert_true(m.id == got++);
	assert_true(got == sent);
}

static void what_is_no_message_is_dropped_with_its_descriptors(void **state)
{
	const struct {
		size_t len;
		uint32_t type, reserved;
		unsigned int n_fds;
	} bad[] = {
		{sizeof(offer) - 1, VSOCK_MSG_OFFER, 0, 1},
		{sizeof(offer) + 1, VSOCK_MSG_OFFER, 0, 1},
		{1, VSOCK_MSG_OFFER, 0, 0},
		{sizeof(offer), 0, 0, 0},
		{sizeof(offer), 5, 0, 1},
		{sizeof(offer), VSOCK_MSG_OFFER, 1, 1},
		{sizeof(offer), VSOCK_MSG_OFFER, 0, 0},
		{sizeof(offer), VSOCK_MSG_OFFER, 0, 2},
		{sizeof(offer), VSOCK_MSG_OFFER, 0, 8},
		{sizeof(offer), VSOCK_MSG_CONNECTED, 0, 0},
		{sizeof(offer), VSOCK_MSG_CONNECT, 0, 1},
		{sizeof(offer), VSOCK_MSG_REFUSED, 0, 1},
	};
	struct fixture *f = *state;
	struct {
		struct vsock_msg m;
		char more;
	} out = {0};
	struct vsock_msg in;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		out.m.type = bad[i].type;
		out.m.reserved = bad[i].reserved;
		send_raw(f, &out, bad[i].len, bad[i].n_fds);
		assert_int_equal(receive(f, &in, &fd), -EBADMSG);
	}
	assert_int_equal(receive(f, &in, &fd), -EAGAIN);
	assert_no_copies(f);
}

static void without_a_free_descriptor_connected_reads_as_refused(void **state)
{
	const struct vsock_msg connected = {.type = VSOCK_MSG_CONNECTED,
					    .id = 7};
	struct fixture *f = *state;
	struct rlimit old, none;
	struct vsock_msg in;
	int fd = 0;

	assert_int_equal(vsock_msg_send(f->fd[0], &connected, f->pipe[1]), 0);
	assert_int_equal(vsock_msg_send(f->fd[0], &offer, f->pipe[1]), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	none = old;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(receive(f, &in, &fd), 1);
	assert_int_equal(in.type, VSOCK_MSG_REFUSED);
	assert_int_equal(in.id, 7);
	assert_int_equal(fd, -1);
	assert_int_equal(receive(f, &in, &fd), -EBADMSG);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
	assert_no_copies(f);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_message_arrives_as_it_was_sent),
		CASE(a_descriptor_arrives_and_is_the_receivers),
		CASE(the_end_of_the_other_side_is_seen),
		CASE(a_full_channel_says_so_and_loses_nothing),
		CASE(what_is_no_message_is_dropped_with_its_descriptors),
		CASE(without_a_free_descriptor_connected_reads_as_refused),
	};

	return cmocka_run_group_tests_name("vsock_broker", tests, NULL, NULL);
}
