/* vmm/supervisor/sd_notify.h - tells a service manager how we are. */
#ifndef VMM_SUPERVISOR_SD_NOTIFY_H
#define VMM_SUPERVISOR_SD_NOTIFY_H

/*
 * Send @text ("READY=1\nSTATUS=...") to $NOTIFY_SOCKET, as sd_notify(3).
 * 0 when there is no such variable, 1 when it was sent, negative errno. Never
 * blocks: a manager that does not read misses it.
 */
int sd_notify_send(const char *text);

#endif
