/* vmm/cli/owner_cli.h - the commands of coffer-owner. */
#ifndef VMM_CLI_OWNER_CLI_H
#define VMM_CLI_OWNER_CLI_H

enum { OWNER_EXIT_NO = 1 }; /* understood, and not to be trusted */

/* argv[1] is the command; returns the exit status of the process. */
int owner_cli_main(int argc, char *const *argv);

#endif
