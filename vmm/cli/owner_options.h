/* vmm/cli/owner_options.h - the options of the guest owner's commands. */
#ifndef VMM_CLI_OWNER_OPTIONS_H
#define VMM_CLI_OWNER_OPTIONS_H

#include "vmm/option.h"
#include "vmm/sev_option.h"

/* One struct for all commands; each fills what it has options for. */
struct owner_config {
	/* session */
	char *chain, *name, *roots, *cek;
	struct policy_config policy;
	bool simulated, unverified, force;
	/* what should have been launched */
	char *bundle, *bundle_key;
	char *digest, *firmware, *kernel, *initrd, *append;
	char *config, *memory, *uuid; /* as `coffer run` has them */
	struct text_list oem_strings;
	char *vmsa_profile;
	struct text_list vmsa;
	char *vmsa_cpu0, *vmsa_cpu1; /* measure: written */
	uint64_t cpus;
	uint64_t cpu_family, cpu_model, cpu_stepping; /* OWNER_NO_CPU */
	bool es;
	/* what the host reports */
	char *launch, *measurement;
	struct sev_api_config api;
	uint64_t build; /* OWNER_NO_BUILD: not given */
	/* keys and conditions */
	char *tik, *tek, *session;
	struct sev_api_config min_api;
	uint64_t min_build;
	struct text_list require;
	/* attestation */
	char *nonce, *report;
	/* secret */
	struct text_list secrets;
	char *format, *header, *payload;
	/* inspect */
	struct text_list files;
};

enum { OWNER_NO_BUILD = 256, OWNER_NO_CPU = 1 << 16 };

extern const struct option_table owner_session_table;
extern const struct option_table owner_measure_table;
extern const struct option_table owner_verify_table;
extern const struct option_table owner_secret_table;
extern const struct option_table owner_attestation_table;
extern const struct option_table owner_inspect_table;

#endif
