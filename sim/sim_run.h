/*
 * sim/sim_run.h - runs a command on the simulated host, from start to end.
 */
#ifndef SIM_SIM_RUN_H
#define SIM_SIM_RUN_H

#include "sim/sim_host.h"

struct err;

struct sim_result {
	int wait_status; /* of the command, as waitpid(2) has it */
	int exec_errno;	 /* not 0: it could not be started */
	uint64_t touched;
};

/*
 * Run @argv, with the standard streams of this process, and serve it and
 * everything it starts until the last of them has ended. Signals sent to this
 * process go to the command. One call in a process, with one thread: a user
 * namespace is entered where it takes one.
 * ERR_USAGE, ERR_INPUT, ERR_PERM as sim_host_create(); ERR_HOST
 */
int sim_run(const struct sim_config *c, char *const *argv,
	    struct sim_result *ret, struct err *err);

#endif
