/* vmm/exit_status.c - the tables of coffer-run(1), EXIT STATUS. */
#include "vmm/exit_status.h"

#include <assert.h>
#include <stddef.h>

#include "vmm/base/own.h"

static const struct {
	const char *status;
	const char *text;
} statuses[] = {
	{"0", "the guest powered off, rebooted (--on-reboot exit) or was "
	      "stopped"},
	{"0-63", "what the guest wrote with --debug-exit; 63: that or more"},
	{"64", "bad usage: an option, or a key of --config"},
	{"66", "an input file is missing or not what it claims"},
	{"69", "the host lacks something; see coffer doctor"},
	{"70", "a bug in coffer"},
	{"75", "something of the host is used up now; later it may work"},
	{"77", "no permission"},
	{"80", "the guest crashed: panic, triple fault, bad instruction"},
	{"124", "--timeout or --stop-timeout ran out"},
};

/* Words of the status file's "how", and what they make of the exit status. */
static const struct {
	const char *name;
	int status; /* -1: decided by value or error */
} hows[] = {
	[RUN_POWEROFF] = {"poweroff", EXIT_STATUS_OK},
	[RUN_REBOOT] = {"reboot", EXIT_STATUS_OK},
	[RUN_DEBUG_EXIT] = {"debug-exit", -1},
	[RUN_PANIC] = {"panic", EXIT_STATUS_CRASH},
	[RUN_TRIPLE_FAULT] = {"triple-fault", EXIT_STATUS_CRASH},
	[RUN_FIRMWARE_STOP] = {"firmware-stop", EXIT_STATUS_CRASH},
	[RUN_NOT_EMULATED] = {"not-emulated", EXIT_STATUS_CRASH},
	[RUN_TIMEOUT] = {"timeout", EXIT_STATUS_TIMEOUT},
	[RUN_STOPPED] = {"stopped", EXIT_STATUS_OK},
	[RUN_ERROR] = {"error", -1},
};
static_assert(ARRAY_SIZE(hows) == RUN_HOW_COUNT, "a word for every end");

void exit_status_print(FILE *f)
{
	fprintf(f, "Exit status\n");
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
		fprintf(f, "  %-5s %s\n", statuses[i].status, statuses[i].text);
}

const char *run_how_name(enum run_how how)
{
	assert((unsigned int)how < RUN_HOW_COUNT);
	return hows[how].name;
}

enum exit_status exit_status_of_err(const struct err *e)
{
	switch (e->kind) {
	case ERR_USAGE:
		return EXIT_STATUS_USAGE;
	case ERR_INPUT:
		return EXIT_STATUS_INPUT;
	case ERR_HOST:
		return EXIT_STATUS_HOST;
	case ERR_PERM:
		return EXIT_STATUS_PERM;
	case ERR_BUSY:
		return EXIT_STATUS_BUSY;
	case ERR_UNSET:
	case ERR_INTERNAL:
		break;
	}
	return EXIT_STATUS_INTERNAL;
}

int exit_status_of_result(const struct run_result *res, const struct err *err)
{
	assert((unsigned int)res->how < RUN_HOW_COUNT);
	if (res->how == RUN_DEBUG_EXIT)
		return res->value < EXIT_STATUS_GUEST_MAX
			       ? (int)res->value
			       : EXIT_STATUS_GUEST_MAX;
	if (res->how == RUN_ERROR)
		return err ? (int)exit_status_of_err(err)
			   : EXIT_STATUS_INTERNAL;
	return hows[res->how].status;
}
