/* devices/virtio/vsock_broker.c - one struct and one descriptor per message. */
#include "devices/virtio/vsock_broker.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { FDS_MAX = 4 }; /* room to see, and to close, what should not be there */

union control {
	char buf[CMSG_SPACE(FDS_MAX * sizeof(int))];
	struct cmsghdr align;
};

int vsock_channel_create(int ret_fd[static 2], struct err *err)
{
	int fd[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       0, fd) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "vsock: socketpair: %s", strerror(errno));
	ret_fd[0] = fd[0];
	ret_fd[1] = fd[1];
	return 0;
}

int vsock_msg_send(int channel, const struct vsock_msg *m, int pass)
{
	struct vsock_msg copy = *m;
	struct iovec iov = {&copy, sizeof(copy)};
	union control c = {0};
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	struct cmsghdr *cm;

	if (pass >= 0) {
		msg.msg_control = c.buf;
		msg.msg_controllen = CMSG_SPACE(sizeof(int));
		cm = CMSG_FIRSTHDR(&msg);
		cm->cmsg_level = SOL_SOCKET;
		cm->cmsg_type = SCM_RIGHTS;
		cm->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(cm), &pass, sizeof(int));
	}
	if (sendmsg(channel, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) < 0)
		return -errno;
	return 0;
}

/* Collect the descriptors of @msg in @fd; returns how many there are. */
static size_t take_fds(struct msghdr *msg, int fd[static FDS_MAX])
{
	size_t n = 0;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm;
	     cm = CMSG_NXTHDR(msg, cm)) {
		size_t count;

		if (cm->cmsg_level != SOL_SOCKET || cm->cmsg_type != SCM_RIGHTS)
			continue;
		count = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		if (count > FDS_MAX - n)
			count = FDS_MAX - n;
		memcpy(fd + n, CMSG_DATA(cm), count * sizeof(int));
		n += count;
	}
	return n;
}

static bool well_formed(const struct vsock_msg *m, size_t len, size_t n_fds)
{
	if (len != sizeof(*m) || m->reserved)
		return false;
	switch (m->type) {
	case VSOCK_MSG_CONNECT:
	case VSOCK_MSG_REFUSED:
		return n_fds == 0;
	case VSOCK_MSG_CONNECTED:
	case VSOCK_MSG_OFFER:
		return n_fds == 1;
	default:
		return false;
	}
}

int vsock_msg_recv(int channel, struct vsock_msg *ret, int *ret_fd)
{
	struct vsock_msg m = {0};
	struct iovec iov = {&m, sizeof(m)};
	union control c = {0};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = c.buf,
			     .msg_controllen = sizeof(c.buf)};
	int fd[FDS_MAX];
	size_t n_fds;
	ssize_t n;

	n = recvmsg(channel, &msg, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
	if (n < 0)
		return errno == EINTR ? -EAGAIN : -errno;
	n_fds = take_fds(&msg, fd);
	if (n == 0 && !n_fds)
		return 0;
	if (n == sizeof(m) && m.type == VSOCK_MSG_CONNECTED && !n_fds &&
	    (msg.msg_flags & MSG_CTRUNC)) {
		m.type = VSOCK_MSG_REFUSED; /* RLIMIT_NOFILE */
		msg.msg_flags = 0;
	}
	if ((msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) ||
	    !well_formed(&m, (size_t)n, n_fds)) {
		for (size_t i = 0; i < n_fds; i++)
			close(fd[i]);
		return -EBADMSG;
	}
	*ret = m;
	*ret_fd = n_fds ? fd[0] : -1;
	return 1;
}
