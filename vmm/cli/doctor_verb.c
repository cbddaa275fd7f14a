/* vmm/cli/doctor_verb.c - `coffer doctor`. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/cli/cli.h"
#include "vmm/cli/doctor.h"
#include "vmm/exit_status.h"

struct doctor_config {
	bool json;
};

static const struct option_desc options[] = {
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .off = OPTION_AT(struct doctor_config, json, bool),
	 .help = "print the result as JSON"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section sections[] = {
	{"Options", options},
	{0},
};

static void init(void *target)
{
	*(struct doctor_config *)target = (struct doctor_config){0};
}

static void epilogue(FILE *f)
{
	fputs("Every line is a verdict (ok, warn, FAIL), the name of the check "
	      "and a fact;\n"
	      "an arrow shows what to do. warn: a guest starts, something is "
	      "slower or not\n"
	      "possible. Exit status 0 when a guest can start, else 69.\n",
	      f);
}

const struct option_table doctor_option_table = {
	.verb = "doctor",
	.synopsis = "[--json]",
	.summary = "Say what this host offers to guests and what to fix.",
	.epilogue = epilogue,
	.sections = sections,
	.size = sizeof(struct doctor_config),
	.init = init,
};

/* A terminal that has not asked to be left alone (https://no-color.org). */
static bool want_colour(void)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	return isatty(STDOUT_FILENO) && !(no && *no) && term &&
	       strcmp(term, "dumb") != 0;
}

static int run(void *config, int *ret_status, struct err *err)
{
	const struct doctor_config *c = config;
	struct doctor d;
	int r = 0;

	doctor_init(&d, "");
	doctor_run_all(&d);
	if (c->json)
		r = doctor_print_json(&d, stdout);
	else
		doctor_print(&d, stdout, want_colour());
	doctor_close(&d);
	if (r < 0)
		return err_set(err, r, "cannot write: %s", strerror(-r));
	if (!doctor_can_start(&d))
		*ret_status = EXIT_STATUS_HOST;
	return 0;
}

int cli_doctor(int argc, char *const *argv)
{
	struct doctor_config c;

	return cli_frame(&doctor_option_table, argc, argv, &c, run);
}
