/*
 * crypto/sev_secret_area.h - the two forms in which secrets are laid into the
 * guest.
 *
 * - table: a list of GUIDs and bytes. Firmware keeps it for the guest; Linux
 *   shows it in /sys/kernel/security/secrets/coco (Linux,
 *   Documentation/security/secrets/coco.rst).
 * - cpio: an archive in cpio's newc format. It lies behind the initial RAM
 *   disk, and the kernel itself unpacks it: the way without firmware.
 *
 * Both are padded with zeros to 16 bytes and are at most SEV_SECRET_MAX.
 */
#ifndef CRYPTO_SEV_SECRET_AREA_H
#define CRYPTO_SEV_SECRET_AREA_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/guid.h"
#include "crypto/sev_abi.h"

struct err;

enum { SEV_SECRETS_MAX = 64 }; /* Linux shows no more; ours for cpio too */

struct sev_secret_entry {
	uint8_t guid[GUID_LEN];
	const void *data; /* borrowed */
	size_t len;
};

enum sev_secret_format { SEV_SECRET_TABLE, SEV_SECRET_CPIO };

/* "table", "cpio". */
const char *sev_secret_format_name(enum sev_secret_format f);

/*
 * Lay out @n secrets in @area, of at most @max bytes. In a cpio archive each
 * is /.coffer/secrets/GUID with mode 0400, and the directories are there too,
 * without which the kernel creates nothing.
 * -EINVAL with ERR_USAGE: none, too many, a GUID twice, a GUID of zeros
 * -ENOSPC with ERR_INPUT: they do not fit, both sizes are named
 */
int sev_secret_area_build(enum sev_secret_format f,
			  const struct sev_secret_entry *v, size_t n,
			  uint8_t *area, size_t max, size_t *ret_len,
			  struct err *err);

/*
 * Read a table; data points into @area. For those who receive one: it is
 * checked in full, and what is behind its end must be zeros.
 * -EINVAL with ERR_INPUT and the reason
 */
int sev_secret_table_parse(const void *area, size_t len,
			   struct sev_secret_entry v[static SEV_SECRETS_MAX],
			   size_t *ret_n, struct err *err);

/* Which form is it? -EINVAL: neither. */
int sev_secret_area_guess(const void *area, size_t len,
			  enum sev_secret_format *ret);

#endif
