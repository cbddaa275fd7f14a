/*
 * vmm/supervisor/api_server.c - accepts clients, knows all of them, and tells
 * those who listen what happens.
 */
#include "vmm/supervisor/api_server.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/supervisor/api_json.h"
#include "vmm/supervisor/api_server_impl.h"

enum {
	ACCEPT_PAUSE_MS = 200, /* when there are no descriptors */
	FLUSH_ROUNDS = 3,
};

void api_limits_init(struct api_limits *l)
{
	*l = (struct api_limits){
		.request_ms = 5000,
		.idle_ms = 30000,
		.reply_ms = 10000,
		.call_ms = 10000,
	};
}

const char *api_event_name(enum api_event e)
{
	static const char *const names[API_EVENT_COUNT] = {
		[API_EVENT_STARTED] = "started",
		[API_EVENT_PAUSED] = "paused",
		[API_EVENT_RESUMED] = "resumed",
		[API_EVENT_STOPPING] = "stopping",
		[API_EVENT_PANIC] = "panic",
		[API_EVENT_CRASH_KERNEL] = "crash-kernel",
		[API_EVENT_SHUTDOWN] = "shutdown",
		[API_EVENT_RESET] = "reset",
		[API_EVENT_NEEDS_RESET] = "needs-reset",
		[API_EVENT_LAUNCH_MEASURED] = "launch-measured",
		[API_EVENT_LAUNCH_SECRET] = "launch-secret",
		[API_EVENT_LAUNCH_FINISHED] = "launch-finished",
		[API_EVENT_ENDED] = "ended",
	};

	return e < API_EVENT_COUNT ? names[e] : "unknown";
}

/* --- clients -----------------------------------------------------------------
 */

static void destroy_client(struct client *c)
{
	struct api_server *s = c->server;

	if (c->calling)
		s->vm->ops->cancel(s->vm, &c->call);
	counters_free(&c->call.counters);
	if (c->call_timer)
		event_free(c->call_timer);
	if (c->streaming)
		s->n_streams--;
	api_conn_destroy(c->conn);
	list_remove(&c->link);
	s->n_clients--;
	free(c);
}

static void on_request(void *arg, const struct http_request *r,
		       const char *body)
{
	api_route(arg, r, body);
}

static void on_gone(void *arg)
{
	destroy_client(arg);
}

static void on_answered(void *arg, int status)
{
	struct client *c = arg;

	c->server->stats.requests++;
	c->server->stats.errors += status >= 400;
}

static const struct api_conn_ops conn_ops = {
	.request = on_request,
	.gone = on_gone,
	.answered = on_answered,
};

/* Mode 0600 says the same; a socket that was passed may have another. */
static bool is_allowed(int fd)
{
	struct ucred u;
	socklen_t len = sizeof(u);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &u, &len) < 0)
		return false;
	return u.uid == 0 || u.uid == geteuid();
}

static void add_client(struct api_server *s, int fd)
{
	struct client *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return;
	}
	c->server = s;
	if (api_conn_create(s->base, fd, &s->limits, &conn_ops, c, &c->conn) <
	    0) {
		free(c);
		return;
	}
	list_add_tail(&s->clients, &c->link);
	s->n_clients++;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd,
		      struct sockaddr *a, int len, void *arg)
{
	struct api_server *s = arg;

	(void)l;
	(void)a;
	(void)len;
	if (!is_allowed(fd)) {
		s->stats.turned_away++;
		api_conn_turn_away(fd, 403,
				   "this socket is for the user who started "
				   "coffer, and for root");
	} else if (s->n_clients == API_CLIENTS_MAX) {
		s->stats.turned_away++;
		api_conn_turn_away(fd, 503, "too many clients");
	} else {
		add_client(s, fd);
	}
}

/* Most likely no descriptors: trying again at once would spin. */
static void on_accept_error(struct evconnlistener *l, void *arg)
{
	struct api_server *s = arg;
	struct timeval tv = {.tv_usec = ACCEPT_PAUSE_MS * 1000L};

	evconnlistener_disable(l);
	event_add(s->resume, &tv);
}

static void on_resume(evutil_socket_t fd, short what, void *arg)
{
	struct api_server *s = arg;

	(void)fd;
	(void)what;
	evconnlistener_enable(s->listener);
}

/* --- events ------------------------------------------------------------------
 */

/* Too slow: a client that does not read must not make us keep what it missed.
 */
static void drop_stream(struct client *c)
{
	c->server->stats.streams_dropped++;
	log_debug("api: a reader of events is too slow and is dropped");
	destroy_client(c);
}

static void send_event(struct client *c, const char *line)
{
	if (api_conn_stream_write(c->conn, line, strlen(line)) < 0)
		drop_stream(c);
}

static char *make_event(struct api_server *s, const char *name,
			const char *detail)
{
	struct api_vm_info i = {0};
	struct timespec now;

	s->vm->ops->info(s->vm, &i);
	clock_gettime(CLOCK_REALTIME, &now);
	return api_json_event(s->event_seq,
			      (uint64_t)now.tv_sec * 1000 +
				      (uint64_t)now.tv_nsec / 1000000,
			      name, api_state_name(i.state), detail);
}

/* Clients that have closed both ways and were not heard of since. */
static void sweep_streams(struct api_server *s)
{
	struct list *l = list_first(&s->clients), *next;

	for (; l; l = next) {
		struct client *c = container_of(l, struct client, link);

		next = list_next(&s->clients, l);
		if (c->streaming && api_conn_is_dead(c->conn))
			destroy_client(c);
	}
}

bool api_server_add_stream(struct client *c)
{
	struct api_server *s = c->server;
	char *line;

	if (s->n_streams == API_STREAMS_MAX)
		sweep_streams(s);
	if (s->n_streams == API_STREAMS_MAX)
		return false;
	c->streaming = true;
	s->n_streams++;
	api_conn_stream(c->conn, API_TYPE_EVENTS);
	line = make_event(s, "attached", NULL);
	if (line)
		send_event(c, line);
	free(line);
	return true;
}

void api_server_event(struct api_server *s, enum api_event e,
		      const char *detail)
{
	struct list *l, *next;
	char *line;

	if (!s)
		return;
	s->event_seq++;
	s->stats.events++;
	if (!s->n_streams)
		return;
	line = make_event(s, api_event_name(e), detail);
	for (l = line ? list_first(&s->clients) : NULL; l; l = next) {
		struct client *c = container_of(l, struct client, link);

		next = list_next(&s->clients, l);
		if (c->streaming)
			send_event(c, line);
	}
	free(line);
}

/* --- the two loops -----------------------------------------------------------
 */

struct nested {
	struct api_server *server;
	struct loop *loop;
	int result;
};

static void on_inner(evutil_socket_t fd, short what, void *arg)
{
	struct nested *n = arg;

	(void)fd;
	(void)what;
	n->result = loop_step(n->loop, 0);
	if (n->result < 0 || loop_take_quit(n->loop))
		event_base_loopbreak(n->server->base);
}

/*
 * libevent does not show its epoll descriptor, ours does: the loop of the
 * supervisor runs as one event among those of the clients.
 */
int api_server_run(struct api_server *s, struct loop *l)
{
	struct nested n = {.server = s, .loop = l};
	struct event *inner;
	int r;

	if (!s)
		return loop_run(l);
	if (loop_take_quit(l))
		return 0;
	inner = event_new(s->base, loop_fd(l), EV_READ | EV_PERSIST, on_inner,
			  &n);
	if (!inner || event_add(inner, NULL) < 0)
		r = -ENOMEM;
	else
		r = event_base_dispatch(s->base) < 0 ? -EIO : 0;
	if (inner)
		event_free(inner);
	return n.result < 0 ? n.result : r;
}

/* --- life --------------------------------------------------------------------
 */

/* No locks, since one thread has it; nothing of the environment is heeded. */
static struct event_base *make_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (!cfg)
		return NULL;
	event_config_set_flag(cfg, EVENT_BASE_FLAG_NOLOCK);
	event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV);
	base = event_base_new_with_config(cfg);
	event_config_free(cfg);
	return base;
}

int api_server_create(int fd, struct api_vm *vm,
		      const struct api_limits *limits, struct api_server **ret,
		      struct err *err)
{
	AUTO(api_server_destroyp)
	struct api_server *s = calloc(1, sizeof(*s));

	if (s) {
		list_init(&s->clients);
		s->vm = vm;
		s->base = make_base();
		if (limits)
			s->limits = *limits;
		else
			api_limits_init(&s->limits);
	}
	if (s && s->base)
		s->resume = evtimer_new(s->base, on_resume, s);
	if (s && s->resume)
		s->listener = evconnlistener_new(s->base, on_accept, s,
						 LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!s || !s->listener)
		return err_set(err, -ENOMEM, "--api: out of memory");
	evconnlistener_set_error_cb(s->listener, on_accept_error);
	*ret = TAKE(s);
	return 0;
}

/*
 * Answers and last events that still wait: one attempt, without blocking, in
 * as many rounds as it takes to turn a finished write into a closed stream.
 */
static void flush(struct api_server *s)
{
	if (!s->listener)
		return;
	evconnlistener_disable(s->listener);
	for (struct list *l = list_first(&s->clients); l;
	     l = list_next(&s->clients, l))
		api_conn_stream_end(container_of(l, struct client, link)->conn);
	for (int i = 0; i < FLUSH_ROUNDS; i++)
		event_base_loop(s->base, EVLOOP_NONBLOCK);
}

void api_server_destroy(struct api_server *s)
{
	struct list *l;

	if (!s)
		return;
	flush(s);
	while ((l = list_first(&s->clients)))
		destroy_client(container_of(l, struct client, link));
	if (s->listener)
		evconnlistener_free(s->listener);
	if (s->resume)
		event_free(s->resume);
	if (s->base)
		event_base_free(s->base);
	free(s);
}
