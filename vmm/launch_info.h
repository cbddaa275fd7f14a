/*
 * vmm/launch_info.h - what is known about the launch of a guest: what the API
 * shows and the owner verifies. Plain data of fixed size, so that it can go
 * from the monitor to the supervisor as one message.
 */
#ifndef VMM_LAUNCH_INFO_H
#define VMM_LAUNCH_INFO_H

#include <stdint.h>

#include "crypto/launch_fact.h"
#include "crypto/sev_abi.h"
#include "vmm/launch_ledger.h"

enum launch_kind {
	LAUNCH_PLAIN = 0,
	LAUNCH_SEV,
	LAUNCH_SEV_ES,
	LAUNCH_KIND_COUNT,
};

/* What a client may do next. */
enum launch_state {
	LAUNCH_PREPARING = 0, /* nothing yet */
	LAUNCH_MEASURED,      /* paused: secrets, then finish */
	LAUNCH_RUNNING,
	LAUNCH_ENDED,
	LAUNCH_STATE_COUNT,
};

/* Is the security processor a real one? */
enum launch_origin {
	LAUNCH_ORIGIN_UNKNOWN = 0,
	LAUNCH_HARDWARE,
	LAUNCH_SIMULATED,
	LAUNCH_ORIGIN_COUNT,
};

/* What starts first in the guest. */
enum launch_firmware {
	LAUNCH_FIRMWARE_NONE = 0, /* the kernel itself */
	LAUNCH_FIRMWARE_STAGE0,	  /* coffer's own */
	LAUNCH_FIRMWARE_FILE,	  /* another image */
	LAUNCH_FIRMWARE_COUNT,
};

enum launch_secret_format {
	LAUNCH_SECRET_NONE = 0, /* no area */
	LAUNCH_SECRET_FORMAT_TABLE,
	LAUNCH_SECRET_FORMAT_CPIO,
	LAUNCH_SECRET_FORMAT_COUNT,
};

enum { LAUNCH_INFO_ENTRIES = 16, LAUNCH_INFO_NAME = 16 };

/* One thing that was launched: for who wants to know what differs. */
struct launch_info_entry {
	char name[LAUNCH_INFO_NAME]; /* zero-terminated */
	uint8_t digest[SEV_DIGEST_LEN];
};

struct launch_info {
	enum launch_kind kind;
	enum launch_state state;
	enum launch_origin origin;
	enum launch_firmware firmware;
	uint8_t api_major, api_minor, build;
	uint8_t attested; /* 1: the owner's session was used */
	uint8_t measured; /* 1: measurement is valid */
	uint8_t emulated; /* 1: emulated C-bit, nothing is encrypted */
	uint8_t init2;	  /* 1: made by KVM_SEV_INIT2, else the older way */
	uint32_t policy;
	uint32_t handle;
	uint8_t measurement[SEV_MEASUREMENT_LEN]; /* MEASURE, MNONCE */
	uint8_t plan_digest[SEV_DIGEST_LEN];	  /* as computed by the host */
	uint64_t plan_bytes;
	uint32_t n_entries; /* the first ones, in the plan's order */
	struct launch_info_entry entry[LAUNCH_INFO_ENTRIES];
	uint64_t covered, not_covered; /* bits of enum launch_fact */
	/* Where secrets go. */
	enum launch_secret_format secret_format;
	uint64_t secret_gpa, secret_size;
	uint64_t secret_used; /* bytes taken by earlier packets */
	uint32_t n_secrets;
	struct launch_ledger ledger; /* until now */
};

/* Words of the JSON; NULL for a value that is none of the enum. */
const char *launch_kind_name(enum launch_kind k);	  /* "sev-es" */
const char *launch_state_name(enum launch_state s);	  /* "measured" */
const char *launch_origin_name(enum launch_origin o);	  /* "simulated" */
const char *launch_firmware_name(enum launch_firmware f); /* "none" */
const char *launch_secret_format_name(enum launch_secret_format f);

/* What is covered by the measurement of such a launch, and what is not. */
void launch_info_set_facts(struct launch_info *i);

#endif
