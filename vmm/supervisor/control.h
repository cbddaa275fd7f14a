/*
 * vmm/supervisor/control.h - what others may know and ask of a running guest:
 * joins the supervisor to the control socket (--api, LISTEN_FDS) and to a
 * service manager (NOTIFY_SOCKET).
 */
#ifndef VMM_SUPERVISOR_CONTROL_H
#define VMM_SUPERVISOR_CONTROL_H

#include <stdbool.h>

#include "vmm/base/own.h"

struct control; /* opaque */
struct err;
struct loop;
struct supervisor;

/*
 * Before supervisor_start(), so that nothing is missed. @path is that of the
 * control socket, or NULL; @s is borrowed. Errors of api_socket_open().
 */
int control_create(const char *path, struct supervisor *s, struct control **ret,
		   struct err *err);
/* Ends what is being answered, and removes the socket. NULL is fine. */
void control_destroy(struct control *c);
DEFINE_CLEANUP(struct control, control_destroy)

/* Will there be a socket, at @path (NULL: none) or from a service manager? */
bool control_is_wanted(const char *path);

/* loop_run(@l), serving the control socket meanwhile. */
int control_run(struct control *c, struct loop *l);

#endif
