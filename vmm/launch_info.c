/* vmm/launch_info.c - words, and what a measurement covers. */
#include "vmm/launch_info.h"

#include <stddef.h>

#include "vmm/base/own.h"

#define NAME(table, i)                                                         \
	((size_t)(i) < ARRAY_SIZE(table) ? (table)[(size_t)(i)] : NULL)

const char *launch_kind_name(enum launch_kind k)
{
	static const char *const names[LAUNCH_KIND_COUNT] = {
		[LAUNCH_PLAIN] = "none",
		[LAUNCH_SEV] = "sev",
		[LAUNCH_SEV_ES] = "sev-es",
	};

	return NAME(names, k);
}

const char *launch_state_name(enum launch_state s)
{
	static const char *const names[LAUNCH_STATE_COUNT] = {
		[LAUNCH_PREPARING] = "preparing",
		[LAUNCH_MEASURED] = "measured",
		[LAUNCH_RUNNING] = "running",
		[LAUNCH_ENDED] = "ended",
	};

	return NAME(names, s);
}

const char *launch_origin_name(enum launch_origin o)
{
	static const char *const names[LAUNCH_ORIGIN_COUNT] = {
		[LAUNCH_ORIGIN_UNKNOWN] = "unknown",
		[LAUNCH_HARDWARE] = "hardware",
		[LAUNCH_SIMULATED] = "simulated",
	};

	return NAME(names, o);
}

const char *launch_firmware_name(enum launch_firmware f)
{
	static const char *const names[LAUNCH_FIRMWARE_COUNT] = {
		[LAUNCH_FIRMWARE_NONE] = "none",
		[LAUNCH_FIRMWARE_STAGE0] = "stage0",
		[LAUNCH_FIRMWARE_FILE] = "file",
	};

	return NAME(names, f);
}

const char *launch_secret_format_name(enum launch_secret_format f)
{
	static const char *const names[LAUNCH_SECRET_FORMAT_COUNT] = {
		[LAUNCH_SECRET_NONE] = "none",
		[LAUNCH_SECRET_FORMAT_TABLE] = "table",
		[LAUNCH_SECRET_FORMAT_CPIO] = "cpio",
	};

	return NAME(names, f);
}

void launch_info_set_facts(struct launch_info *i)
{
	i->covered = i->not_covered = 0;
	if (i->kind == LAUNCH_PLAIN)
		return;
	i->covered = launch_facts_direct(i->kind == LAUNCH_SEV_ES);
	i->not_covered = launch_facts_open(i->covered);
}
