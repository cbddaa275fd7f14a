/*
 * tests/unit/control_fixture.c - a supervisor without a monitor, and clients
 * that take turns with the server.
 */
#include "tests/unit/control_fixture.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/loop.h"

enum { PATIENCE_S = 30 };

/* --- a supervisor -------------------------------------------------------- */

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

/* --- a client ------------------------------------------------------------ */

void control_set_state(struct control_fixture *f, enum supervisor_state state)
{
	f->s.state = state;
	f->s.watch->ops->state(f->s.watch->arg, state);
}

int control_setup(void **state)
{
	struct control_fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/coffer-control-XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/s", f->dir);
	assert_int_equal(loop_create(&f->loop, NULL), 0);
	run_config_init(&f->s.config);
	assert_int_equal(control_create(f->path, &f->s, &f->control, NULL), 0);
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		f->client[i] = -1;
	f->s.state = SUPERVISOR_RUNNING;
	*state = f;
	return 0;
}

int control_teardown(void **state)
{
	struct control_fixture *f = *state;

	control_destroy(f->control);
	assert_int_not_equal(access(f->path, F_OK), 0);
	for (int i = 0; i < CONTROL_CLIENTS; i++)
		fd_closep(&f->client[i]);
	loop_destroy(f->loop);
	rmdir(f->dir);
	free(f);
	return 0;
}

static void on_turn(void *arg)
{
	loop_quit(((struct control_fixture *)arg)->loop);
}

/*
 * Let the server take a few rounds, each of which handles whatever is ready:
 * accepting, reading and writing take one each.
 */
static void turn(struct control_fixture *f)
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

void control_ask(struct control_fixture *f, int i, const char *method,
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

void control_act(struct control_fixture *f, int i, const char *action)
{
	char body[64];

	snprintf(body, sizeof(body), "{\"action\":\"%s\"}", action);
	control_ask(f, i, "PUT", "/v1/vm/state", body);
}

/* What has come so far; "" for nothing. */
static const char *answer(struct control_fixture *f, int i)
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

void control_expect(struct control_fixture *f, int i, int status,
		    const char *word)
{
	char line[32];
	const char *got = "";

	snprintf(line, sizeof(line), "HTTP/1.1 %d ", status);
	for (int n = 0; n < 50 * PATIENCE_S && !*got; n++)
		got = answer(f, i);
	if (strncmp(got, line, strlen(line)) != 0 || !strstr(got, word))
		fail_msg("expected %d and '%s', got: %s", status, word, got);
}

void control_expect_nothing(struct control_fixture *f, int i)
{
	assert_string_equal(answer(f, i), "");
}
