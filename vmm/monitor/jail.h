/*
 * vmm/monitor/jail.h - gives up what a process has, before it looks at
 * anything that somebody else made.
 *
 * The namespaces exist already: the supervisor clones the monitor into them
 * (vmm/supervisor/monitor_proc.h), with all capabilities in them. What is left
 * afterwards: descriptors, an empty read-only root, a user without
 * capabilities, and a parent whose death ends it.
 */
#ifndef VMM_MONITOR_JAIL_H
#define VMM_MONITOR_JAIL_H

struct err;
struct monitor_msg_jail;

/*
 * One thread, once. @j as received. The message names the step that failed and
 * what to do. Without MONITOR_JAIL_ON the root and the user stay as they are;
 * limits, capabilities and Landlock are the same.
 */
int jail_enter(const struct monitor_msg_jail *j, struct err *err);

#endif
