/* vmm/config_table.c - every option of `coffer run`. */
#include <errno.h>
#include <string.h>
#include <sys/un.h>

#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/config.h"
#include "vmm/exit_status.h"
#include "vmm/quantity.h"

enum { PAGE = 4096 };
#define YEAR_MS UINT64_C(31536000000) /* a longer time-out is a typo */

#define AT(f, t) OPTION_AT(struct run_config, f, t)
#define MEMORY(f, t) OPTION_AT(struct memory_config, f, t)
#define CONSOLE(f, t) OPTION_AT(struct console_config, f, t)
#define CGROUP(f, t) OPTION_AT(struct cgroup_config, f, t)

static int memory_check(void *group, struct err *err)
{
	const struct memory_config *m = group;
	uint64_t page = m->hugepages ? m->hugepages : PAGE;
	char page_text[QUANTITY_TEXT_MAX], near[QUANTITY_TEXT_MAX];

	if (m->hugepages && m->hugepages != MIB(2) && m->hugepages != GIB(1))
		return err_set(err, -EINVAL,
			       "hugepages: '%s' is not a size of huge pages "
			       "(2M or 1G)",
			       quantity_format_size(m->hugepages, page_text));
	if (!is_aligned(m->size, page))
		return err_set(
			err, -EINVAL,
			"%llu bytes are not a multiple of %s (try %s)",
			(unsigned long long)m->size,
			quantity_format_size(page, page_text),
			quantity_format_size(align_up(m->size, page), near));
	return 0;
}

static void console_init(void *group)
{
	((struct console_config *)group)->kind = CONSOLE_STDIO;
}

static int console_check(void *group, struct err *err)
{
	struct console_config *c = group;
	struct sockaddr_un sun;
	int n = c->stdio + c->pty + c->none + !!c->file + !!c->unix_path;

	if (n != 1)
		return err_set(err, -EINVAL,
			       "give exactly one of stdio, file=PATH, "
			       "unix=PATH, pty, none");
	if (c->unix_path && strlen(c->unix_path) >= sizeof(sun.sun_path))
		return err_set(err, -EINVAL,
			       "unix: the path is %zu bytes long; a socket's "
			       "name holds %zu",
			       strlen(c->unix_path), sizeof(sun.sun_path) - 1);
	c->kind = c->file	 ? CONSOLE_FILE
		  : c->unix_path ? CONSOLE_UNIX
		  : c->pty	 ? CONSOLE_PTY
		  : c->none	 ? CONSOLE_NONE
				 : CONSOLE_STDIO;
	c->path = c->file ? c->file : c->unix_path;
	return 0;
}

static int hex_value(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c ? strchr(digits, c) : NULL;
	return at ? (int)(at - digits) : -1;
}

/* 8-4-4-4-12 hexadecimal digits (RFC 4122, 3). */
static int parse_uuid(void *field, const char *text, struct err *err)
{
	struct uuid_config u = {.given = true};
	const char *p = text;

	for (size_t i = 0; i < sizeof(u.bytes); i++) {
		int hi, lo;

		if ((i == 4 || i == 6 || i == 8 || i == 10) && *p++ != '-')
			goto bad;
		hi = hex_value(p[0]);
		lo = hi < 0 ? -1 : hex_value(p[1]);
		if (lo < 0)
			goto bad;
		u.bytes[i] = (uint8_t)(hi << 4 | lo);
		p += 2;
	}
	if (*p)
		goto bad;
	*(struct uuid_config *)field = u;
	return 0;
bad:
	return err_set(err, -EINVAL,
		       "'%.64s' is not a UUID (8-4-4-4-12 hexadecimal digits; "
		       "uuidgen makes one)",
		       text);
}

static const struct option_desc memory_subs[] = {
	{.name = "size",
	 .kind = OPTION_SIZE,
	 .off = MEMORY(size, uint64_t),
	 .arg = "SIZE",
	 .help = "guest RAM; K, M, G are binary; a multiple of 4K",
	 .hint = "try 512M",
	 .min = MEM_RAM_MIN,
	 .max = MEM_RAM_MAX,
	 .implicit = true,
	 .required = true},
	{.name = "hugepages",
	 .kind = OPTION_SIZE,
	 .off = MEMORY(hugepages, uint64_t),
	 .arg = "2M|1G",
	 .help = "use reserved huge pages of that size",
	 .hint = "2M or 1G",
	 .min = MIB(2),
	 .max = GIB(1)},
	{.name = "prefault",
	 .kind = OPTION_FLAG,
	 .off = MEMORY(prefault, bool),
	 .help = "take all of it from the host before the start"},
	{.name = "shared",
	 .kind = OPTION_FLAG,
	 .off = MEMORY(shared, bool),
	 .help = "a memfd that can be shared with other processes"},
	{0},
};

static const struct option_desc console_subs[] = {
	{.name = "stdio",
	 .kind = OPTION_FLAG,
	 .off = CONSOLE(stdio, bool),
	 .help = "standard input and output; Ctrl-A x ends the run, Ctrl-A p "
		 "presses the power button"},
	{.name = "file",
	 .kind = OPTION_PATH,
	 .off = CONSOLE(file, char *),
	 .arg = "PATH",
	 .help = "output only, to a new or emptied file"},
	{.name = "unix",
	 .kind = OPTION_PATH,
	 .off = CONSOLE(unix_path, char *),
	 .arg = "PATH",
	 .help = "a unix socket that waits for a client"},
	{.name = "pty",
	 .kind = OPTION_FLAG,
	 .off = CONSOLE(pty, bool),
	 .help = "a new pseudo terminal; its name is printed"},
	{.name = "none",
	 .kind = OPTION_FLAG,
	 .off = CONSOLE(none, bool),
	 .help = "the port is there, nobody listens"},
	{0},
};

static const struct option_desc bundle_options[] = {
	{.name = "BUNDLE",
	 .kind = OPTION_PATH,
	 .off = AT(bundle, char *),
	 .help = "a launch bundle, made by coffer bundle",
	 .more = "It brings kernel, initrd, command line and firmware, and "
		 "what else was put in; these options are then refused.",
	 .operand = true},
	{.name = "bundle-key",
	 .kind = OPTION_PATH,
	 .off = AT(bundle_key, char *),
	 .arg = "PUB.pem",
	 .help = "run BUNDLE only if this key signed it"},
	{0},
};

const struct option_desc config_boot_options[] = {
	{.name = "kernel",
	 .short_name = 'k',
	 .kind = OPTION_PATH,
	 .off = AT(kernel, char *),
	 .arg = "FILE",
	 .help = "Linux kernel: bzImage, vmlinux (PVH) or unified image"},
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
	 .help = "kernel command line, such as \"console=ttyS0\"",
	 .more = "Default: that of a unified kernel image, which TEXT "
		 "replaces; else none.",
	 .max = CONFIG_APPEND_MAX},
	{.name = "firmware",
	 .kind = OPTION_PATH,
	 .off = AT(firmware, char *),
	 .arg = "FILE|stage0|none",
	 .help = "what runs before the kernel (under SEV stage0, else none)",
	 .more = "FILE: an image that ends at 4 GiB, such as OVMF_CODE_4M.fd; "
		 "it gets kernel, initrd and command line from fw_cfg, and "
		 "boots a disk without --kernel. stage0: coffer's own, which "
		 "checks what it gets against measured hashes. none: the "
		 "kernel is entered directly; under SEV all of it is "
		 "measured."},
	{0},
};

static const struct option_desc firmware_options[] = {
	{.name = "nvram",
	 .kind = OPTION_PATH,
	 .off = AT(nvram, char *),
	 .arg = "FILE",
	 .help = "where --firmware FILE keeps its variables",
	 .more = "A copy of the firmware's empty store, such as "
		 "OVMF_VARS_4M.fd; one for each guest."},
	{.name = "hash-cache",
	 .kind = OPTION_PATH,
	 .off = AT(hash_cache, char *),
	 .arg = "auto|none|DIR",
	 .help = "where hashes of kernels and initrds are kept (auto)",
	 .more = "For launches under SEV with firmware. auto: "
		 "/var/cache/coffer for root, else ~/.cache/coffer. A wrong "
		 "one can only make the guest refuse to start."},
	{0},
};

const struct option_desc config_size_options[] = {
	{.name = "memory",
	 .short_name = 'm',
	 .kind = OPTION_GROUP,
	 .off = AT(memory, struct memory_config),
	 .arg = "SIZE[,KEY...]",
	 .help = "guest RAM (default 512M)",
	 .more = "More than 2G is split: 2G at 0, the rest from 4G on.",
	 .subs = memory_subs,
	 .group_size = sizeof(struct memory_config),
	 .group_check = memory_check},
	{.name = "cpus",
	 .short_name = 'c',
	 .kind = OPTION_NUMBER,
	 .off = AT(cpus, uint64_t),
	 .arg = "N",
	 .help = "virtual CPUs, 1 to 64 (default 1)",
	 .min = 1,
	 .max = CONFIG_CPUS_MAX},
	{0},
};

static const struct option_desc machine_options[] = {
	{.name = "console",
	 .kind = OPTION_GROUP,
	 .off = AT(console, struct console_config),
	 .arg = "KIND",
	 .help = "where the serial port ttyS0 leads (default stdio)",
	 .subs = console_subs,
	 .group_size = sizeof(struct console_config),
	 .group_init = console_init,
	 .group_check = console_check},
	{.name = "uuid",
	 .kind = OPTION_PARSED,
	 .off = AT(uuid, struct uuid_config),
	 .arg = "UUID",
	 .help = "system UUID (SMBIOS type 1)",
	 .more = "Default: all zeroes, that is none.",
	 .parse = parse_uuid},
	{.name = "oem-string",
	 .kind = OPTION_TEXTS,
	 .off = AT(oem_strings, struct text_list),
	 .arg = "TEXT",
	 .help = "SMBIOS type 11 string; repeatable",
	 .more = "systemd in the guest takes credentials from here: "
		 "io.systemd.credential:NAME=TEXT.",
	 .max = CONFIG_OEM_STRINGS_MAX,
	 .entry_max = CONFIG_OEM_STRING_MAX},
	{.name = "debug-exit",
	 .kind = OPTION_FLAG,
	 .off = AT(debug_exit, bool),
	 .help = "a write to port 0xf4 ends the run",
	 .more = "What is written is the exit status, 63 at most; "
		 "--status-file has the full value."},
	{0},
};

static const char *const jail_choices[] = {
	[JAIL_CHOICE_ON] = "on", [JAIL_CHOICE_OFF] = "off", NULL};

static const char *const seccomp_choices[] = {
	[SECCOMP_CHOICE_ON] = "on",
	[SECCOMP_CHOICE_LOG] = "log",
	[SECCOMP_CHOICE_OFF] = "off",
	[SECCOMP_CHOICE_FORCE_LOG] = "force-log",
	[SECCOMP_CHOICE_FORCE_OFF] = "force-off",
	NULL};

static int cgroup_check(void *group, struct err *err)
{
	const struct cgroup_config *c = group;

	if (c->where[0] == '/' || !strcmp(c->where, "auto"))
		return 0;
	return err_set(err, -EINVAL,
		       "'%s' is neither auto nor a whole path, such as "
		       "/sys/fs/cgroup/guests.slice",
		       c->where);
}

static const struct option_desc cgroup_subs[] = {
	{.name = "where",
	 .kind = OPTION_PATH,
	 .off = CGROUP(where, char *),
	 .arg = "auto|DIR",
	 .help = "the delegated cgroup; auto: the one coffer is in",
	 .implicit = true,
	 .required = true},
	{.name = "weight",
	 .kind = OPTION_NUMBER,
	 .off = CGROUP(weight, uint64_t),
	 .arg = "N",
	 .help = "share of CPU time beside others, cpu.weight (1 to 10000)",
	 .min = 1,
	 .max = 10000},
	{0},
};

static const struct option_desc jail_options[] = {
	{.name = "jail",
	 .kind = OPTION_CHOICE,
	 .off = AT(jail, int),
	 .arg = "on|off",
	 .help = "run the guest in namespaces of its own (default on)",
	 .more = "off: for a host that forbids namespaces. The guest's process "
		 "is then your user, without capabilities, and what stands "
		 "between it and the host's files is its list of system calls, "
		 "and Landlock where the kernel has it.",
	 .choices = jail_choices},
	{.name = "user",
	 .kind = OPTION_TEXT,
	 .off = AT(user, char *),
	 .arg = "USER[:GROUP]",
	 .help = "as root: the user that runs the guest",
	 .more = "Default: one of its own for each guest, without an account.",
	 .max = 256},
	{.name = "cgroup",
	 .kind = OPTION_GROUP,
	 .off = AT(cgroup, struct cgroup_config),
	 .arg = "auto|DIR[,KEY]",
	 .help = "limit the guest's process by a cgroup of its own in DIR",
	 .more = "memory.max is what coffer plan prints, pids.max its threads. "
		 "cgroup v2, delegated to this user; removed at the end.",
	 .subs = cgroup_subs,
	 .group_size = sizeof(struct cgroup_config),
	 .group_check = cgroup_check},
	{.name = "seccomp",
	 .kind = OPTION_CHOICE,
	 .off = AT(seccomp, int),
	 .arg = "on|log|off|force-log|force-off",
	 .help = "system calls the guest's process does not need (default on)",
	 .more = "on: one ends the run, with a report. log: it is reported and "
		 "made. off: it is made. log and off are refused with "
		 "--protect; force-log and force-off are not.",
	 .choices = seccomp_choices},
	{0},
};

static const char *const on_reboot_choices[] = {
	[ON_REBOOT_EXIT] = "exit", [ON_REBOOT_RESTART] = "restart", NULL};

static const struct option_desc run_options[] = {
	{.name = "timeout",
	 .kind = OPTION_SECONDS,
	 .off = AT(timeout_ms, uint64_t),
	 .arg = "SECONDS",
	 .help = "end the guest after that time (default 0: never)",
	 .hint = "try 60 or 0.5",
	 .max = YEAR_MS},
	{.name = "stop-timeout",
	 .kind = OPTION_SECONDS,
	 .off = AT(stop_timeout_ms, uint64_t),
	 .arg = "SECONDS",
	 .help = "time to power off after SIGTERM (default 10)",
	 .more = "SIGTERM, SIGINT and SIGHUP press the power button. A guest "
		 "that is still there after SECONDS is ended, as it is by a "
		 "second signal. 0: end it at once.",
	 .hint = "try 60 or 0.5",
	 .max = YEAR_MS},
	{.name = "on-reboot",
	 .kind = OPTION_CHOICE,
	 .off = AT(on_reboot, int),
	 .arg = "exit|restart",
	 .help = "what a guest's reboot does (default exit)",
	 .choices = on_reboot_choices},
	{0},
};

static const struct option_desc output_options[] = {
	{.name = "api",
	 .kind = OPTION_PATH,
	 .off = AT(api, char *),
	 .arg = "SOCKET",
	 .help = "listen for coffer ctl on a unix socket",
	 .more = "HTTP and JSON, for this user and root. A socket passed by a "
		 "service manager (LISTEN_FDS) needs no --api."},
	{.name = "status-file",
	 .kind = OPTION_PATH,
	 .off = AT(status_file, char *),
	 .arg = "FILE",
	 .help = "write as JSON how and why the run ended"},
	{.name = "print-timing",
	 .kind = OPTION_FLAG,
	 .off = AT(print_timing, bool),
	 .help = "print where the time from exec to user space went"},
	{.name = "print-plan",
	 .kind = OPTION_FLAG,
	 .off = AT(print_plan, bool),
	 .help = "print what would be launched and measured, and end",
	 .more = "JSON: each entry with its address, length and digest, and "
		 "the launch digest, for a guest with --protect.",
	 .cli_only = true},
	{.name = "quiet",
	 .short_name = 'q',
	 .kind = OPTION_FLAG,
	 .off = AT(quiet, bool),
	 .help = "only errors on standard error"},
	{.name = "verbose",
	 .short_name = 'v',
	 .kind = OPTION_FLAG,
	 .off = AT(verbose, bool),
	 .help = "diagnostics on standard error"},
	{.name = "config",
	 .kind = OPTION_PATH,
	 .off = AT(config, char *),
	 .arg = "FILE",
	 .help = "take options from a JSON file, coffer-config(5)",
	 .more = "Options on the command line override those of the file.",
	 .is_config = true},
	OPTION_HELP_AND_VERSION,
	{0},
};

static const struct option_desc plan_options[] = {
	{.name = "json",
	 .kind = OPTION_FLAG,
	 .off = AT(json, bool),
	 .help = "print JSON, all in bytes",
	 .cli_only = true},
	{0},
};

/* clang-format off */
#define RUN_SECTIONS                                                           \
	{"What to boot", bundle_options},                                      \
	{"", config_boot_options},                                             \
	{"", firmware_options},                                                \
	{"The machine", config_size_options},                                  \
	{"", machine_options},                                                 \
	{"Its devices", config_device_options},                                \
	{"Its protection", config_protect_options},                            \
	{"", config_protection_options},                                       \
	{"Its jail", jail_options},                                            \
	{"When it ends", run_options},                                         \
	{"Files and output", output_options}
/* clang-format on */

static const struct option_section sections[] = {
	RUN_SECTIONS,
	{0},
};

static const struct option_section plan_sections[] = {
	{"The plan", plan_options},
	RUN_SECTIONS,
	{0},
};

static void init(void *target)
{
	run_config_init(target);
}

const struct option_table run_option_table = {
	.verb = "run",
	.synopsis = "-k FILE|BUNDLE [OPTION...]",
	.summary = "Boot a Linux kernel in a microVM and stay until it ends.",
	.epilogue = exit_status_print,
	.sections = sections,
	.size = sizeof(struct run_config),
	.given_off = offsetof(struct run_config, given),
	.init = init,
};

const struct option_table plan_option_table = {
	.verb = "plan",
	.synopsis = "[--json] [OPTION of coffer run...] [BUNDLE]",
	.summary = "Say what a VM will cost its host, before it is started.",
	.sections = plan_sections,
	.size = sizeof(struct run_config),
	.given_off = offsetof(struct run_config, given),
	.init = init,
};
