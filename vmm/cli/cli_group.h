/*
 * vmm/cli/cli_group.h - a verb that has commands with options of their own:
 * `coffer owner verify`, `coffer bundle show`.
 */
#ifndef VMM_CLI_CLI_GROUP_H
#define VMM_CLI_CLI_GROUP_H

#include "vmm/cli/cli_frame.h"

struct cli_command {
	const char *name;
	const struct option_table *options; /* all of one struct */
	cli_run_fn run;
};

struct cli_group {
	const char *verb;     /* "owner" */
	const char *page;     /* its man page: "coffer-owner(1)" */
	const char *summary;  /* a sentence */
	const char *epilogue; /* end of the help, or NULL */
	const struct cli_command *v;
	size_t n;
};

/*
 * argv[0] is the verb, argv[1] the command: its options are parsed into
 * @config, of the tables' struct, and it runs. Without a command, and with -h,
 * --help or help: a list of them. Returns the exit status of the process.
 */
int cli_group_main(const struct cli_group *g, int argc, char *const *argv,
		   void *config);

#endif
