/*
 * vmm/monitor/jail_landlock.h - Landlock (Linux,
 * Documentation/userspace-api/landlock.rst): no path can be opened, changed or
 * executed any more, no TCP port be bound or connected, and no process outside
 * be signalled - as far as this kernel can promise it.
 */
#ifndef VMM_MONITOR_JAIL_LANDLOCK_H
#define VMM_MONITOR_JAIL_LANDLOCK_H

struct err;

/*
 * After PR_SET_NO_NEW_PRIVS. A kernel without Landlock (or with it turned off)
 * is fine, and a debug line: it stands behind the empty root, not in its place.
 */
int jail_landlock(struct err *err);

#endif
