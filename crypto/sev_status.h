/*
 * crypto/sev_status.h - what the security processor answers: its status codes
 * and their names (AMD SEV API 0.24, "Status Codes"; Linux,
 * include/uapi/linux/psp-sev.h has the later ones).
 */
#ifndef CRYPTO_SEV_STATUS_H
#define CRYPTO_SEV_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sev_status {
	SEV_STATUS_SUCCESS = 0x00,
	SEV_STATUS_INVALID_PLATFORM_STATE = 0x01,
	SEV_STATUS_INVALID_GUEST_STATE = 0x02,
	SEV_STATUS_INVALID_CONFIG = 0x03,
	SEV_STATUS_INVALID_LEN = 0x04,
	SEV_STATUS_ALREADY_OWNED = 0x05,
	SEV_STATUS_INVALID_CERTIFICATE = 0x06,
	SEV_STATUS_POLICY_FAILURE = 0x07,
	SEV_STATUS_INACTIVE = 0x08,
	SEV_STATUS_INVALID_ADDRESS = 0x09,
	SEV_STATUS_BAD_SIGNATURE = 0x0a,
	SEV_STATUS_BAD_MEASUREMENT = 0x0b,
	SEV_STATUS_ASID_OWNED = 0x0c,
	SEV_STATUS_INVALID_ASID = 0x0d,
	SEV_STATUS_WBINVD_REQUIRED = 0x0e,
	SEV_STATUS_DFFLUSH_REQUIRED = 0x0f,
	SEV_STATUS_INVALID_GUEST = 0x10,
	SEV_STATUS_INVALID_COMMAND = 0x11,
	SEV_STATUS_ACTIVE = 0x12,
	SEV_STATUS_HWERROR_PLATFORM = 0x13,
	SEV_STATUS_HWERROR_UNSAFE = 0x14,
	SEV_STATUS_UNSUPPORTED = 0x15,
	SEV_STATUS_INVALID_PARAM = 0x16,
	SEV_STATUS_RESOURCE_LIMIT = 0x17,
	SEV_STATUS_SECURE_DATA_INVALID = 0x18,
	/* The kernel failed before it called the firmware. */
	SEV_STATUS_NO_FW_CALL = 0xffffffff,
};

/* "INVALID_LEN"; NULL for a code that has no name. */
const char *sev_status_name(uint32_t code);

/* A name, in either case. -EINVAL: nothing is called so. */
int sev_status_parse(const char *name, uint32_t *ret);

/* All codes that have a name, in ascending order; false past the last @i. */
bool sev_status_at(size_t i, uint32_t *ret);

#endif
