/* vmm/cli/ctl_http.c - one request, one answer (RFC 9112). */
#include "vmm/cli/ctl_http.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum {
	LINE_BYTES = 4096,
	FIELDS_MAX = 100,
	CHUNK_MAX = 1024 * 1024,
};

struct answer {
	FILE *f;
	int status;
	bool chunked, has_length;
	size_t length;
};

static void file_closep(FILE **f)
{
	if (*f)
		fclose(*f);
}

/* --- connecting ------------------------------------------------------------
 */

static int fail_connect(const char *path, int r, struct err *err)
{
	if (r == -ENOENT || r == -ENOTDIR)
		return err_set_kind(err, ERR_HOST, r,
				    "%s: there is no such socket; a guest "
				    "started with --api %s makes it",
				    path, path);
	if (r == -ECONNREFUSED)
		return err_set_kind(err, ERR_HOST, r,
				    "%s: nobody listens there: the guest has "
				    "ended, or this is no control socket",
				    path);
	if (r == -EACCES || r == -EPERM)
		return err_set_kind(err, ERR_PERM, r,
				    "%s: %s; the socket is for the user who "
				    "started the guest, and for root",
				    path, strerror(-r));
	return err_set_kind(err, ERR_HOST, r, "%s: %s", path, strerror(-r));
}

static int dial(const struct ctl_request *q, int *ret, struct err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	struct timeval tv = {
		.tv_sec = (time_t)(q->timeout_ms / 1000),
		.tv_usec = (suseconds_t)(q->timeout_ms % 1000) * 1000,
	};
	AUTO(fd_closep) int fd = -1;

	if (strlen(q->socket) >= sizeof(a.sun_path))
		return err_set_kind(err, ERR_USAGE, -ENAMETOOLONG,
				    "%s: a socket path has at most %zu bytes",
				    q->socket, sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, q->socket, strlen(q->socket));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fail_connect(q->socket, -errno, err);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		return fail_connect(q->socket, -errno, err);
	*ret = TAKE_FD(fd);
	return 0;
}

/*
 * A server that refuses early closes while we still send: what it has said is
 * then there to be read, so a failure here is not the end.
 */
static void send_all(int fd, const char *text, size_t len)
{
	while (len) {
		ssize_t n = send(fd, text, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		text += n;
		len -= (size_t)n;
	}
}

static int send_request(int fd, const struct ctl_request *q, struct err *err)
{
	AUTO(freep) char *text = NULL;
	size_t len = q->body ? strlen(q->body) : 0;
	int n = asprintf(&text,
			 "%s %s HTTP/1.1\r\nHost: localhost\r\n"
			 "Connection: close\r\nContent-Length: %zu\r\n"
			 "%s\r\n%s",
			 q->method, q->target, len,
			 len ? "Content-Type: application/json\r\n" : "",
			 len ? q->body : "");

	if (n < 0) {
		text = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	send_all(fd, text, (size_t)n);
	return 0;
}

/* --- reading ---------------------------------------------------------------
 */

/* Why there is no more to read. */
static int fail_read(FILE *f, const struct ctl_request *q, struct err *err)
{
	int e = ferror(f) ? errno : 0;

	if (e == EAGAIN || e == EWOULDBLOCK)
		return err_set_kind(err, ERR_HOST, -ETIMEDOUT,
				    "%s: no answer in time", q->socket);
	return err_set_kind(err, ERR_HOST, -ECONNRESET,
			    "%s: the connection ended before the answer did",
			    q->socket);
}

static int bad_answer(const struct ctl_request *q, struct err *err)
{
	return err_set_kind(err, ERR_HOST, -EPROTO,
			    "%s: what answers there is not coffer", q->socket);
}

/* One line without its end. */
static int read_line(struct answer *a, const struct ctl_request *q,
		     char line[static LINE_BYTES], struct err *err)
{
	size_t n;

	if (!fgets(line, LINE_BYTES, a->f))
		return fail_read(a->f, q, err);
	n = strlen(line);
	if (feof(a->f)) /* in the middle of it */
		return fail_read(a->f, q, err);
	if (n < 2 || strcmp(line + n - 2, "\r\n") != 0)
		return bad_answer(q, err);
	line[n - 2] = 0;
	return 0;
}

static int parse_length(const char *text, int base, size_t max, size_t *ret)
{
	char *end;
	unsigned long v;

	if (!strchr("0123456789abcdefABCDEF", *text) || !*text)
		return -EPROTO;
	errno = 0;
	v = strtoul(text, &end, base);
	if (errno || *end || v > max)
		return -EPROTO;
	*ret = v;
	return 0;
}

/* The value of @line if it is field @name, else NULL. */
static const char *value_of(const char *line, const char *name)
{
	size_t n = strlen(name);

	if (strncasecmp(line, name, n) != 0 || line[n] != ':')
		return NULL;
	line += n + 1;
	return line + strspn(line, " \t");
}

static int parse_field(struct answer *a, const char *line)
{
	const char *v = value_of(line, "Content-Length");

	if (v) {
		a->has_length = true;
		return parse_length(v, 10, CTL_BODY_MAX, &a->length);
	}
	v = value_of(line, "Transfer-Encoding");
	if (v && strcasecmp(v, "chunked") != 0)
		return -EPROTO;
	a->chunked |= v != NULL;
	return 0;
}

/* "HTTP/1.1 200 OK"; an interim answer is not ours. */
static int parse_status(struct answer *a, const char *line)
{
	static const char version[] = "HTTP/1.";
	const char *p = line + sizeof(version) - 1;
	char *end;

	if (strncmp(line, version, sizeof(version) - 1) != 0 ||
	    (*p != '0' && *p != '1') || p[1] != ' ' || p[2] < '2' || p[2] > '5')
		return -EPROTO;
	a->status = (int)strtol(p + 2, &end, 10);
	return end == p + 5 ? 0 : -EPROTO;
}

static int read_head(struct answer *a, const struct ctl_request *q,
		     struct err *err)
{
	char line[LINE_BYTES];
	int r = read_line(a, q, line, err);

	if (r < 0)
		return r;
	if (parse_status(a, line) < 0)
		return bad_answer(q, err);
	for (int i = 0; i < FIELDS_MAX; i++) {
		r = read_line(a, q, line, err);
		if (r < 0 || !*line)
			return r;
		if (parse_field(a, line) < 0)
			break;
	}
	return bad_answer(q, err);
}

/* Append @len bytes to the reply. */
static int read_bytes(struct answer *a, const struct ctl_request *q, size_t len,
		      struct ctl_reply *ret, struct err *err)
{
	char *body;

	if (len > CTL_BODY_MAX - ret->len)
		return bad_answer(q, err);
	body = realloc(ret->body, ret->len + len + 1);
	if (!body)
		return err_set(err, -ENOMEM, "out of memory");
	ret->body = body;
	if (fread(body + ret->len, 1, len, a->f) != len)
		return fail_read(a->f, q, err);
	ret->len += len;
	body[ret->len] = 0;
	return 0;
}

static int write_out(const struct ctl_request *q, struct ctl_reply *r,
		     struct err *err)
{
	size_t n = fwrite(r->body, 1, r->len, q->stream);

	if (n != r->len || fflush(q->stream))
		return err_set_kind(err, ERR_HOST, -EPIPE,
				    "cannot write to standard output: %s",
				    strerror(errno));
	r->len = 0;
	return 0;
}

static int read_chunks(struct answer *a, const struct ctl_request *q,
		       struct ctl_reply *ret, struct err *err)
{
	char line[LINE_BYTES];
	size_t len = 0;
	int r;

	do {
		r = read_line(a, q, line, err);
		if (!r && parse_length(line, 16, CHUNK_MAX, &len) < 0)
			r = bad_answer(q, err);
		if (!r)
			r = read_bytes(a, q, len, ret, err);
		if (!r && q->stream && a->status == 200)
			r = write_out(q, ret, err);
		if (!r)
			r = read_line(a, q, line, err);
		if (!r && *line)
			r = bad_answer(q, err);
	} while (!r && len);
	return r;
}

int ctl_http_ask(const struct ctl_request *q, struct ctl_reply *ret,
		 struct err *err)
{
	AUTO(file_closep) FILE *f = NULL;
	AUTO(fd_closep) int fd = -1;
	struct answer a = {0};
	int r;

	*ret = (struct ctl_reply){0};
	r = dial(q, &fd, err);
	if (!r)
		r = send_request(fd, q, err);
	if (r < 0)
		return r;
	f = fdopen(fd, "r");
	if (!f)
		return err_set(err, -ENOMEM, "out of memory");
	fd = -1; /* f has it */
	a.f = f;
	r = read_head(&a, q, err);
	if (!r)
		r = a.chunked ? read_chunks(&a, q, ret, err)
			      : read_bytes(&a, q, a.length, ret, err);
	ret->status = a.status;
	if (r < 0) {
		free(ret->body);
		*ret = (struct ctl_reply){0};
	}
	return r;
}
