/*
 * sim/sim_dev.h - /dev/sev, simulated: SEV_ISSUE_CMD as the ccp driver of
 * Linux 6.1 answers it (drivers/crypto/ccp/sev-dev.c).
 */
#ifndef SIM_SIM_DEV_H
#define SIM_SIM_DEV_H

#include "sim/sim_abi.h"
#include "sim/sim_fault.h"
#include "sim/sim_fw.h"
#include "sim/sim_target.h"

/* What happened, for the trace. */
struct sim_dev_report {
	const char *command; /* NULL: not understood */
	uint32_t status;     /* of the firmware */
};

/*
 * SEV_ISSUE_CMD with argument @arg on a descriptor opened with @mode (O_RDWR,
 * ...). Returns what the ioctl returns.
 */
int sim_dev_ioctl(struct sim_fw *fw, struct sim_fault *faults,
		  struct sim_target *t, int mode, uint64_t arg,
		  struct sim_dev_report *rep);

#endif
