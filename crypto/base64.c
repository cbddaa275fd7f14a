/* crypto/base64.c - base64, strictly. */
#include "crypto/base64.h"

#include <errno.h>
#include <string.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
			       "abcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(const void *data, size_t len, char *text)
{
	const uint8_t *p = data;

	for (; len; text += 4) {
		size_t n = len < 3 ? len : 3;
		uint32_t v = (uint32_t)p[0] << 16;

		if (n > 1)
			v |= (uint32_t)p[1] << 8;
		if (n > 2)
			v |= p[2];
		text[0] = alphabet[v >> 18];
		text[1] = alphabet[v >> 12 & 63];
		text[2] = alphabet[v >> 6 & 63];
		text[3] = alphabet[v & 63];
		memset(text + 1 + n, '=', 3 - n);
		p += n;
		len -= n;
	}
	*text = 0;
}

struct decoder {
	uint8_t *out;
	size_t n, max;
	uint32_t bits;
	unsigned int count; /* characters in bits, 0..3 */
	unsigned int pad;   /* '=' seen */
};

static int put(struct decoder *d, unsigned int shift)
{
	if (d->n == d->max)
		return -ENOSPC;
	d->out[d->n++] = (uint8_t)(d->bits >> shift);
	return 0;
}

/* Four characters have come, the last d->pad of them '='. */
static int flush(struct decoder *d)
{
	int r = 0;

	if ((d->pad == 1 && (d->bits & 0xff)) ||
	    (d->pad == 2 && (d->bits & 0xffff)))
		return -EINVAL;
	for (unsigned int i = 0; !r && i < 3 - d->pad; i++)
		r = put(d, 16 - 8 * i);
	d->bits = d->count = 0;
	return r;
}

static int take(struct decoder *d, char c)
{
	const char *at = c ? strchr(alphabet, c) : NULL;
	uint32_t v = 0;

	if (c == ' ' || c == '\t' || c == '\r' || c == '\n')
		return 0;
	if (c == '=') {
		if (d->count < 2 || d->pad == 2)
			return -EINVAL;
		d->pad++;
	} else if (!at || d->pad) {
		return -EINVAL;
	} else {
		v = (uint32_t)(at - alphabet);
	}
	d->bits = d->bits << 6 | v;
	return ++d->count == 4 ? flush(d) : 0;
}

int base64_decode(const char *text, size_t len, void *data, size_t max,
		  size_t *ret_len)
{
	struct decoder d = {.out = data, .max = max};
	int r = 0;

	for (size_t i = 0; !r && i < len; i++)
		r = take(&d, text[i]);
	if (!r && d.count)
		r = -EINVAL;
	if (!r)
		*ret_len = d.n;
	return r;
}
