/* vmm/cli/sev_verb.c - `coffer sev`: its options, and a person to ask. */
#include <stdio.h>
#include <unistd.h>

#include "vmm/cli/cli.h"
#include "vmm/cli/sev_command.h"
#include "vmm/kvm/sev_dev.h"

struct sev_verb {
	char *action;
	struct text_list files;
	bool json, full, yes;
};

#define AT(f, t) OPTION_AT(struct sev_verb, f, t)
enum { FILES_MAX = 2 };

static const struct option_desc options[] = {
	{.name = "COMMAND",
	 .kind = OPTION_TEXT,
	 .off = AT(action, char *),
	 .help = "status, export, id, pdh-gen, pek-csr, pek-import, reset",
	 .max = 32,
	 .operand = true,
	 .required = true},
	{.name = "FILE",
	 .kind = OPTION_TEXTS,
	 .off = AT(files, struct text_list),
	 .help = "export, pek-csr: to write; pek-import: PEK, then OCA",
	 .max = FILES_MAX,
	 .entry_max = 4096,
	 .operand = true},
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .off = AT(json, bool),
	 .help = "status, id: print JSON"},
	{.name = "full",
	 .kind = OPTION_FLAG,
	 .off = AT(full, bool),
	 .help = "export: with AMD's certificates, as far as AMD's root"},
	{.name = "yes",
	 .kind = OPTION_FLAG,
	 .off = AT(yes, bool),
	 .help = "reset, pdh-gen: do not ask"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section sections[] = {
	{"Options", options},
	{0},
};

static void init(void *target)
{
	*(struct sev_verb *)target = (struct sev_verb){0};
}

const struct option_table sev_option_table = {
	.verb = "sev",
	.synopsis = "COMMAND [FILE...]",
	.summary = "Talk to the AMD security processor of this host.",
	.sections = sections,
	.size = sizeof(struct sev_verb),
	.init = init,
};

/* --- the verb -------------------------------------------------------------
 */

static bool ask(void *arg, const char *question, char *line, size_t size)
{
	(void)arg;
	if (!isatty(STDIN_FILENO))
		return false;
	fprintf(stderr, "%s Type yes: ", question);
	if (!fgets(line, (int)size, stdin))
		line[0] = 0;
	return true;
}

static int run(void *config, int *ret_status, struct err *err)
{
	const struct sev_verb *v = config;
	const struct sev_command c = {
		.name = v->action,
		.files = v->files.v,
		.n_files = v->files.n,
		.json = v->json,
		.full = v->full,
		.yes = v->yes,
		.root = "",
		.out = stdout,
		.ask = ask,
	};
	struct sev_dev d;
	int r = sev_command_check(&c, err);

	(void)ret_status;
	if (!r)
		r = sev_dev_open("/dev/sev", &d, err);
	if (r < 0)
		return r;
	r = sev_command_run(&c, &d, err);
	sev_dev_close(&d);
	return r;
}

int cli_sev(int argc, char *const *argv)
{
	struct sev_verb v;

	return cli_frame(&sev_option_table, argc, argv, &v, run);
}
