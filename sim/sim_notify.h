/*
 * sim/sim_notify.h - receives calls from a listener, has them answered, and
 * sends the answers (seccomp_unotify(2)).
 */
#ifndef SIM_SIM_NOTIFY_H
#define SIM_SIM_NOTIFY_H

#include "sim/sim_host.h"

struct sim_notify; /* opaque */

/*
 * Serve @listener, which is taken, in the loop of @host. @ended is called once
 * when no process is left that could ask.
 * ERR_HOST: the kernel's structures are not ours
 */
int sim_notify_create(struct sim_host *host, struct loop *loop, int listener,
		      void (*ended)(void *arg), void *arg,
		      struct sim_notify **ret, struct err *err);
void sim_notify_destroy(struct sim_notify *n);
DEFINE_CLEANUP(struct sim_notify, sim_notify_destroy)

#endif
