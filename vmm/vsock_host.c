/* vmm/vsock_host.c - clients that say CONNECT, and connections to PATH_PORT. */
#include "vmm/vsock_host.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/virtio/vsock_broker.h"
#include "vmm/base/err.h"
#include "vmm/base/list.h"
#include "vmm/base/loop.h"
#include "vmm/unix_listen.h"

enum {
	TICK_MS = 50,
	TICKS_PER_SECOND = 20,
	BACKLOG = 128,
	ACCEPTS_AT_ONCE = 16, /* then others get their turn */
	MESSAGES_AT_ONCE = 32,
	RETRIES_PER_TICK = 256, /* of connections to a full listener */
	/*
	 * Asked for the sockets the device writes to, so that it has to keep
	 * little; the kernel gives what it allows (net.core.wmem_max).
	 */
	SEND_BUFFER = 512 << 10,
};

/*
 * A connection on its way to the device. It is in one list at a time: of
 * clients whose line is not complete, of dials that wait for a full listener,
 * or of messages that wait for the device.
 */
struct entry {
	struct vsock_host *host;
	struct list link;
	bool is_dial;
	int fd;
	struct loop_source *source; /* of a client */
	uint64_t deadline;	    /* in ticks */
	char line[VSOCK_HOST_LINE_MAX];
	size_t len;
	struct vsock_msg m; /* for the device; a dial begins with its request */
};

struct vsock_host {
	char path[VSOCK_HOST_PATH_MAX + 1];
	struct unix_name name; /* of the file there */
	struct loop *loop;
	int listener, channel;
	struct loop_source *listener_source, *channel_source, *ticker;
	bool deaf; /* nobody is accepted */
	bool full; /* the channel */
	struct list reading, dialling, outbox;
	unsigned int n_clients, n_dials;
	unsigned int tick_ms;
	uint64_t tick;
	bool ticking;
	struct vsock_host_counters count;
};

/* --- entries ----------------------------------------------------------------
 */

static struct entry *entry_new(struct vsock_host *h, bool is_dial)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->host = h;
	e->fd = -1;
	e->is_dial = is_dial;
	++*(is_dial ? &h->n_dials : &h->n_clients);
	return e;
}

static void hear(struct vsock_host *h);

static void entry_free(struct entry *e)
{
	struct vsock_host *h = e->host;

	--*(e->is_dial ? &h->n_dials : &h->n_clients);
	list_remove(&e->link);
	loop_remove(e->source);
	fd_closep(&e->fd);
	free(e);
	hear(h);
}

static void free_all(struct list *head)
{
	struct list *first;

	while ((first = list_first(head)))
		entry_free(container_of(first, struct entry, link));
}

static void start_ticking(struct vsock_host *h)
{
	if (h->ticking)
		return;
	h->ticking = true;
	loop_set_timer(h->ticker, h->tick_ms);
}

static void wait_in(struct entry *e, struct list *where, unsigned int seconds)
{
	list_add_tail(where, &e->link);
	e->deadline = e->host->tick + (uint64_t)seconds * TICKS_PER_SECOND + 1;
	start_ticking(e->host);
}

/* --- the device
 * --------------------------------------------------------------- */

/* The device is gone: there is nobody to connect with. */
static void hang_up(struct vsock_host *h)
{
	loop_remove(h->channel_source);
	h->channel_source = NULL;
	fd_closep(&h->channel);
	h->channel = -1;
	free_all(&h->outbox);
	free_all(&h->dialling);
	free_all(&h->reading);
	loop_remove(h->listener_source);
	h->listener_source = NULL;
}

static void watch_channel(struct vsock_host *h, bool full)
{
	if (h->full == full || !h->channel_source)
		return;
	h->full = full;
	loop_set_events(h->channel_source,
			EPOLLIN | (full ? (uint32_t)EPOLLOUT : 0));
}

static void count_sent(struct vsock_host *h, const struct vsock_msg *m)
{
	if (m->type == VSOCK_MSG_OFFER)
		h->count.offered++;
	else if (m->type == VSOCK_MSG_CONNECTED)
		h->count.dialled++;
	else
		h->count.dials_refused++;
}

/* Send what waits, in order, as far as the device keeps up. */
static void post(struct vsock_host *h)
{
	struct list *first;

	while (h->channel >= 0 && (first = list_first(&h->outbox))) {
		struct entry *e = container_of(first, struct entry, link);
		int r = vsock_msg_send(h->channel, &e->m, e->fd);

		if (r == -EAGAIN) {
			watch_channel(h, true);
			return;
		}
		if (r == -ETOOMANYREFS) { /* it has not taken earlier ones */
			start_ticking(h);
			return;
		}
		if (r < 0) {
			hang_up(h);
			return;
		}
		count_sent(h, &e->m);
		entry_free(e);
	}
	watch_channel(h, false);
}

static void hand_over(struct entry *e, uint32_t type)
{
	int size = SEND_BUFFER;
	struct vsock_host *h = e->host;

	e->m.type = type;
	if (type == VSOCK_MSG_REFUSED) {
		fd_closep(&e->fd);
		e->fd = -1;
	} else {
		setsockopt(e->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	}
	loop_remove(e->source);
	e->source = NULL;
	list_remove(&e->link);
	list_add_tail(&h->outbox, &e->link);
	post(h);
}

/* --- the guest connects to the host
 * ------------------------------------------- */

/* Try to connect. False: the listener's backlog is full. */
static bool dial(struct entry *e)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};

	/* It fits: the path was checked, and so was the port's width. */
	snprintf(a.sun_path, sizeof(a.sun_path), "%s_%u", e->host->path,
		 e->m.host_port);
	if (e->fd >= 0 && !connect(e->fd, (struct sockaddr *)&a, sizeof(a))) {
		hand_over(e, VSOCK_MSG_CONNECTED);
		return true;
	}
	if (e->fd >= 0 && errno == EAGAIN)
		return false;
	hand_over(e, VSOCK_MSG_REFUSED);
	return true;
}

static void on_request(struct vsock_host *h, const struct vsock_msg *m)
{
	struct entry *e = NULL;

	if (h->n_dials < VSOCK_HOST_DIALS_MAX)
		e = entry_new(h, true);
	if (!e) { /* the device gives up by itself */
		h->count.dials_refused++;
		return;
	}
	e->m = *m;
	e->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!dial(e))
		wait_in(e, &h->dialling, VSOCK_HOST_DIAL_SECONDS);
}

/* The other side may be a monitor that its guest has taken over. */
static void on_channel(void *arg, int channel, uint32_t events)
{
	struct vsock_host *h = arg;
	struct vsock_msg m;
	int fd, r = 1;

	if (events & EPOLLOUT)
		post(h);
	for (int i = 0; i < MESSAGES_AT_ONCE && r > 0 && h->channel >= 0; i++) {
		r = vsock_msg_recv(channel, &m, &fd);
		if (r > 0 && m.type == VSOCK_MSG_CONNECT)
			on_request(h, &m);
		else if (r > 0)
			fd_closep(&fd);
		else if (r == -EBADMSG)
			r = 1;
	}
	if (h->channel >= 0 && (!r || (r < 0 && r != -EAGAIN)))
		hang_up(h);
}

/* --- a client connects to the guest
 * ------------------------------------------- */

static void drop_client(struct entry *e)
{
	e->host->count.bad_clients++;
	entry_free(e);
}

/* "CONNECT <port>", its newline already taken off. */
static bool parse_line(const char *line, uint32_t *ret_port)
{
	static const char verb[] = "CONNECT ";
	const char *digits = line + sizeof(verb) - 1;
	uint64_t port = 0;
	size_t n;

	if (strncmp(line, verb, sizeof(verb) - 1) != 0)
		return false;
	n = strspn(digits, "0123456789");
	if (!n || n > 10 || digits[n])
		return false;
	for (size_t i = 0; i < n; i++)
		port = port * 10 + (uint64_t)(digits[i] - '0');
	if (port >= UINT32_MAX) /* the last one means "any" */
		return false;
	*ret_port = (uint32_t)port;
	return true;
}

/*
 * Take what belongs to the line and nothing behind it: that is the guest's.
 * 1: the line is complete, 0: not yet, -1: it never will be.
 */
static int read_line(struct entry *e)
{
	char *at = e->line + e->len, *end;
	size_t room = sizeof(e->line) - e->len;
	ssize_t n = recv(e->fd, at, room, MSG_PEEK | MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n <= 0)
		return -1;
	end = memchr(at, '\n', (size_t)n);
	if (end)
		n = end - at + 1;
	if (recv(e->fd, at, (size_t)n, MSG_DONTWAIT) != n)
		return -1;
	e->len += (size_t)n;
	if (end)
		*end = 0;
	if (!end && e->len == sizeof(e->line))
		return -1;
	return end != NULL;
}

static void on_client(void *arg, int fd, uint32_t events)
{
	struct entry *e = arg;
	int r = read_line(e);

	(void)fd;
	(void)events;
	if (!r)
		return;
	/* A zero byte in the line would hide what follows it. */
	if (r < 0 || strlen(e->line) + 1 != e->len ||
	    !parse_line(e->line, &e->m.guest_port)) {
		drop_client(e);
		return;
	}
	hand_over(e, VSOCK_MSG_OFFER);
}

/* Takes @fd over. */
static void add_client(struct vsock_host *h, int fd)
{
	struct entry *e = entry_new(h, false);

	h->count.clients++;
	if (!e) {
		h->count.bad_clients++;
		close(fd);
		return;
	}
	e->fd = fd;
	if (loop_add_fd(h->loop, fd, EPOLLIN, on_client, e, &e->source) < 0) {
		drop_client(e);
		return;
	}
	wait_in(e, &h->reading, VSOCK_HOST_LINE_SECONDS);
}

/* Those who are not accepted wait in the backlog. */
static void deafen(struct vsock_host *h)
{
	h->deaf = true;
	loop_set_events(h->listener_source, 0);
}

/* Accept again if there is room. */
static void hear(struct vsock_host *h)
{
	if (!h->deaf || !h->listener_source ||
	    h->n_clients >= VSOCK_HOST_CLIENTS_MAX)
		return;
	h->deaf = false;
	loop_set_events(h->listener_source, EPOLLIN);
}

static void on_listener(void *arg, int listener, uint32_t events)
{
	struct vsock_host *h = arg;

	(void)events;
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd;

		if (h->n_clients >= VSOCK_HOST_CLIENTS_MAX) {
			deafen(h);
			return;
		}
		fd = accept4(listener, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd >= 0) {
			add_client(h, fd);
			continue;
		}
		if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
			return;
		deafen(h); /* no descriptors or memory: try again later */
		start_ticking(h);
		return;
	}
}

/* --- time
 * --------------------------------------------------------------------- */

/* Clients all have the same time: the first is the oldest. */
static void expire_clients(struct vsock_host *h)
{
	struct list *first;

	while ((first = list_first(&h->reading))) {
		struct entry *e = container_of(first, struct entry, link);

		if (e->deadline > h->tick)
			return;
		drop_client(e);
	}
}

static void retry_dials(struct vsock_host *h)
{
	unsigned int n =
		h->n_dials < RETRIES_PER_TICK ? h->n_dials : RETRIES_PER_TICK;
	struct list *first;

	while (n-- && (first = list_first(&h->dialling))) {
		struct entry *e = container_of(first, struct entry, link);

		if (e->deadline <= h->tick) {
			hand_over(e, VSOCK_MSG_REFUSED);
		} else if (!dial(e)) {
			list_remove(&e->link);
			list_add_tail(&h->dialling, &e->link);
		}
	}
}

static void on_tick(void *arg)
{
	struct vsock_host *h = arg;

	h->tick++;
	h->ticking = false;
	expire_clients(h);
	retry_dials(h);
	hear(h);
	if (!h->full)
		post(h);
	if (list_first(&h->reading) || list_first(&h->dialling))
		start_ticking(h);
}

/* --- life
 * --------------------------------------------------------------------- */

static int watch(struct vsock_host *h, struct err *err)
{
	int r = loop_add_timer(h->loop, on_tick, h, &h->ticker);

	if (!r)
		r = loop_add_fd(h->loop, h->listener, EPOLLIN, on_listener, h,
				&h->listener_source);
	if (!r)
		r = loop_add_fd(h->loop, h->channel, EPOLLIN, on_channel, h,
				&h->channel_source);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "vsock: epoll: %s",
				    strerror(-r));
	return 0;
}

int vsock_host_create(const struct vsock_host_params *p,
		      struct vsock_host **ret, struct err *err)
{
	AUTO(vsock_host_destroyp) struct vsock_host *h = NULL;
	int r;

	if (strlen(p->path) > VSOCK_HOST_PATH_MAX)
		return err_set_kind(err, ERR_USAGE, -ENAMETOOLONG,
				    "vsock: %s: the path has more than %d "
				    "bytes, and _PORT must fit behind it; "
				    "choose a shorter one",
				    p->path, VSOCK_HOST_PATH_MAX);
	h = calloc(1, sizeof(*h));
	if (!h)
		return err_set(err, -ENOMEM, "out of memory");
	h->listener = h->channel = -1;
	h->loop = p->loop;
	h->tick_ms = p->tick_ms ? p->tick_ms : TICK_MS;
	list_init(&h->reading);
	list_init(&h->dialling);
	list_init(&h->outbox);
	h->listener = unix_listen(p->path, BACKLOG, "vsock", err);
	if (h->listener < 0)
		return h->listener;
	memcpy(h->path, p->path, strlen(p->path) + 1);
	h->name = unix_name_of(h->path);
	h->channel = p->channel;
	r = watch(h, err);
	if (r < 0) {
		h->channel = -1; /* still the caller's */
		return r;
	}
	*ret = TAKE(h);
	return 0;
}

void vsock_host_destroy(struct vsock_host *h)
{
	if (!h)
		return;
	hang_up(h);
	loop_remove(h->ticker);
	if (h->listener >= 0)
		unix_unlink(h->path, &h->name);
	fd_closep(&h->listener);
	free(h);
}

void vsock_host_counters(const struct vsock_host *h,
			 struct vsock_host_counters *ret)
{
	*ret = h->count;
}
