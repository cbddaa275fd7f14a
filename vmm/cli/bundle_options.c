/* vmm/cli/bundle_options.c - option tables of `coffer bundle`. */
#include "vmm/cli/bundle_options.h"

#include "vmm/bundle/bundle.h"

#define AT(f, t) OPTION_AT(struct bundle_config, f, t)

static void init(void *target)
{
	struct bundle_config *c = target;

	*c = (struct bundle_config){0};
	run_config_init(&c->run);
}

static const struct option_desc policy_options[] = {
	{.name = "policy",
	 .kind = OPTION_PARSED,
	 .off = AT(run.devices.sev.policy, struct policy_config),
	 .arg = "POLICY",
	 .help = "of SEV: 0x1, or nodbg,noks,es,nosend,domain,sev,api=1.51",
	 .more = "A bundle with a policy runs only with --protect sev or "
		 "sev-es.",
	 .parse = sev_option_policy},
	{0},
};

static const struct option_desc create_options[] = {
	{.name = "output",
	 .short_name = 'o',
	 .kind = OPTION_PATH,
	 .off = AT(output, char *),
	 .arg = "FILE",
	 .help = "the file to write, such as app.itb"},
	{.name = "sign",
	 .kind = OPTION_PATH,
	 .off = AT(sign, char *),
	 .arg = "KEY.pem",
	 .help = "sign it by this private key (Ed25519 or P-384)",
	 .more = "openssl genpkey -algorithm ed25519 -out key.pem makes one, "
		 "openssl pkey -in key.pem -pubout its public half."},
	{.name = "description",
	 .kind = OPTION_TEXT,
	 .off = AT(description, char *),
	 .arg = "TEXT",
	 .help = "what it is, for people",
	 .max = BUNDLE_TEXT_MAX},
	{.name = "force",
	 .kind = OPTION_FLAG,
	 .off = AT(force, bool),
	 .help = "replace a file that is there"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section create_sections[] = {
	{"What to boot", config_boot_options},
	{"What it needs", config_size_options},
	{"", config_protect_options},
	{"", policy_options},
	{"The bundle", create_options},
	{0},
};

static const struct option_desc file_words[] = {
	{.name = "BUNDLE",
	 .kind = OPTION_PATH,
	 .off = AT(file, char *),
	 .help = "the bundle",
	 .operand = true,
	 .required = true},
	{0},
};

static const struct option_desc show_options[] = {
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .off = AT(json, bool),
	 .help = "print JSON"},
	{.name = "signed",
	 .kind = OPTION_FLAG,
	 .off = AT(signed_text, bool),
	 .help = "print the text that its signature is of, and nothing else"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section show_sections[] = {
	{"Arguments", file_words},
	{"Options", show_options},
	{0},
};

static const struct option_desc verify_options[] = {
	{.name = "key",
	 .kind = OPTION_PATH,
	 .off = AT(key, char *),
	 .arg = "PUB.pem",
	 .help = "this key must have signed it",
	 .more = "Without it hashes are checked, and they prove nothing "
		 "against "
		 "somebody who changed both."},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section verify_sections[] = {
	{"Arguments", file_words},
	{"Options", verify_options},
	{0},
};

static void create_epilogue(FILE *f)
{
	fputs("The firmware's image itself goes into the bundle. With --policy "
	      "it is stage0\nunless --firmware says otherwise. Of memory (only "
	      "its size), CPUs and protection,\nwhat is given here goes into "
	      "the bundle; the rest is left to who runs it.\n",
	      f);
}

const struct option_table bundle_create_table = {
	.verb = "bundle create",
	.synopsis = "-k FILE -o BUNDLE [OPTION...]",
	.summary = "Put a kernel and all it needs into one file, and sign it.",
	.epilogue = create_epilogue,
	.sections = create_sections,
	.size = sizeof(struct bundle_config),
	.given_off = offsetof(struct bundle_config, run.given),
	.init = init,
};

const struct option_table bundle_show_table = {
	.verb = "bundle show",
	.synopsis = "[OPTION...] BUNDLE",
	.summary = "Print what is in a bundle; nothing is checked.",
	.sections = show_sections,
	.size = sizeof(struct bundle_config),
	.init = init,
};

const struct option_table bundle_verify_table = {
	.verb = "bundle verify",
	.synopsis = "[--key PUB.pem] BUNDLE",
	.summary = "Check a bundle's hashes, and who signed it.",
	.sections = verify_sections,
	.size = sizeof(struct bundle_config),
	.init = init,
};
