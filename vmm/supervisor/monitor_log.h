/*
 * vmm/supervisor/monitor_log.h - what a monitor writes to standard error, a
 * line at a time, on ours.
 *
 * It may have been taken over by its guest: control characters are replaced,
 * lines are cut, and after MONITOR_LOG_MAX bytes it is not listened to, unless
 * somebody debugs.
 */
#ifndef VMM_SUPERVISOR_MONITOR_LOG_H
#define VMM_SUPERVISOR_MONITOR_LOG_H

#include "vmm/base/own.h"

struct err;
struct loop;
struct monitor_log; /* opaque */

enum { MONITOR_LOG_MAX = 65536, MONITOR_LOG_LINE = 800 };

/* @fd: non-blocking, borrowed. -ENOMEM, or errors of epoll_ctl(2). */
int monitor_log_create(struct loop *loop, int fd, struct monitor_log **ret,
		       struct err *err);
/* Writes what is there now, also a line without an end. NULL is fine. */
void monitor_log_destroy(struct monitor_log *l);
DEFINE_CLEANUP(struct monitor_log, monitor_log_destroy)

#endif
