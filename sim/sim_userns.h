/* sim/sim_userns.h - the right to look into the processes that we start. */
#ifndef SIM_SIM_USERNS_H
#define SIM_SIM_USERNS_H

struct err;

/*
 * Without CAP_SYS_PTRACE, enter an own user namespace in which we have it,
 * over all that is started from now on. User and group stay what they are.
 * -EPERM with ERR_PERM: the host allows no user namespaces
 */
int sim_userns_enter(struct err *err);

#endif
