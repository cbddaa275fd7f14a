/* vmm/cli/cli.h - the verbs. Each returns the exit status of the process. */
#ifndef VMM_CLI_CLI_H
#define VMM_CLI_CLI_H

#include "vmm/cli/cli_frame.h"

/* argv[0] is "coffer"; finds the verb in argv[1] and calls it. */
int cli_main(int argc, char *const *argv);

/* argv[0] is the verb, options follow. */
int cli_run(int argc, char *const *argv);
int cli_doctor(int argc, char *const *argv);
int cli_plan(int argc, char *const *argv);
int cli_mktme(int argc, char *const *argv);
int cli_ctl(int argc, char *const *argv);
int cli_sev(int argc, char *const *argv);
int cli_bundle(int argc, char *const *argv);
int cli_owner(int argc, char *const *argv);
int cli_sim(int argc, char *const *argv);

/* Their options, for `coffer help VERB`. run, plan: vmm/config.h */
extern const struct option_table doctor_option_table;
extern const struct option_table sev_option_table;
extern const struct option_table mktme_option_table;
extern const struct option_table ctl_option_table;

#endif
