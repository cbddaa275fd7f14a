/* vmm/cli/sim_options.c - option table of coffer-sim. */
#include "vmm/cli/sim_options.h"

#include "sim/sim_mktme.h"

#define AT(f, t) OPTION_AT(struct sim_options, f, t)

static void init(void *target)
{
	*(struct sim_options *)target = (struct sim_options){
		.api = {.major = 1, .minor = 55},
		.build = 24,
		.asids = 509,
		.es_asids = 99,
		.guests = 1024,
		.keyids = 63,
	};
}

static void epilogue(FILE *f)
{
	fprintf(f,
		"\nExit status: the command's own, 128 and the signal when one "
		"ended it, and\n"
		"  64  bad usage\n"
		"  65  the command wrote to launched memory (--scramble)\n"
		"  66  the state file is not what it should be\n"
		"  69  the host lacks something\n"
		"  77  no permission\n"
		"  126 the command cannot be run\n"
		"  127 there is no such command\n"
		"\nNothing here is protected. More: coffer-sim(1)\n");
}

static const struct option_desc platform_options[] = {
	{.name = "state",
	 .short_name = 's',
	 .kind = OPTION_PATH,
	 .off = AT(state, char *),
	 .arg = "FILE",
	 .help = "where the platform keeps its keys (made when missing)",
	 .more = "Without it each run is a platform of its own."},
	{.name = "api",
	 .kind = OPTION_PARSED,
	 .off = AT(api, struct sev_api_config),
	 .arg = "MAJOR.MINOR",
	 .help = "version of the firmware's API (1.55)",
	 .parse = sev_option_api},
	{.name = "build",
	 .kind = OPTION_NUMBER,
	 .off = AT(build, uint64_t),
	 .arg = "N",
	 .help = "build of the firmware (24)",
	 .max = 255},
	{.name = "no-sev",
	 .kind = OPTION_FLAG,
	 .off = AT(no_sev, bool),
	 .help = "a host whose kvm_amd has SEV off"},
	{.name = "no-es",
	 .kind = OPTION_FLAG,
	 .off = AT(no_es, bool),
	 .help = "a host without SEV-ES"},
	{.name = "asids",
	 .kind = OPTION_NUMBER,
	 .off = AT(asids, uint64_t),
	 .arg = "N",
	 .help = "ASIDs in all (509)",
	 .min = 1,
	 .max = 65535},
	{.name = "es-asids",
	 .kind = OPTION_NUMBER,
	 .off = AT(es_asids, uint64_t),
	 .arg = "N",
	 .help = "how many of them are for SEV-ES (99)",
	 .max = 65535},
	{.name = "guests",
	 .kind = OPTION_NUMBER,
	 .off = AT(guests, uint64_t),
	 .arg = "N",
	 .help = "guests that the firmware has room for (1024)",
	 .min = 1,
	 .max = 1024},
	{.name = "cbitpos",
	 .kind = OPTION_NUMBER,
	 .off = AT(c_bit, uint64_t),
	 .arg = "N",
	 .help = "position of the C-bit (51)",
	 .min = 32,
	 .max = 63},
	{0},
};

static const struct option_desc guest_options[] = {
	{.name = "scramble",
	 .kind = OPTION_FLAG,
	 .off = AT(scramble, bool),
	 .help = "encrypt launched memory until LAUNCH_FINISH",
	 .more = "A command that writes there meanwhile is found out: the "
		 "page is named and the exit status is 65."},
	{.name = "cbit-alias",
	 .kind = OPTION_FLAG,
	 .off = AT(cbit_alias, bool),
	 .help = "tell guests of SEV, with a C-bit this host has room for",
	 .more = "For monitors that map RAM a second time at that bit. "
		 "Otherwise the CPUID leaf is cleared where the monitor keeps "
		 "it, when it sets it."},
	{0},
};

static const char *const mktme_profiles[] = {
	[SIM_MKTME_NONE] = "none",
	[SIM_MKTME_2018_12] = "2018-12",
	[SIM_MKTME_2019_05] = "2019-05",
	[SIM_MKTME_2019_07] = "2019-07",
	NULL,
};

static const struct option_desc mktme_options[] = {
	{.name = "mktme-profile",
	 .kind = OPTION_CHOICE,
	 .off = AT(mktme_profile, int),
	 .arg = "none|2018-12|2019-05|2019-07",
	 .help = "a kernel with the MKTME patches of that month (none)",
	 .choices = mktme_profiles},
	{.name = "keyids",
	 .kind = OPTION_NUMBER,
	 .off = AT(keyids, uint64_t),
	 .arg = "N",
	 .help = "KeyIDs that can be used (63)",
	 .min = 1,
	 .max = SIM_MKTME_KEYIDS_MAX},
	{.name = "mktme-syscall",
	 .kind = OPTION_NUMBER,
	 .off = AT(mktme_syscall, uint64_t),
	 .arg = "N",
	 .help = "the number at which the kernel has encrypt_mprotect",
	 .more = "387 to 423, or 548 and above; without it there is no such "
		 "call.",
	 .min = 387,
	 .max = 65535},
	{.name = "mktme-poison",
	 .kind = OPTION_FLAG,
	 .off = AT(mktme_poison, bool),
	 .help = "what encrypt_mprotect drops becomes 0xa5, not 0"},
	{0},
};

static const struct option_desc other_options[] = {
	{.name = "fault",
	 .kind = OPTION_TEXTS,
	 .off = AT(faults, struct text_list),
	 .arg = "COMMAND[:N]=CODE",
	 .help = "make a command fail, at its N-th call or always; repeat",
	 .more = "CODE is a status of the firmware by name or number, or an "
		 "errno by name. Commands are listed in coffer-sim(1).",
	 .max = 64,
	 .entry_max = 96},
	{.name = "trace",
	 .short_name = 't',
	 .kind = OPTION_PATH,
	 .off = AT(trace, char *),
	 .arg = "FILE",
	 .help = "write every answer as a line of JSON (-: standard error)"},
	{.name = "psp-time",
	 .kind = OPTION_NUMBER,
	 .off = AT(psp_us_per_kib, uint64_t),
	 .arg = "MICROSECONDS",
	 .help = "time that launching a KiB takes (0)",
	 .more = "250 is what was measured of SEV-SNP.",
	 .max = 1000000},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section sections[] = {
	{"The platform", platform_options},
	{"Its guests", guest_options},
	{"A kernel with Intel MKTME", mktme_options},
	{"Other options", other_options},
	{0},
};

const struct option_table sim_option_table = {
	.verb = "sim",
	.synopsis = "[OPTION...] -- COMMAND [ARGUMENT...]",
	.summary = "Run a command on a SIMULATED host with AMD SEV.",
	.epilogue = epilogue,
	.sections = sections,
	.size = sizeof(struct sim_options),
	.init = init,
};
