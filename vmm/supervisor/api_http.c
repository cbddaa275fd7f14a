/* vmm/supervisor/api_http.c - request line and header fields. */
#include "vmm/supervisor/api_http.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { METHOD_MAX = 16 };

/* A piece of the head, which is not zero-terminated. */
struct text {
	const char *at;
	size_t len;
};

/* What the fields have said so far. */
struct fields {
	bool host, length, chunked, other_coding;
};

__attribute__((format(printf, 3, 4))) static int
refuse(struct err *err, int status, const char *fmt, ...)
{
	char msg[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(msg, sizeof(msg), fmt, ap);
	va_end(ap);
	err_set_kind(err, ERR_INPUT, -EPROTO, "%s", msg);
	return status;
}

static bool is_token_char(char c)
{
	if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_token(struct text t)
{
	for (size_t i = 0; i < t.len; i++)
		if (!is_token_char(t.at[i]))
			return false;
	return t.len > 0;
}

static bool equals(struct text t, const char *word)
{
	return t.len == strlen(word) && !strncasecmp(t.at, word, t.len);
}

static bool equals_exactly(struct text t, const char *word)
{
	return t.len == strlen(word) && !memcmp(t.at, word, t.len);
}

static struct text trim(struct text t)
{
	while (t.len && (*t.at == ' ' || *t.at == '\t')) {
		t.at++;
		t.len--;
	}
	while (t.len && (t.at[t.len - 1] == ' ' || t.at[t.len - 1] == '\t'))
		t.len--;
	return t;
}

int http_head_length(const char *buf, size_t len, struct err *err)
{
	const char *end = memmem(buf, len < HTTP_HEAD_MAX ? len : HTTP_HEAD_MAX,
				 "\r\n\r\n", 4);
	const char *line = memchr(buf, '\n', len);
	size_t n_line = line ? (size_t)(line - buf) : len;

	if (n_line > HTTP_TARGET_MAX + METHOD_MAX + sizeof(" HTTP/1.1\r"))
		return -refuse(err, 414,
			       "the request line is longer than %d "
			       "bytes",
			       HTTP_TARGET_MAX);
	/* It would be waited for in vain. */
	if (line && !end &&
	    (line == buf || line[-1] != '\r' || memmem(buf, len, "\n\n", 2)))
		return -refuse(err, 400, "a line does not end with CR LF");
	if (end)
		return (int)(end + 4 - buf);
	if (len >= HTTP_HEAD_MAX)
		return -refuse(err, 431, "the header is longer than %d bytes",
			       HTTP_HEAD_MAX);
	return 0;
}

/* Cut the next line off @rest. The head ends with CR LF CR LF. */
static int next_line(struct text *rest, struct text *line, struct err *err)
{
	const char *lf = memchr(rest->at, '\n', rest->len);
	size_t n = lf ? (size_t)(lf - rest->at) : 0;

	if (!lf || !n || rest->at[n - 1] != '\r')
		return refuse(err, 400, "a line does not end with CR LF");
	*line = (struct text){rest->at, n - 1};
	for (size_t i = 0; i < line->len; i++) {
		unsigned char c = (unsigned char)line->at[i];

		if ((c < 0x20 && c != '\t') || c == 0x7f)
			return refuse(err, 400,
				      "control character 0x%02x in the header",
				      c);
	}
	rest->at += n + 1;
	rest->len -= n + 1;
	return 0;
}

/* The word before the next space, which is skipped. */
static struct text next_word(struct text *line)
{
	const char *space = memchr(line->at, ' ', line->len);
	struct text w = {line->at,
			 space ? (size_t)(space - line->at) : line->len};

	line->at += w.len + (space ? 1 : 0);
	line->len -= w.len + (space ? 1 : 0);
	return w;
}

static int parse_method(struct text t, struct http_request *r, struct err *err)
{
	static const char *const others[] = {"POST",	"DELETE", "PATCH",
					     "OPTIONS", "TRACE",  "CONNECT"};

	r->method = HTTP_OTHER;
	if (!is_token(t))
		return refuse(err, 400,
			      "the request does not begin with a "
			      "method");
	if (equals_exactly(t, "GET"))
		r->method = HTTP_GET;
	else if (equals_exactly(t, "HEAD"))
		r->method = HTTP_HEAD;
	else if (equals_exactly(t, "PUT"))
		r->method = HTTP_PUT;
	if (r->method != HTTP_OTHER)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (equals_exactly(t, others[i]))
			return 0;
	return refuse(err, 501, "'%.*s' is not a method of HTTP",
		      (int)(t.len < METHOD_MAX ? t.len : METHOD_MAX), t.at);
}

/* "/v1/vm", or, as a proxy would send it, "http://host/v1/vm". */
static int parse_target(struct text t, struct http_request *r, struct err *err)
{
	static const char scheme[] = "http://";

	if (t.len > sizeof(scheme) - 1 &&
	    !strncasecmp(t.at, scheme, sizeof(scheme) - 1)) {
		const char *slash = memchr(t.at + sizeof(scheme) - 1, '/',
					   t.len - (sizeof(scheme) - 1));
		size_t skip = slash ? (size_t)(slash - t.at) : t.len;

		t.at += skip;
		t.len -= skip;
	}
	if (t.len > HTTP_TARGET_MAX)
		return refuse(err, 414, "the target is longer than %d bytes",
			      HTTP_TARGET_MAX);
	if (!t.len || *t.at != '/')
		return refuse(err, 400, "the target does not begin with '/'");
	for (size_t i = 0; i < t.len; i++)
		if (t.at[i] <= 0x20 || t.at[i] >= 0x7f)
			return refuse(err, 400,
				      "the target has a character "
				      "that is not printable ASCII");
	memcpy(r->path, t.at, t.len);
	r->path[t.len] = 0;
	return 0;
}

static int parse_version(struct text t, struct http_request *r, struct err *err)
{
	if (equals_exactly(t, "HTTP/1.1")) {
		r->http_1_0 = false;
	} else if (equals_exactly(t, "HTTP/1.0")) {
		r->http_1_0 = true;
		r->close = true;
	} else if (t.len == 8 && !memcmp(t.at, "HTTP/", 5) && t.at[6] == '.') {
		return refuse(err, 505, "%.8s is not served; HTTP/1.1 is",
			      t.at);
	} else {
		return refuse(err, 400,
			      "the request line does not end with "
			      "HTTP/1.1");
	}
	return 0;
}

static int parse_request_line(struct text line, struct http_request *r,
			      struct err *err)
{
	int status = parse_method(next_word(&line), r, err);

	if (!status)
		status = parse_target(next_word(&line), r, err);
	if (!status)
		status = parse_version(line, r, err);
	return status;
}

static int parse_length(struct text v, struct fields *f, struct http_request *r,
			struct err *err)
{
	uint64_t n = 0;

	if (f->length)
		return refuse(err, 400, "Content-Length is given twice");
	f->length = true;
	for (size_t i = 0; i < v.len; i++) {
		if (v.at[i] < '0' || v.at[i] > '9')
			v.len = 0;
		else if (n <= HTTP_BODY_MAX) /* large enough to be refused */
			n = n * 10 + (uint64_t)(v.at[i] - '0');
	}
	if (!v.len)
		return refuse(err, 400, "Content-Length is not a number");
	if (n > HTTP_BODY_MAX)
		return refuse(err, 413, "the body is longer than %d bytes",
			      HTTP_BODY_MAX);
	r->body_len = n;
	return 0;
}

/* A list of words with commas between them. */
static void parse_connection(struct text v, struct http_request *r)
{
	while (v.len) {
		const char *comma = memchr(v.at, ',', v.len);
		size_t n = comma ? (size_t)(comma - v.at) : v.len;
		struct text word = trim((struct text){v.at, n});

		if (equals(word, "close"))
			r->close = true;
		n += comma ? 1 : 0;
		v.at += n;
		v.len -= n;
	}
}

static int parse_value(struct text name, struct text v, struct fields *f,
		       struct http_request *r, struct err *err)
{
	if (equals(name, "Host")) {
		if (f->host)
			return refuse(err, 400, "Host is given twice");
		f->host = true;
	} else if (equals(name, "Content-Length")) {
		return parse_length(v, f, r, err);
	} else if (equals(name, "Transfer-Encoding")) {
		f->other_coding |= f->chunked || !equals(v, "chunked");
		f->chunked = true;
	} else if (equals(name, "Content-Encoding")) {
		if (!equals(v, "identity"))
			return refuse(err, 415,
				      "a compressed body is not "
				      "understood");
	} else if (equals(name, "Connection")) {
		parse_connection(v, r);
	} else if (equals(name, "Expect")) {
		if (!equals(v, "100-continue"))
			return refuse(err, 417,
				      "only 100-continue can be "
				      "expected");
		r->expect_continue = !r->http_1_0;
	}
	return 0;
}

static int parse_field(struct text line, struct fields *f,
		       struct http_request *r, struct err *err)
{
	const char *colon = memchr(line.at, ':', line.len);
	struct text name = {line.at, colon ? (size_t)(colon - line.at) : 0};

	/* Also a line that continues the one before, or "Name :". */
	if (!is_token(name))
		return refuse(err, 400,
			      "a line of the header is not of the "
			      "form Name: value");
	return parse_value(
		name, trim((struct text){colon + 1, line.len - name.len - 1}),
		f, r, err);
}

/* What no field alone can tell. */
static int check(const struct fields *f, const struct http_request *r,
		 struct err *err)
{
	if (f->chunked && f->length)
		return refuse(err, 400,
			      "Content-Length and Transfer-Encoding "
			      "together");
	if (f->other_coding || (f->chunked && r->http_1_0))
		return refuse(err, 501, "an unknown Transfer-Encoding");
	if (f->chunked)
		return refuse(err, 411,
			      "a body needs a Content-Length; "
			      "chunked is not understood");
	if (!f->host && !r->http_1_0)
		return refuse(err, 400, "Host is missing");
	return 0;
}

int http_request_parse(const char *head, size_t len, struct http_request *ret,
		       struct err *err)
{
	struct http_request r = {0};
	struct fields f = {0};
	struct text rest = {head, len}, line = rest;
	int status = next_line(&rest, &line, err);

	if (!status)
		status = parse_request_line(line, &r, err);
	for (int n = 0; !status; n++) {
		status = next_line(&rest, &line, err);
		if (status || !line.len)
			break;
		status = n == HTTP_FIELDS_MAX ? refuse(err, 431,
						       "more than %d header "
						       "fields",
						       HTTP_FIELDS_MAX)
					      : parse_field(line, &f, &r, err);
	}
	if (!status)
		status = check(&f, &r, err);
	if (!status)
		*ret = r;
	return status;
}

const char *http_reason(int status)
{
	static const struct {
		int status;
		const char *reason;
	} reasons[] = {
		{200, "OK"},
		{202, "Accepted"},
		{400, "Bad Request"},
		{403, "Forbidden"},
		{404, "Not Found"},
		{405, "Method Not Allowed"},
		{408, "Request Timeout"},
		{409, "Conflict"},
		{411, "Length Required"},
		{413, "Content Too Large"},
		{414, "URI Too Long"},
		{415, "Unsupported Media Type"},
		{417, "Expectation Failed"},
		{431, "Request Header Fields Too Large"},
		{500, "Internal Server Error"},
		{501, "Not Implemented"},
		{503, "Service Unavailable"},
		{504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}
