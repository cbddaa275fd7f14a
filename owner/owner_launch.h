/*
 * owner/owner_launch.h - what the host reports about a launch. All of it is
 * hostile until the measurement is verified: the MAC covers API version,
 * build, policy and nonce, and nothing covers the rest.
 */
#ifndef OWNER_OWNER_LAUNCH_H
#define OWNER_OWNER_LAUNCH_H

#include "crypto/sev_measure.h"
#include "crypto/sev_secret_area.h"
#include "owner/owner.h"

enum { OWNER_ENTRIES_MAX = 32, OWNER_ENTRY_NAME = 16 };

/* One thing that the host says it launched. */
struct owner_launch_entry {
	char name[OWNER_ENTRY_NAME];
	uint8_t digest[SEV_DIGEST_LEN];
};

struct owner_launch {
	struct sev_measure_input in; /* without digest */
	uint8_t measurement[SEV_MEASUREMENT_LEN];
	bool have_digest; /* in.digest is what the host says it launched */
	size_t n_entries; /* 0: the host does not say */
	struct owner_launch_entry entry[OWNER_ENTRIES_MAX];
	/* The area for secrets, when the host says. */
	bool have_area;
	enum sev_secret_format format;
	uint64_t area_size; /* bytes; 0: not said */
};

/*
 * Read r->launch, or make one of the values given.
 * ERR_INPUT: not JSON, a key missing or not what it should be; which
 * ERR_USAGE: neither, both, or not all values are given
 */
int owner_launch_load(const struct owner_report *r, struct owner_launch *ret,
		      struct err *err);

/* The JSON text alone; messages do not name a file. */
int owner_launch_parse(const char *text, size_t len, struct owner_launch *ret,
		       struct err *err);

/* Does @r say anything? */
bool owner_report_given(const struct owner_report *r);

#endif
