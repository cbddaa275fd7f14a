/* vmm/quantity.c - overflow-safe parsing of numbers, sizes and durations. */
#include "vmm/quantity.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/checked.h"
#include "vmm/base/own.h"

/* Of an ASCII character; 255 for one that is no digit in any base. */
static unsigned int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned int)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned int)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned int)(c - 'A') + 10;
	return 255;
}

/* Leading digits of *text in @base; *text is left at what follows them. */
static int take_digits(const char **text, unsigned int base, uint64_t *ret)
{
	const char *p = *text;
	uint64_t v = 0;

	if (digit_value(*p) >= base)
		return -EINVAL;
	for (; digit_value(*p) < base; p++)
		if (!checked_mul(v, base, &v) ||
		    !checked_add(v, digit_value(*p), &v))
			return -ERANGE;
	*text = p;
	*ret = v;
	return 0;
}

int quantity_parse_number(const char *text, uint64_t *ret)
{
	unsigned int base = 10;
	uint64_t v;
	int r;

	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X')) {
		text += 2;
		base = 16;
	}
	r = take_digits(&text, base, &v);
	if (r < 0)
		return r;
	if (*text)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int suffix_shift(const char *s)
{
	static const char letters[] = "KMGT";
	const char *at;
	char c = *s;

	if (!c)
		return 0;
	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	at = strchr(letters, c);
	if (!at || (s[1] && strcmp(s + 1, "iB") != 0))
		return -EINVAL;
	return (int)(at - letters + 1) * 10;
}

int quantity_parse_size(const char *text, uint64_t *ret_bytes)
{
	uint64_t v;
	int r = take_digits(&text, 10, &v);
	int shift;

	if (r < 0)
		return r;
	shift = suffix_shift(text);
	if (shift < 0)
		return shift;
	if (!checked_mul(v, UINT64_C(1) << shift, &v))
		return -ERANGE;
	*ret_bytes = v;
	return 0;
}

int quantity_parse_seconds(const char *text, uint64_t *ret_ms)
{
	uint64_t v, frac = 0;
	int r = take_digits(&text, 10, &v);

	if (r < 0)
		return r;
	if (*text == '.') {
		const char *start = ++text;

		r = take_digits(&text, 10, &frac);
		if (r < 0 || text - start > 3)
			return -EINVAL;
		for (ptrdiff_t n = text - start; n < 3; n++)
			frac *= 10;
	}
	if (*text)
		return -EINVAL;
	if (!checked_mul(v, 1000, &v) || !checked_add(v, frac, &v))
		return -ERANGE;
	*ret_ms = v;
	return 0;
}

const char *quantity_format_size(uint64_t bytes,
				 char buf[static QUANTITY_TEXT_MAX])
{
	static const char *const suffix[] = {"", "K", "M", "G", "T"};
	size_t i = 0;

	while (bytes && i + 1 < ARRAY_SIZE(suffix) && !(bytes % 1024)) {
		bytes /= 1024;
		i++;
	}
	snprintf(buf, QUANTITY_TEXT_MAX, "%llu%s", (unsigned long long)bytes,
		 suffix[i]);
	return buf;
}

const char *quantity_format_seconds(uint64_t ms,
				    char buf[static QUANTITY_TEXT_MAX])
{
	int n = snprintf(buf, QUANTITY_TEXT_MAX, "%llu.%03llu",
			 (unsigned long long)(ms / 1000),
			 (unsigned long long)(ms % 1000));

	while (n > 0 && buf[n - 1] == '0')
		buf[--n] = 0;
	if (n > 0 && buf[n - 1] == '.')
		buf[n - 1] = 0;
	return buf;
}
