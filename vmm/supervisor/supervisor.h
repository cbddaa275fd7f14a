/*
 * vmm/supervisor/supervisor.h - one guest from its configuration to its end,
 * seen from outside: starts monitors, speaks with them, cleans up.
 *
 * Everything happens in the loop's thread, and everything that asks something
 * of the guest returns at once; what became of it is told to the watchers.
 */
#ifndef VMM_SUPERVISOR_SUPERVISOR_H
#define VMM_SUPERVISOR_SUPERVISOR_H

#include <stdint.h>

#include "vmm/base/list.h"
#include "vmm/base/own.h"
#include "vmm/exit_status.h"
#include "vmm/monitor/monitor_proto.h"

struct console;
struct device_files;
struct err;
struct launch_host;
struct launch_ledger;
struct loop;
struct run_config;
struct supervisor; /* opaque */
struct timing;

enum supervisor_state {
	SUPERVISOR_STARTING = 0, /* a monitor is being made, or made anew */
	SUPERVISOR_LAUNCH,	 /* measured; waits for a secret or finish */
	SUPERVISOR_PAUSED,
	SUPERVISOR_RUNNING,
	SUPERVISOR_STOPPING, /* asked to power off, or being ended */
	SUPERVISOR_ENDED,    /* supervisor_result() is final */
	SUPERVISOR_STATE_COUNT,
};

/* "starting", "launch", "paused", "running", "stopping", "ended" */
const char *supervisor_state_name(enum supervisor_state state);

/* Any of them may be NULL. They may ask, but not destroy. */
struct supervisor_watch_ops {
	/* After every change. */
	void (*state)(void *arg, enum supervisor_state state);
	/* The guest rebooted, and a new machine is being started. */
	void (*restarted)(void *arg);
	/*
	 * Of a protected guest: when SUPERVISOR_LAUNCH has begun, and after
	 * each secret and the end of the launch. Valid during the call.
	 */
	void (*launch_info)(void *arg, const struct launch_info *info);
	/* What became of the oldest supervisor_secret() or _finish(). */
	void (*launch_answer)(void *arg, int r, const struct err *err);
	/* To supervisor_attest(); the report when m->code is 0. */
	void (*attestation)(void *arg, const struct monitor_msg_attestation *m);
	/* @device: the one that needs a reset, or "vm". */
	void (*event)(void *arg, enum monitor_event e, const char *device);
};

/* Embedded in the watcher; removed by supervisor_unwatch(). */
struct supervisor_watch {
	const struct supervisor_watch_ops *ops;
	void *arg;
	struct list link; /* the supervisor's; zero before supervisor_watch() */
};

struct supervisor_params {
	const struct run_config *config;  /* finished and opened; borrowed */
	struct loop *loop;		  /* borrowed; quits at the end */
	struct timing *timing;		  /* borrowed */
	const struct launch_host *launch; /* borrowed; NULL: not protected */
	struct launch_ledger *ledger; /* borrowed: what is known of it so far */
	int cgroup;		      /* for the monitors, borrowed; -1: ours */
};

/*
 * Start a first monitor's process; it drops its privileges while the caller
 * opens the rest. Nothing of it is left after supervisor_destroy().
 */
int supervisor_create(const struct supervisor_params *p,
		      struct supervisor **ret, struct err *err);
/* Ends the monitor if there is one, and waits for it. NULL is fine. */
void supervisor_destroy(struct supervisor *s);
DEFINE_CLEANUP(struct supervisor, supervisor_destroy)

/*
 * Hand everything over and let the monitor make the machine. /dev/kvm,
 * @console and @files are borrowed until supervisor_destroy().
 */
int supervisor_start(struct supervisor *s, int kvm_fd, struct console *console,
		     struct device_files *files, struct err *err);

/*
 * After SUPERVISOR_ENDED. 0: the guest ran, and *res says how that ended (never
 * RUN_ERROR). Negative errno: we failed, and @err says how. Counters move to
 * *res in both cases.
 */
int supervisor_conclude(struct supervisor *s, struct run_result *res,
			struct err *err);

void supervisor_watch(struct supervisor *s, struct supervisor_watch *w);
void supervisor_unwatch(struct supervisor_watch *w); /* fine when it is not */

enum supervisor_state supervisor_state(const struct supervisor *s);
const struct run_config *supervisor_config(const struct supervisor *s);
/* How the guest ended, or NULL. */
const struct run_result *supervisor_result(const struct supervisor *s);
/* Process number of the monitor that runs, or -1. */
int supervisor_monitor_pid(const struct supervisor *s);

/*
 * 0: the monitor was told; the state changes when it has done it, and already
 * being so is fine. -EBUSY: not in this state (starting, launch, stopping,
 * ended).
 */
int supervisor_pause(struct supervisor *s);
int supervisor_resume(struct supervisor *s);
/* Press the power button. 0, or -EBUSY as above. */
int supervisor_power_button(struct supervisor *s);
/*
 * The first request presses the power button and gives the guest
 * --stop-timeout, the second ends it; one before the guest runs ends it, too.
 * @who is one line for people: "stopped by SIGTERM".
 */
void supervisor_stop(struct supervisor *s, const char *who);
/* End the guest now. The first reason counts. Any state. */
void supervisor_kill(struct supervisor *s, enum run_how how, const char *why);

/*
 * Look how long the image at @lun is now, and tell the guest. *ret_bytes is
 * what it gets. -EBUSY: there is no machine now; or device_files_resize().
 */
int supervisor_resize_disk(struct supervisor *s, unsigned int lun,
			   uint64_t *ret_bytes, struct err *err);

/* The answer: counters of the machine that runs, valid during the call. */
typedef void (*supervisor_counters_fn)(void *arg, const struct counters *c);
/*
 * Ask for the counters; @fn is called once, later, unless it is cancelled: with
 * what the monitor counted, or with NULL when it ended without answering.
 * Returns a number > 0 for supervisor_cancel_counters().
 * -EBUSY       there is no machine now
 * -EAGAIN      SUPERVISOR_QUESTIONS_MAX are waiting
 */
enum { SUPERVISOR_QUESTIONS_MAX = 16 };
int64_t supervisor_get_counters(struct supervisor *s, supervisor_counters_fn fn,
				void *arg);
void supervisor_cancel_counters(struct supervisor *s, int64_t id);

/*
 * SEV, in SUPERVISOR_LAUNCH only, else -EBUSY: inject a secret, finish and
 * run. @m is a MONITOR_MSG_SECRET.
 */
int supervisor_secret(struct supervisor *s, const struct monitor_msg *m);
int supervisor_finish(struct supervisor *s);
/*
 * SEV: ask for a report over @nonce of the guest that runs or is paused, else
 * -EBUSY.
 */
int supervisor_attest(struct supervisor *s,
		      const uint8_t nonce[static SEV_NONCE_LEN]);

#endif
