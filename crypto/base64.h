/* crypto/base64.h - base64 with padding (RFC 4648, section 4). */
#ifndef CRYPTO_BASE64_H
#define CRYPTO_BASE64_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of the text of @n bytes, with its terminating zero. */
#define BASE64_TEXT_LEN(n) (((n) + 2) / 3 * 4 + 1)

/* One line, zero-terminated; @text holds BASE64_TEXT_LEN(@len) bytes. */
void base64_encode(const void *data, size_t len, char *text);

/*
 * Decode @text; white space between characters is skipped. At most @max bytes
 * are written to @data, which may be @text itself.
 * -EINVAL      another character, wrong padding, or bits left over
 * -ENOSPC      more than @max bytes
 */
int base64_decode(const char *text, size_t len, void *data, size_t max,
		  size_t *ret_len);

#endif
