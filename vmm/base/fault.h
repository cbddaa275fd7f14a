/*
 * vmm/base/fault.h - steps that a test makes fail: the n-th of a start, in
 * either process. Only builds with COFFER_FAULTS have it (the dev preset).
 *
 * COFFER_FAULT=supervisor:N[:kill] or monitor:N[:kill] in the environment of
 * `coffer run` chooses; "kill" ends the process by SIGKILL instead.
 * COFFER_FAULT=monitor:touch makes a monitor that writes to memory it has
 * launched, for a simulator to catch.
 */
#ifndef VMM_BASE_FAULT_H
#define VMM_BASE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum {
	FAULT_KILL = 0x10000,  /* added to the number of a step */
	FAULT_TOUCH = 0x20000, /* instead of one */
};

#ifdef COFFER_FAULTS
/* The step to fail from here on, counted from 1; 0: none. */
void fault_set(uint32_t step);
/* What the environment chooses for @process, or 0. */
uint32_t fault_chosen(const char *process);
/* One step: 0, or -EIO with a message when it is the chosen one. */
int fault_point(const char *what, struct err *err);
/* Is launched memory to be written to? */
bool fault_touches(void);
#else
static inline void fault_set(uint32_t step)
{
	(void)step;
}
static inline uint32_t fault_chosen(const char *process)
{
	(void)process;
	return 0;
}
static inline int fault_point(const char *what, struct err *err)
{
	(void)what;
	(void)err;
	return 0;
}
static inline bool fault_touches(void)
{
	return false;
}
#endif

#endif
