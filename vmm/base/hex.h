/* vmm/base/hex.h - bytes as hexadecimal digits. */
#ifndef VMM_BASE_HEX_H
#define VMM_BASE_HEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Exactly 2 * @len digits, either case; false (and @out untouched) if not. */
bool hex_parse(const char *text, uint8_t *out, size_t len);
/* In lower case; @text holds 2 * @len + 1 bytes. Returns @text. */
const char *hex_format(const uint8_t *data, size_t len, char *text);

#endif
