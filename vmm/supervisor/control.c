/*
 * vmm/supervisor/control.c - an api_vm over the supervisor: requests go down,
 * what becomes of them comes back as changes of state.
 */
#include "vmm/supervisor/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/launch_info.h"
#include "vmm/supervisor/api_server.h"
#include "vmm/supervisor/api_socket.h"
#include "vmm/supervisor/api_vm.h"
#include "vmm/supervisor/sd_notify.h"
#include "vmm/supervisor/supervisor.h"

struct control {
	struct api_vm vm;
	struct supervisor *supervisor; /* borrowed */
	struct supervisor_watch watch;
	struct api_socket socket;
	struct api_server *server;  /* NULL: nobody asked for one */
	struct api_call *waiting;   /* for a state, in the order of coming */
	struct api_call *launching; /* SECRET or FINISH, to be answered */
	struct api_call *attesting; /* ATTEST, the same */
	struct launch_info launch;
	bool has_launch;
	bool ran; /* this machine, some instruction */
	bool told_ready;
	uint64_t born_ms, n_starts;
};

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static enum api_state api_state_of(enum supervisor_state s)
{
	static const enum api_state states[SUPERVISOR_STATE_COUNT] = {
		[SUPERVISOR_STARTING] = API_STATE_STARTING,
		[SUPERVISOR_LAUNCH] = API_STATE_WAITING,
		[SUPERVISOR_PAUSED] = API_STATE_PAUSED,
		[SUPERVISOR_RUNNING] = API_STATE_RUNNING,
		[SUPERVISOR_STOPPING] = API_STATE_STOPPING,
		[SUPERVISOR_ENDED] = API_STATE_ENDED,
	};

	return states[s];
}

static enum supervisor_state state(const struct control *c)
{
	return supervisor_state(c->supervisor);
}

/* --- calls -----------------------------------------------------------------
 */

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

static void wait_for_state(struct control *c, struct api_call *call)
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
static void settle(struct control *c)
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

static void start_counters(struct control *c, struct api_call *call)
{
	int64_t id = supervisor_get_counters(c->supervisor, on_counters, call);

	if (id < 0)
		fail_asking(call, (int)id);
	else
		call->id = (uint64_t)id;
}

static bool is_resuming(const struct control *c)
{
	const struct api_call *call = c->waiting;

	while (call && call->verb != API_VERB_RESUME)
		call = call->next;
	return call;
}

static void start_pause(struct control *c, struct api_call *call)
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
static void overrule_pauses(struct control *c)
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

static void start_resume(struct control *c, struct api_call *call)
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

static void start_stop(struct control *c, struct api_call *call)
{
	/* A second SIGTERM ends the guest; here "kill" has its own word. */
	if (state(c) != SUPERVISOR_STOPPING)
		supervisor_stop(c->supervisor,
				"stopped over the control socket");
	call->done(call, 0, NULL);
}

static void start_kill(struct control *c, struct api_call *call)
{
	supervisor_kill(c->supervisor, RUN_STOPPED,
			"ended over the control socket");
	call->done(call, 0, NULL);
}

static int send_secret(struct control *c, const struct api_secret *s)
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
static void start_launch(struct control *c, struct api_call *call)
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

static void start_attest(struct control *c, struct api_call *call)
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

static void start_resize(struct control *c, struct api_call *call)
{
	struct err err = {0};
	int r = supervisor_resize_disk(c->supervisor, call->lun, &call->bytes,
				       &err);

	call->done(call, r, &err);
}

/* --- the api_vm ------------------------------------------------------------
 */

static struct control *control_of(struct api_vm *vm)
{
	return container_of(vm, struct control, vm);
}

static void vm_info(struct api_vm *vm, struct api_vm_info *ret)
{
	struct control *c = control_of(vm);
	int pid = supervisor_monitor_pid(c->supervisor);

	*ret = (struct api_vm_info){
		.state = api_state_of(state(c)),
		.config = supervisor_config(c->supervisor),
		.result = supervisor_result(c->supervisor),
		.monitor_pid = pid > 0 ? pid : 0,
		.uptime_ms = now_ms() - c->born_ms,
		.n_starts = c->n_starts,
	};
}

static const struct launch_info *vm_launch(struct api_vm *vm)
{
	struct control *c = control_of(vm);

	return c->has_launch ? &c->launch : NULL;
}

static void vm_start(struct api_vm *vm, struct api_call *call)
{
	struct control *c = control_of(vm);

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

static void vm_cancel(struct api_vm *vm, struct api_call *call)
{
	struct control *c = control_of(vm);

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

static const struct api_vm_ops vm_ops = {
	.info = vm_info,
	.launch = vm_launch,
	.start = vm_start,
	.cancel = vm_cancel,
};

/* --- what happens ----------------------------------------------------------
 */

static void tell(struct control *c, enum api_event e, const char *detail)
{
	api_server_event(c->server, e, detail);
}

static void tell_running(struct control *c)
{
	if (c->ran) {
		tell(c, API_EVENT_RESUMED, NULL);
		return;
	}
	c->ran = true;
	c->n_starts++;
	tell(c, API_EVENT_STARTED, NULL);
}

static void tell_end(struct control *c)
{
	const struct run_result *r = supervisor_result(c->supervisor);

	if (run_how_is_crash(r->how))
		tell(c, API_EVENT_PANIC, r->why);
	else if (r->how == RUN_POWEROFF)
		tell(c, API_EVENT_SHUTDOWN, NULL);
	else if (r->how == RUN_REBOOT)
		tell(c, API_EVENT_RESET, NULL);
	tell(c, API_EVENT_ENDED, r->why);
}

static void tell_state(struct control *c, enum supervisor_state s)
{
	switch (s) {
	case SUPERVISOR_STARTING: /* not for the first time */
		c->ran = false;
		tell(c, API_EVENT_RESET, NULL);
		break;
	case SUPERVISOR_LAUNCH: /* told by its launch_info */
		break;
	case SUPERVISOR_PAUSED:
		tell(c, API_EVENT_PAUSED, NULL);
		break;
	case SUPERVISOR_RUNNING:
		tell_running(c);
		break;
	case SUPERVISOR_STOPPING:
		tell(c, API_EVENT_STOPPING, NULL);
		break;
	case SUPERVISOR_ENDED:
		tell_end(c);
		break;
	default:
		break;
	}
}

/* READY when the machine is made, though its launch may wait for its owner. */
static void notify(struct control *c, enum supervisor_state s)
{
	char text[128];
	const char *first = "";

	if (s == SUPERVISOR_STOPPING || s == SUPERVISOR_ENDED)
		first = "STOPPING=1\n";
	else if (s != SUPERVISOR_STARTING && !c->told_ready)
		first = "READY=1\n";
	snprintf(text, sizeof(text), "%sSTATUS=%s", first,
		 s == SUPERVISOR_LAUNCH ? "waiting for the guest's owner"
					: supervisor_state_name(s));
	if (sd_notify_send(text) < 0)
		log_debug("the service manager at NOTIFY_SOCKET does not hear");
	c->told_ready |= s != SUPERVISOR_STARTING;
}

/* The machine that was asked is gone. */
static void drop_attestation(struct control *c)
{
	struct api_call *call = TAKE(c->attesting);

	if (call)
		fail(call, -EBUSY, "the machine has ended meanwhile");
}

static void on_state(void *arg, enum supervisor_state s)
{
	struct control *c = arg;

	notify(c, s);
	tell_state(c, s);
	if (c->launching && s != SUPERVISOR_LAUNCH) {
		/* finish was answered, or the machine is gone */
		wait_for_state(c, c->launching);
		c->launching = NULL;
	}
	if (s == SUPERVISOR_ENDED || s == SUPERVISOR_STARTING)
		drop_attestation(c);
	settle(c);
}

static void on_launch_info(void *arg, const struct launch_info *info)
{
	struct control *c = arg;
	bool first = !c->has_launch || c->launch.state != info->state;
	bool secret = c->has_launch && info->n_secrets > c->launch.n_secrets;

	c->launch = *info;
	c->has_launch = true;
	if (first && info->state == LAUNCH_MEASURED)
		tell(c, API_EVENT_LAUNCH_MEASURED, NULL);
	else if (first && info->state == LAUNCH_RUNNING)
		tell(c, API_EVENT_LAUNCH_FINISHED, NULL);
	if (secret)
		tell(c, API_EVENT_LAUNCH_SECRET, NULL);
}

static void on_launch_answer(void *arg, int r, const struct err *err)
{
	struct control *c = arg;
	struct api_call *call = c->launching;

	c->launching = NULL;
	if (!call)
		return; /* it was not waited for any longer */
	if (r < 0 || call->verb == API_VERB_SECRET)
		call->done(call, r, err);
	else
		wait_for_state(c, call); /* until it runs */
}

static void on_attestation(void *arg, const struct monitor_msg_attestation *m)
{
	struct control *c = arg;
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

static void on_event(void *arg, enum monitor_event e, const char *device)
{
	if (e == MONITOR_EVENT_CRASH_KERNEL)
		tell(arg, API_EVENT_CRASH_KERNEL, NULL);
	else
		tell(arg, API_EVENT_NEEDS_RESET, device);
}

static const struct supervisor_watch_ops watch_ops = {
	.state = on_state,
	.launch_info = on_launch_info,
	.launch_answer = on_launch_answer,
	.attestation = on_attestation,
	.event = on_event,
};

/* --- life ------------------------------------------------------------------
 */

int control_create(const char *path, struct supervisor *s, struct control **ret,
		   struct err *err)
{
	AUTO(control_destroyp) struct control *c = calloc(1, sizeof(*c));
	int r;

	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	c->socket.fd = -1;
	c->vm.ops = &vm_ops;
	c->supervisor = s;
	c->born_ms = now_ms();
	r = api_socket_open(path, &c->socket, err);
	if (!r && c->socket.fd >= 0)
		r = api_server_create(c->socket.fd, &c->vm, NULL, &c->server,
				      err);
	if (r < 0)
		return r;
	c->watch = (struct supervisor_watch){.ops = &watch_ops, .arg = c};
	supervisor_watch(s, &c->watch);
	*ret = TAKE(c);
	return 0;
}

void control_destroy(struct control *c)
{
	if (!c)
		return;
	supervisor_unwatch(&c->watch);
	api_server_destroy(c->server);
	api_socket_close(&c->socket);
	free(c);
}

bool control_is_wanted(const char *path)
{
	return path || api_socket_is_passed();
}

int control_run(struct control *c, struct loop *l)
{
	return api_server_run(c->server, l);
}
