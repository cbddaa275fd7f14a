/* vmm/config.h - what `coffer run` was asked for, as plain, checked data. */
#ifndef VMM_CONFIG_H
#define VMM_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"
#include "vmm/config_devices.h"
#include "vmm/input_file.h"
#include "vmm/option.h"

struct err;

enum {
	CONFIG_CPUS_MAX = 64,
	CONFIG_APPEND_MAX = 65536, /* bytes of command line we carry */
	/* All of them fit the machine's 64 KiB of SMBIOS tables. */
	CONFIG_OEM_STRINGS_MAX = 32,
	CONFIG_OEM_STRING_MAX = 1024, /* bytes each */
};

/* -m SIZE[,hugepages=2M|1G][,prefault][,shared] */
struct memory_config {
	uint64_t size;	    /* bytes, MEM_RAM_MIN..MEM_RAM_MAX, 4 KiB pages */
	uint64_t hugepages; /* page size in bytes: 0, 2 MiB or 1 GiB */
	bool prefault;
	bool shared; /* memfd instead of private anonymous memory */
};

enum console_kind {
	CONSOLE_STDIO = 0,
	CONSOLE_FILE, /* output is written to path; no input */
	CONSOLE_UNIX, /* a listening unix socket at path */
	CONSOLE_PTY,  /* a pseudo terminal, its name is printed */
	CONSOLE_NONE,
};

struct console_config {
	enum console_kind kind;
	const char *path; /* borrowed from this struct; FILE and UNIX only */
	/* As given; read kind and path instead. */
	bool stdio, pty, none;
	char *file, *unix_path;
};

enum on_reboot {
	ON_REBOOT_EXIT = 0,
	ON_REBOOT_RESTART,
};

enum jail_choice { JAIL_CHOICE_ON = 0, JAIL_CHOICE_OFF };

/* How the process beside the guest is kept to the system calls it needs. */
enum seccomp_choice {
	SECCOMP_CHOICE_ON = 0,
	SECCOMP_CHOICE_LOG,
	SECCOMP_CHOICE_OFF,
	SECCOMP_CHOICE_FORCE_LOG, /* also for a protected guest */
	SECCOMP_CHOICE_FORCE_OFF,
};

/* --cgroup auto|DIRECTORY[,weight=N] */
struct cgroup_config {
	char *where;	 /* NULL: none of its own */
	uint64_t weight; /* cpu.weight; 0: not set */
};

struct uuid_config {
	bool given;
	uint8_t bytes[16]; /* in the order of the text form (RFC 4122, 3) */
};

/* Strings are owned, NULL where the option is optional and was not given. */
struct run_config {
	char *bundle;	  /* replaces some of the options below */
	char *bundle_key; /* NULL: whoever signed it, or nobody */
	char *kernel;
	char *initrd;
	char *append;	/* NULL: the kernel image's own, or none */
	char *firmware; /* see vmm/config_firmware.h */
	char *nvram;
	char *hash_cache; /* see vmm/hash_cache.h */
	struct memory_config memory;
	uint64_t cpus; /* 1..CONFIG_CPUS_MAX */
	struct console_config console;
	uint64_t timeout_ms; /* 0: none */
	uint64_t stop_timeout_ms;
	int on_reboot; /* enum on_reboot */
	int seccomp;   /* enum seccomp_choice */
	bool debug_exit;
	int jail;   /* enum jail_choice */
	char *user; /* of the monitor: NAME|UID[:GROUP|:GID] */
	struct cgroup_config cgroup;
	bool print_timing;
	bool print_plan;
	bool json; /* of `coffer plan` */
	char *status_file;
	char *api; /* path of the control socket; NULL: none */
	struct uuid_config uuid;
	struct text_list oem_strings;
	bool quiet;
	bool verbose;
	char *config; /* the file that was read, for messages */
	struct devices_config devices;

	struct option_given given;

	/*
	 * Opened by config_bundle_apply() or run_config_open(); fd -1 where
	 * there is none.
	 */
	struct input_file kernel_file;
	struct input_file initrd_file;
	struct input_file firmware_file;
	struct input_file nvram_file; /* for writing, too; locked */
};

/* Every default, and nothing allocated. */
void run_config_init(struct run_config *c);
/* Frees and closes; the struct is then as after run_config_init(). */
void run_config_destroy(struct run_config *c);

/* Of a launch, also where it is only described; into a run_config. */
extern const struct option_desc config_boot_options[];
extern const struct option_desc config_size_options[]; /* memory, cpus */

/* The options of `coffer run`: command line, JSON keys and help in one. */
extern const struct option_table run_option_table;
/* `coffer plan` takes the same, and says how to print. */
extern const struct option_table plan_option_table;

/*
 * What a table of single options cannot say: required options, options that
 * exclude or need one another. Call once, when everything is parsed.
 * -EINVAL with ERR_USAGE, the message names the option.
 */
int run_config_finish(struct run_config *c, struct err *err);
/*
 * What the guest's memory is protected from, in one line for people; wherever a
 * guest's state is shown. It is what was asked for: that it came true is for
 * the launch (SEV) or the message of the monitor (MKTME) to say.
 */
const char *run_config_protection(const struct run_config *c);
/*
 * Open kernel, initrd and firmware; errors of input_file_open() and of
 * config_firmware_open().
 */
int run_config_open(struct run_config *c, struct err *err);

#endif
