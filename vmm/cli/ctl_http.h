/* vmm/cli/ctl_http.h - a client of the control socket. It blocks. */
#ifndef VMM_CLI_CTL_HTTP_H
#define VMM_CLI_CTL_HTTP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

struct ctl_request {
	const char *socket; /* path */
	const char *method, *target;
	const char *body;    /* JSON, or NULL */
	uint64_t timeout_ms; /* for each piece of the answer; 0: none */
	/*
	 * A successful answer without a length is written here as it comes,
	 * flushed after each piece. NULL: kept as any other.
	 */
	FILE *stream;
};

struct ctl_reply {
	int status;
	char *body; /* a zero behind it; the caller frees it */
	size_t len;
};

enum { CTL_BODY_MAX = 4 * 1024 * 1024 };

/*
 * Ask and read the answer, whatever its status. The message names the socket.
 * -ENOENT, -ECONNREFUSED  nobody is there (ERR_HOST)
 * -EACCES       not the user who started the guest (ERR_PERM)
 * -ENAMETOOLONG ERR_USAGE
 * -ETIMEDOUT, -ECONNRESET, -EPROTO  no whole answer (ERR_HOST)
 * -EPIPE        @stream cannot be written
 */
int ctl_http_ask(const struct ctl_request *q, struct ctl_reply *ret,
		 struct err *err);

#endif
