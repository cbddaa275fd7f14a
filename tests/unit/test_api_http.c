/* tests/unit/test_api_http.c - heads of requests, good and bad. */
#include "vmm/supervisor/api_http.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

#define HOST "Host: x\r\n"

/* The status that a whole head is answered with; 0: it is fine. */
static int parse(const char *text, struct http_request *r)
{
	struct err err = {0};
	int n = http_head_length(text, strlen(text), &err);
	int status;

	if (n < 0) {
		assert_true(*err.msg);
		return -n;
	}
	assert_int_equal(n, strlen(text));
	status = http_request_parse(text, (size_t)n, r, &err);
	assert_int_equal(status != 0, *err.msg != 0);
	return status;
}

static void a_request_is_read(void **state)
{
	struct http_request r = {0};

	(void)state;
	assert_int_equal(parse("PUT /v1/vm/state HTTP/1.1\r\nhOsT:x\r\n"
			       "Content-Length: \t 12 \r\n"
			       "Expect: 100-continue\r\n\r\n",
			       &r),
			 0);
	assert_int_equal(r.method, HTTP_PUT);
	assert_string_equal(r.path, "/v1/vm/state");
	assert_int_equal(r.body_len, 12);
	assert_true(r.expect_continue);
	assert_false(r.close);
	assert_false(r.http_1_0);
}

static void what_closes_the_connection(void **state)
{
	struct http_request r = {0};

	(void)state;
	assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n", &r), 0);
	assert_true(r.close && r.http_1_0);
	assert_int_equal(parse("GET / HTTP/1.1\r\n" HOST
			       "Connection: foo , CLOSE\r\n\r\n",
			       &r),
			 0);
	assert_true(r.close);
	assert_int_equal(parse("GET / HTTP/1.1\r\n" HOST
			       "Connection: closed\r\n\r\n",
			       &r),
			 0);
	assert_false(r.close);
}

static void a_target_with_a_scheme_is_a_path(void **state)
{
	struct http_request r = {0};

	(void)state;
	assert_int_equal(parse("GET http://localhost/v1/vm HTTP/1.1\r\n" HOST
			       "\r\n",
			       &r),
			 0);
	assert_string_equal(r.path, "/v1/vm");
	assert_int_equal(
		parse("GET http://localhost HTTP/1.1\r\n" HOST "\r\n", &r),
		400);
}

static void each_mistake_has_its_status(void **state)
{
	static const struct {
		int status;
		const char *text;
	} cases[] = {
		{0, "HEAD / HTTP/1.1\r\n" HOST "\r\n"},
		{0, "DELETE / HTTP/1.1\r\n" HOST "\r\n"},
		{0, "GET / HTTP/1.1\r\n" HOST "Content-Length: 65536\r\n\r\n"},
		{0, "GET / HTTP/1.1\r\n" HOST "Empty:\r\n\r\n"},
		{501, "BREW / HTTP/1.1\r\n" HOST "\r\n"},
		{501, "get / HTTP/1.1\r\n" HOST "\r\n"},
		{400, " / HTTP/1.1\r\n" HOST "\r\n"},
		{400, "G(T / HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET\r\n\r\n"},
		{400, "GET /\r\n\r\n"},
		{400, "GET  / HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET v1 HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET /\x80 HTTP/1.1\r\n" HOST "\r\n"},
		{400, "GET / HTTP/1.1 \r\n" HOST "\r\n"},
		{400, "GET / FTP/1.1\r\n" HOST "\r\n"},
		{505, "GET / HTTP/2.0\r\n" HOST "\r\n"},
		{400, "GET / HTTP/11\r\n" HOST "\r\n"},
		{400, "GET / HTTP/1.1\n" HOST "\r\n"},
		{400, "GET / HTTP/1.1\r\nHost: x\n\n"},
		{400, "GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n"},
		{400, "\nGET / HTTP/1.1\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST HOST "\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "Name : x\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST ": x\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A: b\r\n folded\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "nothing\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A: b\x01\r\n\r\n"},
		{400, "GET / HTTP/1.1\r\n" HOST "A: b\rc\r\n\r\n"},
		{400, "PUT / HTTP/1.1\r\n" HOST "Content-Length:\r\n\r\n"},
		{400, "PUT / HTTP/1.1\r\n" HOST "Content-Length: -1\r\n\r\n"},
		{400, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1,1\r\n\r\n"},
		{400, "PUT / HTTP/1.1\r\n" HOST
		      "Content-Length: 1\r\nContent-Length: 1\r\n\r\n"},
		{413,
		 "PUT / HTTP/1.1\r\n" HOST "Content-Length: 65537\r\n\r\n"},
		{413, "PUT / HTTP/1.1\r\n" HOST
		      "Content-Length: 18446744073709551617\r\n\r\n"},
		{411, "PUT / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: chunked\r\n\r\n"},
		{501, "PUT / HTTP/1.1\r\n" HOST
		      "Transfer-Encoding: gzip, chunked\r\n\r\n"},
		{501, "PUT / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"},
		{501, "PUT / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n"},
		{400, "PUT / HTTP/1.1\r\n" HOST "Content-Length: 1\r\n"
		      "Transfer-Encoding: chunked\r\n\r\n"},
		{415, "PUT / HTTP/1.1\r\n" HOST "Content-Encoding: br\r\n\r\n"},
		{417, "PUT / HTTP/1.1\r\n" HOST "Expect: tea\r\n\r\n"},
	};
	struct http_request r = {0};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int status = parse(cases[i].text, &r);

		if (status != cases[i].status)
			fail_msg("%s: %d, expected %d", cases[i].text, status,
				 cases[i].status);
	}
}

static void a_head_may_come_in_pieces(void **state)
{
	static const char text[] = "GET / HTTP/1.1\r\n" HOST "\r\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text) - 1; n++)
		assert_int_equal(http_head_length(text, n, NULL), 0);
	/* what follows belongs to the body */
	assert_int_equal(
		http_head_length("GET / HTTP/1.1\r\n\r\n\n\nX", 21, NULL), 18);
}

/* @n times @c. */
static void put(FILE *f, char c, size_t n)
{
	while (n--)
		fputc(c, f);
}

/* A head with a target of @n_target bytes and @n_fields fields. */
static int parse_sized(size_t n_target, unsigned int n_fields)
{
	AUTO(freep) char *text = NULL;
	struct http_request r = {0};
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int status;

	fputs("GET /", f);
	put(f, 'a', n_target - 1);
	fputs(" HTTP/1.1\r\n" HOST, f);
	for (unsigned int i = 1; i < n_fields; i++)
		fputs("A: b\r\n", f);
	fputs("\r\n", f);
	fclose(f);
	status = parse(text, &r);
	if (!status)
		assert_int_equal(strlen(r.path), n_target);
	return status;
}

static void sizes_are_limited(void **state)
{
	(void)state;
	assert_int_equal(parse_sized(1, HTTP_FIELDS_MAX), 0);
	assert_int_equal(parse_sized(1, HTTP_FIELDS_MAX + 1), 431);
	assert_int_equal(parse_sized(HTTP_TARGET_MAX, 1), 0);
	assert_int_equal(parse_sized(HTTP_TARGET_MAX + 1, 1), 414);
}

static void what_can_only_become_too_long_is_not_waited_for(void **state)
{
	static const char line[] = "GET / HTTP/1.1\r\nA: ";
	AUTO(freep) char *text = malloc(HTTP_HEAD_MAX);
	struct err err = {0};

	(void)state;
	memset(text, 'a', HTTP_HEAD_MAX);
	assert_int_equal(http_head_length(text, HTTP_TARGET_MAX, &err), 0);
	assert_int_equal(http_head_length(text, HTTP_TARGET_MAX + 64, &err),
			 -414);
	memcpy(text, line, sizeof(line) - 1);
	assert_int_equal(http_head_length(text, HTTP_HEAD_MAX - 1, &err), 0);
	assert_int_equal(http_head_length(text, HTTP_HEAD_MAX, &err), -431);
	for (int i = 0; i < 4; i++)
		text[HTTP_HEAD_MAX - 4 + i] = "\r\n"[i % 2];
	assert_int_equal(http_head_length(text, HTTP_HEAD_MAX, &err),
			 HTTP_HEAD_MAX);
}

static void every_status_has_a_reason(void **state)
{
	(void)state;
	assert_string_equal(http_reason(404), "Not Found");
	assert_string_equal(http_reason(299), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_is_read),
		cmocka_unit_test(what_closes_the_connection),
		cmocka_unit_test(a_target_with_a_scheme_is_a_path),
		cmocka_unit_test(each_mistake_has_its_status),
		cmocka_unit_test(a_head_may_come_in_pieces),
		cmocka_unit_test(sizes_are_limited),
		cmocka_unit_test(
			what_can_only_become_too_long_is_not_waited_for),
		cmocka_unit_test(every_status_has_a_reason),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
