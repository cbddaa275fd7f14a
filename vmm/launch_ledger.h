/*
 * vmm/launch_ledger.h - what a launch has asked of the security processor: how
 * often, how many bytes, and how long it waited.
 *
 * The processor carries out one command at a time for the whole host. The time
 * of a command here is that of its ioctl: waiting for others is in it, and
 * cannot be told apart.
 */
#ifndef VMM_LAUNCH_LEDGER_H
#define VMM_LAUNCH_LEDGER_H

#include <stdint.h>
#include <stdio.h>

#include "crypto/sev_fw.h"

struct launch_cost {
	uint64_t calls;
	uint64_t bytes; /* of memory that was handed over */
	uint64_t ns;
};

/* Plain data: part of struct launch_info. */
struct launch_ledger {
	struct launch_cost cmd[SEV_FW_CMD_COUNT];
};

/* A sev_fw in front of another: it keeps the ledger. */
struct launch_clerk {
	struct sev_fw fw;
	struct sev_fw *to;	    /* borrowed */
	struct launch_ledger *book; /* borrowed */
};

void launch_clerk_init(struct launch_clerk *c, struct sev_fw *to,
		       struct launch_ledger *book);

/* Time in all commands; pinning memory asks the kernel only, and is not one. */
uint64_t launch_ledger_waited_ns(const struct launch_ledger *l);
/* Does the processor itself carry out @cmd? */
int launch_ledger_is_command(enum sev_fw_cmd cmd);

/* A table of the commands that were used; nothing for an empty ledger. */
void launch_ledger_print(const struct launch_ledger *l, FILE *f);

#endif
