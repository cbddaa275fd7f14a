/* vmm/cli/cli_frame.c - a verb from its arguments to its exit status. */
#include "vmm/cli/cli_frame.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/exit_status.h"
#include "vmm/version.h"

void cli_print_version(void)
{
	printf("coffer %s (machine %s)\n", coffer_version(), coffer_machine());
}

int cli_close_stdout(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	log_error("cannot write to standard output: %s", strerror(errno));
	return EXIT_STATUS_HOST;
}

bool cli_show(const struct option_table *t, enum option_outcome what)
{
	switch (what) {
	case OPTION_OUTCOME_OK:
		return false;
	case OPTION_OUTCOME_SHORT_HELP:
		option_print_short_help(t, stdout);
		break;
	case OPTION_OUTCOME_LONG_HELP:
		option_print_long_help(t, stdout);
		break;
	case OPTION_OUTCOME_VERSION:
		cli_print_version();
		break;
	}
	return true;
}

int cli_frame(const struct option_table *t, int argc, char *const *argv,
	      void *config, cli_run_fn run)
{
	enum option_outcome outcome;
	int status = EXIT_STATUS_OK;
	struct err err = {0};
	int r;

	t->init(config);
	r = option_parse_args(t, argc, argv, config, &outcome, &err);
	if (r >= 0 && !cli_show(t, outcome))
		r = run(config, &status, &err);
	option_free(t, config);
	if (r >= 0)
		return cli_close_stdout(status);
	fflush(stdout); /* what was printed comes before why it is not all */
	err_default_kind(&err, ERR_HOST);
	log_error("%s: %s", t->verb, err.msg);
	return status ? status : (int)exit_status_of_err(&err);
}
