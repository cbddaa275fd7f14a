/* vmm/supervisor/console_relay.c - a console port at the end of a socket. */
#include "vmm/supervisor/console_relay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "vmm/base/err.h"
#include "vmm/base/loop.h"
#include "vmm/console.h"

enum { CHUNK = 4096, LAST_CHUNKS = 256 };

struct console_relay {
	struct console_port port;
	struct console *console;
	int fd;
	struct loop_source *source;
	bool in_full; /* the monitor takes no input now */
	bool out_full;
	bool gone; /* the monitor's end is closed */
};

static void watch(struct console_relay *r)
{
	uint32_t events = (r->out_full ? 0 : (uint32_t)EPOLLIN) |
			  (r->in_full ? (uint32_t)EPOLLOUT : 0);

	if (r->source)
		loop_set_events(r->source, events);
}

static size_t relay_input(struct console_port *p, const uint8_t *buf,
			  size_t len)
{
	struct console_relay *r = container_of(p, struct console_relay, port);
	ssize_t n;

	if (r->gone)
		return len; /* nobody will read it */
	n = send(r->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		return len;
	if (n < (ssize_t)len && !r->in_full) {
		r->in_full = true;
		watch(r);
	}
	return n < 0 ? 0 : (size_t)n;
}

/* False: there is nothing more. */
static bool take_output(struct console_relay *r)
{
	uint8_t buf[CHUNK];
	ssize_t n = recv(r->fd, buf, sizeof(buf), MSG_DONTWAIT);

	if (n > 0)
		console_output(r->console, buf, (size_t)n);
	else if (!n || (errno != EAGAIN && errno != EINTR))
		r->gone = true;
	return n > 0;
}

static void relay_flush(struct console_port *p)
{
	struct console_relay *r = container_of(p, struct console_relay, port);

	if (!r->out_full)
		return;
	if (console_has_room(r->console)) {
		r->out_full = false;
		watch(r);
	}
}

static const struct console_port_ops port_ops = {
	.input = relay_input,
	.flush = relay_flush,
};

static void on_event(void *arg, int fd, uint32_t events)
{
	struct console_relay *r = arg;

	(void)fd;
	if (events & EPOLLOUT) {
		r->in_full = false;
		console_input_ready(r->console);
	}
	if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !r->out_full) {
		take_output(r);
		console_write_ready(r->console);
		r->out_full = !console_has_room(r->console);
	}
	/* What it left, when there is no room now, is taken at the end. */
	if (r->gone || (r->out_full && (events & (EPOLLHUP | EPOLLERR)))) {
		loop_remove(r->source);
		r->source = NULL;
	}
	watch(r);
}

int console_relay_create(struct loop *loop, struct console *console,
			 struct console_relay **ret, int *ret_fd,
			 struct err *err)
{
	AUTO(console_relay_destroyp) struct console_relay *r = NULL;
	AUTO(fd_closep) int theirs = -1;
	int pair[2], e;

	r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(err, -ENOMEM, "out of memory");
	r->fd = -1;
	r->port.ops = &port_ops;
	r->console = console;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "console: socketpair: %s", strerror(errno));
	r->fd = pair[0];
	theirs = pair[1];
	e = loop_add_fd(loop, r->fd, EPOLLIN, on_event, r, &r->source);
	if (e < 0)
		return err_set_kind(err, ERR_HOST, e, "event loop: %s",
				    strerror(-e));
	console_plug(console, &r->port);
	*ret = TAKE(r);
	*ret_fd = TAKE_FD(theirs);
	return 0;
}

void console_relay_destroy(struct console_relay *r)
{
	if (!r)
		return;
	/* The monitor has ended: what it wrote is all here. */
	for (int i = 0; i < LAST_CHUNKS && !r->gone && r->fd >= 0; i++) {
		if (!take_output(r) || !console_write_last(r->console))
			break;
	}
	console_plug(r->console, NULL);
	loop_remove(r->source);
	fd_closep(&r->fd);
	free(r);
}
