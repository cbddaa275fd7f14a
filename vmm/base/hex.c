/* vmm/base/hex.c - bytes from hexadecimal digits and back. */
#include "vmm/base/hex.h"

#include <string.h>

enum { NO_DIGIT = 16 };

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a' + 10);
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A' + 10);
	return NO_DIGIT;
}

bool hex_parse(const char *text, uint8_t *out, size_t len)
{
	if (strlen(text) != 2 * len)
		return false;
	for (size_t i = 0; i < 2 * len; i++)
		if (digit(text[i]) == NO_DIGIT)
			return false;
	for (size_t i = 0; i < len; i++)
		out[i] = (uint8_t)(digit(text[2 * i]) << 4 |
				   digit(text[2 * i + 1]));
	return true;
}

const char *hex_format(const uint8_t *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < len; i++) {
		text[2 * i] = digits[data[i] >> 4];
		text[2 * i + 1] = digits[data[i] & 15];
	}
	text[2 * len] = 0;
	return text;
}
