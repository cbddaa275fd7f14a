/* vmm/cli/bundle_cli.h - the commands of `coffer bundle`, in coffer-owner. */
#ifndef VMM_CLI_BUNDLE_CLI_H
#define VMM_CLI_BUNDLE_CLI_H

#include "vmm/cli/bundle_options.h"

struct err;

/* argv[0] is "bundle", argv[1] the command; returns the exit status. */
int bundle_cli_main(int argc, char *const *argv);

/* bundle_create.c; a cli_run_fn. Prints one line. */
int bundle_create(void *config, int *ret_status, struct err *err);

#endif
