/* vmm/base/fault.c - counts steps, in test builds. */
#include "vmm/base/fault.h"

#ifdef COFFER_FAULTS

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"

/* Static storage as in log.c, and in test builds only. */
static uint32_t chosen, at;

void fault_set(uint32_t step)
{
	chosen = step;
	at = 0;
}

uint32_t fault_chosen(const char *process)
{
	const char *text = getenv("COFFER_FAULT");
	size_t n = strlen(process);
	unsigned long step;
	char *end;

	if (!text || strncmp(text, process, n) != 0 || text[n] != ':')
		return 0;
	if (!strcmp(text + n + 1, "touch"))
		return FAULT_TOUCH;
	step = strtoul(text + n + 1, &end, 10);
	if (!step || step >= FAULT_KILL)
		return 0;
	return (uint32_t)step | (strcmp(end, ":kill") ? 0 : FAULT_KILL);
}

int fault_point(const char *what, struct err *err)
{
	if (!chosen || chosen == FAULT_TOUCH ||
	    ++at != (chosen & ~(uint32_t)FAULT_KILL))
		return 0;
	if (chosen & FAULT_KILL) {
		raise(SIGKILL);
		__builtin_trap(); /* the first of a PID namespace is immune */
	}
	return err_set_kind(err, ERR_INTERNAL, -EIO,
			    "injected failure at step %u: %s", at, what);
}

bool fault_touches(void)
{
	return chosen == FAULT_TOUCH;
}

#endif
