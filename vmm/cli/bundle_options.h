/* vmm/cli/bundle_options.h - the options of `coffer bundle`. */
#ifndef VMM_CLI_BUNDLE_OPTIONS_H
#define VMM_CLI_BUNDLE_OPTIONS_H

#include "vmm/config_devices.h"
#include "vmm/option.h"

/* One struct for all commands; each fills what it has options for. */
struct bundle_config {
	/* create: as `coffer run` has them */
	char *kernel, *initrd, *append, *firmware, *memory, *protect;
	uint64_t cpus; /* 0: not given */
	struct policy_config policy;
	/* create: its own */
	char *description, *sign, *output;
	bool force;
	/* show, verify */
	char *file, *key;
	bool json, signed_text;
};

extern const struct option_table bundle_create_table;
extern const struct option_table bundle_show_table;
extern const struct option_table bundle_verify_table;

#endif
