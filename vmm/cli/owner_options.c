/* vmm/cli/owner_options.c - option tables of the guest owner's commands. */
#include "vmm/cli/owner_options.h"

#include "vmm/config.h"

#define AT(f, t) OPTION_AT(struct owner_config, f, t)

static void init(void *target)
{
	*(struct owner_config *)target = (struct owner_config){
		.build = OWNER_NO_BUILD,
		.cpu_family = OWNER_NO_CPU,
		.cpu_model = OWNER_NO_CPU,
		.cpu_stepping = OWNER_NO_CPU,
	};
}

static const struct option_desc session_words[] = {
	{.name = "CHAIN",
	 .kind = OPTION_PATH,
	 .off = AT(chain, char *),
	 .help = "the platform's certificates, as the host exports them",
	 .operand = true,
	 .required = true},
	{.name = "POLICY",
	 .kind = OPTION_PARSED,
	 .off = AT(policy, struct policy_config),
	 .help = "what the host may do: 0x1, or "
		 "nodbg,noks,es,nosend,domain,sev,api=1.51",
	 .operand = true,
	 .required = true,
	 .parse = sev_option_policy},
	{0},
};

/* Of whoever verifies a platform. */
static const struct option_desc platform_options[] = {
	{.name = "roots",
	 .kind = OPTION_PATH,
	 .off = AT(roots, char *),
	 .arg = "FILE",
	 .help = "ASK and ARK, where the chain lacks them",
	 .more = "AMD publishes them as ask_ark_*.cert for each processor "
		 "generation."},
	{.name = "cek",
	 .kind = OPTION_PATH,
	 .off = AT(cek, char *),
	 .arg = "FILE",
	 .help = "the CEK as AMD signed it, where the chain has the bare one",
	 .more = "From https://kdsintf.amd.com/cek/id/ and the platform's id."},
	{.name = "simulated",
	 .kind = OPTION_FLAG,
	 .off = AT(simulated, bool),
	 .help = "the platform is simulated; a real one is refused"},
	{0},
};

static const struct option_desc session_options[] = {
	{.name = "name",
	 .short_name = 'n',
	 .kind = OPTION_TEXT,
	 .off = AT(name, char *),
	 .arg = "NAME",
	 .help = "prefix of the files written (vm)",
	 .more = "NAME_godh.b64 and NAME_session.b64 are for the host. "
		 "NAME_tek.bin and NAME_tik.bin are secret and good for one "
		 "launch.",
	 .max = 4000},
	{.name = "unverified",
	 .kind = OPTION_FLAG,
	 .off = AT(unverified, bool),
	 .help = "do not verify the chain; a lone PDH will do",
	 .more = "Whoever made the PDH can then be the host itself, "
		 "pretending."},
	{.name = "force",
	 .kind = OPTION_FLAG,
	 .off = AT(force, bool),
	 .help = "replace files that are there"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section session_sections[] = {
	{"Arguments", session_words},
	{"The platform", platform_options},
	{"Options", session_options},
	{0},
};

static const struct option_desc content_options[] = {
	{.name = "BUNDLE",
	 .kind = OPTION_PATH,
	 .off = AT(bundle, char *),
	 .help = "a launch bundle instead of kernel, initrd, append, firmware",
	 .operand = true},
	{.name = "bundle-key",
	 .kind = OPTION_PATH,
	 .off = AT(bundle_key, char *),
	 .arg = "PUB.pem",
	 .help = "this key must have signed BUNDLE"},
	{.name = "firmware",
	 .kind = OPTION_PATH,
	 .off = AT(firmware, char *),
	 .arg = "none|stage0|FILE",
	 .help = "the image that was launched (stage0); none: a direct boot"},
	{.name = "kernel",
	 .short_name = 'k',
	 .kind = OPTION_PATH,
	 .off = AT(kernel, char *),
	 .arg = "FILE",
	 .help = "kernel (with a firmware: its hash was launched)"},
	{.name = "initrd",
	 .short_name = 'i',
	 .kind = OPTION_PATH,
	 .off = AT(initrd, char *),
	 .arg = "FILE",
	 .help = "initial RAM disk"},
	{.name = "append",
	 .short_name = 'a',
	 .kind = OPTION_TEXT,
	 .off = AT(append, char *),
	 .arg = "TEXT",
	 .help = "kernel command line",
	 .max = CONFIG_APPEND_MAX},
	{.name = "memory",
	 .short_name = 'm',
	 .kind = OPTION_TEXT,
	 .off = AT(memory, char *),
	 .arg = "SIZE[,KEY...]",
	 .help = "direct boot: guest RAM, as coffer run has it (512M)",
	 .max = 256},
	{.name = "cpus",
	 .short_name = 'c',
	 .kind = OPTION_NUMBER,
	 .off = AT(cpus, uint64_t),
	 .arg = "N",
	 .help = "number of CPUs (1; with --vmsa: as many as those)",
	 .min = 1,
	 .max = CONFIG_CPUS_MAX},
	{.name = "uuid",
	 .kind = OPTION_TEXT,
	 .off = AT(uuid, char *),
	 .arg = "UUID",
	 .help = "direct boot: system UUID",
	 .max = 64},
	{.name = "oem-string",
	 .kind = OPTION_TEXTS,
	 .off = AT(oem_strings, struct text_list),
	 .arg = "TEXT",
	 .help = "direct boot: SMBIOS type 11 string; repeatable",
	 .max = CONFIG_OEM_STRINGS_MAX,
	 .entry_max = CONFIG_OEM_STRING_MAX},
	{.name = "config",
	 .kind = OPTION_PATH,
	 .off = AT(config, char *),
	 .arg = "FILE",
	 .help = "take these options from coffer run's JSON file",
	 .more = "Options that are given here override the file's. What is "
		 "not measured (disks, networks, sockets) is ignored."},
	{.name = "vmsa-profile",
	 .kind = OPTION_TEXT,
	 .off = AT(vmsa_profile, char *),
	 .arg = "legacy|init2",
	 .help = "SEV-ES without --vmsa: form of the register pages",
	 .more = "legacy: made by KVM_SEV_ES_INIT (Linux before 6.10); init2: "
		 "by KVM_SEV_INIT2. verify accepts either when none is given, "
		 "measure prints that of legacy.",
	 .max = 16},
	{.name = "vmsa",
	 .kind = OPTION_TEXTS,
	 .off = AT(vmsa, struct text_list),
	 .arg = "FILE",
	 .help = "firmware with SEV-ES: register page of a CPU; repeatable",
	 .more = "In the order in which the CPUs were created; the last one "
		 "stands for all that follow.",
	 .max = 64,
	 .entry_max = 4096},
	{.name = "cpu-family",
	 .kind = OPTION_NUMBER,
	 .off = AT(cpu_family, uint64_t),
	 .arg = "N",
	 .help = "firmware with SEV-ES, instead of --vmsa: the host's CPU",
	 .more = "Family, model and stepping are in /proc/cpuinfo; they are "
		 "in a register that is measured.",
	 .max = 0xf + 0xff},
	{.name = "cpu-model",
	 .kind = OPTION_NUMBER,
	 .off = AT(cpu_model, uint64_t),
	 .arg = "N",
	 .help = "its model",
	 .max = 0xff},
	{.name = "cpu-stepping",
	 .kind = OPTION_NUMBER,
	 .off = AT(cpu_stepping, uint64_t),
	 .arg = "N",
	 .help = "its stepping",
	 .max = 0xf},
	{.name = "digest",
	 .kind = OPTION_TEXT,
	 .off = AT(digest, char *),
	 .arg = "DIGEST|FILE",
	 .help = "instead: launch digest, hexadecimal or base64"},
	{0},
};

static const struct option_desc report_options[] = {
	{.name = "launch",
	 .short_name = 'l',
	 .kind = OPTION_PATH,
	 .off = AT(launch, char *),
	 .arg = "FILE",
	 .help = "JSON that coffer ctl measurement printed"},
	{.name = "measurement",
	 .kind = OPTION_TEXT,
	 .off = AT(measurement, char *),
	 .arg = "BASE64|FILE",
	 .help = "without --launch: 48 bytes, as QEMU returns them",
	 .max = 4096},
	{.name = "api",
	 .kind = OPTION_PARSED,
	 .off = AT(api, struct sev_api_config),
	 .arg = "MAJOR.MINOR",
	 .help = "without --launch: version of the firmware's API",
	 .parse = sev_option_api},
	{.name = "build",
	 .kind = OPTION_NUMBER,
	 .off = AT(build, uint64_t),
	 .arg = "N",
	 .help = "without --launch: build of the firmware",
	 .max = 255},
	{.name = "policy",
	 .kind = OPTION_PARSED,
	 .off = AT(policy, struct policy_config),
	 .arg = "POLICY",
	 .help = "without --launch: policy of the guest",
	 .parse = sev_option_policy},
	{0},
};

static const struct option_desc tik_option[] = {
	{.name = "tik",
	 .kind = OPTION_PATH,
	 .off = AT(tik, char *),
	 .arg = "FILE",
	 .help = "transport integrity key of the session"},
	{0},
};

static const struct option_desc measure_options[] = {
	{.name = "es",
	 .kind = OPTION_FLAG,
	 .off = AT(es, bool),
	 .help = "SEV-ES, where no launch is given"},
	{.name = "vmsa-cpu0",
	 .kind = OPTION_PATH,
	 .off = AT(vmsa_cpu0, char *),
	 .arg = "FILE",
	 .help = "write the first CPU's register page, for other tools",
	 .more = "It and --vmsa-cpu1 have the names and the form of the "
		 "options of virt-qemu-sev-validate that read them."},
	{.name = "vmsa-cpu1",
	 .kind = OPTION_PATH,
	 .off = AT(vmsa_cpu1, char *),
	 .arg = "FILE",
	 .help = "write the register page of all other CPUs"},
	{.name = "force",
	 .kind = OPTION_FLAG,
	 .off = AT(force, bool),
	 .help = "replace files that are there"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section measure_sections[] = {
	{"What was launched", content_options},
	{"What the host reports", report_options},
	{"Options", tik_option},
	{"", measure_options},
	{0},
};

static const struct option_desc verify_options[] = {
	{.name = "session",
	 .kind = OPTION_PATH,
	 .off = AT(session, char *),
	 .arg = "FILE",
	 .help = "session of the launch, to check its policy",
	 .more = "Without it, NAME_session.b64 beside NAME_tik.bin is taken, "
		 "if it is there."},
	{.name = "min-api",
	 .kind = OPTION_PARSED,
	 .off = AT(min_api, struct sev_api_config),
	 .arg = "MAJOR.MINOR",
	 .help = "lowest firmware API to accept",
	 .parse = sev_option_api},
	{.name = "min-build",
	 .kind = OPTION_NUMBER,
	 .off = AT(min_build, uint64_t),
	 .arg = "N",
	 .help = "lowest firmware build to accept",
	 .max = 255},
	{.name = "require",
	 .kind = OPTION_TEXTS,
	 .off = AT(require, struct text_list),
	 .arg = "WORD[,WORD...]",
	 .help = "refuse when the measurement does not bind this",
	 .more = "policy, api, firmware, kernel, initrd, cmdline, tables, "
		 "memory, vcpus, registers, placement, devices, cpuid.",
	 .max = 16,
	 .entry_max = 256},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section verify_sections[] = {
	{"What should have been launched", content_options},
	{"What the host reports", report_options},
	{"Options", tik_option},
	{"", verify_options},
	{0},
};

static const struct option_desc attestation_words[] = {
	{.name = "CHAIN",
	 .kind = OPTION_PATH,
	 .off = AT(chain, char *),
	 .help = "the platform's certificates, as the host exports them",
	 .operand = true,
	 .required = true},
	{0},
};

static const struct option_desc attestation_options[] = {
	{.name = "nonce",
	 .kind = OPTION_TEXT,
	 .off = AT(nonce, char *),
	 .arg = "NONCE",
	 .help = "what the report was asked for with: 32 hexadecimal digits",
	 .max = 64},
	{.name = "report",
	 .kind = OPTION_PATH,
	 .off = AT(report, char *),
	 .arg = "FILE",
	 .help = "what coffer ctl attestation printed, or the 208 bytes"},
	{.name = "policy",
	 .kind = OPTION_PARSED,
	 .off = AT(policy, struct policy_config),
	 .arg = "POLICY",
	 .help = "the guest must have this one",
	 .parse = sev_option_policy},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section attestation_sections[] = {
	{"Arguments", attestation_words},
	{"The platform", platform_options},
	{"What should have been launched", content_options},
	{"Options", attestation_options},
	{0},
};

static const struct option_desc secret_words[] = {
	{.name = "HEADER",
	 .kind = OPTION_PATH,
	 .off = AT(header, char *),
	 .help = "file to write the packet's header to",
	 .operand = true,
	 .required = true},
	{.name = "PAYLOAD",
	 .kind = OPTION_PATH,
	 .off = AT(payload, char *),
	 .help = "file to write its payload to",
	 .operand = true,
	 .required = true},
	{0},
};

static const struct option_desc secret_options[] = {
	{.name = "tek",
	 .kind = OPTION_PATH,
	 .off = AT(tek, char *),
	 .arg = "FILE",
	 .help = "transport encryption key of the session"},
	{.name = "secret",
	 .short_name = 's',
	 .kind = OPTION_TEXTS,
	 .off = AT(secrets, struct text_list),
	 .arg = "GUID:FILE",
	 .help = "a secret and its name; repeat for more",
	 .more = "luks-key stands for 736869e5-84f0-4973-92ec-06879ce3da0b.",
	 .max = 64,
	 .entry_max = 4200},
	{.name = "format",
	 .kind = OPTION_TEXT,
	 .off = AT(format, char *),
	 .arg = "table|cpio",
	 .help = "form of the packet (as the launch says, else table)",
	 .more = "table: for a firmware's secret area. cpio: files in the "
		 "initial RAM disk of a direct boot.",
	 .max = 16},
	{.name = "unverified",
	 .kind = OPTION_FLAG,
	 .off = AT(unverified, bool),
	 .help = "send although coffer owner verify has not said yes"},
	{.name = "force",
	 .kind = OPTION_FLAG,
	 .off = AT(force, bool),
	 .help = "replace files that are there"},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section secret_sections[] = {
	{"Arguments", secret_words},
	{"What the host reports", report_options},
	{"Options", tik_option},
	{"", secret_options},
	{0},
};

static const struct option_desc inspect_words[] = {
	{.name = "FILE",
	 .kind = OPTION_TEXTS,
	 .off = AT(files, struct text_list),
	 .help = "certificate, chain, session, secret header, measurement, "
		 "report, launch JSON",
	 .operand = true,
	 .max = 64,
	 .entry_max = 4096},
	{0},
};

static const struct option_desc inspect_options[] = {
	{.name = "policy",
	 .kind = OPTION_PARSED,
	 .off = AT(policy, struct policy_config),
	 .arg = "POLICY",
	 .help = "explain a policy",
	 .parse = sev_option_policy},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_section inspect_sections[] = {
	{"Arguments", inspect_words},
	{"Options", inspect_options},
	{0},
};

const struct option_table owner_session_table = {
	.verb = "owner session",
	.synopsis = "[OPTION...] CHAIN POLICY",
	.summary = "Verify a platform's certificates and make a session for "
		   "one launch.",
	.sections = session_sections,
	.size = sizeof(struct owner_config),
	.init = init,
};

const struct option_table owner_measure_table = {
	.verb = "owner measure",
	.synopsis = "[OPTION...] [BUNDLE]",
	.summary = "Print the launch digest of these inputs, and what it "
		   "should measure.",
	.sections = measure_sections,
	.size = sizeof(struct owner_config),
	.init = init,
};

const struct option_table owner_verify_table = {
	.verb = "owner verify",
	.synopsis = "--tik FILE --launch FILE [OPTION...] [BUNDLE]",
	.summary = "Was exactly this launched, under these keys?",
	.sections = verify_sections,
	.size = sizeof(struct owner_config),
	.init = init,
};

const struct option_table owner_attestation_table = {
	.verb = "owner attestation",
	.synopsis = "--nonce NONCE --report FILE [OPTION...] CHAIN",
	.summary = "Does a guest run on this platform that was launched so?",
	.sections = attestation_sections,
	.size = sizeof(struct owner_config),
	.init = init,
};

const struct option_table owner_secret_table = {
	.verb = "owner secret",
	.synopsis = "[OPTION...] HEADER PAYLOAD",
	.summary = "Pack secrets for a launch that was verified.",
	.sections = secret_sections,
	.size = sizeof(struct owner_config),
	.init = init,
};

const struct option_table owner_inspect_table = {
	.verb = "owner inspect",
	.synopsis = "[--policy POLICY] [FILE...]",
	.summary = "Say in words what a file of SEV is.",
	.sections = inspect_sections,
	.size = sizeof(struct owner_config),
	.init = init,
};
