/* tests/unit/vsock_conn_fixture.c - see vsock_conn_fixture.h. */
#include "tests/unit/vsock_conn_fixture.h"

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/own.h"

int cf_setup(void **state)
{
	static struct conn_fixture f;

	f = (struct conn_fixture){.host = -1, .has_room = ALLOC};
	*state = &f;
	return 0;
}

int cf_teardown(void **state)
{
	struct conn_fixture *f = *state;

	vsock_conn_destroy(&f->c);
	fd_closep(&f->host);
	return 0;
}

struct vsock_pkt cf_packet(struct conn_fixture *f, uint16_t op)
{
	return (struct vsock_pkt){
		.src_port = GUEST_PORT,
		.dst_port = HOST_PORT,
		.type = VIRTIO_VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = f->has_room,
		.fwd_cnt = f->got,
	};
}

enum vsock_conn_result cf_say(struct conn_fixture *f, uint16_t op,
			      uint32_t flags)
{
	struct vsock_pkt p = cf_packet(f, op);

	p.flags = flags;
	return vsock_conn_packet(&f->c, &p);
}

enum vsock_conn_result cf_give(struct conn_fixture *f, const void *data,
			       size_t len)
{
	struct iovec iov[2] = {{(void *)data, len / 2},
			       {(char *)data + len / 2, len - len / 2}};
	struct vsock_pkt p = cf_packet(f, VIRTIO_VSOCK_OP_RW);

	p.len = (uint32_t)len;
	f->sent += p.len;
	return vsock_conn_data(&f->c, &p, iov, 2);
}

/* The next packet to the guest is @op. */
struct vsock_pkt cf_expect(struct conn_fixture *f, uint16_t op)
{
	struct vsock_pkt p = {0};

	assert_true(vsock_conn_wants(&f->c));
	assert_true(vsock_conn_next(&f->c, &p));
	assert_int_equal(p.op, op);
	assert_int_equal(p.type, VIRTIO_VSOCK_TYPE_STREAM);
	assert_int_equal(p.src_port, HOST_PORT);
	assert_int_equal(p.dst_port, GUEST_PORT);
	assert_int_equal(p.len, 0);
	return p;
}

void cf_expect_none(struct conn_fixture *f)
{
	struct vsock_pkt p;

	assert_false(vsock_conn_wants(&f->c));
	assert_false(vsock_conn_next(&f->c, &p));
}

/* What epoll would say now. */
void cf_event(struct conn_fixture *f)
{
	struct pollfd p = {.fd = f->c.fd, .events = POLLIN | POLLRDHUP};
	uint32_t events = 0;

	if (f->c.out_armed)
		p.events |= POLLOUT;
	assert_true(poll(&p, 1, 0) >= 0);
	events |= p.revents & POLLIN ? (uint32_t)EPOLLIN : 0;
	events |= p.revents & POLLOUT ? (uint32_t)EPOLLOUT : 0;
	events |= p.revents & POLLRDHUP ? (uint32_t)EPOLLRDHUP : 0;
	events |= p.revents & POLLHUP ? (uint32_t)EPOLLHUP : 0;
	events |= p.revents & POLLERR ? (uint32_t)EPOLLERR : 0;
	vsock_conn_event(&f->c, events);
}

/* What the guest receives, as much as it may. */
size_t cf_take(struct conn_fixture *f, void *buf, size_t len)
{
	uint32_t credit = vsock_conn_credit(&f->c);
	struct iovec iov = {buf, len < credit ? len : credit};

	if (!iov.iov_len || !vsock_conn_has_data(&f->c))
		return 0;
	return vsock_conn_read(&f->c, &iov, 1);
}

int cf_pair(struct conn_fixture *f)
{
	int fd[2];

	assert_int_equal(socketpair(AF_UNIX,
				    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				    0, fd),
			 0);
	f->host = fd[1];
	return fd[0];
}

void cf_begin(struct conn_fixture *f, uint32_t alloc)
{
	struct vsock_pkt p = cf_packet(f, VIRTIO_VSOCK_OP_REQUEST);

	vsock_conn_init_dial(&f->c, &p, alloc);
}

/* An open connection that the guest began. */
void cf_open_conn(struct conn_fixture *f, uint32_t alloc)
{
	struct vsock_pkt p;

	cf_begin(f, alloc);
	cf_expect_none(f);
	vsock_conn_dialled(&f->c, cf_pair(f));
	p = cf_expect(f, VIRTIO_VSOCK_OP_RESPONSE);
	assert_int_equal(p.buf_alloc, alloc);
	cf_expect_none(f);
}

void cf_assert_host_reads(struct conn_fixture *f, const char *text)
{
	char buf[64] = "";

	assert_int_equal(read(f->host, buf, sizeof(buf)), strlen(text));
	assert_string_equal(buf, text);
}

/* Until the socket is full: the host does not read. */
size_t cf_stall(struct conn_fixture *f)
{
	static const char block[4096];

	while (!f->c.buf.len) {
		assert_int_equal(cf_give(f, block, sizeof(block)),
				 VSOCK_CONN_FINE);
		while (vsock_conn_wants(&f->c))
			cf_expect(f, VIRTIO_VSOCK_OP_CREDIT_UPDATE);
	}
	return f->c.buf.len;
}

/* The host reads all there is; returns how much. */
size_t cf_drain_host(struct conn_fixture *f)
{
	char buf[4096];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(f->host, buf, sizeof(buf))) > 0)
		sum += (size_t)n;
	return sum;
}
