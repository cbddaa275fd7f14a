/*
 * tests/attack/attack_ring.c - the same and more through the disks' ring, which
 * no system call filter looks into.
 */
#include "tests/attack/attack.h"

#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "vmm/base/own.h"
#include "vmm/monitor/monitor_proto.h"

static struct io_uring *ring;

void attack_ring_found(struct io_uring *r)
{
	ring = r;
}

/* Submit what @sqe holds, wait for what became of it. */
static long submit(struct io_uring_sqe *sqe)
{
	struct io_uring_cqe *cqe;
	long r;

	sqe->user_data = 0x61747461636b; /* "attack" */
	r = io_uring_submit(ring);
	if (r < 0)
		return r;
	do {
		r = io_uring_wait_cqe(ring, &cqe);
	} while (r == -EINTR);
	if (r < 0)
		return r;
	r = cqe->res;
	io_uring_cqe_seen(ring, cqe);
	return r;
}

#define OP(name, prep, ...)                                                    \
	static long name(void)                                                 \
	{                                                                      \
		struct io_uring_sqe *sqe =                                     \
			ring ? io_uring_get_sqe(ring) : NULL;                  \
		if (!sqe)                                                      \
			return -ENXIO; /* no ring, no refusal */               \
		prep(sqe, __VA_ARGS__);                                        \
		return submit(sqe);                                            \
	}

static char data[64];
static struct iovec iov = {data, sizeof(data)};
static struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
static struct open_how how;
static struct statx st;
static struct epoll_event event;
static struct sockaddr_in address = {.sin_family = AF_INET};
static int fds[1] = {MONITOR_FD_CHANNEL};

OP(ring_openat, io_uring_prep_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0)
OP(ring_openat_proc, io_uring_prep_openat, AT_FDCWD, "/proc/self/mem", O_RDWR,
   0)
OP(ring_openat2, io_uring_prep_openat2, AT_FDCWD, "/", &how)
OP(ring_openat_direct, io_uring_prep_openat_direct, AT_FDCWD, "/etc/passwd",
   O_RDONLY, 0, 0)
OP(ring_socket, io_uring_prep_socket, AF_INET, SOCK_STREAM, 0, 0)
OP(ring_connect, io_uring_prep_connect, MONITOR_FD_CHANNEL,
   (struct sockaddr *)&address, sizeof(address))
OP(ring_accept, io_uring_prep_accept, MONITOR_FD_CHANNEL, NULL, NULL, 0)
OP(ring_send, io_uring_prep_send, MONITOR_FD_CHANNEL, data, sizeof(data), 0)
OP(ring_sendmsg, io_uring_prep_sendmsg, MONITOR_FD_CHANNEL, &msg, 0)
OP(ring_recv, io_uring_prep_recv, MONITOR_FD_CHANNEL, data, sizeof(data),
   MSG_DONTWAIT)
OP(ring_recvmsg, io_uring_prep_recvmsg, MONITOR_FD_CHANNEL, &msg, MSG_DONTWAIT)
OP(ring_write, io_uring_prep_write, 2, data, 1, 0)
OP(ring_read, io_uring_prep_read, 0, data, 1, 0)
OP(ring_writev_other, io_uring_prep_writev, 2, &iov, 1, 0)
OP(ring_readv_other, io_uring_prep_readv, 0, &iov, 1, 0)
OP(ring_fsync_other, io_uring_prep_fsync, 2, 0)
OP(ring_fallocate_other, io_uring_prep_fallocate, 2, 0, 0, 1)
OP(ring_write_leaked, io_uring_prep_writev, 300, &iov, 1, 0)
OP(ring_statx, io_uring_prep_statx, AT_FDCWD, "/", 0, 0, &st)
OP(ring_unlink, io_uring_prep_unlinkat, AT_FDCWD, "/x", 0)
OP(ring_rename, io_uring_prep_renameat, AT_FDCWD, "/x", AT_FDCWD, "/y", 0)
OP(ring_mkdir, io_uring_prep_mkdirat, AT_FDCWD, "/x", 0700)
OP(ring_link, io_uring_prep_linkat, AT_FDCWD, "/x", AT_FDCWD, "/y", 0)
OP(ring_splice, io_uring_prep_splice, 0, -1, 2, -1, 1, 0)
OP(ring_tee, io_uring_prep_tee, 0, 2, 1, 0)
OP(ring_close, io_uring_prep_close, MONITOR_FD_CHANNEL)
OP(ring_shutdown, io_uring_prep_shutdown, MONITOR_FD_CHANNEL, 2)
OP(ring_epoll, io_uring_prep_epoll_ctl, 0, 1, EPOLL_CTL_ADD, &event)
OP(ring_files, io_uring_prep_files_update, fds, 1, 0)
OP(ring_buffers, io_uring_prep_provide_buffers, data, 1, 1, 0, 0)
OP(ring_msg_ring, io_uring_prep_msg_ring, MONITOR_FD_CHANNEL, 0, 0, 0)
OP(ring_madvise, io_uring_prep_madvise, data, sizeof(data), 4)

const struct attempt attack_ring_ops[] = {
	{"ring: OPENAT of a file", ring_openat},
	{"ring: OPENAT of /proc/self/mem", ring_openat_proc},
	{"ring: OPENAT2", ring_openat2},
	{"ring: OPENAT into the registered files", ring_openat_direct},
	{"ring: SOCKET", ring_socket},
	{"ring: CONNECT", ring_connect},
	{"ring: ACCEPT", ring_accept},
	{"ring: SEND", ring_send},
	{"ring: SENDMSG", ring_sendmsg},
	{"ring: RECV", ring_recv},
	{"ring: RECVMSG", ring_recvmsg},
	{"ring: WRITE to another descriptor", ring_write},
	{"ring: READ of another descriptor", ring_read},
	{"ring: WRITEV to another descriptor", ring_writev_other},
	{"ring: READV of another descriptor", ring_readv_other},
	{"ring: FSYNC of another descriptor", ring_fsync_other},
	{"ring: FALLOCATE of another descriptor", ring_fallocate_other},
	{"ring: WRITEV to one that coffer inherited", ring_write_leaked},
	{"ring: STATX", ring_statx},
	{"ring: UNLINKAT", ring_unlink},
	{"ring: RENAMEAT", ring_rename},
	{"ring: MKDIRAT", ring_mkdir},
	{"ring: LINKAT", ring_link},
	{"ring: SPLICE", ring_splice},
	{"ring: TEE", ring_tee},
	{"ring: CLOSE", ring_close},
	{"ring: SHUTDOWN", ring_shutdown},
	{"ring: EPOLL_CTL", ring_epoll},
	{"ring: FILES_UPDATE", ring_files},
	{"ring: PROVIDE_BUFFERS", ring_buffers},
	{"ring: MSG_RING", ring_msg_ring},
	{"ring: MADVISE", ring_madvise},
};
const size_t attack_n_ring_ops = ARRAY_SIZE(attack_ring_ops);
