/* vmm/cli/run.c - `coffer run`: options in, one guest, exit status out. */
#include <signal.h>
#include <stdio.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/print_plan.h"
#include "vmm/cli/run_vm.h"
#include "vmm/config_bundle.h"
#include "vmm/status_file.h"

static void set_log_level(const struct run_config *c)
{
	if (c->verbose)
		log_set_level(LOG_DEBUG);
	else if (c->quiet)
		log_set_level(LOG_QUIET);
}

/* Everything that can be refused before a guest exists. */
static int prepare(struct run_config *c, struct err *err)
{
	int r = config_bundle_apply(c, err);

	if (r >= 0)
		r = run_config_finish(c, err);
	if (r >= 0 && c->status_file)
		r = status_file_check(c->status_file, err);
	if (r >= 0)
		r = run_config_open(c, err);
	return r;
}

static int run(struct run_config *c, struct run_result *res, struct err *err)
{
	int r = prepare(c, err);

	if (r < 0)
		return r;
	set_log_level(c);
	return run_vm(c, res, err);
}

/* Say it on stderr, in the status file, and as the exit status. */
static int conclude(const struct run_config *c, struct run_result *res, int r,
		    const struct err *err)
{
	struct err write_err = {0};
	int status;

	if (r >= 0)
		res->protection = run_config_protection(c);
	if (r < 0) {
		res->how = RUN_ERROR;
		snprintf(res->why, sizeof(res->why), "%s", err->msg);
		log_error("run: %s", err->msg);
	} else if (run_how_is_crash(res->how) || res->how == RUN_TIMEOUT) {
		log_error("run: %s", res->why);
	}
	status = exit_status_of_result(res, err);
	if (!c->status_file ||
	    status_file_write(c->status_file, res, status, &write_err) >= 0)
		return status;
	/* The bad news that came first is not hidden by this one. */
	if (r >= 0)
		log_error("run: %s", write_err.msg);
	return status <= EXIT_STATUS_GUEST_MAX
		       ? (int)exit_status_of_err(&write_err)
		       : status;
}

/* Instead of a run: no guest, so no status file and no reason for an end. */
static int show_plan(struct run_config *c)
{
	struct err err = {0};
	int r = config_bundle_apply(c, &err);

	if (r >= 0)
		r = run_config_finish(c, &err);
	if (r >= 0)
		r = print_plan(c, stdout, &err);
	if (r >= 0)
		return cli_close_stdout(EXIT_STATUS_OK);
	log_error("run: %s", err.msg);
	return (int)exit_status_of_err(&err);
}

int cli_run(int argc, char *const *argv)
{
	struct run_result res = {0};
	struct err err = {0};
	enum option_outcome outcome;
	struct run_config c;
	int r, status;

	signal(SIGXFSZ, SIG_IGN); /* ulimit -f: the file's error, not our end */
	run_config_init(&c);
	r = option_parse_args(&run_option_table, argc, argv, &c, &outcome,
			      &err);
	if (r >= 0 && cli_show(&run_option_table, outcome)) {
		run_config_destroy(&c);
		return cli_close_stdout(EXIT_STATUS_OK);
	}
	if (r >= 0 && c.print_plan) {
		status = show_plan(&c);
		run_config_destroy(&c);
		return status;
	}
	if (r >= 0)
		r = run(&c, &res, &err);
	status = conclude(&c, &res, r, &err);
	counters_free(&res.counters);
	run_config_destroy(&c);
	return status;
}
