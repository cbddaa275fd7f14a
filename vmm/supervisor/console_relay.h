/*
 * vmm/supervisor/console_relay.h - between the console's host end (vmm/console)
 * and the monitor: bytes in both directions over a stream socket.
 *
 * The terminal, sockets, pseudo terminals and files stay with the supervisor;
 * the monitor sees a socket. A file could be handed over, but who writes to a
 * descriptor of it may also empty it: what a guest has said stays said. Output
 * is lossless where the console is: while its buffer is half full, nothing more
 * is taken, and the guest waits.
 */
#ifndef VMM_SUPERVISOR_CONSOLE_RELAY_H
#define VMM_SUPERVISOR_CONSOLE_RELAY_H

#include "vmm/base/own.h"

struct console;
struct console_relay; /* opaque */
struct err;
struct loop;

/*
 * Plugs itself into @console. @loop and @console are borrowed. *ret_fd is the
 * monitor's end, blocking, and the caller's.
 */
int console_relay_create(struct loop *loop, struct console *console,
			 struct console_relay **ret, int *ret_fd,
			 struct err *err);
/* Takes what the monitor has left, and unplugs. NULL is fine. */
void console_relay_destroy(struct console_relay *r);
DEFINE_CLEANUP(struct console_relay, console_relay_destroy)

#endif
