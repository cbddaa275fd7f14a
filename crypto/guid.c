/* crypto/guid.c - GUIDs (UEFI 2.10, Appendix A "GUID and Time Formats"). */
#include "crypto/guid.h"

#include <stdio.h>
#include <string.h>

/* Where the byte of each pair of digits goes: three little-endian fields. */
static const uint8_t order[GUID_LEN] = {3, 2, 1,  0,  5,  4,  7,  6,
					8, 9, 10, 11, 12, 13, 14, 15};

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool dash_at(size_t i)
{
	return i == 8 || i == 13 || i == 18 || i == 23;
}

bool guid_parse(const char *text, uint8_t guid[static GUID_LEN])
{
	uint8_t out[GUID_LEN] = {0};
	size_t n = 0;

	if (strlen(text) != GUID_TEXT_LEN - 1)
		return false;
	for (size_t i = 0; i < GUID_TEXT_LEN - 1; i++) {
		int d = digit(text[i]);

		if (dash_at(i) ? text[i] != '-' : d < 0)
			return false;
		if (dash_at(i))
			continue;
		out[order[n / 2]] = (uint8_t)(out[order[n / 2]] << 4 | d);
		n++;
	}
	memcpy(guid, out, GUID_LEN);
	return true;
}

const char *guid_format(const uint8_t guid[static GUID_LEN],
			char text[static GUID_TEXT_LEN])
{
	char *p = text;

	for (size_t i = 0; i < GUID_LEN; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*p++ = '-';
		p += sprintf(p, "%02x", guid[order[i]]);
	}
	return text;
}
