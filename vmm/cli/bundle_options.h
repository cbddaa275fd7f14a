/* vmm/cli/bundle_options.h - the options of `coffer bundle`. */
#ifndef VMM_CLI_BUNDLE_OPTIONS_H
#define VMM_CLI_BUNDLE_OPTIONS_H

#include "vmm/config.h"
#include "vmm/option.h"

/* One struct for all commands; each fills what it has options for. */
struct bundle_config {
	/* create: what `coffer run` would get; first, for offsets are into it
	 */
	struct run_config run;
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
