/* tests/unit/bundle_parse_fixture.h - a good bundle, and what becomes of it
 * when something in it is spoilt. */
#ifndef TESTS_UNIT_BUNDLE_PARSE_FIXTURE_H
#define TESTS_UNIT_BUNDLE_PARSE_FIXTURE_H

#include <errno.h>

#include "tests/unit/bundle_fixture.h"

struct fixture {
	void *file;
	size_t len;
	struct bundle b;
	struct err err;
};

static inline int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bundle b = good_bundle();

	assert_non_null(f);
	f->file = file_of(&b, &f->len);
	*state = f;
	return 0;
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->file);
	free(f);
	return 0;
}

static inline int parse(struct fixture *f)
{
	f->err = (struct err){0};
	return bundle_parse(f->file, f->len, &f->b, &f->err);
}

static inline void refuses(struct fixture *f, int code, const char *says)
{
	assert_int_equal(parse(f), code);
	assert_int_equal(f->err.kind, ERR_INPUT);
	if (!strstr(f->err.msg, says))
		fail_msg("'%s' does not say '%s'", f->err.msg, says);
}

/* Let @change spoil a copy of the good tree, which must then be refused. */
static inline void spoilt(struct fixture *f, void (*change)(void *fdt),
			  const char *says)
{
	void *good = f->file;
	size_t len = f->len;

	f->file = opened(good, &f->len);
	change(f->file);
	f->len = packed(f->file);
	refuses(f, -EBADMSG, says);
	free(f->file);
	f->file = good;
	f->len = len;
}

#endif
