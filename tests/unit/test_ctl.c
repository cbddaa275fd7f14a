/* tests/unit/test_ctl.c - the control socket's client, and servers that lie. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "crypto/base64.h"
#include "tests/unit/unit.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/ctl_http.h"
#include "vmm/cli/ctl_packet.h"
#include "vmm/unix_listen.h"

struct fixture {
	char dir[40], path[64], file[2][64];
	int listen_fd;
	pthread_t thread;
	const char *answer; /* what the server says */
	size_t answer_len;
	bool deaf;   /* and reads nothing */
	bool silent; /* says nothing, and waits for the client to go */
	char heard[4096];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-ctl-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	snprintf(f->file[0], sizeof(f->file[0]), "%s/h", f->dir);
	snprintf(f->file[1], sizeof(f->file[1]), "%s/p", f->dir);
	f->listen_fd = unix_listen(f->path, 1, "test", NULL);
	assert_true(f->listen_fd >= 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	close(f->listen_fd);
	unlink(f->path);
	unlink(f->file[0]);
	unlink(f->file[1]);
	rmdir(f->dir);
	free(f);
	return 0;
}

static int accept_client(struct fixture *f)
{
	int fd;

	do { /* the listening socket does not block */
		fd = accept(f->listen_fd, NULL, NULL);
		usleep(1000);
	} while (fd < 0 && errno == EAGAIN);
	return fd;
}

static void *serve(void *arg)
{
	struct fixture *f = arg;
	int fd = accept_client(f);
	size_t n = 0;

	while (!f->deaf && !strstr(f->heard, "\r\n\r\n")) {
		ssize_t r = recv(fd, f->heard + n, sizeof(f->heard) - 1 - n, 0);

		if (r <= 0)
			break;
		n += (size_t)r;
	}
	if (f->silent)
		recv(fd, &(char){0}, 1, 0);
	else
		send(fd, f->answer, f->answer_len, MSG_NOSIGNAL);
	close(fd);
	return NULL;
}

/* Ask a server that answers with @len bytes of @answer. */
static int ask_bytes(struct fixture *f, const char *answer, size_t len,
		     FILE *stream, struct ctl_reply *ret, struct err *err)
{
	struct ctl_request q = {
		.socket = f->path,
		.method = "PUT",
		.target = "/x",
		.body = "{}",
		.timeout_ms = f->silent ? 50 : 20000,
		.stream = stream,
	};
	int r;

	f->answer = answer;
	f->answer_len = len;
	memset(f->heard, 0, sizeof(f->heard));
	assert_int_equal(pthread_create(&f->thread, NULL, serve, f), 0);
	r = ctl_http_ask(&q, ret, err);
	pthread_join(f->thread, NULL);
	return r;
}

static int ask(struct fixture *f, const char *answer, struct ctl_reply *ret,
	       struct err *err)
{
	return ask_bytes(f, answer, strlen(answer), NULL, ret, err);
}

static void an_answer_of_known_length_is_read(void **state)
{
	struct fixture *f = *state;
	struct ctl_reply r;

	assert_int_equal(ask(f,
			     "HTTP/1.1 409 Conflict\r\ncontent-length:  3\r\n"
			     "X: y\r\n\r\nabc and what does not count",
			     &r, NULL),
			 0);
	assert_int_equal(r.status, 409);
	assert_int_equal(r.len, 3);
	assert_string_equal(r.body, "abc");
	assert_non_null(strstr(f->heard, "PUT /x HTTP/1.1\r\n"));
	assert_non_null(strstr(f->heard, "Content-Length: 2\r\n"));
	assert_non_null(strstr(f->heard, "Host: "));
	free(r.body);
}

#define CHUNKED "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

static void an_answer_in_chunks_is_read_or_written_on(void **state)
{
	struct fixture *f = *state;
	static const char answer[] = CHUNKED "3\r\nabc\r\nA\r\n0123456789\r\n"
					     "0\r\n\r\n";
	struct ctl_reply r;
	char *text = NULL;
	size_t len;
	FILE *stream = open_memstream(&text, &len);

	assert_int_equal(ask(f, answer, &r, NULL), 0);
	assert_string_equal(r.body, "abc0123456789");
	free(r.body);
	assert_int_equal(ask_bytes(f, answer, strlen(answer), stream, &r, NULL),
			 0);
	assert_int_equal(r.len, 0);
	fclose(stream);
	assert_string_equal(text, "abc0123456789");
	free(text);
	free(r.body);
}

static void an_answer_that_breaks_off_is_an_error(void **state)
{
	struct fixture *f = *state;
	static const char *const answers[] = {
		"",
		"HTTP/1.1 200",
		"HTTP/1.1 200 OK\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabcd",
		CHUNKED,
		CHUNKED "5\r\nabc",
		CHUNKED "3\r\nabc\r\n",
	};
	struct ctl_reply r;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct err err = {0};
		int e = ask(f, answers[i], &r, &err);

		if (e != -ECONNRESET)
			fail_msg("'%s': %d", answers[i], e);
		assert_null(r.body);
		assert_non_null(strstr(err.msg, f->path));
	}
}

static void what_is_not_our_server_is_refused(void **state)
{
	struct fixture *f = *state;
	static const char *const answers[] = {
		"SSH-2.0-OpenSSH_9.2p1\r\n",
		"HTTP/2.0 200 OK\r\n\r\n",
		"HTTP/1.1 100 Continue\r\n\r\n",
		"HTTP/1.1 200 OK\nA: b\n\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 4194305\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: \r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: "
		"99999999999999999999999\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
		CHUNKED "\r\n",
		CHUNKED " 3\r\nabc\r\n0\r\n\r\n",
		CHUNKED "100001\r\n",
		CHUNKED "3;x=y\r\nabc\r\n0\r\n\r\n",
		CHUNKED "3\r\nabcdef\r\n0\r\n\r\n",
	};
	struct ctl_reply r;

	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct err err = {0};
		int e = ask(f, answers[i], &r, &err);

		if (e != -EPROTO)
			fail_msg("'%s': %d %s", answers[i], e, err.msg);
		assert_null(r.body);
	}
}

static void a_header_has_an_end(void **state)
{
	struct fixture *f = *state;
	static char answer[100000] = "HTTP/1.1 200 OK\r\n";
	struct ctl_reply r;
	size_t n = strlen(answer);

	memset(answer + n, 'a', sizeof(answer) - n - 1);
	assert_int_equal(ask(f, answer, &r, NULL), -EPROTO);
	for (; n + 6 < sizeof(answer); n += 6)
		snprintf(answer + n, sizeof(answer) - n, "A: b\r\n");
	assert_int_equal(ask(f, answer, &r, NULL), -EPROTO);
}

static void a_refusal_before_all_was_sent_is_read(void **state)
{
	struct fixture *f = *state;
	struct ctl_reply r;

	f->deaf = true;
	assert_int_equal(ask(f,
			     "HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno",
			     &r, NULL),
			 0);
	assert_int_equal(r.status, 503);
	free(r.body);
}

static void a_server_that_says_nothing_is_not_waited_for(void **state)
{
	struct fixture *f = *state;
	struct ctl_reply r;
	struct err err = {0};

	f->silent = true;
	assert_int_equal(ask(f, "", &r, &err), -ETIMEDOUT);
	assert_non_null(strstr(err.msg, "in time"));
}

static void a_socket_nobody_listens_at_is_named(void **state)
{
	struct fixture *f = *state;
	struct ctl_request q = {
		.socket = f->file[0], .method = "GET", .target = "/"};
	struct ctl_reply r;
	struct err err = {0};
	char longer[200];

	assert_int_equal(ctl_http_ask(&q, &r, &err), -ENOENT);
	assert_int_equal(err.kind, ERR_HOST);
	close(f->listen_fd);
	f->listen_fd = -1;
	q.socket = f->path;
	assert_int_equal(ctl_http_ask(&q, &r, &err), -ECONNREFUSED);
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	q.socket = longer;
	assert_int_equal(ctl_http_ask(&q, &r, &err), -ENAMETOOLONG);
	assert_int_equal(err.kind, ERR_USAGE);
}

/* --- packets ---------------------------------------------------------------
 */

static void write_file(const char *path, const void *data, size_t len,
		       bool base64)
{
	AUTO(freep) char *text = malloc(BASE64_TEXT_LEN(len));
	FILE *f = fopen(path, "w");

	base64_encode(data, len, text);
	if (base64)
		fprintf(f, "%s\n", text);
	else
		fwrite(data, 1, len, f);
	fclose(f);
}

/* The result of a packet whose files have these lengths. */
static int make(struct fixture *f, size_t n_header, size_t n_payload,
		bool base64, struct err *err)
{
	AUTO(freep) uint8_t *data = malloc(n_payload + 64);
	AUTO(freep) char *body = NULL;
	uint8_t back[64];
	size_t n;
	json_t *j;
	int r;

	for (size_t i = 0; i < n_payload + 64; i++)
		data[i] = (uint8_t)(i * 7 + 128);
	write_file(f->file[0], data, n_header, base64);
	write_file(f->file[1], data, n_payload, base64);
	r = ctl_packet_body(f->file[0], f->file[1], 4096, &body, err);
	if (r < 0)
		return r;
	j = json_loads(body, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(j, "address")),
			 4096);
	assert_int_equal(
		base64_decode(json_string_value(json_object_get(j, "header")),
			      json_string_length(json_object_get(j, "header")),
			      back, sizeof(back), &n),
		0);
	assert_int_equal(n, 52);
	assert_memory_equal(back, data, 52);
	json_decref(j);
	return 0;
}

static void packets_may_be_raw_or_base64(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f, 52, 64, false, NULL), 0);
	assert_int_equal(make(f, 52, 64, true, NULL), 0);
	assert_int_equal(make(f, 52, 16384, true, NULL), 0);
}

static void packets_of_another_shape_are_refused(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};

	assert_int_equal(make(f, 51, 64, false, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "HEADER"));
	assert_int_equal(err.kind, ERR_INPUT);
	assert_int_equal(make(f, 64, 52, true, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "is it the payload"));
	assert_int_equal(make(f, 52, 52, true, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "that is a header"));
	assert_int_equal(make(f, 52, 16385, true, &err), -EINVAL);
	assert_int_equal(make(f, 52, 70000, false, &err), -EFBIG);
	assert_int_equal(make(f, 52, 0, false, &err), -ENODATA);
	unlink(f->file[1]);
	assert_int_equal(ctl_packet_body(f->file[0], f->file[1], 0,
					 &(char *){NULL}, &err),
			 -ENOENT);
	assert_non_null(strstr(err.msg, f->file[1]));
}

static void nonces_are_sent_in_base64(void **state)
{
	AUTO(freep) char *body = NULL;
	struct err err = {0};

	(void)state;
	assert_int_equal(
		ctl_nonce_body("000102030405060708090a0b0c0d0e0f", &body, &err),
		0);
	assert_string_equal(body, "{\"nonce\":\"AAECAwQFBgcICQoLDA0ODw==\"}");
	assert_int_equal(ctl_nonce_body("hello", &body, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "32 hexadecimal digits"));
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(an_answer_of_known_length_is_read),
		CASE(an_answer_in_chunks_is_read_or_written_on),
		CASE(an_answer_that_breaks_off_is_an_error),
		CASE(what_is_not_our_server_is_refused),
		CASE(a_header_has_an_end),
		CASE(a_refusal_before_all_was_sent_is_read),
		CASE(a_server_that_says_nothing_is_not_waited_for),
		CASE(a_socket_nobody_listens_at_is_named),
		CASE(packets_may_be_raw_or_base64),
		CASE(packets_of_another_shape_are_refused),
		CASE(nonces_are_sent_in_base64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
