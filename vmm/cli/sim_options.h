/* vmm/cli/sim_options.h - the options of coffer-sim. */
#ifndef VMM_CLI_SIM_OPTIONS_H
#define VMM_CLI_SIM_OPTIONS_H

#include "vmm/option.h"
#include "vmm/sev_option.h"

struct sim_options {
	char *state, *trace;
	struct text_list faults;
	bool scramble, cbit_alias, no_es, no_sev;
	uint64_t c_bit; /* 0: chosen */
	struct sev_api_config api;
	int mktme_profile; /* enum sim_mktme_profile */
	uint64_t keyids, mktme_syscall;
	bool mktme_poison;
	uint64_t build, asids, es_asids, guests, psp_us_per_kib;
};

extern const struct option_table sim_option_table;

#endif
