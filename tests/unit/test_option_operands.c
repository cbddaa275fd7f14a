/* tests/unit/test_option_operands.c - words on the command line. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/option.h"

struct target {
	char *from, *to;
	struct text_list rest;
	bool fast;
};

#define AT(f, t) OPTION_AT(struct target, f, t)

static const struct option_desc options[] = {
	{.name = "FROM",
	 .kind = OPTION_PATH,
	 .off = AT(from, char *),
	 .help = "where from",
	 .operand = true,
	 .required = true},
	{.name = "TO",
	 .kind = OPTION_TEXT,
	 .off = AT(to, char *),
	 .help = "where to",
	 .operand = true,
	 .max = 4},
	{.name = "fast",
	 .short_name = 'f',
	 .kind = OPTION_FLAG,
	 .off = AT(fast, bool),
	 .help = "faster"},
	{.name = "help",
	 .short_name = 'h',
	 .kind = OPTION_HELP,
	 .help = "help"},
	{0},
};

static const struct option_desc rest[] = {
	{.name = "MORE",
	 .kind = OPTION_TEXTS,
	 .off = AT(rest, struct text_list),
	 .help = "what else",
	 .operand = true,
	 .max = 2,
	 .entry_max = 4},
	{0},
};

static const struct option_section sections[] = {
	{"Options", options},
	{"The rest", rest},
	{0},
};

static void init(void *target)
{
	*(struct target *)target = (struct target){0};
}

static const struct option_table table = {
	.verb = "test words",
	.synopsis = "FROM [TO [MORE...]]",
	.summary = "Test.",
	.sections = sections,
	.size = sizeof(struct target),
	.init = init,
};

/* Parse the words of @line, which spaces separate. */
static int parse(struct target *t, enum option_outcome *outcome,
		 struct err *err, const char *line)
{
	AUTO(freep) char *copy = strdup(line);
	char *next = copy, *argv[16] = {(char *)"test"};
	int argc = 1;

	while (next && *next)
		argv[argc++] = strsep(&next, " ");
	init(t);
	*err = (struct err){0};
	return option_parse_args(&table, argc, argv, t, outcome, err);
}

static void words_go_to_operands_in_order(void **state)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	(void)state;
	assert_int_equal(parse(&t, &outcome, &err, "a -f b c -- -d"), 0);
	assert_string_equal(t.from, "a");
	assert_string_equal(t.to, "b");
	assert_int_equal(t.rest.n, 2);
	assert_string_equal(t.rest.v[0], "c");
	assert_string_equal(t.rest.v[1], "-d");
	assert_true(t.fast);
	option_free(&table, &t);
	assert_null(t.from);
	assert_int_equal(t.rest.n, 0);
}

static void what_is_not_required_may_be_missing(void **state)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	(void)state;
	assert_int_equal(parse(&t, &outcome, &err, "-"), 0);
	assert_string_equal(t.from, "-");
	assert_null(t.to);
	option_free(&table, &t);
}

static void refuses(const char *line, const char *message)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	assert_int_equal(parse(&t, &outcome, &err, line), -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_string_equal(err.msg, message);
	option_free(&table, &t);
}

static void mistakes_are_named(void **state)
{
	(void)state;
	refuses("", "FROM is missing (coffer test words -h tells more)");
	refuses("--fast", "FROM is missing (coffer test words -h tells more)");
	refuses("a longer", "TO: is 6 bytes long; at most 4 are possible");
	refuses("--FROM x",
		"--FROM: unknown option (coffer test words -h lists them)");
	refuses("--from=x a",
		"--from: unknown option (coffer test words -h lists them)");
}

static void too_many_words_are_refused(void **state)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	(void)state;
	assert_int_equal(parse(&t, &outcome, &err, "a b c d e"), -EINVAL);
	assert_non_null(strstr(err.msg, "MORE"));
	option_free(&table, &t);
}

static void help_needs_no_operand_and_names_them(void **state)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;
	char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_int_equal(parse(&t, &outcome, &err, "-h"), 0);
	assert_int_equal(outcome, OPTION_OUTCOME_SHORT_HELP);
	option_print_short_help(&table, f);
	fclose(f);
	assert_non_null(strstr(text, "\n  FROM   "));
	assert_non_null(strstr(text, "\n  MORE...  "));
	assert_null(strstr(text, "--FROM"));
	/* the page is that of the first word */
	assert_non_null(strstr(text, "coffer-test(1)"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_go_to_operands_in_order),
		cmocka_unit_test(what_is_not_required_may_be_missing),
		cmocka_unit_test(mistakes_are_named),
		cmocka_unit_test(too_many_words_are_refused),
		cmocka_unit_test(help_needs_no_operand_and_names_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
