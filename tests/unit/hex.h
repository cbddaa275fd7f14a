/* tests/unit/hex.h - bytes of a test vector, from its hexadecimal text. */
#ifndef TESTS_UNIT_HEX_H
#define TESTS_UNIT_HEX_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/unit.h"

/* @hex must be exactly @len bytes. */
static inline void unhex(const char *hex, void *out, size_t len)
{
	assert_int_equal(strlen(hex), 2 * len);
	for (size_t i = 0; i < len; i++) {
		const char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};
		char *end;

		((uint8_t *)out)[i] = (uint8_t)strtoul(pair, &end, 16);
		assert_ptr_equal(end, pair + 2);
	}
}

static inline void assert_hex(const void *data, const char *hex)
{
	const uint8_t *p = data;
	char text[1024];

	assert_true(strlen(hex) < sizeof(text));
	for (size_t i = 0; i < strlen(hex) / 2; i++)
		snprintf(text + 2 * i, 3, "%02x", p[i]);
	assert_string_equal(text, hex);
}

/* @len bytes @first, @first + 1, ... */
static inline void count_up(void *out, size_t len, uint8_t first)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = (uint8_t)(first + i);
}

#endif
