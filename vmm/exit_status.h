/* vmm/exit_status.h - how a run ended, and the exit status that says so. */
#ifndef VMM_EXIT_STATUS_H
#define VMM_EXIT_STATUS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "vmm/base/err.h"
#include "vmm/counters.h"

/* coffer-run(1), EXIT STATUS. 0..63 belong to the guest. */
enum exit_status {
	EXIT_STATUS_OK = 0,
	EXIT_STATUS_GUEST_MAX = 63,
	EXIT_STATUS_USAGE = 64,
	EXIT_STATUS_INPUT = 66,
	EXIT_STATUS_HOST = 69,
	EXIT_STATUS_INTERNAL = 70,
	EXIT_STATUS_STATE = 75, /* ctl: not in this state of the guest */
	EXIT_STATUS_BUSY = 75,	/* run: the host has run out of something */
	EXIT_STATUS_PERM = 77,
	EXIT_STATUS_CRASH = 80,
	EXIT_STATUS_TIMEOUT = 124,
};

enum run_how {
	RUN_POWEROFF = 0, /* ACPI S5 */
	RUN_REBOOT,	  /* any reset, with --on-reboot exit */
	RUN_DEBUG_EXIT,	  /* value: what the guest wrote */
	RUN_PANIC,	  /* reported through pvpanic */
	RUN_TRIPLE_FAULT,
	RUN_FIRMWARE_STOP, /* value: why, firmware/stage0_reason.h */
	RUN_NOT_EMULATED,  /* the guest executed what KVM cannot */
	RUN_TIMEOUT,	   /* --timeout, or --stop-timeout after a signal */
	RUN_STOPPED,	   /* the operator ended it: Ctrl-A x, second signal */
	RUN_ERROR,	   /* ours; the message is in why */
	RUN_HOW_COUNT,
};

struct run_result {
	enum run_how how;
	uint64_t value;	       /* RUN_DEBUG_EXIT: full value; otherwise 0 */
	char why[ERR_MSG_MAX]; /* one line for people; may be empty */
	/* run_config_protection() of a guest that ran; borrowed, or NULL */
	const char *protection;
	struct counters counters; /* of the machine that ended; owned */
};

/* The guest failed: a panic, what a CPU or KVM could not go on with, stage0. */
static inline bool run_how_is_crash(enum run_how how)
{
	return how == RUN_PANIC || how == RUN_TRIPLE_FAULT ||
	       how == RUN_NOT_EMULATED || how == RUN_FIRMWARE_STOP;
}
/* "poweroff", "reboot", ...: the word in --status-file. */
const char *run_how_name(enum run_how how);
/* The table of all of them, as `coffer help run` shows it. */
void exit_status_print(FILE *f);

/* By kind; ERR_UNSET counts as our bug. */
enum exit_status exit_status_of_err(const struct err *e);
/*
 * 0..63 or one of the above; @err is used for RUN_ERROR only (NULL: our bug).
 */
int exit_status_of_result(const struct run_result *res, const struct err *err);

#endif
