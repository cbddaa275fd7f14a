/*
 * vmm/supervisor/api_conn.h - one client's connection: reads requests one
 * after the other, hands each to its owner, writes the answer. What is wrong
 * with the bytes themselves is answered here.
 *
 * A client that is slow to ask gets 408, one that is slow to read is dropped.
 * The next request is read when the answer to the last one is gone.
 */
#ifndef VMM_SUPERVISOR_API_CONN_H
#define VMM_SUPERVISOR_API_CONN_H

#include <stdbool.h>
#include <stddef.h>

#include "vmm/supervisor/api_http.h"

struct api_conn; /* opaque */
struct api_limits;
struct event_base;

struct api_conn_ops {
	/*
	 * A whole request; @body has r->body_len bytes and a zero behind them.
	 * The owner replies or starts a stream, now or later. Nothing else
	 * comes until then, except gone().
	 */
	void (*request)(void *arg, const struct http_request *r,
			const char *body);
	/* The connection has ended: the owner destroys it, now. */
	void (*gone)(void *arg);
	/* An answer with this status was sent, whoever made it. May be NULL. */
	void (*answered)(void *arg, int status);
};

/*
 * Serve @fd, which is non-blocking and taken over, also on failure (-ENOMEM).
 * @limits is borrowed.
 */
int api_conn_create(struct event_base *base, int fd,
		    const struct api_limits *limits,
		    const struct api_conn_ops *ops, void *arg,
		    struct api_conn **ret);
/* NULL is fine. From inside a callback, too. */
void api_conn_destroy(struct api_conn *c);

struct api_reply {
	int status;
	const char *type;  /* of the body */
	const char *allow; /* methods, for 405; else NULL */
	const char *body;  /* copied */
	size_t len;
};

void api_conn_reply(struct api_conn *c, const struct api_reply *r);
/*
 * Reply with a problem in JSON (RFC 9457).
 * @state     the word of the VM's state, for 409; else NULL
 */
void api_conn_problem(struct api_conn *c, int status, const char *detail,
		      const char *state);
/* The same with what is allowed, for 405. */
void api_conn_not_allowed(struct api_conn *c, const char *allow);

/* Begin an answer of unknown length. */
void api_conn_stream(struct api_conn *c, const char *type);
/* -ENOBUFS: API_STREAM_MAX bytes wait already; nothing was added. */
int api_conn_stream_write(struct api_conn *c, const char *data, size_t len);
/* The answer is complete; what waits is still sent. */
void api_conn_stream_end(struct api_conn *c);
/* Has the client closed its end of the stream altogether? */
bool api_conn_is_dead(const struct api_conn *c);

/* Answer @fd, once and without reading, and close it. */
void api_conn_turn_away(int fd, int status, const char *detail);

#endif
