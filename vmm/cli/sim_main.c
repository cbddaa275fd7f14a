/*
 * vmm/cli/sim_main.c - coffer-sim, a program of its own because it links
 * libcrypto; `coffer sim` runs it.
 */
#include "vmm/cli/sim_cli.h"

int main(int argc, char **argv)
{
	return sim_cli_main(argc, argv);
}
