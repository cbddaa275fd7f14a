/*
 * vmm/cli/cli_frame.h - what all verbs do alike, in all three programs: parse
 * options, show help, run, say what went wrong, end with a status.
 */
#ifndef VMM_CLI_CLI_FRAME_H
#define VMM_CLI_CLI_FRAME_H

#include "vmm/option.h"

struct err;

/*
 * What a verb does with its options. *ret_status, EXIT_STATUS_OK at first, is
 * the exit status; after a failure, unless it was set, that of @err.
 */
typedef int (*cli_run_fn)(void *config, int *ret_status, struct err *err);

/*
 * From the arguments to the exit status: @config, of @t's struct, is filled and
 * freed. A failure without a kind is ERR_HOST.
 */
int cli_frame(const struct option_table *t, int argc, char *const *argv,
	      void *config, cli_run_fn run);

/* Print what --help, -h and --version ask for; false for OUTCOME_OK. */
bool cli_show(const struct option_table *t, enum option_outcome what);
void cli_print_version(void);

/*
 * Flush standard output. A report that did not reach its reader must not end
 * with status 0: returns @status, or EXIT_STATUS_HOST and prints why.
 */
int cli_close_stdout(int status);

#endif
