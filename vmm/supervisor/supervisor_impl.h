/* vmm/supervisor/supervisor_impl.h - the supervisor's parts, for its files. */
#ifndef VMM_SUPERVISOR_SUPERVISOR_IMPL_H
#define VMM_SUPERVISOR_SUPERVISOR_IMPL_H

#include <stdbool.h>

#include "vmm/counters.h"
#include "vmm/supervisor/guest_key.h"
#include "vmm/supervisor/jail_plan.h"
#include "vmm/supervisor/monitor_proc.h"
#include "vmm/supervisor/supervisor.h"

struct console_relay;
struct monitor_log;

struct question {
	int64_t id;		   /* 0: free */
	supervisor_counters_fn fn; /* NULL: cancelled */
	void *arg;
};

struct supervisor {
	struct supervisor_params p;
	int program;	       /* coffer-monitor */
	struct jail_plan jail; /* the same for each monitor of this guest */
	int kvm_fd;	       /* borrowed, as the next two */
	struct console *console;
	struct device_files *files;
	struct list watches;

	/* the monitor that runs */
	struct monitor_proc *proc;
	struct monitor_log *log;
	struct console_relay *relay;
	struct loop_source *channel_source, *exit_source;
	bool ready; /* its machine exists */
	struct guest_key key;
	struct monitor_msg msg;

	enum supervisor_state state;
	struct loop_source *timeout, *stop_timeout, *patience;
	unsigned int n_stop; /* stop requests so far */
	/*
	 * Somebody ended the run from outside. Kept here as well, since the
	 * monitor may just be ending by itself, in order to restart.
	 */
	bool ended;
	struct run_result end;
	bool has_result, has_error;
	struct run_result result; /* with the last machine's counters */
	struct err error;

	struct counters answer; /* being received */
	int64_t last_id;
	struct question questions[SUPERVISOR_QUESTIONS_MAX];
};

/* Call @op of every watcher that has it; they may unwatch themselves. */
#define SUPERVISOR_TELL(s, op, ...)                                            \
	do {                                                                   \
		struct list *l_ = list_first(&(s)->watches), *next_;           \
                                                                               \
		for (; l_; l_ = next_) {                                       \
			struct supervisor_watch *w_ = container_of(            \
				l_, struct supervisor_watch, link);            \
                                                                               \
			next_ = list_next(&(s)->watches, l_);                  \
			if (w_->ops->op)                                       \
				w_->ops->op(w_->arg, ##__VA_ARGS__);           \
		}                                                              \
	} while (0)

/* Tells the watchers when it is another one. */
void supervisor_set_state(struct supervisor *s, enum supervisor_state state);
/* A message that monitor_msg_check() likes. */
void supervisor_take(struct supervisor *s, const struct monitor_msg *m);

/* 0, or an error of monitor_msg_send(). There is a monitor. */
int supervisor_ask(struct supervisor *s, const struct monitor_msg *m);
/* Part of an answer, or of the final counters. */
void supervisor_take_counters(struct supervisor *s,
			      const struct monitor_msg_counters *m);
/* Nobody will answer them. */
void supervisor_drop_questions(struct supervisor *s);

/* --seccomp, for the monitor. */
enum monitor_seccomp supervisor_seccomp(const struct supervisor *s);
/* It made a call that is on no list: the end of it, or a warning. */
void supervisor_take_trap(struct supervisor *s,
			  const struct monitor_msg_trap *m);
/* It ended with @status (waitpid(2)) and did not say why. */
void supervisor_set_death(struct supervisor *s, int status);

#endif
