/*
 * tests/unit/test_control.c - requests of clients and states of a guest, over a
 * supervisor that is played here: this file defines the functions that control
 * calls.
 */
#include "vmm/supervisor/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/unit/unit.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"
#include "vmm/base/own.h"
#include "vmm/config.h"
#include "vmm/supervisor/supervisor.h"

enum { PATIENCE_S = 30 };

/* --- a supervisor ------------------------------------------------------------
 */

struct supervisor {
	enum supervisor_state state;
	struct run_config config;
	struct run_result result;
	struct supervisor_watch *watch;
	supervisor_counters_fn fn;
	void *fn_arg;
	int answer; /* of requests */
	unsigned int n_pause, n_resume, n_stop, n_kill, n_secret, n_finish;
	unsigned int n_attest;
	unsigned int n_cancel;
	uint64_t gpa;
	uint8_t nonce[SEV_NONCE_LEN];
};

const char *supervisor_state_name(enum supervisor_state state)
{
	return state == SUPERVISOR_RUNNING ? "running" : "other";
}

void supervisor_watch(struct supervisor *s, struct supervisor_watch *w)
{
	s->watch = w;
}

void supervisor_unwatch(struct supervisor_watch *w)
{
	(void)w;
}

enum supervisor_state supervisor_state(const struct supervisor *s)
{
	return s->state;
}

const struct run_config *supervisor_config(const struct supervisor *s)
{
	return &s->config;
}

const struct run_result *supervisor_result(const struct supervisor *s)
{
	return s->state == SUPERVISOR_ENDED ? &s->result : NULL;
}

int supervisor_monitor_pid(const struct supervisor *s)
{
	(void)s;
	return 77;
}

int supervisor_pause(struct supervisor *s)
{
	s->n_pause++;
	return s->answer;
}

int supervisor_resume(struct supervisor *s)
{
	s->n_resume++;
	return s->answer;
}

void supervisor_stop(struct supervisor *s, const char *who)
{
	(void)who;
	s->n_stop++;
}

void supervisor_kill(struct supervisor *s, enum run_how how, const char *why)
{
	(void)why;
	assert_int_equal(how, RUN_STOPPED);
	s->n_kill++;
}

int64_t supervisor_get_counters(struct supervisor *s, supervisor_counters_fn fn,
				void *arg)
{
	s->fn = fn;
	s->fn_arg = arg;
	return s->answer ? s->answer : 9;
}

void supervisor_cancel_counters(struct supervisor *s, int64_t id)
{
	assert_int_equal(id, 9);
	s->n_cancel++;
}

int supervisor_secret(struct supervisor *s, const struct monitor_msg *m)
{
	assert_int_equal(m->type, MONITOR_MSG_SECRET);
	s->n_secret++;
	s->gpa = m->secret.gpa;
	return s->answer;
}

int supervisor_resize_disk(struct supervisor *s, unsigned int lun,
			   uint64_t *ret_bytes, struct err *err)
{
	if (s->answer < 0)
		return err_set(err, s->answer, "not possible in this state");
	if (lun != 3)
		return err_set_kind(err, ERR_INPUT, -ENOENT, "no disk there");
	*ret_bytes = 4096;
	return 0;
}

int supervisor_finish(struct supervisor *s)
{
	s->n_finish++;
	return s->answer;
}

int supervisor_attest(struct supervisor *s,
		      const uint8_t nonce[static SEV_NONCE_LEN])
{
	s->n_attest++;
	memcpy(s->nonce, nonce, sizeof(s->nonce));
	return s->answer;
}

/* --- a client, in steps that share the thread
 * ---------------------------------- */

struct fixture {
	char dir[40], path[64];
	struct loop *loop;
	struct loop_source *poll;
	struct supervisor s;
	struct control *control;
	char got[3][8192]; /* what each client has been answered so far */
	int client[3];
};

static void set_state(struct fixture *f, enum supervisor_state state)
{
	f->s.state = state;
	f->s.watch->ops->state(f->s.watch->arg, state);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	assert_int_equal(loop_create(&f->loop, NULL), 0);
	run_config_init(&f->s.config);
	assert_int_equal(control_create(f->path, &f->s, &f->control, NULL), 0);
	for (int i = 0; i < 3; i++)
		f->client[i] = -1;
	f->s.state = SUPERVISOR_RUNNING;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	control_destroy(f->control);
	assert_int_not_equal(access(f->path, F_OK), 0);
	for (int i = 0; i < 3; i++)
		fd_closep(&f->client[i]);
	loop_destroy(f->loop);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void on_turn(void *arg)
{
	loop_quit(((struct fixture *)arg)->loop);
}

/*
 * Let the server take a few rounds, each of which handles whatever is ready:
 * accepting, reading and writing take one each.
 */
static void turn(struct fixture *f)
{
	for (int i = 0; i < 5; i++) {
		struct loop_source *timer;

		assert_int_equal(loop_add_timer(f->loop, on_turn, f, &timer),
				 0);
		loop_set_timer(timer, 4);
		assert_int_equal(control_run(f->control, f->loop), 0);
		loop_remove(timer);
	}
}

static void client_ask(struct fixture *f, int i, const char *method,
		       const char *path, const char *body)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	char text[4096];
	int n = snprintf(text, sizeof(text),
			 "%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n"
			 "\r\n%s",
			 method, path, strlen(body), body);

	fd_closep(&f->client[i]);
	f->got[i][0] = 0;
	memcpy(a.sun_path, f->path, strlen(f->path));
	f->client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(
		connect(f->client[i], (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(send(f->client[i], text, (size_t)n, 0), n);
	turn(f);
}

static void act(struct fixture *f, int i, const char *action)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"action\":\"%s\"}", action);
	client_ask(f, i, "PUT", "/v1/vm/state", body);
}

/* What has come so far; "" for nothing. */
static const char *answer(struct fixture *f, int i)
{
	char *got = f->got[i];
	size_t n = strlen(got);
	ssize_t r;

	turn(f);
	r = recv(f->client[i], got + n, sizeof(f->got[i]) - 1 - n, 0);
	if (r > 0)
		got[n + (size_t)r] = 0;
	return got;
}

static void expect(struct fixture *f, int i, int status, const char *word)
{
	char line[32];
	const char *got = "";

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	for (int n = 0; n < 50 * PATIENCE_S && !*got; n++)
		got = answer(f, i);
	if (strncmp(got, line, strlen(line)) != 0 || !strstr(got, word))
		fail_msg("expected %d and '%s', got: %s", status, word, got);
}

static void expect_nothing(struct fixture *f, int i)
{
	assert_string_equal(answer(f, i), "");
}

/* --- cases
 * --------------------------------------------------------------------- */

static void pausing_is_answered_when_it_has_paused(void **state)
{
	struct fixture *f = *state;

	act(f, 0, "pause");
	assert_int_equal(f->s.n_pause, 1);
	expect_nothing(f, 0);
	set_state(f, SUPERVISOR_PAUSED);
	expect(f, 0, 200, "paused");
	act(f, 0, "pause");
	expect(f, 0, 200, "paused");
	act(f, 0, "resume");
	expect_nothing(f, 0);
	set_state(f, SUPERVISOR_RUNNING);
	expect(f, 0, 200, "running");
	act(f, 0, "resume");
	expect(f, 0, 200, "running");
}

static void requests_are_answered_in_their_order(void **state)
{
	struct fixture *f = *state;

	f->s.state = SUPERVISOR_PAUSED;
	act(f, 0, "resume");
	act(f, 1, "pause");
	expect_nothing(f, 1);
	set_state(f, SUPERVISOR_RUNNING);
	expect(f, 0, 200, "running");
	expect_nothing(f, 1);
	set_state(f, SUPERVISOR_PAUSED);
	expect(f, 1, 200, "paused");
}

static void a_restart_answers_those_who_wait(void **state)
{
	struct fixture *f = *state;

	act(f, 0, "pause");
	set_state(f, SUPERVISOR_STARTING);
	expect(f, 0, 409, "\"state\":\"starting\"");
}

static void who_is_overruled_is_told(void **state)
{
	struct fixture *f = *state;

	act(f, 0, "pause");
	act(f, 1, "resume");
	expect(f, 1, 200, "running");
	expect(f, 0, 409, "resumed before");
}

static void the_end_answers_those_who_wait(void **state)
{
	struct fixture *f = *state;

	act(f, 0, "pause");
	act(f, 1, "kill");
	assert_int_equal(f->s.n_kill, 1);
	set_state(f, SUPERVISOR_STOPPING);
	expect(f, 0, 409, "\"state\":\"stopping\"");
	expect(f, 1, 202, "state");
	act(f, 0, "stop"); /* once is enough */
	expect(f, 0, 202, "stopping");
	assert_int_equal(f->s.n_stop, 0);
	set_state(f, SUPERVISOR_ENDED);
	act(f, 0, "resume");
	expect(f, 0, 409, "has ended");
}

static void a_client_that_goes_takes_its_call_along(void **state)
{
	struct fixture *f = *state;

	act(f, 0, "pause");
	client_ask(f, 1, "GET", "/v1/vm", "");
	control_destroy(TAKE(f->control));
	assert_int_equal(f->s.n_cancel, 1);
	assert_int_equal(control_create(f->path, &f->s, &f->control, NULL), 0);
	set_state(f, SUPERVISOR_PAUSED); /* nobody is told */
}

static void counters_come_later_or_never(void **state)
{
	struct fixture *f = *state;
	struct counters c = {0};

	counters_add(&c, "net0", "rx_frames", 3);
	client_ask(f, 0, "GET", "/v1/vm", "");
	expect_nothing(f, 0);
	f->s.fn(f->s.fn_arg, &c);
	expect(f, 0, 200, "\"rx_frames\": 3");
	client_ask(f, 0, "GET", "/v1/vm", "");
	f->s.fn(f->s.fn_arg, NULL);
	expect(f, 0, 200, "\"counters\": null");
	f->s.answer = -EBUSY;
	client_ask(f, 0, "GET", "/v1/vm", "");
	expect(f, 0, 200, "\"counters\": null");
	counters_free(&c);
}

static void a_disk_that_was_resized_is_answered_with_its_size(void **state)
{
	struct fixture *f = *state;

	client_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":3}");
	expect(f, 0, 200, "\"bytes\": 4096");
	client_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":4}");
	expect(f, 0, 400, "no disk there");
	f->s.answer = -EBUSY;
	client_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":3}");
	expect(f, 0, 409, "\"state\":\"running\"");
	f->s.state = SUPERVISOR_ENDED;
	client_ask(f, 0, "PUT", "/v1/disks/size", "{\"lun\":3}");
	expect(f, 0, 409, "has ended");
}

static void requests_that_cannot_be_made_are_409(void **state)
{
	struct fixture *f = *state;

	f->s.answer = -EBUSY;
	act(f, 0, "pause");
	expect(f, 0, 409, "\"state\":\"running\"");
	f->s.answer = -EPIPE;
	act(f, 0, "resume");
	expect(f, 0, 500, "not there");
}

/* A packet of the smallest kind. */
#define SECRET                                                                 \
	"{\"header\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAA==\",\"payload\":\"AAAAAAAAAAAAAAAAAAAAAA==\","       \
	"\"address\":8192}"

static void launch(struct fixture *f, enum launch_state state, uint32_t n)
{
	struct launch_info i = {
		.kind = LAUNCH_SEV,
		.state = state,
		.n_secrets = n,
		.secret_format = LAUNCH_SECRET_FORMAT_CPIO,
	};

	f->s.watch->ops->launch_info(f->s.watch->arg, &i);
}

static void reply_launch(struct fixture *f, int r, const char *msg)
{
	struct err err = {0};

	if (r < 0)
		err_set(&err, r, "%s", msg);
	f->s.watch->ops->launch_answer(f->s.watch->arg, r, &err);
}

static void a_launch_takes_secrets_and_then_runs(void **state)
{
	struct fixture *f = *state;

	client_ask(f, 0, "GET", "/v1/launch", "");
	expect(f, 0, 404, "not protected");
	set_state(f, SUPERVISOR_LAUNCH);
	launch(f, LAUNCH_MEASURED, 0);
	client_ask(f, 2, "GET", "/v1/events", "");
	client_ask(f, 0, "PUT", "/v1/launch/secret", SECRET);
	assert_int_equal(f->s.n_secret, 1);
	assert_int_equal(f->s.gpa, 8192);
	client_ask(f, 1, "PUT", "/v1/launch/finish", "");
	expect(f, 1, 503, "at once");
	launch(f, LAUNCH_MEASURED, 1);
	reply_launch(f, 0, "");
	expect(f, 0, 200, "\"packets\": 1");
	act(f, 0, "resume"); /* finishes it */
	assert_int_equal(f->s.n_finish, 1);
	launch(f, LAUNCH_RUNNING, 1);
	reply_launch(f, 0, "");
	expect_nothing(f, 0);
	set_state(f, SUPERVISOR_RUNNING);
	expect(f, 0, 200, "running");
	client_ask(f, 0, "PUT", "/v1/launch/secret", SECRET);
	expect(f, 0, 409, "\"state\":\"running\"");
	assert_int_equal(f->s.n_secret, 1);
	expect(f, 2, 200, "launch-finished");
	assert_non_null(strstr(f->got[2], "launch-secret"));
	assert_non_null(strstr(f->got[2], "started"));
}

static void a_secret_that_is_refused_changes_nothing(void **state)
{
	struct fixture *f = *state;

	set_state(f, SUPERVISOR_LAUNCH);
	launch(f, LAUNCH_MEASURED, 0);
	client_ask(f, 0, "PUT", "/v1/launch/secret", SECRET);
	reply_launch(f, -EINVAL, "not aligned");
	expect(f, 0, 400, "not aligned");
	client_ask(f, 0, "PUT", "/v1/launch/finish", "");
	reply_launch(f, -EIO, "LAUNCH_FINISH: hardware");
	expect(f, 0, 500, "hardware");
	client_ask(f, 0, "PUT", "/v1/launch/finish", "");
	set_state(f, SUPERVISOR_ENDED); /* without an answer */
	expect(f, 0, 409, "ended");
}

/* 16 bytes of '0' and of '1'. */
#define NONCE_0 "{\"nonce\":\"MDAwMDAwMDAwMDAwMDAwMA==\"}"
#define NONCE_1 "{\"nonce\":\"MTExMTExMTExMTExMTExMQ==\"}"

static void reply_attestation(struct fixture *f, char nonce, int code,
			      const char *msg)
{
	struct monitor_msg_attestation m = {.kind = ERR_HOST, .code = code};

	memset(m.nonce, nonce, sizeof(m.nonce));
	memset(m.report, nonce, 16);
	m.report[SEV_REPORT_LEN - 1] = 1;
	snprintf(m.msg, sizeof(m.msg), "%s", msg);
	f->s.watch->ops->attestation(f->s.watch->arg, &m);
}

static void a_report_is_given_to_who_asked_for_it(void **state)
{
	struct fixture *f = *state;

	client_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	expect(f, 0, 404, "not protected");
	launch(f, LAUNCH_RUNNING, 0);
	f->s.answer = -EBUSY;
	client_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	expect(f, 0, 409, "after its launch is finished");
	f->s.answer = 0;
	client_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	client_ask(f, 1, "PUT", "/v1/launch/attestation", NONCE_1);
	expect(f, 1, 503, "at once");
	assert_int_equal(f->s.nonce[15], '0');
	set_state(f, SUPERVISOR_PAUSED); /* changes nothing */
	reply_attestation(f, '1', 0, "");
	expect_nothing(f, 0);
	reply_attestation(f, '0', 0, "");
	expect(f, 0, 200, "\"report\"");
	assert_non_null(strstr(f->got[0], "MDAwMDAwMDAwMDAwMDAwMA=="));
	client_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_1);
	reply_attestation(f, '1', -EIO, "ATTESTATION: hardware");
	expect(f, 0, 500, "hardware");
	client_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_1);
	set_state(f, SUPERVISOR_ENDED);
	expect(f, 0, 409, "ended");
}

static void a_report_that_comes_too_late_is_for_nobody(void **state)
{
	struct fixture *f = *state;

	launch(f, LAUNCH_RUNNING, 0);
	client_ask(f, 0, "PUT", "/v1/launch/attestation", NONCE_0);
	control_destroy(TAKE(f->control)); /* gives up on it */
	assert_int_equal(control_create(f->path, &f->s, &f->control, NULL), 0);
	launch(f, LAUNCH_RUNNING, 0);
	client_ask(f, 1, "PUT", "/v1/launch/attestation", NONCE_1);
	reply_attestation(f, '0', -EIO, "of the first");
	expect_nothing(f, 1);
	reply_attestation(f, '1', 0, "");
	expect(f, 1, 200, "MTExMTExMTExMTExMTExMQ==");
	assert_int_equal(f->s.n_attest, 2);
}

static void states_are_told_as_events(void **state)
{
	static const char *const words[] = {
		"\"attached\"", "\"started\"",	   "\"paused\"",
		"\"resumed\"",	"\"reset\"",	   "\"starting\"",
		"\"started\"",	"\"needs-reset\"", "\"net0\"",
		"\"panic\"",	"\"ended\"",
	};
	struct fixture *f = *state;
	const char *at = f->got[0];

	client_ask(f, 0, "GET", "/v1/events", "");
	set_state(f, SUPERVISOR_RUNNING);
	set_state(f, SUPERVISOR_PAUSED);
	set_state(f, SUPERVISOR_RUNNING);
	set_state(f, SUPERVISOR_STARTING);
	set_state(f, SUPERVISOR_RUNNING);
	f->s.watch->ops->event(f->s.watch->arg, MONITOR_EVENT_NEEDS_RESET,
			       "net0");
	f->s.result.how = RUN_PANIC;
	snprintf(f->s.result.why, sizeof(f->s.result.why), "it panicked");
	set_state(f, SUPERVISOR_ENDED);
	expect(f, 0, 200, "\"event\":\"ended\"");
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		const char *found = strstr(at, words[i]);

		if (!found)
			fail_msg("%s is missing in %s", words[i], f->got[0]);
		else
			at = found;
	}
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(pausing_is_answered_when_it_has_paused),
		CASE(requests_are_answered_in_their_order),
		CASE(a_restart_answers_those_who_wait),
		CASE(who_is_overruled_is_told),
		CASE(the_end_answers_those_who_wait),
		CASE(a_client_that_goes_takes_its_call_along),
		CASE(counters_come_later_or_never),
		CASE(a_disk_that_was_resized_is_answered_with_its_size),
		CASE(requests_that_cannot_be_made_are_409),
		CASE(a_launch_takes_secrets_and_then_runs),
		CASE(a_secret_that_is_refused_changes_nothing),
		CASE(a_report_is_given_to_who_asked_for_it),
		CASE(a_report_that_comes_too_late_is_for_nobody),
		CASE(states_are_told_as_events),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
