/* sim/sim_fault.c - rules that make commands fail, and their counters. */
#include "sim/sim_fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/sev_status.h"
#include "sim/sim_fw.h"
#include "vmm/base/err.h"

enum { RULES_MAX = 64, NAME_MAX_LEN = 32 };

struct rule {
	char command[NAME_MAX_LEN];
	uint64_t nth, seen; /* nth 0: every call */
	bool is_errno;
	uint32_t status;
	int error; /* negative */
};

struct sim_fault {
	struct rule rule[RULES_MAX];
	size_t n;
};

/* What the kernel does, behind the commands of the firmware. */
static const char *const kernel_commands[] = {
	"SEV_INIT", "SEV_ES_INIT", "REG_REGION",       "UNREG_REGION",
	"OPEN",	    "ADD_KEY",	   "ENCRYPT_MPROTECT",
};

static const struct {
	const char *name;
	int value;
} errnos[] = {
	{"EPERM", EPERM},
	{"ENOENT", ENOENT},
	{"EIO", EIO},
	{"EBADF", EBADF},
	{"EAGAIN", EAGAIN},
	{"ENOMEM", ENOMEM},
	{"EACCES", EACCES},
	{"EFAULT", EFAULT},
	{"EBUSY", EBUSY},
	{"ENODEV", ENODEV},
	{"EINVAL", EINVAL},
	{"ENOTTY", ENOTTY},
	{"ENOSPC", ENOSPC},
	{"E2BIG", E2BIG},
	{"ETIMEDOUT", ETIMEDOUT},
	{"ENOKEY", ENOKEY},
	{"EKEYREVOKED", EKEYREVOKED},
	{"EKEYEXPIRED", EKEYEXPIRED},
	{"EDQUOT", EDQUOT},
	{"ENOSYS", ENOSYS},
	{"EINTR", EINTR},
	{"ENXIO", ENXIO},
};

struct sim_fault *sim_fault_create(void)
{
	return calloc(1, sizeof(struct sim_fault));
}

void sim_fault_destroy(struct sim_fault *f)
{
	free(f);
}

const char *sim_fault_command_at(size_t i)
{
	if (i < ARRAY_SIZE(kernel_commands))
		return kernel_commands[i];
	return sim_fw_cmd_at(i - ARRAY_SIZE(kernel_commands));
}

static bool is_command(const char *name)
{
	const char *c;

	for (size_t i = 0; (c = sim_fault_command_at(i)); i++)
		if (!strcmp(c, name))
			return true;
	return false;
}

/* Of its commands, the kernel passes only these two on to the firmware. */
static bool takes_status(const char *command)
{
	for (size_t i = 2; i < ARRAY_SIZE(kernel_commands); i++)
		if (!strcmp(kernel_commands[i], command))
			return false;
	return true;
}

static bool parse_number(const char *text, uint64_t max, uint64_t *ret)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 0);
	return !*end && !errno && *ret <= max;
}

static bool parse_code(const char *text, struct rule *r)
{
	uint64_t number;

	for (size_t i = 0; i < ARRAY_SIZE(errnos); i++)
		if (!strcmp(errnos[i].name, text)) {
			r->is_errno = true;
			r->error = -errnos[i].value;
			return true;
		}
	if (!sev_status_parse(text, &r->status))
		return r->status != SEV_STATUS_SUCCESS;
	if (!parse_number(text, 0xffff, &number) || !number)
		return false;
	r->status = (uint32_t)number;
	return true;
}

static int refuse(struct err *err, const char *text, const char *why)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "--fault '%.64s': %s",
			    text, why);
}

int sim_fault_add(struct sim_fault *f, const char *text, struct err *err)
{
	const char *code = strchr(text, '='), *nth;
	char left[2 * NAME_MAX_LEN] = "";
	struct rule r = {0};

	if (!code || (size_t)(code - text) >= sizeof(left))
		return refuse(err, text, "expected COMMAND[:N]=CODE");
	if (f->n == RULES_MAX)
		return refuse(err, text, "too many faults");
	memcpy(left, text, (size_t)(code - text));
	nth = strchr(left, ':');
	if (nth && (!parse_number(nth + 1, UINT32_MAX, &r.nth) || !r.nth))
		return refuse(err, text, "the call is counted from 1");
	left[nth ? (size_t)(nth - left) : strlen(left)] = 0;
	if (!is_command(left))
		return refuse(err, text, "no such command; see coffer-sim(1)");
	memcpy(r.command, left, strnlen(left, sizeof(r.command) - 1));
	if (!parse_code(code + 1, &r))
		return refuse(err, text,
			      "the code is neither a status of the firmware "
			      "nor an errno");
	if (!r.is_errno && !takes_status(left))
		return refuse(err, text,
			      "the firmware has no part in this: give an "
			      "errno");
	f->rule[f->n++] = r;
	return 0;
}

/* All rules of the command count; the first that is due wins. */
static const struct rule *due(struct sim_fault *f, const char *command,
			      bool is_errno)
{
	const struct rule *found = NULL;

	for (size_t i = 0; i < f->n; i++) {
		struct rule *r = &f->rule[i];

		if (r->is_errno != is_errno || strcmp(r->command, command) != 0)
			continue;
		r->seen++;
		if (!found && (!r->nth || r->nth == r->seen))
			found = r;
	}
	return found;
}

bool sim_fault_status(struct sim_fault *f, const char *command, uint32_t *ret)
{
	const struct rule *r = due(f, command, false);

	if (r)
		*ret = r->status;
	return r;
}

int sim_fault_errno(struct sim_fault *f, const char *command)
{
	const struct rule *r = due(f, command, true);

	return r ? r->error : 0;
}
