/* tests/unit/vsock_host_fixture.h - the host's end, with real sockets, and the
 * test as the device. */
#ifndef TESTS_UNIT_VSOCK_HOST_FIXTURE_H
#define TESTS_UNIT_VSOCK_HOST_FIXTURE_H

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/virtio/vsock_broker.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"
#include "vmm/base/own.h"
#include "vmm/vsock_host.h"

/* Ticks of a clock that stands still, and of one that runs. */
enum {
	NEVER_MS = 3600 * 1000,
	SOON_MS = 1,
	BRISK_MS = 25,
	WAIT_MS = 10000,
	STEP_MS = 2
};

struct fixture {
	struct loop *loop;
	struct loop_source *step;
	unsigned int steps;
	struct vsock_host *h;
	int device; /* our end of the channel */
	char dir[40], path[64];
	struct vsock_msg m; /* the last message, and what came with it */
	int fd;
};

static inline void on_step(void *arg)
{
	loop_quit(arg);
}

/* Let the loop do what it has to do. */
static inline void turn(struct fixture *f)
{
	loop_set_timer(f->step, STEP_MS);
	assert_int_equal(loop_run(f->loop), 0);
}

static inline int make(struct fixture *f, unsigned int tick_ms)
{
	struct vsock_host_params p = {
		.path = f->path, .loop = f->loop, .tick_ms = tick_ms};
	int fd[2], r;

	assert_int_equal(vsock_channel_create(fd, NULL), 0);
	f->device = fd[0];
	p.channel = fd[1];
	r = vsock_host_create(&p, &f->h, NULL);
	if (r < 0)
		close(fd[1]);
	return r;
}

static inline int setup_with(void **state, unsigned int tick_ms)
{
	static struct fixture f;

	f = (struct fixture){
		.device = -1, .fd = -1, .dir = "/tmp/vsock.XXXXXX"};
	assert_non_null(mkdtemp(f.dir));
	snprintf(f.path, sizeof(f.path), "%s/v.sock", f.dir);
	assert_int_equal(loop_create(&f.loop, NULL), 0);
	assert_int_equal(loop_add_timer(f.loop, on_step, f.loop, &f.step), 0);
	assert_int_equal(make(&f, tick_ms), 0);
	*state = &f;
	return 0;
}

static inline int setup(void **state)
{
	return setup_with(state, NEVER_MS);
}

static inline int setup_hasty(void **state)
{
	return setup_with(state, SOON_MS);
}

static inline int setup_brisk(void **state)
{
	return setup_with(state, BRISK_MS);
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	vsock_host_destroy(f->h);
	loop_destroy(f->loop);
	fd_closep(&f->device);
	fd_closep(&f->fd);
	assert_int_equal(rmdir(f->dir), 0); /* nothing was left there */
	return 0;
}

static inline struct vsock_host_counters counters(struct fixture *f)
{
	struct vsock_host_counters c;

	vsock_host_counters(f->h, &c);
	return c;
}

static inline int at(const char *path, bool serve, int backlog)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	if (serve) {
		assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
		assert_int_equal(listen(fd, backlog), 0);
	} else {
		assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)),
				 0);
	}
	return fd;
}

/* A client that has said @text. */
static inline int client(struct fixture *f, const char *text)
{
	int fd = at(f->path, false, 0);

	assert_int_equal(send(fd, text, strlen(text), 0), strlen(text));
	return fd;
}

/* The next message within WAIT_MS into f->m and f->fd. */
static inline bool device_hears(struct fixture *f)
{
	fd_closep(&f->fd);
	f->fd = -1;
	for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
		int r = vsock_msg_recv(f->device, &f->m, &f->fd);

		if (r == 1)
			return true;
		assert_int_equal(r, -EAGAIN);
		turn(f);
	}
	return false;
}

static inline bool is_closed(struct fixture *f, int fd)
{
	char c;

	for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
		ssize_t n = recv(fd, &c, 1, 0);

		if (!n || (n < 0 && errno == ECONNRESET))
			return true;
		assert_int_equal(n, -1);
		turn(f);
	}
	return false;
}

static inline void ask(struct fixture *f, uint32_t port, uint64_t id)
{
	const struct vsock_msg m = {.type = VSOCK_MSG_CONNECT,
				    .host_port = port,
				    .guest_port = 1000,
				    .id = id};

	assert_int_equal(vsock_msg_send(f->device, &m, -1), 0);
}

static inline int serve(struct fixture *f, uint32_t port, int backlog)
{
	char path[96];

	snprintf(path, sizeof(path), "%s_%u", f->path, port);
	return at(path, true, backlog);
}

static inline void stop_serving(struct fixture *f, uint32_t port, int fd)
{
	char path[96];

	snprintf(path, sizeof(path), "%s_%u", f->path, port);
	assert_int_equal(unlink(path), 0);
	close(fd);
}

#endif
