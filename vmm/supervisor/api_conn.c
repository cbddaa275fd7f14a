/*
 * vmm/supervisor/api_conn.c - one HTTP connection over a libevent buffer.
 *
 * A call of the owner may destroy the connection, so it is the last thing a
 * function does.
 */
#include "vmm/supervisor/api_conn.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/supervisor/api_json.h"
#include "vmm/supervisor/api_server.h"

enum {
	LINGER_MS = 2000,	    /* for a refused client to stop sending */
	LINGER_BYTES = 1024 * 1024, /* that are read and ignored meanwhile */
	DATE_MAX = 40,
};

enum phase {
	PHASE_HEAD, /* waiting for a request or in the middle of its head */
	PHASE_BODY,
	PHASE_BUSY,   /* the owner has it */
	PHASE_REPLY,  /* the answer is being written */
	PHASE_STREAM, /* an answer without end */
	PHASE_LINGER, /* refused; what still comes is ignored */
};

struct api_conn {
	struct bufferevent *bev;
	struct event *timer;
	const struct api_limits *limits;
	const struct api_conn_ops *ops;
	void *arg;
	enum phase phase;
	bool begun; /* the first byte of a request is there */
	bool eof;   /* the client sends nothing more */
	struct http_request req;
	char *body;	 /* while the owner has the request */
	size_t lingered; /* bytes ignored so far */
};

static void set_timer(struct api_conn *c, unsigned int ms)
{
	struct timeval tv = {
		.tv_sec = ms / 1000,
		.tv_usec = (suseconds_t)(ms % 1000) * 1000,
	};

	event_add(c->timer, &tv);
}

static struct evbuffer *input(struct api_conn *c)
{
	return bufferevent_get_input(c->bev);
}

static struct evbuffer *output(struct api_conn *c)
{
	return bufferevent_get_output(c->bev);
}

/* --- reading ------------------------------------------------------------- */

/* Where the next request begins is not known: this one is the last. */
static void refuse(struct api_conn *c, int status, const char *detail)
{
	c->req.close = true;
	api_conn_problem(c, status, detail, NULL);
}

static int read_head(struct api_conn *c)
{
	size_t len = evbuffer_get_length(input(c));
	struct err err = {0};
	char *head;
	int n;

	if (len > HTTP_HEAD_MAX)
		len = HTTP_HEAD_MAX;
	head = (char *)evbuffer_pullup(input(c), (ssize_t)len);
	n = head ? http_head_length(head, len, &err) : 0;
	if (n > 0) {
		c->req = (struct http_request){0};
		n = -http_request_parse(head, (size_t)n, &c->req, &err) ?: n;
	}
	if (n < 0)
		refuse(c, -n, err.msg);
	return n;
}

/* Ask for the body, where the client waits to be asked. */
static void begin_body(struct api_conn *c)
{
	c->phase = PHASE_BODY;
	if (c->req.expect_continue &&
	    evbuffer_get_length(input(c)) < c->req.body_len)
		evbuffer_add_printf(output(c), "HTTP/1.1 100 Continue\r\n\r\n");
}

static void hand_over(struct api_conn *c)
{
	size_t len = (size_t)c->req.body_len;

	c->body = calloc(1, len + 1);
	if (!c->body) {
		refuse(c, 503, "out of memory");
		return;
	}
	evbuffer_remove(input(c), c->body, len);
	c->phase = PHASE_BUSY;
	bufferevent_disable(c->bev, EV_READ);
	event_del(c->timer);
	c->ops->request(c->arg, &c->req, c->body);
}

/* Take as much of a request as is there. */
static void advance(struct api_conn *c)
{
	if (!c->begun && evbuffer_get_length(input(c))) {
		c->begun = true;
		set_timer(c, c->limits->request_ms);
	}
	if (c->begun && c->phase == PHASE_HEAD) {
		int n = read_head(c);

		if (n <= 0)
			return;
		evbuffer_drain(input(c), (size_t)n);
		begin_body(c);
	}
	if (c->phase == PHASE_BODY &&
	    evbuffer_get_length(input(c)) >= c->req.body_len)
		hand_over(c);
}

static void ignore_input(struct api_conn *c)
{
	size_t n = evbuffer_get_length(input(c));

	evbuffer_drain(input(c), n);
	c->lingered += n;
	if (c->phase == PHASE_LINGER && c->lingered > LINGER_BYTES)
		c->ops->gone(c->arg);
}

static void on_read(struct bufferevent *bev, void *arg)
{
	struct api_conn *c = arg;

	(void)bev;
	if (c->phase == PHASE_HEAD || c->phase == PHASE_BODY)
		advance(c);
	else if (c->phase == PHASE_STREAM || c->phase == PHASE_LINGER)
		ignore_input(c);
}

/* --- the end of a request, and of the connection ---------------------------
 */

static void wait_for_request(struct api_conn *c)
{
	free(TAKE(c->body));
	c->phase = PHASE_HEAD;
	c->begun = false;
	set_timer(c, c->limits->idle_ms);
	bufferevent_enable(c->bev, EV_READ);
	advance(c); /* it may be there already */
}

/*
 * Closing while the client still sends would reset the connection, and the
 * client might lose the answer that says why.
 */
static void linger(struct api_conn *c)
{
	if (c->eof) {
		c->ops->gone(c->arg);
		return;
	}
	c->phase = PHASE_LINGER;
	shutdown(bufferevent_getfd(c->bev), SHUT_WR);
	set_timer(c, LINGER_MS);
	bufferevent_enable(c->bev, EV_READ);
	ignore_input(c);
}

/* Everything that was to be written has been. */
static void on_write(struct bufferevent *bev, void *arg)
{
	struct api_conn *c = arg;

	(void)bev;
	if (c->phase != PHASE_REPLY)
		return;
	if (c->req.close)
		linger(c);
	else
		wait_for_request(c);
}

static void on_eof(struct api_conn *c)
{
	c->eof = true;
	switch (c->phase) {
	case PHASE_HEAD:
	case PHASE_BODY:
		if (c->begun)
			refuse(c, 400,
			       "the request ended before it was complete");
		else
			c->ops->gone(c->arg);
		return;
	case PHASE_BUSY:
	case PHASE_REPLY:
		return;
	case PHASE_STREAM:
		if (api_conn_is_dead(c))
			c->ops->gone(c->arg);
		return;
	case PHASE_LINGER:
		c->ops->gone(c->arg);
		return;
	}
}

static void on_event(struct bufferevent *bev, short what, void *arg)
{
	struct api_conn *c = arg;

	(void)bev;
	if (what & BEV_EVENT_ERROR)
		c->ops->gone(c->arg);
	else if (what & BEV_EVENT_EOF)
		on_eof(c);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct api_conn *c = arg;

	(void)fd;
	(void)what;
	if ((c->phase == PHASE_HEAD && c->begun) || c->phase == PHASE_BODY)
		refuse(c, 408, "the request did not come in time");
	else
		c->ops->gone(c->arg);
}

bool api_conn_is_dead(const struct api_conn *c)
{
	struct pollfd p = {.fd = bufferevent_getfd(c->bev)};

	return poll(&p, 1, 0) == 1 && p.revents & (POLLHUP | POLLERR);
}

/* --- writing ---------------------------------------------------------------
 */

static const char *date(char *buf)
{
	time_t now = time(NULL);
	struct tm tm;

	/* RFC 9110, 5.6.7; the C locale has the English names. */
	strftime(buf, DATE_MAX, "%a, %d %b %Y %H:%M:%S GMT",
		 gmtime_r(&now, &tm));
	return buf;
}

static void write_status(struct api_conn *c, int status, const char *type)
{
	char buf[DATE_MAX];

	evbuffer_add_printf(output(c),
			    "HTTP/1.1 %d %s\r\nDate: %s\r\n"
			    "Content-Type: %s\r\nCache-Control: no-store\r\n",
			    status, http_reason(status), date(buf), type);
	if (c->req.close)
		evbuffer_add_printf(output(c), "Connection: close\r\n");
	if (c->ops->answered)
		c->ops->answered(c->arg, status);
}

void api_conn_reply(struct api_conn *c, const struct api_reply *r)
{
	c->phase = PHASE_REPLY;
	bufferevent_disable(c->bev, EV_READ);
	set_timer(c, c->limits->reply_ms);
	write_status(c, r->status, r->type);
	if (r->allow)
		evbuffer_add_printf(output(c), "Allow: %s\r\n", r->allow);
	evbuffer_add_printf(output(c), "Content-Length: %zu\r\n\r\n", r->len);
	if (c->req.method != HTTP_HEAD)
		evbuffer_add(output(c), r->body, r->len);
}

static void reply_problem(struct api_conn *c, int status, const char *detail,
			  const char *state, const char *allow)
{
	AUTO(freep) char *text = api_json_problem(status, detail, state);
	struct api_reply r = {
		.status = status,
		.type = API_TYPE_PROBLEM,
		.allow = allow,
		.body = text ? text : "",
		.len = text ? strlen(text) : 0,
	};

	api_conn_reply(c, &r);
}

void api_conn_problem(struct api_conn *c, int status, const char *detail,
		      const char *state)
{
	reply_problem(c, status, detail, state, NULL);
}

void api_conn_not_allowed(struct api_conn *c, const char *allow)
{
	char detail[64];

	snprintf(detail, sizeof(detail), "allowed here: %s", allow);
	reply_problem(c, 405, detail, NULL, allow);
}

void api_conn_stream(struct api_conn *c, const char *type)
{
	free(TAKE(c->body));
	c->phase = PHASE_STREAM;
	c->req.close = true;
	write_status(c, 200, type);
	if (!c->req.http_1_0)
		evbuffer_add_printf(output(c),
				    "Transfer-Encoding: chunked\r\n");
	evbuffer_add_printf(output(c), "\r\n");
	bufferevent_enable(c->bev, EV_READ); /* to see the client go */
	if (c->req.method == HTTP_HEAD) {
		c->phase = PHASE_REPLY;
		set_timer(c, c->limits->reply_ms);
	}
}

int api_conn_stream_write(struct api_conn *c, const char *data, size_t len)
{
	if (c->phase != PHASE_STREAM)
		return 0;
	if (evbuffer_get_length(output(c)) + len > API_STREAM_MAX)
		return -ENOBUFS;
	if (!c->req.http_1_0)
		evbuffer_add_printf(output(c), "%zx\r\n", len);
	evbuffer_add(output(c), data, len);
	if (!c->req.http_1_0)
		evbuffer_add(output(c), "\r\n", 2);
	return 0;
}

void api_conn_stream_end(struct api_conn *c)
{
	if (c->phase != PHASE_STREAM)
		return;
	if (!c->req.http_1_0)
		evbuffer_add(output(c), "0\r\n\r\n", 5);
	c->phase = PHASE_REPLY;
	set_timer(c, c->limits->reply_ms);
	if (!evbuffer_get_length(output(c)))
		bufferevent_trigger(c->bev, EV_WRITE, BEV_TRIG_DEFER_CALLBACKS);
}

void api_conn_turn_away(int fd, int status, const char *detail)
{
	AUTO(freep) char *text = api_json_problem(status, detail, NULL);
	char head[256];
	int n = snprintf(head, sizeof(head),
			 "HTTP/1.1 %d %s\r\nContent-Type: %s\r\n"
			 "Content-Length: %zu\r\nConnection: close\r\n\r\n",
			 status, http_reason(status), API_TYPE_PROBLEM,
			 text ? strlen(text) : 0);

	/* A new socket has room for it. */
	if (send(fd, head, (size_t)n, MSG_NOSIGNAL | MSG_DONTWAIT) == n && text)
		(void)!send(fd, text, strlen(text),
			    MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

/* --- life ------------------------------------------------------------------
 */

int api_conn_create(struct event_base *base, int fd,
		    const struct api_limits *limits,
		    const struct api_conn_ops *ops, void *arg,
		    struct api_conn **ret)
{
	struct api_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return -ENOMEM;
	}
	c->limits = limits;
	c->ops = ops;
	c->arg = arg;
	c->bev = bufferevent_socket_new(base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (!c->bev)
		close(fd);
	else
		c->timer = evtimer_new(base, on_timer, c);
	if (!c->timer) {
		api_conn_destroy(c);
		return -ENOMEM;
	}
	bufferevent_setcb(c->bev, on_read, on_write, on_event, c);
	bufferevent_setwatermark(c->bev, EV_READ, 0,
				 HTTP_HEAD_MAX + HTTP_BODY_MAX);
	*ret = c;
	wait_for_request(c);
	return 0;
}

void api_conn_destroy(struct api_conn *c)
{
	if (!c)
		return;
	if (c->timer)
		event_free(c->timer);
	if (c->bev)
		bufferevent_free(c->bev);
	free(c->body);
	free(c);
}
