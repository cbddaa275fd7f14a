/*
 * vmm/supervisor/control.c - an api_vm over the supervisor: its requests, its
 * events, and what a service manager is told.
 */
#include "vmm/supervisor/control.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/now.h"
#include "vmm/launch_info.h"
#include "vmm/supervisor/api_server.h"
#include "vmm/supervisor/api_socket.h"
#include "vmm/supervisor/api_vm.h"
#include "vmm/supervisor/control_calls.h"
#include "vmm/supervisor/sd_notify.h"
#include "vmm/supervisor/supervisor.h"

struct control {
	struct api_vm vm;
	struct supervisor *supervisor; /* borrowed */
	struct supervisor_watch watch;
	struct api_socket socket;
	struct api_server *server; /* NULL: nobody asked for one */
	struct control_calls calls;
	struct launch_info launch;
	bool has_launch;
	bool ran; /* this machine, some instruction */
	bool told_ready;
	uint64_t born_ms, n_starts;
};

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
		.state = api_state_of(supervisor_state(c->supervisor)),
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
	control_calls_start(&control_of(vm)->calls, call);
}

static void vm_cancel(struct api_vm *vm, struct api_call *call)
{
	control_calls_cancel(&control_of(vm)->calls, call);
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

static void on_state(void *arg, enum supervisor_state s)
{
	struct control *c = arg;

	notify(c, s);
	tell_state(c, s);
	control_calls_state(&c->calls, s);
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
	control_calls_launch_answer(&((struct control *)arg)->calls, r, err);
}

static void on_attestation(void *arg, const struct monitor_msg_attestation *m)
{
	control_calls_attestation(&((struct control *)arg)->calls, m);
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
	c->supervisor = c->calls.supervisor = s;
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
