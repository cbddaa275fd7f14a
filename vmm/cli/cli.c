/* vmm/cli/cli.c - finds the verb; help and version, which all verbs share. */
#include "vmm/cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/own.h"
#include "vmm/cli/cli_words.h"
#include "vmm/config.h"
#include "vmm/exit_status.h"

struct verb {
	const char *name;
	const struct option_table *options; /* NULL: takes none */
	int (*run)(int argc, char *const *argv);
	const char *help;
};

static int cli_version(int argc, char *const *argv);
static int cli_help(int argc, char *const *argv);

static const struct verb verbs[] = {
	{"run", &run_option_table, cli_run, "boot a kernel in a microVM"},
	{"plan", &plan_option_table, cli_plan,
	 "say what a VM will cost its host"},
	{"doctor", &doctor_option_table, cli_doctor,
	 "say what this host can do and what to fix"},
	{"ctl", &ctl_option_table, cli_ctl,
	 "ask a running guest: its state, a pause, its measurement"},
	{"mktme", &mktme_option_table, cli_mktme,
	 "show and release the keys of encrypted guest memory"},
	{"sev", &sev_option_table, cli_sev,
	 "talk to the security processor: its keys, its certificates"},
	{"bundle", NULL, cli_bundle,
	 "kernel and all it needs in one file, signed by its owner"},
	{"owner", NULL, cli_owner,
	 "for a guest's owner: sessions, measurements, secrets"},
	{"sim", NULL, cli_sim, "run a command on a simulated SEV host"},
	{"version", NULL, cli_version, "print the version"},
	{"help", NULL, cli_help, "help [VERB]: this list, or a verb's options"},
};

static void print_usage(FILE *f)
{
	fprintf(f, "Usage: coffer VERB [OPTION...]\n"
		   "A small virtual machine monitor for microVMs on Linux "
		   "KVM.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(verbs); i++)
		fprintf(f, "  %-9s %s\n", verbs[i].name, verbs[i].help);
	fprintf(f, "\nFirst steps:\n"
		   "  coffer doctor\n"
		   "  coffer run -k vmlinuz -i initrd.img -a console=ttyS0\n"
		   "\nMore: coffer help VERB, coffer(1)\n");
}

static const struct verb *find_verb(const char *name)
{
	static const struct cli_words known = {
		.what = "verb",
		.help = "coffer help",
		.v = verbs,
		.n = ARRAY_SIZE(verbs),
		.size = sizeof(verbs[0]),
	};
	struct err err = {0};
	const struct verb *v = cli_words_find(&known, name, &err);

	if (!v)
		log_error("%s", err.msg);
	return v;
}

static int no_arguments(int argc, char *const *argv)
{
	if (argc <= 1)
		return EXIT_STATUS_OK;
	log_error("%s: '%.64s': no argument is expected", argv[0], argv[1]);
	return EXIT_STATUS_USAGE;
}

static int cli_version(int argc, char *const *argv)
{
	int r = no_arguments(argc, argv);

	if (r)
		return r;
	cli_print_version();
	return cli_close_stdout(EXIT_STATUS_OK);
}

/* Is the verb a program beside this one, which knows its options itself? */
static bool is_program(const struct verb *v)
{
	return v->run == cli_owner || v->run == cli_bundle || v->run == cli_sim;
}

static int cli_help(int argc, char *const *argv)
{
	const struct verb *v;

	if (argc > 2)
		return no_arguments(argc - 1, argv + 1);
	if (argc == 2) {
		v = find_verb(argv[1]);
		if (!v)
			return EXIT_STATUS_USAGE;
		if (is_program(v))
			return v->run(2, (char *[]){argv[1], "--help", NULL});
		if (v->options)
			option_print_long_help(v->options, stdout);
		else
			printf("Usage: coffer %s\n%s\n", v->name, v->help);
		return cli_close_stdout(EXIT_STATUS_OK);
	}
	print_usage(stdout);
	return cli_close_stdout(EXIT_STATUS_OK);
}

int cli_main(int argc, char *const *argv)
{
	const struct verb *v;

	if (argc < 2 || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))
		return cli_help(1, argv);
	if (!strcmp(argv[1], "--version"))
		return cli_version(1, argv);
	if (argv[1][0] == '-') {
		log_error("'%.48s': a verb comes first, as in coffer run %.48s",
			  argv[1], argv[1]);
		return EXIT_STATUS_USAGE;
	}
	v = find_verb(argv[1]);
	if (!v)
		return EXIT_STATUS_USAGE;
	return v->run(argc - 1, argv + 1);
}
