/*
 * firmware/stage0/s0_hashes.h - the measured table of hashes.
 *
 * Source: QEMU, target/i386/sev.c, struct SevHashTable: what kernel-hashes=on
 * writes. A GUID, a length and the same for each entry, which is a SHA-256.
 */
#ifndef FIRMWARE_STAGE0_S0_HASHES_H
#define FIRMWARE_STAGE0_S0_HASHES_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/stage0/s0_sha256.h"
#include "firmware/stage0_reason.h"

struct s0_hashes {
	uint8_t kernel[S0_SHA256_LEN];
	uint8_t initrd[S0_SHA256_LEN];
	uint8_t cmdline[S0_SHA256_LEN]; /* with its final zero */
};

enum { S0_HASHES_TABLE_LEN = 176 }; /* with 8 bytes of padding */

/*
 * Read the table at the begin of @area, S0_HASHES_TABLE_LEN bytes, strictly:
 * the three entries once each, in any order, and nothing else.
 * STAGE0_HASHES_MISSING      it does not begin with the table's GUID
 * STAGE0_HASHES_MALFORMED    a length is wrong, or something unknown is there
 * STAGE0_HASHES_INCOMPLETE
 * *ret is written only on success.
 */
enum stage0_reason
s0_hashes_parse(const uint8_t area[static S0_HASHES_TABLE_LEN],
		struct s0_hashes *ret);

#endif
