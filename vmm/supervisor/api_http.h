/*
 * vmm/supervisor/api_http.h - the head of an HTTP request, from bytes to a
 * struct (RFC 9112, "HTTP/1.1"). It knows no socket and allocates nothing.
 *
 * Strict where two readers could understand a request differently (lengths,
 * line ends, repeated fields): such a request is refused, not repaired.
 */
#ifndef VMM_SUPERVISOR_API_HTTP_H
#define VMM_SUPERVISOR_API_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	HTTP_HEAD_MAX = 8192,	/* bytes, with the empty line: else 431 */
	HTTP_TARGET_MAX = 1024, /* bytes: else 414 */
	HTTP_FIELDS_MAX = 64,	/* else 431 */
	HTTP_BODY_MAX = 65536,	/* bytes: else 413 */
};

enum http_method {
	HTTP_GET = 0,
	HTTP_HEAD,
	HTTP_PUT,
	HTTP_OTHER, /* a method that HTTP has and we never serve */
};

struct http_request {
	enum http_method method;
	char path[HTTP_TARGET_MAX + 1]; /* begins with '/' */
	bool http_1_0;
	bool close; /* the client wants, or HTTP/1.0 implies, one request */
	bool expect_continue;
	uint64_t body_len; /* 0..HTTP_BODY_MAX */
};

/*
 * The length of the head that @buf begins with, up to and with its empty line;
 * 0: more bytes are needed; or a status, negated, when no further byte can make
 * it right: -400, -414, -431.
 */
int http_head_length(const char *buf, size_t len, struct err *err);

/*
 * Parse a head of http_head_length() bytes. 0, or the status to answer with
 * (400, 411, 413, 414, 415, 417, 431, 501, 505) and what was wrong in @err;
 * the connection must then be closed, since where the next request begins is
 * not known. @ret is written only on 0.
 */
int http_request_parse(const char *head, size_t len, struct http_request *ret,
		       struct err *err);

/* "Not Found": RFC 9110, "Status Codes"; "" for a number it does not have. */
const char *http_reason(int status);

#endif
