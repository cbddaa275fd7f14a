/* crypto/guid.h - GUIDs as text and as EFI lays them in memory. */
#ifndef CRYPTO_GUID_H
#define CRYPTO_GUID_H

#include <stdbool.h>
#include <stdint.h>

enum { GUID_LEN = 16, GUID_TEXT_LEN = 37 }; /* with the terminating zero */

/*
 * "736869e5-84f0-4973-92ec-06879ce3da0b" in either case; the first three
 * fields are little-endian in @guid. False: not of this form.
 */
bool guid_parse(const char *text, uint8_t guid[static GUID_LEN]);
/* In lower case. */
const char *guid_format(const uint8_t guid[static GUID_LEN],
			char text[static GUID_TEXT_LEN]);

#endif
