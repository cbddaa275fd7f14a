/* vmm/cli/owner_cli.c - finds the owner's command, and says how it went. */
#include "vmm/cli/owner_cli.h"

#include <errno.h>
#include <string.h>

#include "owner/owner.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/own.h"
#include "vmm/cli/owner_inputs.h"
#include "vmm/cli/owner_options.h"
#include "vmm/exit_status.h"
#include "vmm/nearest.h"
#include "vmm/version.h"

struct command {
	const char *name;
	const struct option_table *options;
	int (*run)(const struct owner_config *c, struct err *err);
};

static struct owner_texts texts(const struct text_list *l)
{
	return (struct owner_texts){l->v, l->n};
}

static int missing(const char *option, struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "%s is missing", option);
}

static int report_of(const struct owner_config *c, struct owner_report *ret,
		     struct err *err)
{
	bool build = c->build != OWNER_NO_BUILD;

	if (c->api.given != build)
		return missing(build ? "--build is given, and --api"
				     : "--api is given, and --build",
			       err);
	*ret = (struct owner_report){
		.launch = c->launch,
		.measurement = c->measurement,
		.have_api = build,
		.api_major = c->api.major,
		.api_minor = c->api.minor,
		.build = (uint8_t)c->build,
		.policy = c->policy.given ? &c->policy.value : NULL,
	};
	return 0;
}

static int run_session(const struct owner_config *c, struct err *err)
{
	struct owner_session_opts o = {
		.chain = c->chain,
		.policy = c->policy.value,
		.name = c->name ? c->name : "vm",
		.roots = c->roots,
		.cek = c->cek,
		.simulated = c->simulated,
		.unverified = c->unverified,
		.force = c->force,
	};

	if (o.simulated && o.unverified)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--simulated asks for a chain to be "
				    "verified, --unverified for none");
	return owner_session(&o, stdout, err);
}

static int run_measure(const struct owner_config *c, struct err *err)
{
	AUTO(owner_inputs_destroyp) struct owner_inputs *in = NULL;
	struct owner_measure_opts o = {.tik = c->tik, .is_es = c->es};
	int r = report_of(c, &o.report, err);

	if (r >= 0)
		r = owner_inputs_create(c, &in, err);
	if (r < 0)
		return r;
	o.content = owner_inputs_content(in);
	o.is_es |= owner_inputs_is_es(in);
	return owner_measure(&o, stdout, err);
}

static int run_verify(const struct owner_config *c, struct err *err)
{
	AUTO(owner_inputs_destroyp) struct owner_inputs *in = NULL;
	struct owner_verify_opts o = {
		.tik = c->tik,
		.session = c->session,
		.have_min_api = c->min_api.given,
		.min_api_major = c->min_api.major,
		.min_api_minor = c->min_api.minor,
		.min_build = (uint8_t)c->min_build,
		.require = texts(&c->require),
	};
	int r = report_of(c, &o.report, err);

	if (r >= 0 && !o.tik)
		r = missing("--tik", err);
	if (r >= 0)
		r = owner_inputs_create(c, &in, err);
	if (r < 0)
		return r;
	o.content = owner_inputs_content(in);
	return owner_verify(&o, stdout, err);
}

static int run_secret(const struct owner_config *c, struct err *err)
{
	struct owner_secret_opts o = {
		.tik = c->tik,
		.tek = c->tek,
		.secrets = texts(&c->secrets),
		.format = c->format,
		.header = c->header,
		.payload = c->payload,
		.unverified = c->unverified,
		.force = c->force,
	};
	int r = report_of(c, &o.report, err);

	if (r >= 0 && (!o.tik || !o.tek || !o.secrets.n))
		r = missing(!o.tik   ? "--tik"
			    : !o.tek ? "--tek"
				     : "--secret",
			    err);
	return r < 0 ? r : owner_secret(&o, stdout, err);
}

static int run_inspect(const struct owner_config *c, struct err *err)
{
	return owner_inspect(
		&(struct owner_inspect_opts){
			.files = texts(&c->files),
			.policy = c->policy.given ? &c->policy.value : NULL,
		},
		stdout, err);
}

static const struct command commands[] = {
	{"session", &owner_session_table, run_session},
	{"verify", &owner_verify_table, run_verify},
	{"secret", &owner_secret_table, run_secret},
	{"measure", &owner_measure_table, run_measure},
	{"inspect", &owner_inspect_table, run_inspect},
};

static void print_usage(void)
{
	printf("Usage: coffer owner COMMAND [OPTION...]\n"
	       "What the owner of a confidential guest does, away from the "
	       "host.\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		printf("  %-8s %s\n", commands[i].name,
		       commands[i].options->summary);
	printf("\nExit status\n"
	       "  0   done; what was to be verified is good\n"
	       "  1   not to be trusted: chain, measurement, policy, firmware, "
	       "used keys\n"
	       "  64  bad usage\n"
	       "  66  a file is missing or not what it should be\n"
	       "  69  the host lacks something\n"
	       "  77  no permission\n"
	       "\nMore: coffer owner COMMAND --help, coffer-owner(1)\n");
}

static const struct command *find(const char *name)
{
	struct nearest near;

	nearest_start(&near, name);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(commands[i].name, name))
			return &commands[i];
		nearest_offer(&near, commands[i].name);
	}
	if (near.best)
		log_error("owner: '%.48s': unknown command (did you mean "
			  "'%s'?)",
			  name, near.best);
	else
		log_error("owner: '%.48s': unknown command (coffer owner "
			  "--help lists them)",
			  name);
	return NULL;
}

static int close_stdout(int status)
{
	if (!fflush(stdout) && !ferror(stdout))
		return status;
	log_error("owner: cannot write to standard output: %s",
		  strerror(errno));
	return EXIT_STATUS_HOST;
}

static void show(const struct option_table *t, enum option_outcome what)
{
	if (what == OPTION_OUTCOME_VERSION)
		printf("coffer %s\n", coffer_version());
	else if (what == OPTION_OUTCOME_SHORT_HELP)
		option_print_short_help(t, stdout);
	else
		option_print_long_help(t, stdout);
}

static int run(const struct command *cmd, int argc, char *const *argv)
{
	enum option_outcome outcome;
	struct owner_config c;
	struct err err = {0};
	int r;

	cmd->options->init(&c);
	r = option_parse_args(cmd->options, argc, argv, &c, &outcome, &err);
	if (r >= 0 && outcome != OPTION_OUTCOME_OK)
		show(cmd->options, outcome);
	else if (r >= 0)
		r = cmd->run(&c, &err);
	option_free(cmd->options, &c);
	if (r >= 0)
		return close_stdout(EXIT_STATUS_OK);
	fflush(stdout);
	log_error("owner %s: %s", cmd->name, err.msg);
	return r == -EKEYREJECTED ? (int)OWNER_EXIT_NO
				  : (int)exit_status_of_err(&err);
}

int owner_cli_main(int argc, char *const *argv)
{
	const struct command *cmd;

	if (argc < 2 || !strcmp(argv[1], "-h") || !strcmp(argv[1], "--help") ||
	    !strcmp(argv[1], "help")) {
		print_usage();
		return close_stdout(EXIT_STATUS_OK);
	}
	if (!strcmp(argv[1], "--version")) {
		show(NULL, OPTION_OUTCOME_VERSION);
		return close_stdout(EXIT_STATUS_OK);
	}
	cmd = find(argv[1]);
	return cmd ? run(cmd, argc - 1, argv + 1) : EXIT_STATUS_USAGE;
}
