/*
 * vmm/cli/owner_inputs.h - what the owner says was launched, read by the option
 * table of `coffer run` itself, and the plan the monitor would make of it.
 */
#ifndef VMM_CLI_OWNER_INPUTS_H
#define VMM_CLI_OWNER_INPUTS_H

#include "owner/owner.h"
#include "vmm/base/own.h"
#include "vmm/cli/owner_options.h"

struct err;
struct owner_inputs; /* opaque */

/*
 * The options of @c that are also options of `coffer run`, and its --config
 * file. @c is borrowed. Files are opened when a plan is made.
 * Errors are those of option_parse_args() over run_option_table.
 */
int owner_inputs_create(const struct owner_config *c, struct owner_inputs **ret,
			struct err *err);
/* NULL is fine. */
void owner_inputs_destroy(struct owner_inputs *in);
DEFINE_CLEANUP(struct owner_inputs, owner_inputs_destroy)

/* For the owner's commands; good until @in is destroyed. */
struct owner_content owner_inputs_content(struct owner_inputs *in);
/* Does the file of options ask for SEV-ES? */
bool owner_inputs_is_es(const struct owner_inputs *in);

#endif
