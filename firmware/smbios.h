/*
 * firmware/smbios.h - the SMBIOS tables of a VM: who made it, its UUID, and
 * strings for the software inside.
 *
 * A 64-bit entry point ("_SM3_", DSP0134 3.0, 5.2.2) at MEM_SMBIOS, where
 * Linux looks for it between 0xf0000 and 0xfffff, followed by structures of
 * type 0, 1, 11 (if there are strings) and 127. The bytes depend on the
 * configuration only, not on the release.
 */
#ifndef FIRMWARE_SMBIOS_H
#define FIRMWARE_SMBIOS_H

#include <stddef.h>
#include <stdint.h>

struct err;

/* Where the parts are in what smbios_build() makes: the anchor is first. */
enum { SMBIOS_ANCHOR_LEN = 0x18, SMBIOS_TABLES_OFF = 32 };

enum { SMBIOS_OEM_MAX = 255 }; /* a type 11 structure counts in one byte */

struct smbios_config {
	/* In the order of the text form: RFC 4122, 4.1.2. All zero: not set. */
	uint8_t uuid[16];
	const char *serial;	/* NULL: none */
	const char *const *oem; /* @n_oem strings for type 11 */
	size_t n_oem;
};

/*
 * *ret, *ret_len   what to load at MEM_SMBIOS, at most MEM_SMBIOS_SIZE bytes;
 *                  the caller's, to be freed with free()
 * -EINVAL          a string is empty or has a control character; the message
 *                  says which
 * -E2BIG           more than SMBIOS_OEM_MAX strings, or they do not fit
 * -ENOMEM
 */
int smbios_build(const struct smbios_config *c, uint8_t **ret, size_t *ret_len,
		 struct err *err);

#endif
