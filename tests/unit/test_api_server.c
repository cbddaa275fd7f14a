/* tests/unit/test_api_server.c - the control socket's connections. */
#include "tests/unit/api_fixture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vmm/base/own.h"
#include "vmm/supervisor/api_http.h"

#define GET_STATE "GET /v1/vm/state HTTP/1.1\r\nHost: x\r\n\r\n"
/* with 5 bytes of body to come */
#define PUT_5                                                                  \
	"PUT /v1/vm/state HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n"

static void a_connection_serves_many_requests(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f);
	struct reply r;

	for (int i = 0; i < 5; i++) {
		client_send(fd, GET_STATE, strlen(GET_STATE));
		client_read(fd, &r);
		assert_int_equal(r.status, 200);
		assert_non_null(strstr(r.body, "\"running\""));
		assert_null(strstr(r.head, "Connection: close"));
	}
	close(fd);
}

static void requests_may_be_sent_together(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f);
	struct reply r;

	client_send(fd, GET_STATE GET_STATE GET_STATE, 3 * strlen(GET_STATE));
	for (int i = 0; i < 3; i++) {
		client_read(fd, &r);
		assert_int_equal(r.status, 200);
	}
	close(fd);
}

static void a_request_may_come_byte_by_byte(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f);
	struct reply r;

	for (size_t i = 0; i < strlen(GET_STATE); i++)
		client_send(fd, &GET_STATE[i], 1);
	client_read(fd, &r);
	assert_int_equal(r.status, 200);
	close(fd);
}

static void head_is_get_without_a_body(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;
	int fd = client_connect(f);

	client_send(fd, "HEAD /v1/vm HTTP/1.0\r\n\r\n", 24);
	shutdown(fd, SHUT_WR);
	client_read(fd, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.head, "Content-Length: "));
	assert_null(strstr(r.head, "Content-Length: 0\r"));
	assert_int_equal(r.len, 0);
	close(fd);
}

static void http_1_0_gets_one_answer(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f);
	struct reply r;

	client_send(fd, "GET /v1/vm HTTP/1.0\r\n\r\n", 23);
	client_read(fd, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.head, "Connection: close"));
	assert_true(client_at_end(fd));
	close(fd);
}

static void a_half_closed_client_gets_its_answer(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f);
	struct reply r;

	f->hold = true;
	client_send(fd, "GET /v1/vm HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	shutdown(fd, SHUT_WR);
	fixture_wait_held(f);
	fixture_release(f);
	client_read(fd, &r);
	assert_int_equal(r.status, 200);
	assert_true(client_at_end(fd));
	close(fd);
}

static void half_a_request_is_answered_when_it_ends(void **state)
{
	struct api_fixture *f = *state;
	static const char *const halves[] = {
		"G",
		"GET /v1/vm HTTP/1.1\r\nHost: x\r\n",
		PUT_5 "{\"a\"",
	};

	for (size_t i = 0; i < ARRAY_SIZE(halves); i++) {
		int fd = client_connect(f);
		struct reply r;

		client_send(fd, halves[i], strlen(halves[i]));
		shutdown(fd, SHUT_WR);
		client_read(fd, &r);
		assert_int_equal(r.status, 400);
		assert_non_null(strstr(r.body, "before it was complete"));
		assert_true(client_at_end(fd));
		close(fd);
	}
}

static void a_client_that_says_nothing_goes_silently(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f), idle = client_connect(f);
	struct reply r;

	shutdown(fd, SHUT_WR);
	assert_true(client_at_end(fd));
	close(fd);
	client_read(idle, &r); /* idle_ms */
	assert_int_equal(r.status, 0);
	close(idle);
}

static void a_slow_request_is_408(void **state)
{
	struct api_fixture *f = *state;
	static const char *const starts[] = {"GET /v1", PUT_5 "{"};

	for (size_t i = 0; i < ARRAY_SIZE(starts); i++) {
		int fd = client_connect(f);
		struct reply r;

		client_send(fd, starts[i], strlen(starts[i]));
		client_read(fd, &r);
		assert_int_equal(r.status, 408);
		assert_non_null(strstr(r.head, "Connection: close"));
		close(fd);
	}
}

static void a_body_that_is_waited_for_is_asked_for(void **state)
{
	struct api_fixture *f = *state;
	static const char want[] = "HTTP/1.1 100 Continue\r\n\r\n";
	static const char head[] = "PUT /v1/vm/state HTTP/1.1\r\nHost: x\r\n"
				   "Expect: 100-continue\r\n"
				   "Content-Length: 18\r\n\r\n";
	int fd = client_connect(f);
	char got[sizeof(want)] = "";
	struct reply r;

	client_send(fd, head, strlen(head));
	assert_int_equal(recv(fd, got, strlen(want), MSG_WAITALL),
			 strlen(want));
	assert_string_equal(got, want);
	client_send(fd, "{\"action\":\"pause\"}", 18);
	client_read(fd, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.body, "\"paused\""));
	close(fd);
}

static void a_refused_client_sees_why_although_it_sends_on(void **state)
{
	struct api_fixture *f = *state;
	static const char head[] = "PUT /v1/launch/secret HTTP/1.1\r\n"
				   "Host: x\r\nContent-Length: 500000\r\n\r\n";
	AUTO(freep) char *body = calloc(1, 500000);
	int fd = client_connect(f);
	struct reply r;

	assert_true(client_send(fd, head, strlen(head)));
	assert_true(client_send(fd, body, 500000));
	client_read(fd, &r);
	assert_int_equal(r.status, 413);
	assert_non_null(strstr(r.head, "application/problem+json"));
	assert_non_null(strstr(r.body, "\"status\":413"));
	assert_non_null(strstr(r.body, "longer than 65536"));
	close(fd);
}

static void a_client_that_floods_is_cut_off(void **state)
{
	struct api_fixture *f = *state;
	AUTO(freep) char *junk = malloc(65536);
	int fd = client_connect(f);
	size_t sent = 0;
	ssize_t n;

	memset(junk, 'x', 65536);
	while ((n = send(fd, junk, 65536, MSG_NOSIGNAL)) > 0) {
		sent += (size_t)n;
		assert_true(sent < 8UL * 1024 * 1024);
	}
	close(fd);
}

static void methods_and_paths_are_checked(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	client_request(f, "GET", "/", NULL, &r);
	assert_int_equal(r.status, 404);
	client_request(f, "GET", "/v1/vm?x=1", NULL, &r);
	assert_int_equal(r.status, 404);
	assert_non_null(strstr(r.body, "query"));
	client_request(f, "PUT", "/v1/vm", "{}", &r);
	assert_int_equal(r.status, 405);
	assert_non_null(strstr(r.head, "Allow: GET, HEAD\r\n"));
	client_request(f, "GET", "/v1/launch/finish", NULL, &r);
	assert_int_equal(r.status, 405);
	assert_non_null(strstr(r.head, "Allow: PUT\r\n"));
	client_request(f, "POST", "/v1/vm/state", "{}", &r);
	assert_int_equal(r.status, 405);
	assert_non_null(strstr(r.head, "Allow: GET, HEAD, PUT\r\n"));
	client_request(f, "BREW", "/v1/vm", NULL, &r);
	assert_int_equal(r.status, 501);
}

static void one_client_too_many_is_503(void **state)
{
	struct api_fixture *f = *state;
	int fd[API_CLIENTS_MAX];
	struct reply r;

	for (int i = 0; i < API_CLIENTS_MAX; i++) {
		fd[i] = client_connect(f);
		client_send(fd[i], GET_STATE, strlen(GET_STATE));
		client_read(fd[i], &r);
		assert_int_equal(r.status, 200);
	}
	client_ask(f, GET_STATE, &r);
	assert_int_equal(r.status, 503);
	assert_non_null(strstr(r.body, "too many clients"));
	for (int i = 0; i < API_CLIENTS_MAX; i++)
		close(fd[i]);
	do /* until they are noticed */
		client_ask(f, GET_STATE, &r);
	while (r.status == 503);
	assert_int_equal(r.status, 200);
}

static void a_reply_nobody_reads_ends_the_connection(void **state)
{
	struct api_fixture *f = *state;
	static const char ask[] = "GET /v1/vm HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = client_connect(f);
	ssize_t n;

	/* Requests in, no answer out, until both ways are full. */
	do
		n = send(fd, ask, strlen(ask), MSG_NOSIGNAL);
	while (n > 0);
	close(fd);
}

static void a_vm_that_does_not_answer_is_504(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	f->hold = true;
	client_request(f, "PUT", "/v1/vm/state", "{\"action\":\"pause\"}", &r);
	assert_int_equal(r.status, 504);
	assert_int_equal(f->n_cancels, 1);
}

static void the_server_may_end_while_a_call_is_under_way(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f);

	f->hold = true;
	client_send(fd, "GET /v1/vm HTTP/1.1\r\nHost: x\r\n\r\n", 32);
	fixture_wait_held(f);
	fixture_stop(f);
	assert_int_equal(f->n_cancels, 1);
	assert_true(client_at_end(fd));
	close(fd);
}

int main(void)
{
#define CASE(fn)                                                               \
	cmocka_unit_test_setup_teardown(fn, api_fixture_setup,                 \
					api_fixture_teardown)
#define IMPATIENT(fn)                                                          \
	cmocka_unit_test_setup_teardown(fn, api_fixture_setup_impatient,       \
					api_fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_connection_serves_many_requests),
		CASE(requests_may_be_sent_together),
		CASE(a_request_may_come_byte_by_byte),
		CASE(head_is_get_without_a_body),
		CASE(http_1_0_gets_one_answer),
		CASE(a_half_closed_client_gets_its_answer),
		CASE(half_a_request_is_answered_when_it_ends),
		IMPATIENT(a_client_that_says_nothing_goes_silently),
		IMPATIENT(a_slow_request_is_408),
		CASE(a_body_that_is_waited_for_is_asked_for),
		CASE(a_refused_client_sees_why_although_it_sends_on),
		CASE(a_client_that_floods_is_cut_off),
		CASE(methods_and_paths_are_checked),
		CASE(one_client_too_many_is_503),
		IMPATIENT(a_reply_nobody_reads_ends_the_connection),
		IMPATIENT(a_vm_that_does_not_answer_is_504),
		CASE(the_server_may_end_while_a_call_is_under_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
