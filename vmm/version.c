/* vmm/version.c - the one file that is compiled with the release's number. */
#include "vmm/version.h"

#include "vmm/machine_q35.h"

const char *coffer_version(void)
{
	return COFFER_VERSION;
}

const char *coffer_machine(void)
{
	return MACHINE_VERSION;
}
