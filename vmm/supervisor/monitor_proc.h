/*
 * vmm/supervisor/monitor_proc.h - a process of coffer-monitor: started with an
 * empty environment, a channel, and namespaces of its own; watched; ended.
 */
#ifndef VMM_SUPERVISOR_MONITOR_PROC_H
#define VMM_SUPERVISOR_MONITOR_PROC_H

#include <stdbool.h>
#include <sys/types.h>

#include "vmm/base/own.h"

struct err;
struct monitor_proc; /* opaque */

struct monitor_proc_params {
	int program;	 /* monitor_proc_find(); borrowed */
	bool namespaces; /* own ones: user (unless root), mount, network, IPC,
			    PID, UTS, cgroup */
	int cgroup;	 /* that it is born in, a directory of cgroup v2; -1:
			    ours; borrowed */
};

/*
 * The program that goes with this one: beside our executable (a build tree),
 * else where it is installed. *ret_fd is the caller's.
 * -ENOENT      neither is there, and the message names both
 */
int monitor_proc_find(int *ret_fd, struct err *err);

/*
 * Start it. What it may do wrong before it can speak arrives as an ERROR on the
 * channel, as everything later. Errors of clone3(2); -EPERM, -ENOSPC, -EACCES
 * and -ENOSYS name what the host forbids.
 */
int monitor_proc_start(const struct monitor_proc_params *p,
		       struct monitor_proc **ret, struct err *err);
/* Kill it if it runs, wait, close. NULL is fine. */
void monitor_proc_destroy(struct monitor_proc *p);
DEFINE_CLEANUP(struct monitor_proc, monitor_proc_destroy)

/* SIGKILL. Fine when it has ended. */
void monitor_proc_kill(struct monitor_proc *p);
/* After its pidfd became readable: waitpid(2)'s status word. */
int monitor_proc_reap(struct monitor_proc *p);

/* Borrowed, non-blocking. */
int monitor_proc_channel(const struct monitor_proc *p);
/* Readable when it has ended. */
int monitor_proc_pidfd(const struct monitor_proc *p);
/* What it writes to standard error. */
int monitor_proc_stderr(const struct monitor_proc *p);
pid_t monitor_proc_pid(const struct monitor_proc *p);

#endif
