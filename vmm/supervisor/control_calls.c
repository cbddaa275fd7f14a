/*
 * vmm/supervisor/control_calls.c - requests go down to the supervisor; a change
 * of state or the monitor's answer ends them.
 */
#include "vmm/supervisor/control_calls.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

static enum supervisor_state state(const struct control_calls *c)
{
	return supervisor_state(c->supervisor);
}

static void fail(struct api_call *call, int r, const char *why)
{
	struct err err = {0};

	err_set(&err, r, "%s", why);
	call->done(call, r, &err);
}

/* The result of something that was sent to the monitor. */
static void fail_asking(struct api_call *call, int r)
{
	if (r == -EBUSY)
		fail(call, r, "not possible in this state");
	else if (r == -EAGAIN)
		fail(call, r, "too much is being asked at once");
	else
		fail(call, -EIO, "the guest's process is not there any more");
}

static void wait_for_state(struct control_calls *c, struct api_call *call)
{
	struct api_call **at = &c->waiting;

	while (*at)
		at = &(*at)->next;
	call->next = NULL;
	*at = call;
}

/* 1: @call has what it waits for; negative: it never will; 0: wait. */
static int outcome(const struct api_call *call, enum supervisor_state s)
{
	if (s == SUPERVISOR_STOPPING || s == SUPERVISOR_ENDED ||
	    s == SUPERVISOR_STARTING)
		return -EBUSY;
	if (call->verb == API_VERB_PAUSE)
		return s == SUPERVISOR_PAUSED;
	return s == SUPERVISOR_RUNNING;
}

/*
 * Answer those that can be answered. An answer may bring new calls, which go to
 * the end of the list, so it is taken off first.
 */
static void settle(struct control_calls *c)
{
	struct api_call *call = c->waiting, *next;

	c->waiting = NULL;
	for (; call; call = next) {
		int r = outcome(call, state(c));

		next = call->next;
		if (!r)
			wait_for_state(c, call);
		else if (r > 0)
			call->done(call, 0, NULL);
		else
			fail(call, r, "the machine has ended meanwhile");
	}
}

static void on_counters(void *arg, const struct counters *v)
{
	struct api_call *call = arg;

	for (size_t i = 0; v && i < v->n; i++)
		counters_add(&call->counters, v->v[i].device, v->v[i].name,
			     v->v[i].value);
	if (v)
		call->done(call, 0, NULL);
	else
		fail(call, -EBUSY, "the machine has ended");
}

static void start_counters(struct control_calls *c, struct api_call *call)
{
	int64_t id = supervisor_get_counters(c->supervisor, on_counters, call);

	if (id < 0)
		fail_asking(call, (int)id);
	else
		call->id = (uint64_t)id;
}

static bool is_resuming(const struct control_calls *c)
{
	const struct api_call *call = c->waiting;

	while (call && call->verb != API_VERB_RESUME)
		call = call->next;
	return call;
}

static void start_pause(struct control_calls *c, struct api_call *call)
{
	int r = supervisor_pause(c->supervisor);

	if (r < 0)
		fail_asking(call, r);
	else if (state(c) == SUPERVISOR_PAUSED && !is_resuming(c))
		call->done(call, 0, NULL);
	else
		wait_for_state(c, call);
}

/* Those who wanted it to pause, and whom another client has overruled. */
static void overrule_pauses(struct control_calls *c)
{
	struct api_call *call = c->waiting, *next;

	c->waiting = NULL;
	for (; call; call = next) {
		next = call->next;
		if (call->verb == API_VERB_PAUSE)
			fail(call, -EBUSY, "it was resumed before it paused");
		else
			wait_for_state(c, call);
	}
}

static void start_resume(struct control_calls *c, struct api_call *call)
{
	int r = supervisor_resume(c->supervisor);

	if (r < 0) {
		fail_asking(call, r);
		return;
	}
	overrule_pauses(c);
	if (state(c) == SUPERVISOR_RUNNING)
		call->done(call, 0, NULL);
	else
		wait_for_state(c, call);
}

static void start_stop(struct control_calls *c, struct api_call *call)
{
	/* A second SIGTERM ends the guest; here "kill" has its own word. */
	if (state(c) != SUPERVISOR_STOPPING)
		supervisor_stop(c->supervisor,
				"stopped over the control socket");
	call->done(call, 0, NULL);
}

static void start_kill(struct control_calls *c, struct api_call *call)
{
	supervisor_kill(c->supervisor, RUN_STOPPED,
			"ended over the control socket");
	call->done(call, 0, NULL);
}

static int send_secret(struct control_calls *c, const struct api_secret *s)
{
	AUTO(freep) struct monitor_msg *m = calloc(1, sizeof(*m));

	static_assert((int)API_SECRET_HEADER == (int)MONITOR_SECRET_HEADER &&
			      (int)API_SECRET_MAX == (int)MONITOR_SECRET_MAX,
		      "one packet");
	if (!m)
		return -ENOMEM;
	m->type = MONITOR_MSG_SECRET;
	m->secret.gpa = s->gpa;
	m->secret.len = (uint32_t)s->len;
	memcpy(m->secret.header, s->header, API_SECRET_HEADER);
	memcpy(m->secret.data, s->payload, s->len);
	return supervisor_secret(c->supervisor, m);
}

/* One after the other: the answer does not say which it is to. */
static void start_launch(struct control_calls *c, struct api_call *call)
{
	int r;

	if (state(c) != SUPERVISOR_LAUNCH) {
		fail(call, -EBUSY,
		     "only possible while the launch waits: after it was "
		     "measured, before it is finished");
		return;
	}
	if (c->launching) {
		fail_asking(call, -EAGAIN);
		return;
	}
	r = call->verb == API_VERB_SECRET ? send_secret(c, &call->secret)
					  : supervisor_finish(c->supervisor);
	if (r < 0)
		fail_asking(call, r);
	else
		c->launching = call;
}

static void start_attest(struct control_calls *c, struct api_call *call)
{
	int r;

	if (c->attesting) {
		fail_asking(call, -EAGAIN);
		return;
	}
	r = supervisor_attest(c->supervisor, call->nonce);
	if (r == -EBUSY)
		fail(call, r,
		     "only possible while the guest runs or is paused, after "
		     "its launch is finished");
	else if (r < 0)
		fail_asking(call, r);
	else
		c->attesting = call;
}

static void start_resize(struct control_calls *c, struct api_call *call)
{
	struct err err = {0};
	int r = supervisor_resize_disk(c->supervisor, call->lun, &call->bytes,
				       &err);

	call->done(call, r, &err);
}

/* --- from start to end ---------------------------------------------------- */

void control_calls_start(struct control_calls *c, struct api_call *call)
{
	if (state(c) == SUPERVISOR_ENDED) {
		fail(call, -EBUSY, "the guest has ended");
		return;
	}
	switch (call->verb) {
	case API_VERB_COUNTERS:
		start_counters(c, call);
		break;
	case API_VERB_PAUSE:
		start_pause(c, call);
		break;
	case API_VERB_RESUME:
		if (state(c) == SUPERVISOR_LAUNCH)
			start_launch(c, call);
		else
			start_resume(c, call);
		break;
	case API_VERB_STOP:
		start_stop(c, call);
		break;
	case API_VERB_KILL:
		start_kill(c, call);
		break;
	case API_VERB_SECRET:
	case API_VERB_FINISH:
		start_launch(c, call);
		break;
	case API_VERB_ATTEST:
		start_attest(c, call);
		break;
	case API_VERB_RESIZE:
		start_resize(c, call);
		break;
	}
}

void control_calls_cancel(struct control_calls *c, struct api_call *call)
{
	if (call->verb == API_VERB_COUNTERS)
		supervisor_cancel_counters(c->supervisor, (int64_t)call->id);
	if (c->launching == call)
		c->launching = NULL;
	if (c->attesting == call)
		c->attesting = NULL;
	for (struct api_call **at = &c->waiting; *at; at = &(*at)->next) {
		if (*at == call) {
			*at = call->next;
			break;
		}
	}
}

/* The machine that was asked is gone. */
static void drop_attestation(struct control_calls *c)
{
	struct api_call *call = TAKE(c->attesting);

	if (call)
		fail(call, -EBUSY, "the machine has ended meanwhile");
}

void control_calls_state(struct control_calls *c, enum supervisor_state s)
{
	if (c->launching && s != SUPERVISOR_LAUNCH) {
		/* finish was answered, or the machine is gone */
		wait_for_state(c, c->launching);
		c->launching = NULL;
	}
	if (s == SUPERVISOR_ENDED || s == SUPERVISOR_STARTING)
		drop_attestation(c);
	settle(c);
}

void control_calls_launch_answer(struct control_calls *c, int r,
				 const struct err *err)
{
	struct api_call *call = c->launching;

	c->launching = NULL;
	if (!call)
		return; /* it was not waited for any longer */
	if (r < 0 || call->verb == API_VERB_SECRET)
		call->done(call, r, err);
	else
		wait_for_state(c, call); /* until it runs */
}

void control_calls_attestation(struct control_calls *c,
			       const struct monitor_msg_attestation *m)
{
	struct api_call *call = c->attesting;
	struct err err = {.code = m->code, .kind = (enum err_kind)m->kind};

	/* It may be the answer to one that was not waited for any longer. */
	if (!call || memcmp(call->nonce, m->nonce, sizeof(call->nonce)) != 0)
		return;
	c->attesting = NULL;
	memcpy(call->report, m->report, sizeof(call->report));
	memcpy(err.msg, m->msg, sizeof(err.msg));
	call->done(call, m->code, &err);
}
