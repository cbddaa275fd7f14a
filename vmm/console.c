/* vmm/console.c - buffers, escapes, and readers that come and go. */
#include "vmm/console.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/tty.h"

enum {
	ESCAPE = 0x01,	      /* Ctrl-A */
	PARTIAL_LINE_MS = 10, /* how long a prompt may wait for its end */
	CHUNK = 4096,
	INPUT_CHUNK = 256,
	FILE_CHUNKS = 64, /* at once, before others have their turn */
	LAST_FLUSH_MS = 1000,
};

struct console {
	struct console_params p;
	struct loop *loop;
	const struct console_owner_ops *owner;
	void *owner_arg;
	struct console_port *port;

	pthread_mutex_t lock; /* buf, len, lost */
	uint8_t buf[CONSOLE_BUFFER];
	size_t len;
	uint64_t lost;
	atomic_bool ready; /* buf is worth a flush */
	atomic_bool timer_set;

	/*
	 * Held while writing to out_fd or client. The loop's thread only
	 * tries it where a vCPU thread might hold it for long (STREAM).
	 */
	pthread_mutex_t writer;
	int client;  /* LISTEN: accepted connection, or -1 */
	bool broken; /* STREAM: the reader is gone for good */
	atomic_bool abandoned;

	struct loop_source *partial_timer;
	struct loop_source *input_wake;
	struct loop_source *in_source; /* in_fd, client or pty */
	struct loop_source *listen_source;
	struct loop_source *out_source; /* while out_fd takes nothing */
	bool in_pollable; /* false: a file, read it whenever there is room */
	bool in_eof;
	bool escape_seen;
	uint8_t pending[INPUT_CHUNK +
			64]; /* read, not yet taken by the guest */
	size_t n_pending;
};

/* --- output ------------------------------------------------------------ */

void console_output(struct console *c, const uint8_t *buf, size_t len)
{
	if (c->p.style == CONSOLE_STYLE_NONE)
		return;
	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < len; i++) {
		if (c->len == CONSOLE_BUFFER) {
			/* half at once: one move per 8 KiB, not per byte */
			memmove(c->buf, c->buf + CONSOLE_BUFFER / 2,
				CONSOLE_BUFFER / 2);
			c->len = CONSOLE_BUFFER / 2;
			c->lost += CONSOLE_BUFFER / 2;
		}
		c->buf[c->len++] = buf[i];
	}
	atomic_store(&c->ready, true);
	pthread_mutex_unlock(&c->lock);
}

void console_output_pending(struct console *c)
{
	if (!atomic_exchange(&c->timer_set, true))
		loop_set_timer(c->partial_timer, PARTIAL_LINE_MS);
}

/* Take up to @max bytes from the front. */
static size_t take(struct console *c, uint8_t *buf, size_t max)
{
	size_t n;

	pthread_mutex_lock(&c->lock);
	n = c->len < max ? c->len : max;
	memcpy(buf, c->buf, n);
	c->len -= n;
	memmove(c->buf, c->buf + n, c->len);
	if (!c->len)
		atomic_store(&c->ready, false);
	pthread_mutex_unlock(&c->lock);
	return n;
}

/* Put back what a reader did not take, if it still fits. */
static void untake(struct console *c, const uint8_t *buf, size_t n)
{
	pthread_mutex_lock(&c->lock);
	if (n <= CONSOLE_BUFFER - c->len) {
		memmove(c->buf + n, c->buf, c->len);
		memcpy(c->buf, buf, n);
		c->len += n;
	} else {
		c->lost += n;
	}
	pthread_mutex_unlock(&c->lock);
}

static bool wait_writable(int fd, int timeout_ms)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	/* a reader that is gone counts: write() says so */
	return poll(&p, 1, timeout_ms) > 0 &&
	       (p.revents & (POLLOUT | POLLERR | POLLHUP));
}

/*
 * A stream takes everything, or is broken, or we are told to give up.
 * False: nobody took it within @wait_ms, and it is in the buffer again.
 */
static bool write_stream(struct console *c, const uint8_t *buf, size_t n,
			 int wait_ms)
{
	while (n && !c->broken) {
		ssize_t w;

		if (wait_ms >= 0 && !wait_writable(c->p.out_fd, wait_ms)) {
			untake(c, buf, n);
			return false;
		}
		w = write(c->p.out_fd, buf, n);
		if (w >= 0) {
			buf += w;
			n -= (size_t)w;
		} else if (errno == EAGAIN) {
			wait_writable(c->p.out_fd, 100);
		} else if (errno != EINTR) {
			c->broken = true;
			log_warn("console: %s; its output is lost from here on",
				 strerror(errno));
		}
		if (w < 0 && atomic_load(&c->abandoned))
			return true;
	}
	return true;
}

/* Socket or pty: what does not go at once stays in the buffer. */
static bool write_nonblocking(struct console *c, int fd, const uint8_t *buf,
			      size_t n)
{
	while (n) {
		ssize_t w =
			c->p.style == CONSOLE_STYLE_LISTEN
				? send(fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL)
				: write(fd, buf, n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0) {
			untake(c, buf, n);
			return false;
		}
		buf += w;
		n -= (size_t)w;
	}
	return true;
}

/*
 * Write what is buffered. @wait_ms: how long a stream may make us wait for
 * each piece, -1 as long as it takes. The writer lock is held.
 */
static void drain(struct console *c, int wait_ms)
{
	uint8_t buf[CHUNK];
	size_t n;

	for (;;) {
		int fd = c->p.style == CONSOLE_STYLE_LISTEN ? c->client
							    : c->p.out_fd;

		if (fd < 0) {
			atomic_store(&c->ready, false);
			return;
		}
		n = take(c, buf, sizeof(buf));
		if (!n)
			return;
		if (c->p.style != CONSOLE_STYLE_STREAM) {
			if (write_nonblocking(c, fd, buf, n))
				continue;
			atomic_store(&c->ready, false);
			return; /* EPOLLOUT goes on */
		}
		if (!write_stream(c, buf, n, wait_ms))
			return;
	}
}

static void watch_client(struct console *c);

void console_flush(struct console *c)
{
	if (!atomic_load(&c->ready))
		return;
	pthread_mutex_lock(&c->writer);
	drain(c, -1);
	pthread_mutex_unlock(&c->writer);
}

/* --- output by a loop alone, for whoever has no thread to spare ----------- */

bool console_has_room(struct console *c)
{
	size_t len;

	if (c->p.style != CONSOLE_STYLE_STREAM)
		return true;
	pthread_mutex_lock(&c->lock);
	len = c->len;
	pthread_mutex_unlock(&c->lock);
	return len <= CONSOLE_BUFFER / 2;
}

static void on_writable(void *arg, int fd, uint32_t events)
{
	struct console *c = arg;

	(void)fd;
	(void)events;
	console_write_ready(c);
	if (c->port)
		c->port->ops->flush(c->port);
}

/* A source without events would still be told of a reader that went. */
static void watch_out(struct console *c, bool on)
{
	if (on == (c->out_source != NULL))
		return;
	if (!on) {
		loop_remove(c->out_source);
		c->out_source = NULL;
	} else if (loop_add_fd(c->loop, c->p.out_fd, EPOLLOUT, on_writable, c,
			       &c->out_source) < 0) {
		c->out_source = NULL;
		console_output_pending(c); /* then by the clock */
	}
}

void console_write_ready(struct console *c)
{
	bool left;

	pthread_mutex_lock(&c->writer);
	drain(c, 0);
	pthread_mutex_unlock(&c->writer);
	watch_client(c);
	if (c->p.style != CONSOLE_STYLE_STREAM)
		return;
	pthread_mutex_lock(&c->lock);
	left = c->len;
	pthread_mutex_unlock(&c->lock);
	watch_out(c, left);
}

bool console_write_last(struct console *c)
{
	bool left;

	pthread_mutex_lock(&c->writer);
	drain(c, c->p.style == CONSOLE_STYLE_STREAM ? LAST_FLUSH_MS : 0);
	pthread_mutex_unlock(&c->writer);
	pthread_mutex_lock(&c->lock);
	left = c->len;
	pthread_mutex_unlock(&c->lock);
	return !left;
}

/* In the loop's thread: a line without end has waited long enough. */
static void on_partial_line(void *arg)
{
	struct console *c = arg;

	atomic_store(&c->timer_set, false);
	if (c->port)
		c->port->ops->flush(c->port);
	/* Whoever holds it is writing everything anyway. */
	if (pthread_mutex_trylock(&c->writer))
		return;
	drain(c, 0);
	pthread_mutex_unlock(&c->writer);
	watch_client(c);
}

/* --- input ------------------------------------------------------------- */

static void type(struct console *c, const char *text)
{
	size_t n = strlen(text);

	if (n <= sizeof(c->pending) - c->n_pending) {
		memcpy(c->pending + c->n_pending, text, n);
		c->n_pending += n;
	}
}

static void type_window_size(struct console *c)
{
	unsigned int rows, cols;
	char text[64];

	if (!tty_size(c->p.in_fd, &rows, &cols))
		return;
	snprintf(text, sizeof(text), " stty rows %u cols %u\r", rows, cols);
	type(c, text);
}

static void on_escape(struct console *c, uint8_t key)
{
	switch (key) {
	case 'x':
		c->owner->command(c->owner_arg, CONSOLE_CMD_END);
		break;
	case 'p':
		c->owner->command(c->owner_arg, CONSOLE_CMD_POWER_BUTTON);
		break;
	case 'w':
		type_window_size(c);
		break;
	case ESCAPE:
	case 'a':
		type(c, "\001");
		break;
	default:
		log_info("Ctrl-A x: end the guest; p: power button; w: type "
			 "the window size as an stty command; a: Ctrl-A");
		break;
	}
}

static void push_pending(struct console *c)
{
	size_t n;

	if (!c->n_pending || !c->port)
		return;
	n = c->port->ops->input(c->port, c->pending, c->n_pending);
	c->n_pending -= n;
	memmove(c->pending, c->pending + n, c->n_pending);
}

static void take_input(struct console *c, const uint8_t *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (c->p.escapes && c->escape_seen) {
			c->escape_seen = false;
			on_escape(c, buf[i]);
		} else if (c->p.escapes && buf[i] == ESCAPE) {
			c->escape_seen = true;
		} else if (c->n_pending < sizeof(c->pending)) {
			c->pending[c->n_pending++] = buf[i];
		}
	}
	push_pending(c);
}

static int input_fd(const struct console *c)
{
	return c->p.style == CONSOLE_STYLE_LISTEN ? c->client : c->p.in_fd;
}

/* Ask epoll for what we can use: input when the guest has room for it. */
static void watch_client(struct console *c)
{
	uint32_t events = c->n_pending || c->in_eof ? 0 : EPOLLIN;

	if (!c->in_source)
		return;
	pthread_mutex_lock(&c->lock);
	if (c->p.style != CONSOLE_STYLE_STREAM && c->len)
		events |= EPOLLOUT;
	pthread_mutex_unlock(&c->lock);
	loop_set_events(c->in_source, events);
}

static void drop_client(struct console *c)
{
	loop_remove(c->in_source);
	c->in_source = NULL;
	pthread_mutex_lock(&c->writer);
	close(c->client);
	c->client = -1;
	pthread_mutex_unlock(&c->writer);
	/* the next one in the backlog */
	loop_set_events(c->listen_source, EPOLLIN);
}

static void on_input_end(struct console *c)
{
	c->in_eof = true;
	if (c->p.style == CONSOLE_STYLE_LISTEN) {
		drop_client(c);
		return;
	}
	/* A closed stdin ends the input, not the guest. */
	if (c->p.style == CONSOLE_STYLE_STREAM) {
		loop_remove(c->in_source);
		c->in_source = NULL;
	}
}

static void read_input(struct console *c)
{
	uint8_t buf[INPUT_CHUNK];
	ssize_t n;

	if (c->n_pending || c->in_eof)
		return;
	n = read(input_fd(c), buf, sizeof(buf));
	if (n > 0)
		take_input(c, buf, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		on_input_end(c);
}

static void on_in(void *arg, int fd, uint32_t events)
{
	struct console *c = arg;

	(void)fd;
	if (events & EPOLLOUT) {
		pthread_mutex_lock(&c->writer);
		drain(c, 0);
		pthread_mutex_unlock(&c->writer);
	}
	if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
		read_input(c);
	watch_client(c);
}

/* A file as stdin: is there more of it, for which the guest has room? */
static bool wants_file(const struct console *c)
{
	return !c->in_pollable && c->p.style == CONSOLE_STYLE_STREAM &&
	       c->port && !c->n_pending && !c->in_eof;
}

/*
 * The guest made room. A file as stdin has no other clock than this one, and
 * may have no end (/dev/zero): a port whose reader is gone takes all of it.
 */
static void on_input_wake(void *arg)
{
	struct console *c = arg;

	push_pending(c);
	for (int i = 0; i < FILE_CHUNKS && wants_file(c); i++)
		read_input(c);
	if (wants_file(c))
		loop_wake(c->input_wake);
	watch_client(c);
}

static void on_connect(void *arg, int fd, uint32_t events)
{
	struct console *c = arg;
	int client;

	(void)events;
	client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (client < 0)
		return;
	pthread_mutex_lock(&c->writer);
	c->client = client;
	pthread_mutex_unlock(&c->writer);
	c->in_eof = false;
	c->n_pending = 0;
	if (loop_add_fd(c->loop, client, EPOLLIN | EPOLLOUT, on_in, c,
			&c->in_source) < 0) {
		drop_client(c);
		return;
	}
	loop_set_events(c->listen_source, 0); /* one at a time */
}

/* --- life -------------------------------------------------------------- */

static int add_input(struct console *c)
{
	int r;

	c->in_pollable = true;
	if (c->p.style == CONSOLE_STYLE_LISTEN)
		return loop_add_fd(c->loop, c->p.out_fd, EPOLLIN, on_connect, c,
				   &c->listen_source);
	if (c->p.in_fd < 0)
		return 0;
	r = loop_add_fd(c->loop, c->p.in_fd, EPOLLIN, on_in, c, &c->in_source);
	if (r == -EPERM) { /* a regular file, or /dev/null */
		c->in_pollable = false;
		r = 0;
	}
	return r;
}

int console_create(const struct console_params *p, struct loop *loop,
		   const struct console_owner_ops *ops, void *arg,
		   struct console **ret, struct err *err)
{
	AUTO(console_destroyp) struct console *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	c->p = *p;
	c->loop = loop;
	c->owner = ops;
	c->owner_arg = arg;
	c->client = -1;
	pthread_mutex_init(&c->lock, NULL);
	pthread_mutex_init(&c->writer, NULL);
	r = loop_add_timer(loop, on_partial_line, c, &c->partial_timer);
	if (!r)
		r = loop_add_wake(loop, on_input_wake, c, &c->input_wake);
	if (!r && p->style != CONSOLE_STYLE_NONE)
		r = add_input(c);
	if (r < 0)
		return err_set(err, r, "console: %s", strerror(-r));
	*ret = TAKE(c);
	return 0;
}

void console_destroy(struct console *c)
{
	if (!c)
		return;
	if (c->p.style != CONSOLE_STYLE_NONE && !c->broken) {
		pthread_mutex_lock(&c->writer);
		drain(c, LAST_FLUSH_MS);
		pthread_mutex_unlock(&c->writer);
	}
	if (c->lost)
		log_debug("console: %llu bytes lost, nobody read them",
			  (unsigned long long)c->lost);
	loop_remove(c->in_source);
	loop_remove(c->listen_source);
	loop_remove(c->out_source);
	loop_remove(c->input_wake);
	loop_remove(c->partial_timer);
	fd_closep(&c->client);
	pthread_mutex_destroy(&c->lock);
	pthread_mutex_destroy(&c->writer);
	free(c);
}

void console_plug(struct console *c, struct console_port *port)
{
	c->port = port;
	atomic_store(&c->abandoned, false);
	c->n_pending = 0;
	if (port)
		loop_wake(c->input_wake);
}

void console_input_ready(struct console *c)
{
	loop_wake(c->input_wake);
}

void console_abandon(struct console *c)
{
	atomic_store(&c->abandoned, true);
}

uint64_t console_lost(const struct console *c)
{
	return c->lost;
}
