/*
 * tests/unit/config_fixture.h - the options of `coffer run`, parsed and checked
 * as a whole, into one configuration per test program.
 */
#ifndef TESTS_UNIT_CONFIG_FIXTURE_H
#define TESTS_UNIT_CONFIG_FIXTURE_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/config.h"

static struct run_config c;
static struct err e;

/* Parse and finish `run` with the words of both lists; 0 or the error. */
static inline int parse(const char *const *first, const char *const *more)
{
	char *argv[24] = {(char *)"run"};
	enum option_outcome o;
	int argc = 1, r;

	while (*first)
		argv[argc++] = (char *)*first++;
	while (*more)
		argv[argc++] = (char *)*more++;
	run_config_destroy(&c);
	memset(&e, 0, sizeof(e));
	r = option_parse_args(&run_option_table, argc, argv, &c, &o, &e);
	return r < 0 ? r : run_config_finish(&c, &e);
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static inline int setup(void **state)
{
	(void)state;
	run_config_init(&c);
	return 0;
}

static inline int teardown(void **state)
{
	(void)state;
	run_config_destroy(&c);
	return 0;
}

static inline void refused(int r, const char *needle)
{
	assert_int_equal(r, -EINVAL);
	assert_int_equal(e.kind, ERR_USAGE);
	if (!strstr(e.msg, needle))
		fail_msg("'%s' is not in: %s", needle, e.msg);
}

#endif
