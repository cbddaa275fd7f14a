/* tests/unit/test_api_routes.c - what the control socket's paths do. */
#include "tests/unit/api_fixture.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "tests/unit/unit.h"
#include "vmm/base/own.h"

static json_t *parse(const struct reply *r)
{
	json_t *j = json_loadb(r->body, r->len, 0, NULL);

	assert_non_null(j);
	return j;
}

static const char *text_at(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	assert_non_null(s);
	return s;
}

static void the_vm_is_shown_with_its_counters(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;
	json_t *j, *c;

	client_request(f, "GET", "/v1/vm", NULL, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.head, "Content-Type: application/json\r\n"));
	j = parse(&r);
	assert_string_equal(text_at(j, "state"), "running");
	assert_true(json_is_null(json_object_get(j, "exit")));
	assert_int_equal(json_integer_value(json_object_get(j, "monitor_pid")),
			 1234);
	c = json_object_get(json_object_get(j, "counters"), "scsi1");
	assert_int_equal(json_integer_value(json_object_get(c, "requests")), 8);
	json_decref(j);
}

static void without_counters_the_vm_is_still_shown(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;
	json_t *j;

	f->result = -EBUSY;
	f->message = "no machine";
	client_request(f, "GET", "/v1/vm", NULL, &r);
	assert_int_equal(r.status, 200);
	j = parse(&r);
	assert_true(json_is_null(json_object_get(j, "counters")));
	json_decref(j);
}

static void pause_and_resume_answer_with_the_new_state(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	client_request(f, "PUT", "/v1/vm/state", "{\"action\": \"pause\"}", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(f->last, API_VERB_PAUSE);
	assert_non_null(strstr(r.body, "\"paused\""));
	client_request(f, "PUT", "/v1/vm/state", "{\"action\":\"resume\"}", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(f->last, API_VERB_RESUME);
	assert_non_null(strstr(r.body, "\"running\""));
	client_request(f, "PUT", "/v1/vm/state", "{\"action\":\"stop\"}", &r);
	assert_int_equal(r.status, 202);
	assert_int_equal(f->last, API_VERB_STOP);
	client_request(f, "PUT", "/v1/vm/state", "{\"action\":\"kill\"}", &r);
	assert_int_equal(r.status, 202);
	assert_int_equal(f->last, API_VERB_KILL);
}

static void a_disk_is_named_by_its_lun(void **state)
{
	static const char *const bad[] = {"{}", "{\"lun\": -1}",
					  "{\"lun\": 256}", "{\"lun\": \"1\"}",
					  "{\"lun\": 1.5}"};
	struct api_fixture *f = *state;
	struct reply r;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		client_request(f, "PUT", "/v1/disks/size", bad[i], &r);
		assert_int_equal(r.status, 400);
		assert_non_null(strstr(r.body, "0 to 255"));
	}
	assert_int_equal(f->n_calls, 0);
	client_request(f, "PUT", "/v1/disks/size", "{\"lun\": 255}", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(f->last, API_VERB_RESIZE);
	assert_non_null(strstr(r.body, "\"lun\": 255"));
	assert_non_null(strstr(r.body, "\"bytes\": 130560"));
}

static void a_bad_body_is_400_and_says_where(void **state)
{
	struct api_fixture *f = *state;
	static const struct {
		const char *body, *why;
	} cases[] = {
		{"", "action"},
		{"{", "line 1"},
		{"[]", "not a JSON object"},
		{"\"pause\"", "not JSON"},
		{"{\"action\": 5}", "action"},
		{"{\"action\": \"paws\"}", "expected"},
		{"{\"action\": \"pause\\u0000\"}", "not JSON"},
		{"{\"acton\": \"pause\"}", "acton"},
		{"{\"action\": \"pause\", \"action\": \"kill\"}", "duplicate"},
		{"{\"action\": \"pause\"} x", "line 1"},
	};
	struct reply r;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		client_request(f, "PUT", "/v1/vm/state", cases[i].body, &r);
		if (r.status != 400 || !strstr(r.body, cases[i].why))
			fail_msg("%s: %d %s", cases[i].body, r.status, r.body);
	}
	assert_int_equal(f->n_calls, 0);
}

static void failures_have_their_status(void **state)
{
	struct api_fixture *f = *state;
	static const struct {
		int result;
		enum err_kind kind;
		int status;
	} cases[] = {
		{-EBUSY, ERR_UNSET, 409},
		{-EINVAL, ERR_UNSET, 400},
		{-ENOTSUP, ERR_UNSET, 404},
		{-EAGAIN, ERR_UNSET, 503},
		{-EIO, ERR_UNSET, 500},
		/* the owner's packet; what the host's kernel answered */
		{-EIO, ERR_INPUT, 400},
		{-EBUSY, ERR_HOST, 500},
		{-EINVAL, ERR_HOST, 500},
	};
	struct reply r;

	f->message = "because";
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		f->result = cases[i].result;
		f->kind = cases[i].kind;
		client_request(f, "PUT", "/v1/vm/state",
			       "{\"action\":\"pause\"}", &r);
		assert_int_equal(r.status, cases[i].status);
		assert_non_null(strstr(r.body, "because"));
		if (r.status == 409)
			assert_non_null(
				strstr(r.body, "\"state\":\"running\""));
	}
}

static void metrics_are_in_families(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	client_request(f, "GET", "/v1/metrics", NULL, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(strstr(r.head, "application/openmetrics-text"));
	assert_non_null(strstr(
		r.body, "# TYPE coffer_device_requests counter\n"
			"coffer_device_requests_total{device=\"scsi0\"} 7\n"
			"coffer_device_requests_total{device=\"scsi1\"} 8\n"));
	assert_non_null(strstr(r.body, "coffer_dma_shared_bytes 4096\n"));
	assert_non_null(strstr(
		r.body, "coffer_vm_state{coffer_vm_state=\"running\"} 1\n"));
	assert_string_equal(r.body + r.len - 6, "# EOF\n");
}

/* --- events ------------------------------------------------------------------
 */

/* Read chunks until @text was seen. */
static void read_until(int fd, const char *text)
{
	char buf[4096] = "";
	size_t n = 0;

	while (!strstr(buf, text)) {
		ssize_t r = recv(fd, buf + n, 1, 0);

		if (r <= 0 || n == sizeof(buf) - 2)
			fail_msg("waited for %s, got %s", text, buf);
		n++;
	}
}

static int listen_to_events(struct api_fixture *f)
{
	static const char ask[] = "GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n";
	int fd = client_connect(f);

	client_send(fd, ask, strlen(ask));
	read_until(fd, "\"attached\",\"state\":\"running\"}\n");
	return fd;
}

static void events_reach_everybody_who_listens(void **state)
{
	struct api_fixture *f = *state;
	int a = listen_to_events(f), b = listen_to_events(f);

	fixture_events(f, API_EVENT_PANIC, "why \xff", 1);
	read_until(a, "\"event\":\"panic\",\"state\":\"running\","
		      "\"detail\":\"why ?\"}\n\r\n");
	read_until(b, "\"panic\"");
	fixture_stop(f);
	read_until(a, "0\r\n\r\n");
	assert_true(client_at_end(a));
	close(a);
	close(b);
}

static void a_slow_reader_is_dropped_and_others_are_not(void **state)
{
	struct api_fixture *f = *state;
	int slow = listen_to_events(f), quick = listen_to_events(f);
	char buf[4096];
	struct reply r;
	size_t total = 0;
	ssize_t n;

	for (int i = 0; i < 100; i++) {
		fixture_events(f, API_EVENT_PAUSED, "x", 100);
		for (int lines = 0; lines < 100;) {
			n = recv(quick, buf, sizeof(buf), 0);
			assert_true(n > 0);
			for (ssize_t k = 0; k < n; k++)
				lines += buf[k] == '}';
		}
	}
	client_request(f, "GET", "/v1/metrics", NULL, &r);
	assert_non_null(strstr(r.body, "coffer_api_streams_dropped_total 1\n"));
	while ((n = recv(slow, buf, sizeof(buf), 0)) > 0)
		total += (size_t)n;
	assert_int_equal(n, 0);
	assert_true(total < 100L * 100 * 80); /* not all of it */
	close(slow);
	close(quick);
}

static void readers_that_went_away_make_room(void **state)
{
	struct api_fixture *f = *state;
	int fd[API_STREAMS_MAX];
	struct reply r;

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < API_STREAMS_MAX; i++) {
			fd[i] = listen_to_events(f);
			if (round == 1) /* says that it sends no more */
				shutdown(fd[i], SHUT_WR);
		}
		client_request(f, "GET", "/v1/events", NULL, &r);
		assert_int_equal(r.status, 503);
		for (int i = 0; i < API_STREAMS_MAX; i++)
			close(fd[i]);
	}
}

static void events_of_http_1_0_are_not_in_chunks(void **state)
{
	struct api_fixture *f = *state;
	int fd = client_connect(f);

	client_send(fd, "GET /v1/events HTTP/1.0\r\n\r\n", 27);
	read_until(fd, "\r\n\r\n{\"seq\":0,");
	fixture_stop(f);
	read_until(fd, "}\n");
	assert_true(client_at_end(fd));
	close(fd);
}

/* --- launches ----------------------------------------------------------------
 */

static void a_plain_guest_has_no_launch(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	client_request(f, "GET", "/v1/launch", NULL, &r);
	assert_int_equal(r.status, 404);
	assert_non_null(strstr(r.body, "not protected"));
	client_request(f, "PUT", "/v1/launch/finish", NULL, &r);
	assert_int_equal(r.status, 404);
	client_request(f, "PUT", "/v1/launch/secret", "{}", &r);
	assert_int_equal(r.status, 404);
	assert_int_equal(f->n_calls, 0);
}

static void set_launch(struct api_fixture *f)
{
	f->state = API_STATE_WAITING;
	f->launch = (struct launch_info){
		.kind = LAUNCH_SEV_ES,
		.state = LAUNCH_MEASURED,
		.origin = LAUNCH_SIMULATED,
		.api_major = 1,
		.api_minor = 55,
		.build = 24,
		.policy = 5,
		.handle = 3,
		.measured = 1,
		.attested = 1,
		.secret_format = LAUNCH_SECRET_FORMAT_CPIO,
		.secret_gpa = 0x1000000,
		.secret_size = 16384,
	};
	memset(f->launch.measurement, 0xff, SEV_MEASUREMENT_LEN);
	memset(f->launch.plan_digest, 0xa5, SEV_DIGEST_LEN);
	f->launch.n_entries = 1;
	strcpy(f->launch.entry[0].name, "kernel");
	memset(f->launch.entry[0].digest, 0x5a, SEV_DIGEST_LEN);
	launch_info_set_facts(&f->launch);
	f->has_launch = true;
}

static void a_launch_has_what_its_owner_reads(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;
	json_t *j, *s;

	set_launch(f);
	client_request(f, "GET", "/v1/launch", NULL, &r);
	assert_int_equal(r.status, 200);
	j = parse(&r);
	assert_string_equal(text_at(j, "type"), "sev-es");
	assert_string_equal(text_at(j, "state"), "measured");
	assert_int_equal(json_integer_value(json_object_get(j, "api_minor")),
			 55);
	assert_int_equal(json_integer_value(json_object_get(j, "policy")), 5);
	assert_int_equal(strlen(text_at(j, "measurement")), 64);
	assert_string_equal(text_at(j, "measurement") + 60, "////");
	assert_int_equal(strlen(text_at(j, "plan_digest")), 64);
	assert_memory_equal(text_at(j, "plan_digest"), "a5a5", 4);
	assert_true(json_array_size(json_object_get(j, "covered")) > 0);
	assert_true(json_array_size(json_object_get(j, "not_covered")) > 0);
	s = json_array_get(json_object_get(j, "entries"), 0);
	assert_string_equal(text_at(s, "name"), "kernel");
	assert_memory_equal(text_at(s, "sha256"), "5a5a", 4);
	s = json_object_get(j, "secret");
	assert_string_equal(text_at(s, "format"), "cpio");
	assert_int_equal(json_integer_value(json_object_get(s, "address")),
			 0x1000000);
	assert_int_equal(json_integer_value(json_object_get(s, "size")), 16384);
	json_decref(j);
}

static void what_is_not_there_yet_is_null(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;
	json_t *j;

	set_launch(f);
	f->launch.measured = 0;
	f->launch.secret_format = LAUNCH_SECRET_NONE;
	client_request(f, "GET", "/v1/launch", NULL, &r);
	j = parse(&r);
	assert_true(json_is_null(json_object_get(j, "measurement")));
	assert_true(json_is_null(json_object_get(j, "secret")));
	json_decref(j);
}

/* {"header": base64 of @n_header bytes, "payload": of @n bytes, @more} */
static char *make_secret(size_t n_header, size_t n, const char *more)
{
	uint8_t *data = malloc(n + n_header);
	char *header = malloc(BASE64_TEXT_LEN(n_header));
	char *payload = malloc(BASE64_TEXT_LEN(n));
	char *text = NULL;

	for (size_t i = 0; i < n + n_header; i++)
		data[i] = (uint8_t)i;
	base64_encode(data, n_header, header);
	base64_encode(data + n_header, n, payload);
	assert_true(asprintf(&text, "{\"header\":\"%s\",\"payload\":\"%s\"%s}",
			     header, payload, more) > 0);
	free(data);
	free(header);
	free(payload);
	return text;
}

static void put_secret(struct api_fixture *f, size_t n_header, size_t n,
		       const char *more, struct reply *r)
{
	AUTO(freep) char *text = make_secret(n_header, n, more);

	client_request(f, "PUT", "/v1/launch/secret", text, r);
}

static void a_secret_arrives_as_bytes(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	set_launch(f);
	put_secret(f, API_SECRET_HEADER, API_SECRET_MAX, ",\"address\":4096",
		   &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(f->last, API_VERB_SECRET);
	assert_int_equal(f->payload_len, API_SECRET_MAX);
	assert_int_equal(f->header[1], 1);
	assert_int_equal(f->payload[0], API_SECRET_HEADER);
	assert_int_equal(f->gpa, 4096);
	put_secret(f, API_SECRET_HEADER, 16, "", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(f->gpa, 0);
	assert_int_equal(f->payload_len, 16);
}

static void a_secret_of_another_shape_is_400(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	set_launch(f);
	put_secret(f, API_SECRET_HEADER - 1, 16, "", &r);
	assert_int_equal(r.status, 400);
	assert_non_null(strstr(r.body, "51 bytes"));
	put_secret(f, API_SECRET_HEADER + 1, 16, "", &r);
	assert_int_equal(r.status, 400);
	put_secret(f, API_SECRET_HEADER, 0, "", &r);
	assert_int_equal(r.status, 400);
	put_secret(f, API_SECRET_HEADER, API_SECRET_MAX + 1, "", &r);
	assert_int_equal(r.status, 400);
	assert_non_null(strstr(r.body, "more than 16384 bytes"));
	put_secret(f, API_SECRET_HEADER, 16, ",\"address\":-1", &r);
	assert_int_equal(r.status, 400);
	put_secret(f, API_SECRET_HEADER, 16, ",\"address\":\"0x1000\"", &r);
	assert_int_equal(r.status, 400);
	client_request(f, "PUT", "/v1/launch/secret", "{\"header\": 5}", &r);
	assert_int_equal(r.status, 400);
	client_request(f, "PUT", "/v1/launch/secret", "{\"header\": \"*\"}",
		       &r);
	assert_int_equal(r.status, 400);
	assert_int_equal(f->n_calls, 0);
}

static void the_wrong_order_is_409_and_names_the_state(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	set_launch(f);
	f->state = API_STATE_RUNNING;
	f->result = -EBUSY;
	f->message = "the launch is finished";
	put_secret(f, API_SECRET_HEADER, 16, "", &r);
	assert_int_equal(r.status, 409);
	assert_non_null(strstr(r.body, "\"state\":\"running\""));
	client_request(f, "PUT", "/v1/launch/finish", "{}", &r);
	assert_int_equal(r.status, 409);
	assert_int_equal(f->last, API_VERB_FINISH);
}

static void finish_runs_the_guest(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;

	set_launch(f);
	client_request(f, "PUT", "/v1/launch/finish", NULL, &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(f->last, API_VERB_FINISH);
	client_request(f, "PUT", "/v1/launch/finish", "{\"now\":1}", &r);
	assert_int_equal(r.status, 400);
}

static void a_report_is_shown_with_its_fields(void **state)
{
	struct api_fixture *f = *state;
	struct reply r;
	json_t *j;

	client_request(f, "PUT", "/v1/launch/attestation",
		       "{\"nonce\":\"AAECAwQFBgcICQoLDA0ODw==\"}", &r);
	assert_int_equal(r.status, 404);
	set_launch(f);
	client_request(f, "PUT", "/v1/launch/attestation",
		       "{\"nonce\":\"AAECAwQFBgcICQoLDA0ODw==\"}", &r);
	assert_int_equal(r.status, 200);
	assert_int_equal(f->last, API_VERB_ATTEST);
	assert_int_equal(f->nonce[15], 15);
	j = parse(&r);
	assert_string_equal(json_string_value(json_object_get(j, "nonce")),
			    "AAECAwQFBgcICQoLDA0ODw==");
	assert_string_equal(json_string_value(json_object_get(j, "digest")),
			    "101112131415161718191a1b1c1d1e1f"
			    "202122232425262728292a2b2c2d2e2f");
	assert_int_equal(json_integer_value(json_object_get(j, "policy")),
			 0x33323130);
	assert_int_equal(json_string_length(json_object_get(j, "report")), 280);
	json_decref(j);
}

static void a_nonce_of_another_shape_is_400(void **state)
{
	static const char *const bad[] = {
		"{}",
		"{\"nonce\":5}",
		"{\"nonce\":\"*\"}",
		"{\"nonce\":\"AAECAwQFBgcICQoLDA0O\"}",
		"{\"nonce\":\"AAECAwQFBgcICQoLDA0ODxA=\"}",
		"{\"nonce\":\"AAECAwQFBgcICQoLDA0ODw==\",\"x\":1}",
	};
	struct api_fixture *f = *state;
	struct reply r;

	set_launch(f);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		client_request(f, "PUT", "/v1/launch/attestation", bad[i], &r);
		if (r.status != 400)
			fail_msg("'%s': %d", bad[i], r.status);
	}
	assert_int_equal(f->n_calls, 0);
}

int main(void)
{
#define CASE(fn)                                                               \
	cmocka_unit_test_setup_teardown(fn, api_fixture_setup,                 \
					api_fixture_teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_vm_is_shown_with_its_counters),
		CASE(without_counters_the_vm_is_still_shown),
		CASE(pause_and_resume_answer_with_the_new_state),
		CASE(a_disk_is_named_by_its_lun),
		CASE(a_bad_body_is_400_and_says_where),
		CASE(failures_have_their_status),
		CASE(metrics_are_in_families),
		CASE(events_reach_everybody_who_listens),
		CASE(a_slow_reader_is_dropped_and_others_are_not),
		CASE(readers_that_went_away_make_room),
		CASE(events_of_http_1_0_are_not_in_chunks),
		CASE(a_plain_guest_has_no_launch),
		CASE(a_launch_has_what_its_owner_reads),
		CASE(what_is_not_there_yet_is_null),
		CASE(a_secret_arrives_as_bytes),
		CASE(a_secret_of_another_shape_is_400),
		CASE(the_wrong_order_is_409_and_names_the_state),
		CASE(finish_runs_the_guest),
		CASE(a_report_is_shown_with_its_fields),
		CASE(a_nonce_of_another_shape_is_400),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
