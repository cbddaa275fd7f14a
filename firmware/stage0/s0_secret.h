/*
 * firmware/stage0/s0_secret.h - the owner's table of secrets becomes an archive
 * that Linux unpacks.
 *
 * Source of the table: Linux, Documentation/security/secrets/coco.rst. The
 * archive has the names that secrets have without a firmware, too:
 * /.coffer/secrets/GUID, mode 0400.
 */
#ifndef FIRMWARE_STAGE0_S0_SECRET_H
#define FIRMWARE_STAGE0_S0_SECRET_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/stage0_reason.h"

enum {
	S0_SECRET_MAX = 64, /* entries */
	/* of the archive, for any table in S0_SECRETS_LEN bytes */
	S0_SECRET_CPIO_MAX = 0x5000,
};

/*
 * @area        @len bytes; the table is at its begin
 * @out         S0_SECRET_CPIO_MAX bytes
 * *ret_len     0: there is no table, which is fine
 * STAGE0_SECRETS: it is malformed, has too many entries, or does not fit; what
 * is at @out is then of no use.
 */
enum stage0_reason s0_secret_to_cpio(const uint8_t *area, size_t len,
				     uint8_t *out, size_t *ret_len);

#endif
