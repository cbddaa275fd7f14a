/*
 * sim/sim_fault.h - answers that are made up: the n-th call of a command, or
 * every one, fails with a status of the firmware or an errno of the kernel.
 */
#ifndef SIM_SIM_FAULT_H
#define SIM_SIM_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct sim_fault; /* opaque */

struct sim_fault *sim_fault_create(void);
void sim_fault_destroy(struct sim_fault *f);
DEFINE_CLEANUP(struct sim_fault, sim_fault_destroy)

/*
 * Add "COMMAND[:N]=CODE". COMMAND as sim_fault_command_at() lists them; N from
 * 1, every call without; CODE a status by name or number, or an errno by name.
 * -EINVAL with ERR_USAGE and what is wrong
 */
int sim_fault_add(struct sim_fault *f, const char *text, struct err *err);

/* Names of commands; NULL past the last. */
const char *sim_fault_command_at(size_t i);

/* Count a call of @command. True: it is to fail with *ret. */
bool sim_fault_status(struct sim_fault *f, const char *command, uint32_t *ret);
/* The same for the kernel's part of it: 0 or a negative errno. */
int sim_fault_errno(struct sim_fault *f, const char *command);

#endif
