/* vmm/bundle/bundle_signed.c - everything that is used of a bundle, as text. */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vmm/bundle/bundle.h"

static void add(struct bundle_signed *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* All that is added is bounded: parsed texts, numbers and hashes. */
static void add(struct bundle_signed *s, const char *fmt, ...)
{
	size_t left = sizeof(s->text) - s->len;
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(s->text + s->len, left, fmt, ap);
	va_end(ap);
	if (n > 0)
		s->len += (size_t)n < left ? (size_t)n : left - 1;
}

static void add_hash(struct bundle_signed *s, const char *name, uint64_t len,
		     const uint8_t hash[static HASH256_LEN])
{
	add(s, "%s %" PRIu64 " ", name, len);
	for (size_t i = 0; i < HASH256_LEN; i++)
		add(s, "%02x", hash[i]);
	add(s, "\n");
}

static int add_text_hash(struct bundle_signed *s, const char *name,
			 const char *text, struct hash256 *h)
{
	uint8_t hash[HASH256_LEN];
	int r;

	if (!text)
		return 0;
	r = hash256_of(h, text, strlen(text), hash);
	if (r >= 0)
		add_hash(s, name, strlen(text), hash);
	return r;
}

/* What is not said has no line. No text has a line's end in it. */
int bundle_signed_text(const struct bundle *b, struct hash256 *h,
		       struct bundle_signed *ret)
{
	struct bundle_signed *s = ret;
	int r;

	s->len = 0;
	add(s, "coffer-1\n");
	for (enum bundle_part i = 0; i < BUNDLE_PARTS; i++)
		if (b->image[i].len)
			add_hash(s, bundle_part_name(i), b->image[i].len,
				 b->image[i].sha256);
	r = add_text_hash(s, "cmdline", b->cmdline, h);
	if (r >= 0)
		r = add_text_hash(s, "description", b->description, h);
	add(s, "machine %s\n", b->machine);
	if (b->protect)
		add(s, "protect %s\n", b->protect);
	if (b->cpus)
		add(s, "cpus %" PRIu32 "\n", b->cpus);
	if (b->memory)
		add(s, "memory %" PRIu64 "\n", b->memory);
	if (b->have_policy)
		add(s, "policy 0x%08" PRIx32 "\n", b->policy);
	return r;
}
