/*
 * vmm/monitor/monitor_main.c - coffer-monitor, the program that runs the
 * guest. `coffer run` starts it with an empty environment, a channel, and
 * nothing else; it parses no text and opens no path.
 */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/base/log.h"
#include "vmm/base/thread_start.h"
#include "vmm/build_id.h"
#include "vmm/monitor/jail.h"
#include "vmm/monitor/monitor_guest.h"
#include "vmm/monitor/monitor_lockdown.h"
#include "vmm/monitor/monitor_proto.h"
#include "vmm/monitor/monitor_setup.h"
#include "vmm/timing.h"

#if defined(__SANITIZE_ADDRESS__)
/*
 * The leak checker stops all threads by ptrace and reads /proc: a jail has
 * neither. The environment, where this would be said otherwise, is empty.
 */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}
#endif

static int recv_next(struct monitor_msg *m, int fds[static MONITOR_FDS_MAX],
		     size_t *n_fds, struct err *err)
{
	int r = monitor_msg_recv(MONITOR_FD_CHANNEL, MONITOR_TO_MONITOR, m, fds,
				 n_fds);

	if (!r)
		_exit(EXIT_FAILURE); /* the supervisor is gone */
	if (r < 0)
		return err_set_kind(err, ERR_INTERNAL, r,
				    "a message of the supervisor: %s",
				    strerror(-r));
	return 0;
}

static int enter_jail(struct monitor_msg *m, struct err *err)
{
	int fds[MONITOR_FDS_MAX], r;
	size_t n_fds;

	r = recv_next(m, fds, &n_fds, err);
	if (r < 0)
		return r;
	if (m->type != MONITOR_MSG_JAIL)
		return err_set_kind(err, ERR_INTERNAL, -EPROTO,
				    "message %u comes before the jail",
				    m->type);
	log_set_level((enum log_level)m->jail.log_level);
	fault_set(m->jail.fail_step);
	r = jail_enter(&m->jail, err);
	if (r < 0)
		return r;
	r = monitor_lockdown_prepare(m->jail.seccomp, MONITOR_FD_CHANNEL, err);
	if (r < 0)
		return r;
	thread_start_set_hook(monitor_lockdown);
	return 0;
}

static int collect(struct monitor_setup *s, struct monitor_msg *m,
		   struct err *err)
{
	int r;

	do {
		int fds[MONITOR_FDS_MAX];
		size_t n_fds;

		r = recv_next(m, fds, &n_fds, err);
		if (!r)
			r = monitor_setup_take(s, m, fds, n_fds, err);
		if (!r)
			r = fault_point("message", err);
	} while (!r);
	return r < 0 ? r : 0;
}

static int run(struct monitor_msg *m, struct err *err)
{
	struct monitor_setup *s = NULL; /* lives as long as the process */
	struct timing timing = {0};
	int smaps, r;

	timing_mark(&timing, TIMING_MONITOR);
	/* The one path, and only while there is a /proc: see monitor_setup.h.
	 */
	smaps = open("/proc/self/smaps", O_RDONLY | O_CLOEXEC);
	r = enter_jail(m, err);
	timing_mark(&timing, TIMING_JAILED);
	if (!r)
		r = monitor_setup_create(&s, err);
	if (!r)
		monitor_setup_take_smaps(s, smaps);
	if (!r)
		r = collect(s, m, err);
	timing_mark(&timing, TIMING_TAKEN);
	return r < 0 ? r
		     : monitor_guest_run(s, MONITOR_FD_CHANNEL, &timing, err);
}

static void report(struct monitor_msg *m, const struct err *err)
{
	m->type = MONITOR_MSG_ERROR;
	m->error = (struct monitor_msg_error){
		.kind = err->kind,
		.code = err->code < 0 ? err->code : -EIO,
	};
	memcpy(m->error.msg, err->msg, sizeof(m->error.msg));
	monitor_msg_send(MONITOR_FD_CHANNEL, m, NULL, 0);
}

int main(int argc, char **argv)
{
	static struct monitor_msg msg; /* too large for a small stack */
	struct err err = {0};

	/* One heap for all threads grows by brk alone. */
	mallopt(M_ARENA_MAX, 1);
	if (argc != 2 || strcmp(argv[1], coffer_build_id()) != 0) {
		log_error("coffer-monitor is a part of coffer, build %s, and "
			  "started by its 'coffer run'",
			  coffer_build_id());
		return MONITOR_EXIT_OTHER_BUILD;
	}
	/* No taking apart: see monitor_guest_run(). */
	if (run(&msg, &err) >= 0)
		_exit(EXIT_SUCCESS);
	report(&msg, &err);
	_exit(EXIT_FAILURE);
}
