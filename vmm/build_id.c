/* vmm/build_id.c - the one file that is compiled with the sources' digest. */
#include "vmm/build_id.h"

#include "source_id.h"

const char *coffer_build_id(void)
{
	return COFFER_VERSION "-" COFFER_SOURCE_ID;
}
