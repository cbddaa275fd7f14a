/* vmm/cli/owner_cli.c - finds the owner's command, and says how it went. */
#include "vmm/cli/owner_cli.h"

#include <errno.h>
#include <string.h>

#include "owner/owner.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/bundle_cli.h"
#include "vmm/cli/cli_group.h"
#include "vmm/cli/owner_inputs.h"
#include "vmm/cli/owner_options.h"

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

/* "Not to be trusted" is an answer, with a status of its own. */
static int verdict(int r, int *ret_status)
{
	if (r == -EKEYREJECTED)
		*ret_status = OWNER_EXIT_NO;
	return r;
}

static struct owner_platform platform_of(const struct owner_config *c)
{
	return (struct owner_platform){
		.chain = c->chain,
		.roots = c->roots,
		.cek = c->cek,
		.simulated = c->simulated,
	};
}

static int run_session(void *config, int *ret_status, struct err *err)
{
	const struct owner_config *c = config;
	struct owner_session_opts o = {
		.platform = platform_of(c),
		.policy = c->policy.value,
		.name = c->name ? c->name : "vm",
		.unverified = c->unverified,
		.force = c->force,
	};

	if (c->simulated && o.unverified)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--simulated asks for a chain to be "
				    "verified, --unverified for none");
	return verdict(owner_session(&o, stdout, err), ret_status);
}

static int run_measure(void *config, int *ret_status, struct err *err)
{
	const struct owner_config *c = config;
	AUTO(owner_inputs_destroyp) struct owner_inputs *in = NULL;
	struct owner_measure_opts o = {
		.tik = c->tik,
		.is_es = c->es,
		.vmsa_cpu0 = c->vmsa_cpu0,
		.vmsa_cpu1 = c->vmsa_cpu1,
		.force = c->force,
	};
	int r = report_of(c, &o.report, err);

	if (r >= 0)
		r = owner_inputs_create(c, &in, err);
	if (r < 0)
		return verdict(r, ret_status);
	o.content = owner_inputs_content(in);
	o.is_es |= owner_inputs_is_es(in);
	return verdict(owner_measure(&o, stdout, err), ret_status);
}

static int run_verify(void *config, int *ret_status, struct err *err)
{
	const struct owner_config *c = config;
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
		return verdict(r, ret_status);
	o.content = owner_inputs_content(in);
	return verdict(owner_verify(&o, stdout, err), ret_status);
}

static int run_attestation(void *config, int *ret_status, struct err *err)
{
	const struct owner_config *c = config;
	AUTO(owner_inputs_destroyp) struct owner_inputs *in = NULL;
	struct owner_attestation_opts o = {
		.platform = platform_of(c),
		.nonce = c->nonce,
		.report = c->report,
		.policy = c->policy.given ? &c->policy.value : NULL,
	};
	int r = 0;

	if (!o.nonce || !o.report)
		r = missing(o.nonce ? "--report" : "--nonce", err);
	if (r >= 0)
		r = owner_inputs_create(c, &in, err);
	if (r < 0)
		return verdict(r, ret_status);
	o.content = owner_inputs_content(in);
	return verdict(owner_attestation(&o, stdout, err), ret_status);
}

static int run_secret(void *config, int *ret_status, struct err *err)
{
	const struct owner_config *c = config;
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
	if (r >= 0)
		r = verdict(owner_secret(&o, stdout, err), ret_status);
	return r;
}

static int run_inspect(void *config, int *ret_status, struct err *err)
{
	const struct owner_config *c = config;
	const struct owner_inspect_opts o = {
		.files = texts(&c->files),
		.policy = c->policy.given ? &c->policy.value : NULL,
	};

	return verdict(owner_inspect(&o, stdout, err), ret_status);
}

int owner_cli_main(int argc, char *const *argv)
{
	static const struct cli_command commands[] = {
		{"session", &owner_session_table, run_session},
		{"verify", &owner_verify_table, run_verify},
		{"secret", &owner_secret_table, run_secret},
		{"measure", &owner_measure_table, run_measure},
		{"attestation", &owner_attestation_table, run_attestation},
		{"inspect", &owner_inspect_table, run_inspect},
	};
	static const struct cli_group group = {
		.verb = "owner",
		.page = "coffer-owner(1)",
		.summary = "What the owner of a confidential guest does, away "
			   "from the host.",
		.epilogue = "\nExit status\n"
			    "  0   done; what was to be verified is good\n"
			    "  1   not to be trusted: chain, measurement, "
			    "policy, firmware, used keys\n"
			    "  64  bad usage\n"
			    "  66  a file is missing or not what it should "
			    "be\n"
			    "  69  the host lacks something\n"
			    "  77  no permission\n",
		.v = commands,
		.n = ARRAY_SIZE(commands),
	};
	struct owner_config c;

	if (argc > 1 && !strcmp(argv[1], "bundle")) /* `coffer bundle` does */
		return bundle_cli_main(argc - 1, argv + 1);
	return cli_group_main(&group, argc, argv, &c);
}
