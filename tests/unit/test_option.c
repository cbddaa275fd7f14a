/* tests/unit/test_option.c - options of the command line, and help. */
#include "tests/unit/option_fixture.h"

static void every_way_of_writing_an_option_works(void **state)
{
	struct target t;

	(void)state;
	parses(&t, "--name x --file=y -c 7 -Fl --delay 1.5 --mode slow");
	assert_string_equal(t.name, "x");
	assert_string_equal(t.file, "y");
	assert_int_equal(t.count, 7);
	assert_int_equal(t.delay_ms, 1500);
	assert_int_equal(t.mode, 0);
	assert_true(t.fast && t.loud);
	option_free(&table, &t);
	parses(&t, "-Fnx -c9");
	assert_true(t.fast);
	assert_string_equal(t.name, "x");
	assert_int_equal(t.count, 9);
	option_free(&table, &t);
	parses(&t, "--name=");
	assert_string_equal(t.name, "");
	option_free(&table, &t);
}

static void a_value_may_look_like_an_option(void **state)
{
	struct target t;

	(void)state;
	parses(&t, "--name --fast -f -l");
	assert_string_equal(t.name, "--fast");
	assert_string_equal(t.file, "-l");
	assert_false(t.fast || t.loud);
	option_free(&table, &t);
}

static void nothing_given_leaves_the_defaults(void **state)
{
	struct target t;

	(void)state;
	parses(&t, "");
	assert_int_equal(t.count, 5);
	assert_int_equal(t.mode, 1);
	assert_null(t.name);
}

static void a_flag_can_be_switched_off(void **state)
{
	struct target t;

	(void)state;
	parses(&t, "--fast=off --loud=on");
	assert_false(t.fast);
	assert_true(t.loud);
	refuses("--fast=yes", "--fast: 'yes' is not on or off");
}

static void unknown_options_name_the_nearest(void **state)
{
	(void)state;
	refuses("--nmae x", "--nmae: unknown option (did you mean --name?)");
	refuses("--xyzzy",
		"--xyzzy: unknown option (coffer test -h lists them)");
	refuses("-Z", "-Z: unknown option (coffer test -h lists them)");
	refuses("-FZ", "-Z: unknown option (coffer test -h lists them)");
	refuses("--nam x", "--nam: unknown option (did you mean --name?)");
}

static void what_is_given_twice_is_refused(void **state)
{
	(void)state;
	refuses("--name x -n y", "--name: given twice");
	refuses("-FF", "--fast: given twice");
	refuses("--rom a --rom b", "--rom: given twice");
}

static void a_missing_value_is_refused(void **state)
{
	(void)state;
	refuses("--file", "--file: needs FILE");
	refuses("-c", "--count: needs N");
}

static void words_that_are_no_option_are_refused(void **state)
{
	(void)state;
	refuses("word", "'word': not an option, and no other argument is "
			"expected");
	refuses("-", "'-': not an option, and no other argument is expected");
	refuses("-- --fast",
		"'--fast': not an option, and no other argument is expected");
}

static void values_are_checked(void **state)
{
	(void)state;
	refuses("-c x", "--count: 'x' is not a number");
	refuses("-c 0", "--count: '0' is too small; at least 1 is needed");
	refuses("-c 65", "--count: '65' is too large; at most 64 is possible");
	refuses("-c 99999999999999999999",
		"--count: '99999999999999999999' is too large; at most 64 is "
		"possible");
	refuses("--delay 1h", "--delay: '1h' is not a number of seconds");
	refuses("--mode quick", "--mode: 'quick' is not one of slow, normal");
	refuses("--three four", "--three: 'four' has not three letters");
	refuses("--file=", "--file: the path is empty");
	refuses("--name 123456789",
		"--name: is 9 bytes long; at most 8 are possible");
	refuses("--note=", "--note: the text is empty");
	refuses("--note 12345",
		"--note: is 5 bytes long; at most 4 are possible");
	refuses("--note a --note b --note c --note d",
		"--note: given more than 3 times");
}

static void the_first_error_is_the_one_reported(void **state)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	(void)state;
	assert_int_equal(parse(&t, &outcome, &err, "-Z -c 0 --file x word"),
			 -EINVAL);
	assert_string_equal(err.msg,
			    "-Z: unknown option (coffer test -h lists them)");
	/* what follows is known all the same */
	assert_string_equal(t.file, "x");
	assert_int_equal(t.count, 5);
	option_free(&table, &t);
}

static void help_and_version_win_over_mistakes(void **state)
{
	static const struct {
		const char *line;
		enum option_outcome outcome;
	} cases[] = {
		{"-h", OPTION_OUTCOME_SHORT_HELP},
		{"--help", OPTION_OUTCOME_LONG_HELP},
		{"--version", OPTION_OUTCOME_VERSION},
		{"--name x --xyzzy --help", OPTION_OUTCOME_LONG_HELP},
		{"-Fh", OPTION_OUTCOME_SHORT_HELP},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		enum option_outcome outcome;
		struct target t;
		struct err err;

		assert_int_equal(parse(&t, &outcome, &err, cases[i].line), 0);
		assert_int_equal(outcome, cases[i].outcome);
		assert_null(t.name);
	}
}

static void groups_repeat(void **state)
{
	const struct disk *d;
	struct target t;

	(void)state;
	parses(&t, "-d a.img --disk path=b,,c,ro -d d.img,size=1G");
	assert_int_equal(t.disks.n, 3);
	d = t.disks.v;
	assert_string_equal(d[0].path, "a.img");
	assert_string_equal(d[1].path, "b,c");
	assert_true(d[1].ro && d[1].checked);
	assert_string_equal(d[2].path, "d.img");
	assert_true(d[2].size == GIB(1));
	option_free(&table, &t);
	assert_int_equal(t.disks.n, 0);
}

static void suboptions_are_checked(void **state)
{
	(void)state;
	refuses("-d x,soze=1", "--disk: 'soze' is unknown (did you mean "
			       "'size'?)");
	refuses("-d x,elephant", "--disk: 'elephant' is unknown; there are: "
				 "path, size, ro");
	refuses("-d x,size", "--disk: 'size' needs a value: size=SIZE");
	refuses("-d x,ro=maybe", "--disk: ro: 'maybe' is not on or off");
	refuses("-d x,size=1X", "--disk: size: '1X' is not a size");
	refuses("-d x,path=y", "--disk: 'path' is given twice");
	refuses("-d x,ro,ro", "--disk: 'ro' is given twice");
	refuses("-d ro=on", "--disk: 'path' is missing");
	refuses("-d x,size=1,ro", "--disk: ro contradicts size");
	refuses("--rom x,,y,,,ro,", "--rom: an empty item (write a comma that "
				    "belongs to a value twice)");
	refuses("-d a -d b -d c -d d -d e", "--disk: given more than 4 times");
}

static void a_suboption_flag_can_be_switched_off(void **state)
{
	struct target t;

	(void)state;
	parses(&t, "--rom x,ro=off");
	assert_false(t.rom.ro);
	option_free(&table, &t);
}

static void help_shows_every_option_in_80_columns(void **state)
{
	void (*const print[])(const struct option_table *, FILE *) = {
		option_print_short_help, option_print_long_help};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(print); i++) {
		char *text = NULL;
		size_t len = 0, column = 0;
		FILE *f = open_memstream(&text, &len);

		print[i](&table, f);
		fclose(f);
		for (const struct option_desc *o = options; o->name; o++)
			assert_non_null(strstr(text, o->name));
		for (const struct option_desc *o = more_options; o->name; o++)
			assert_non_null(strstr(text, o->name));
		assert_non_null(strstr(text, "  -f, --file FILE  "));
		for (const char *p = text; *p; p++) {
			column = *p == '\n' ? 0 : column + 1;
			assert_true(column < 80);
		}
		assert_true(!strstr(text, "[path=]FILE") == !i);
		free(text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_way_of_writing_an_option_works),
		cmocka_unit_test(a_value_may_look_like_an_option),
		cmocka_unit_test(nothing_given_leaves_the_defaults),
		cmocka_unit_test(a_flag_can_be_switched_off),
		cmocka_unit_test(unknown_options_name_the_nearest),
		cmocka_unit_test(what_is_given_twice_is_refused),
		cmocka_unit_test(a_missing_value_is_refused),
		cmocka_unit_test(words_that_are_no_option_are_refused),
		cmocka_unit_test(values_are_checked),
		cmocka_unit_test(the_first_error_is_the_one_reported),
		cmocka_unit_test(help_and_version_win_over_mistakes),
		cmocka_unit_test(groups_repeat),
		cmocka_unit_test(suboptions_are_checked),
		cmocka_unit_test(a_suboption_flag_can_be_switched_off),
		cmocka_unit_test(help_shows_every_option_in_80_columns),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
