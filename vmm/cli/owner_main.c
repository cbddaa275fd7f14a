/*
 * vmm/cli/owner_main.c - coffer-owner, the guest owner's program. It is one of
 * its own so that the monitor carries no libcrypto; `coffer owner` runs it.
 */
#include "vmm/cli/owner_cli.h"

int main(int argc, char **argv)
{
	return owner_cli_main(argc, argv);
}
