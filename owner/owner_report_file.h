/*
 * owner/owner_report_file.h - the report of a guest that runs, from the file in
 * which a host hands it over.
 */
#ifndef OWNER_OWNER_REPORT_FILE_H
#define OWNER_OWNER_REPORT_FILE_H

#include <stdint.h>

#include "crypto/sev_abi.h"

struct err;
struct owner_bytes;

/*
 * The JSON of `coffer ctl attestation`, of which only the report itself
 * matters; or the report, raw or in base64: then @b is decoded in place.
 * -EINVAL with ERR_INPUT: none of these. Whether the report is a good one, its
 * signature says (crypto/sev_report.h).
 */
int owner_report_decode(struct owner_bytes *b,
			uint8_t raw[static SEV_REPORT_LEN], struct err *err);

#endif
