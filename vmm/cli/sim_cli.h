/* vmm/cli/sim_cli.h - coffer-sim's command line. */
#ifndef VMM_CLI_SIM_CLI_H
#define VMM_CLI_SIM_CLI_H

/* Beside those of vmm/exit_status.h. */
enum {
	SIM_EXIT_TOUCHED = 65, /* launched memory was written to */
	SIM_EXIT_CANNOT_RUN = 126,
	SIM_EXIT_NO_COMMAND = 127,
	SIM_EXIT_SIGNAL = 128, /* and the signal's number */
};

/* argv[0] is the verb; returns the exit status of the process. */
int sim_cli_main(int argc, char *const *argv);

#endif
