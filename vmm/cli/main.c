/* vmm/cli/main.c - the program; everything else can be tested without it. */
#include "vmm/cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
