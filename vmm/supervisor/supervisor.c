/*
 * vmm/supervisor/supervisor.c - one monitor after the other, until the guest
 * has ended. What a monitor says is checked (monitor_msg_check) and then taken
 * for a claim: it decides how its own guest ended, and nothing else.
 */
#include "vmm/supervisor/supervisor.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/config.h"
#include "vmm/console.h"
#include "vmm/cpuid.h"
#include "vmm/device_files.h"
#include "vmm/host_config.h"
#include "vmm/kvm/kvm_sys.h"
#include "vmm/supervisor/console_relay.h"
#include "vmm/supervisor/handover.h"
#include "vmm/supervisor/key_service.h"
#include "vmm/supervisor/monitor_log.h"
#include "vmm/supervisor/supervisor_impl.h"
#include "vmm/timing.h"
#include "vmm/vm_devices.h"

enum {
	/* For a monitor that was told to end: devices finish their requests,
	 * and the console's reader gets a second. */
	END_PATIENCE_MS = 10000,
	MESSAGES_AT_ONCE = 16,
};

static const char *const state_names[] = {
	[SUPERVISOR_STARTING] = "starting", [SUPERVISOR_LAUNCH] = "launch",
	[SUPERVISOR_PAUSED] = "paused",	    [SUPERVISOR_RUNNING] = "running",
	[SUPERVISOR_STOPPING] = "stopping", [SUPERVISOR_ENDED] = "ended",
};
static_assert(ARRAY_SIZE(state_names) == SUPERVISOR_STATE_COUNT, "names");

const char *supervisor_state_name(enum supervisor_state state)
{
	assert((unsigned int)state < SUPERVISOR_STATE_COUNT);
	return state_names[state];
}

/* --- watchers ------------------------------------------------------------ */

void supervisor_watch(struct supervisor *s, struct supervisor_watch *w)
{
	list_add_tail(&s->watches, &w->link);
}

void supervisor_unwatch(struct supervisor_watch *w)
{
	list_remove(&w->link);
}

void supervisor_set_state(struct supervisor *s, enum supervisor_state state)
{
	if (s->state == state)
		return;
	s->state = state;
	log_debug("guest: %s", supervisor_state_name(state));
	SUPERVISOR_TELL(s, state, state);
}

enum supervisor_state supervisor_state(const struct supervisor *s)
{
	return s->state;
}

const struct run_config *supervisor_config(const struct supervisor *s)
{
	return s->p.config;
}

const struct run_result *supervisor_result(const struct supervisor *s)
{
	return s->state == SUPERVISOR_ENDED ? &s->result : NULL;
}

int supervisor_monitor_pid(const struct supervisor *s)
{
	return s->proc ? monitor_proc_pid(s->proc) : -1;
}

/* --- requests ------------------------------------------------------------ */

/* What cannot be sent goes to a monitor that does not listen: it is ended. */
int supervisor_ask(struct supervisor *s, const struct monitor_msg *m)
{
	int r = monitor_msg_send(monitor_proc_channel(s->proc), m, NULL, 0);

	if (r == -EAGAIN) {
		log_debug("the monitor does not listen");
		monitor_proc_kill(s->proc);
	}
	return r;
}

static int ask(struct supervisor *s, enum monitor_msg_type type)
{
	const struct monitor_msg m = {.type = type};

	return supervisor_ask(s, &m);
}

static bool is_up(const struct supervisor *s)
{
	return s->state == SUPERVISOR_RUNNING || s->state == SUPERVISOR_PAUSED;
}

int supervisor_pause(struct supervisor *s)
{
	return is_up(s) ? ask(s, MONITOR_MSG_PAUSE) : -EBUSY;
}

int supervisor_resume(struct supervisor *s)
{
	return is_up(s) ? ask(s, MONITOR_MSG_RESUME) : -EBUSY;
}

int supervisor_power_button(struct supervisor *s)
{
	return is_up(s) ? ask(s, MONITOR_MSG_POWER_BUTTON) : -EBUSY;
}

int supervisor_secret(struct supervisor *s, const struct monitor_msg *m)
{
	return s->state == SUPERVISOR_LAUNCH ? supervisor_ask(s, m) : -EBUSY;
}

int supervisor_finish(struct supervisor *s)
{
	return s->state == SUPERVISOR_LAUNCH ? ask(s, MONITOR_MSG_FINISH)
					     : -EBUSY;
}

int supervisor_attest(struct supervisor *s,
		      const uint8_t nonce[static SEV_NONCE_LEN])
{
	struct monitor_msg m = {.type = MONITOR_MSG_ATTEST};

	memcpy(m.attest.nonce, nonce, sizeof(m.attest.nonce));
	return is_up(s) ? supervisor_ask(s, &m) : -EBUSY;
}

void supervisor_kill(struct supervisor *s, enum run_how how, const char *why)
{
	struct monitor_msg m = {.type = MONITOR_MSG_END};

	if (s->state == SUPERVISOR_ENDED)
		return;
	if (!s->ended) {
		s->ended = true;
		s->end.how = how;
		snprintf(s->end.why, sizeof(s->end.why), "%s", why);
	}
	if (!s->proc)
		return;
	m.end = (struct monitor_msg_end){.how = (uint32_t)how};
	snprintf(m.end.why, sizeof(m.end.why), "%s", why);
	if (s->ready)
		supervisor_ask(s, &m);
	else /* it is busy making the machine */
		monitor_proc_kill(s->proc);
	supervisor_set_state(s, SUPERVISOR_STOPPING);
	loop_set_timer(s->patience, END_PATIENCE_MS);
}

void supervisor_stop(struct supervisor *s, const char *who)
{
	if (s->n_stop++ || !is_up(s) || !s->p.config->stop_timeout_ms) {
		supervisor_kill(s, RUN_STOPPED, who);
		return;
	}
	log_debug("%s: pressing the power button", who);
	if (s->state == SUPERVISOR_PAUSED)
		supervisor_resume(s); /* it could not do anything else */
	supervisor_power_button(s);
	supervisor_set_state(s, SUPERVISOR_STOPPING);
	loop_set_timer(s->stop_timeout, s->p.config->stop_timeout_ms);
}

static void on_stop_timeout(void *arg)
{
	supervisor_kill(arg, RUN_TIMEOUT,
			"the guest did not power off within --stop-timeout");
}

static void on_timeout(void *arg)
{
	supervisor_kill(arg, RUN_TIMEOUT,
			"the guest did not end within --timeout");
}

static void on_patience(void *arg)
{
	struct supervisor *s = arg;

	if (s->proc)
		monitor_proc_kill(s->proc);
}

/* --- the channel -------------------------------------------------------- */

/* Nothing counts after the last message of a monitor. */
static bool is_over(const struct supervisor *s)
{
	return s->has_result || s->has_error || !s->channel_source;
}

static void take_message(struct supervisor *s, bool *more)
{
	int fds[MONITOR_FDS_MAX];
	size_t n_fds = 0;
	int r = monitor_msg_recv(monitor_proc_channel(s->proc),
				 MONITOR_TO_SUPERVISOR, &s->msg, fds, &n_fds);

	/*
	 * ECONNRESET: it went without reading what we sent. That is told once,
	 * and before its last words.
	 */
	if (r == -ECONNRESET) {
		*more = true;
		return;
	}
	*more = r > 0;
	if (r > 0 && !is_over(s)) {
		supervisor_take(s, &s->msg);
	} else if (r == -EBADMSG && !is_over(s)) {
		err_set_kind(&s->error, ERR_INTERNAL, r,
			     "the monitor sent what is no message; it was "
			     "ended");
		s->has_error = true;
		monitor_proc_kill(s->proc);
	}
	if (!r || (r < 0 && r != -EAGAIN)) { /* the process will follow */
		loop_remove(s->channel_source);
		s->channel_source = NULL;
	}
}

static void on_channel(void *arg, int fd, uint32_t events)
{
	struct supervisor *s = arg;
	bool more = true;

	(void)fd;
	(void)events;
	for (int i = 0; i < MESSAGES_AT_ONCE && more && s->channel_source; i++)
		take_message(s, &more);
	/* It has told us everything, so it has a moment to go. */
	if (is_over(s) && s->state != SUPERVISOR_STOPPING && s->proc)
		loop_set_timer(s->patience, END_PATIENCE_MS);
}

/* --- a monitor's life ---------------------------------------------------- */

static void on_monitor_exit(void *arg, int fd, uint32_t events);

static int start_proc(struct supervisor *s, struct err *err)
{
	const struct monitor_proc_params pp = {
		.program = s->program,
		.namespaces = s->jail.msg.flags & MONITOR_JAIL_ON,
		.cgroup = s->p.cgroup,
	};
	struct monitor_msg m = {.type = MONITOR_MSG_JAIL};
	int r = monitor_proc_start(&pp, &s->proc, err);

	if (r < 0)
		return r;
	timing_mark(s->p.timing, TIMING_SPAWNED);
	r = fault_point("monitor process", err);
	if (!r)
		r = monitor_log_create(s->p.loop, monitor_proc_stderr(s->proc),
				       &s->log, err);
	if (r < 0)
		return r;
	r = loop_add_fd(s->p.loop, monitor_proc_channel(s->proc), EPOLLIN,
			on_channel, s, &s->channel_source);
	if (!r)
		r = loop_add_fd(s->p.loop, monitor_proc_pidfd(s->proc), EPOLLIN,
				on_monitor_exit, s, &s->exit_source);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "event loop: %s",
				    strerror(-r));
	m.jail = s->jail.msg;
	m.jail.seccomp = supervisor_seccomp(s);
	m.jail.fail_step = fault_chosen("monitor");
	supervisor_ask(s, &m); /* if it is gone, on_monitor_exit() says why */
	return 0;
}

/* Everything of this monitor; what is open for its guest stays. */
static void end_proc(struct supervisor *s)
{
	loop_set_timer(s->patience, 0);
	if (s->proc)
		monitor_proc_kill(s->proc);
	if (s->proc)
		monitor_proc_reap(s->proc);
	supervisor_drop_questions(s);
	loop_remove(s->channel_source);
	loop_remove(s->exit_source);
	s->channel_source = s->exit_source = NULL;
	console_relay_destroy(s->relay);
	s->relay = NULL;
	monitor_log_destroy(s->log);
	s->log = NULL;
	monitor_proc_destroy(s->proc);
	s->proc = NULL;
	s->ready = false;
	guest_key_destroy(&s->key);
}

/* Which descriptor the monitor's serial port writes to. */
static int open_console(struct supervisor *s, struct handover *h, int *own,
			struct err *err)
{
	const struct console_config *c = &s->p.config->console;
	int r;

	h->console_fd = -1;
	if (c->kind == CONSOLE_NONE)
		return 0;
	r = console_relay_create(s->p.loop, s->console, &s->relay, own, err);
	h->console_fd = *own;
	h->console_input = true;
	return r;
}

/* The group of a monitor that has another user than we. */
static gid_t monitor_group(const struct supervisor *s)
{
	return s->jail.msg.flags & MONITOR_JAIL_USER ? (gid_t)s->jail.msg.gid
						     : (gid_t)-1;
}

static int hand_over(struct supervisor *s, struct err *err)
{
	AUTO(fd_closep) int console_fd = -1;
	struct vm_devices_config devices;
	struct cpuid_table cpuid;
	struct handover h = {
		.channel = monitor_proc_channel(s->proc),
		.config = s->p.config,
		.devices = &devices,
		.kvm_fd = s->kvm_fd,
		.cpuid = &cpuid,
		.paused = s->p.config->devices.paused,
		.launch = s->p.launch,
	};
	int r = device_files_config(s->files, &devices, err);

	if (!r)
		r = open_console(s, &h, &console_fd, err);
	if (!r)
		r = fault_point("console relay", err);
	if (!r)
		r = guest_key_create(s->p.config, HOST_CONFIG_PATH,
				     monitor_group(s), key_service_kernel(),
				     &s->key, err);
	if (!r && s->key.broker) {
		h.key_serial = key_broker_serial(s->key.broker);
		h.key_syscall = s->key.syscall;
	}
	if (!r)
		r = kvm_sys_supported_cpuid(s->kvm_fd, &cpuid, err);
	if (!r)
		timing_mark(s->p.timing, TIMING_OPENED);
	if (!r)
		r = handover_send(&h, err);
	device_files_lent(s->files); /* the monitor has its own now */
	if (!r)
		timing_mark(s->p.timing, TIMING_HANDED);
	/* A monitor that went has said why, or its exit status does. */
	return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

/* Would the guest be started again, if nobody wanted it to end? */
static bool wants_restart(const struct supervisor *s)
{
	return s->has_result && !s->has_error && s->result.how == RUN_REBOOT &&
	       s->p.config->on_reboot == ON_REBOOT_RESTART;
}

static void conclude(struct supervisor *s)
{
	if (s->ended && !s->has_error && (!s->has_result || wants_restart(s))) {
		s->result.how = s->end.how;
		memcpy(s->result.why, s->end.why, sizeof(s->result.why));
	}
	if (s->has_error) { /* for the watchers */
		s->result.how = RUN_ERROR;
		memcpy(s->result.why, s->error.msg, sizeof(s->result.why));
	}
	supervisor_set_state(s, SUPERVISOR_ENDED);
	loop_quit(s->p.loop);
}

static void restart(struct supervisor *s)
{
	struct err *err = &s->error;
	int r;

	log_debug("the guest rebooted; starting it again");
	supervisor_set_state(s, SUPERVISOR_STARTING);
	s->has_result = false;
	r = start_proc(s, err);
	if (!r)
		r = hand_over(s, err);
	if (!r) {
		SUPERVISOR_TELL(s, restarted);
		return;
	}
	s->has_error = true;
	end_proc(s);
	conclude(s);
}

static void on_monitor_exit(void *arg, int fd, uint32_t events)
{
	struct supervisor *s = arg;
	bool more = true;
	int status;

	(void)fd;
	(void)events;
	while (more && s->channel_source) /* its last words */
		take_message(s, &more);
	status = monitor_proc_reap(s->proc);
	if (!s->has_result && !s->has_error && !s->ended)
		supervisor_set_death(s, status);
	end_proc(s);
	if (wants_restart(s) && !s->n_stop && !s->ended)
		restart(s);
	else
		conclude(s);
}

/* --- life ---------------------------------------------------------------- */

static int add_timers(struct supervisor *s, struct err *err)
{
	int r = loop_add_timer(s->p.loop, on_timeout, s, &s->timeout);

	if (!r)
		r = loop_add_timer(s->p.loop, on_stop_timeout, s,
				   &s->stop_timeout);
	if (!r)
		r = loop_add_timer(s->p.loop, on_patience, s, &s->patience);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "event loop: %s",
				    strerror(-r));
	return 0;
}

int supervisor_create(const struct supervisor_params *p,
		      struct supervisor **ret, struct err *err)
{
	AUTO(supervisor_destroyp) struct supervisor *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->p = *p;
	s->program = s->kvm_fd = -1;
	jail_plan_init(&s->jail);
	list_init(&s->watches);
	r = add_timers(s, err);
	if (!r)
		r = monitor_proc_find(&s->program, err);
	if (!r)
		r = jail_plan_make(p->config, &s->jail, err);
	if (!r)
		r = fault_point("jail plan", err);
	if (!r)
		r = start_proc(s, err);
	if (r < 0)
		return r;
	*ret = TAKE(s);
	return 0;
}

int supervisor_start(struct supervisor *s, int kvm_fd, struct console *console,
		     struct device_files *files, struct err *err)
{
	s->kvm_fd = kvm_fd;
	s->console = console;
	s->files = files;
	if (s->p.config->timeout_ms)
		loop_set_timer(s->timeout, s->p.config->timeout_ms);
	return hand_over(s, err);
}

int supervisor_conclude(struct supervisor *s, struct run_result *res,
			struct err *err)
{
	assert(s->state == SUPERVISOR_ENDED);
	*res = s->result;
	s->result.counters = (struct counters){0};
	if (!s->has_error)
		return 0;
	if (err)
		*err = s->error;
	return s->error.code;
}

void supervisor_destroy(struct supervisor *s)
{
	if (!s)
		return;
	if (s->patience)
		end_proc(s);
	loop_remove(s->timeout);
	loop_remove(s->stop_timeout);
	loop_remove(s->patience);
	fd_closep(&s->program);
	jail_plan_release(&s->jail);
	counters_free(&s->result.counters);
	counters_free(&s->answer);
	free(s);
}
