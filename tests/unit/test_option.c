/*
 * tests/unit/test_option.c - the option parser, over a table that has what
 * the table of `coffer run` has not yet: repeatable groups.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/option.h"

struct disk {
	char *path;
	uint64_t size;
	bool ro;
	bool checked;
};

struct target {
	char *name;
	char *file;
	char *config;
	uint64_t count;
	uint64_t delay_ms;
	int mode;
	bool fast, loud;
	struct text_list notes;
	struct group_list disks;
	struct disk rom;
	char parsed[8];
};

static int disk_check(void *group, struct err *err)
{
	struct disk *d = group;

	if (d->ro && d->size)
		return err_set(err, -EINVAL, "ro contradicts size");
	d->checked = true;
	return 0;
}

static void disk_init(void *group)
{
	((struct disk *)group)->size = 0;
}

static int parse_three(void *field, const char *text, struct err *err)
{
	if (strlen(text) != 3)
		return err_set(err, -EINVAL, "'%.8s' has not three letters",
			       text);
	memcpy(field, text, 4);
	return 0;
}

#define AT(f, t) OPTION_AT(struct target, f, t)
#define DISK(f, t) OPTION_AT(struct disk, f, t)

static const char *const modes[] = {"slow", "normal", NULL};

static const struct option_desc disk_subs[] = {
	{.name = "path",
	 .kind = OPTION_PATH,
	 .off = DISK(path, char *),
	 .arg = "FILE",
	 .help = "image",
	 .implicit = true,
	 .required = true},
	{.name = "size",
	 .kind = OPTION_SIZE,
	 .off = DISK(size, uint64_t),
	 .arg = "SIZE",
	 .help = "of the image"},
	{.name = "ro",
	 .kind = OPTION_FLAG,
	 .off = DISK(ro, bool),
	 .help = "read-only"},
	{0},
};

static const struct option_desc options[] = {
	{.name = "name",
	 .short_name = 'n',
	 .kind = OPTION_TEXT,
	 .off = AT(name, char *),
	 .arg = "TEXT",
	 .help = "a name",
	 .max = 8},
	{.name = "file",
	 .short_name = 'f',
	 .kind = OPTION_PATH,
	 .off = AT(file, char *),
	 .arg = "FILE",
	 .help = "a file"},
	{.name = "count",
	 .short_name = 'c',
	 .kind = OPTION_NUMBER,
	 .off = AT(count, uint64_t),
	 .arg = "N",
	 .help = "a number",
	 .min = 1,
	 .max = 64},
	{.name = "delay",
	 .kind = OPTION_SECONDS,
	 .off = AT(delay_ms, uint64_t),
	 .arg = "SECONDS",
	 .help = "a time"},
	{.name = "mode",
	 .kind = OPTION_CHOICE,
	 .off = AT(mode, int),
	 .arg = "slow|normal",
	 .help = "a choice",
	 .choices = modes},
	{.name = "fast",
	 .short_name = 'F',
	 .kind = OPTION_FLAG,
	 .off = AT(fast, bool),
	 .help = "a flag"},
	{.name = "loud",
	 .short_name = 'l',
	 .kind = OPTION_FLAG,
	 .off = AT(loud, bool),
	 .help = "another flag"},
	{0},
};

static const struct option_desc more_options[] = {
	{.name = "note",
	 .kind = OPTION_TEXTS,
	 .off = AT(notes, struct text_list),
	 .arg = "TEXT",
	 .help = "a text",
	 .max = 3,
	 .entry_max = 4},
	{.name = "disk",
	 .short_name = 'd',
	 .kind = OPTION_GROUPS,
	 .off = AT(disks, struct group_list),
	 .arg = "FILE[,KEY...]",
	 .help = "a disk",
	 .subs = disk_subs,
	 .group_size = sizeof(struct disk),
	 .group_init = disk_init,
	 .group_check = disk_check,
	 .max = 4},
	{.name = "rom",
	 .kind = OPTION_GROUP,
	 .off = AT(rom, struct disk),
	 .arg = "FILE[,KEY...]",
	 .help = "a read-only memory",
	 .subs = disk_subs,
	 .group_size = sizeof(struct disk)},
	{.name = "three",
	 .kind = OPTION_PARSED,
	 .off = offsetof(struct target, parsed),
	 .arg = "XYZ",
	 .help = "three letters",
	 .parse = parse_three},
	{.name = "config",
	 .kind = OPTION_PATH,
	 .off = AT(config, char *),
	 .arg = "FILE",
	 .help = "a configuration file",
	 .is_config = true},
	{.name = "help",
	 .short_name = 'h',
	 .kind = OPTION_HELP,
	 .help = "help"},
	{.name = "version", .kind = OPTION_VERSION, .help = "version"},
	{0},
};

static const struct option_section sections[] = {
	{"Options", options},
	{"More options", more_options},
	{0},
};

static void init(void *target)
{
	*(struct target *)target = (struct target){.count = 5, .mode = 1};
}

static const struct option_table table = {
	.verb = "test",
	.synopsis = "[OPTION...]",
	.summary = "Test.",
	.sections = sections,
	.size = sizeof(struct target),
	.init = init,
};

enum { ARGS_MAX = 16 };

/* Parse the words of @line, which spaces separate. */
static int parse(struct target *t, enum option_outcome *outcome,
		 struct err *err, const char *line)
{
	AUTO(freep) char *copy = strdup(line);
	char *rest = copy, *argv[ARGS_MAX] = {(char *)"test"};
	int argc = 1;

	while (rest && *rest)
		argv[argc++] = strsep(&rest, " ");
	init(t);
	memset(err, 0, sizeof(*err));
	return option_parse_args(&table, argc, argv, t, outcome, err);
}

static void parses(struct target *t, const char *line)
{
	enum option_outcome outcome;
	struct err err;

	assert_int_equal(parse(t, &outcome, &err, line), 0);
	assert_int_equal(outcome, OPTION_OUTCOME_OK);
	assert_int_equal(err.code, 0);
}

static void refuses(const char *line, const char *message)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	assert_int_equal(parse(&t, &outcome, &err, line), -EINVAL);
	assert_string_equal(err.msg, message);
	assert_int_equal(err.kind, ERR_USAGE);
	option_free(&table, &t);
}

static int from_json(struct target *t, const char *text, struct err *err)
{
	init(t);
	memset(err, 0, sizeof(*err));
	return option_parse_json(&table, text, strlen(text), NULL, t, err);
}

static void json_parses(struct target *t, const char *text)
{
	struct err err;

	assert_int_equal(from_json(t, text, &err), 0);
	assert_int_equal(err.code, 0);
}

static void json_refuses(const char *text, const char *message)
{
	struct target t;
	struct err err;

	assert_int_equal(from_json(&t, text, &err), -EINVAL);
	assert_string_equal(err.msg, message);
	assert_int_equal(err.kind, ERR_USAGE);
	option_free(&table, &t);
}

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

static void json_has_the_same_keys(void **state)
{
	const struct disk *d;
	struct target t;

	(void)state;
	json_parses(&t, "{\"name\": \"x\", \"file\": \"y\", \"count\": 7,"
			"\"delay\": 0.1, \"mode\": \"slow\", \"fast\": true,"
			"\"loud\": false, \"note\": [\"a\", \"b\"],"
			"\"three\": \"xyz\", \"rom\": \"r,ro\","
			"\"disk\": [\"a.img\", {\"path\": \"b,c\","
			"\"size\": \"1G\"}, {\"path\": \"d\", \"size\": 4096,"
			"\"ro\": false}]}");
	assert_string_equal(t.name, "x");
	assert_int_equal(t.count, 7);
	assert_int_equal(t.delay_ms, 100);
	assert_int_equal(t.mode, 0);
	assert_true(t.fast);
	assert_int_equal(t.notes.n, 2);
	assert_string_equal(t.notes.v[1], "b");
	assert_string_equal(t.parsed, "xyz");
	assert_true(t.rom.ro);
	assert_int_equal(t.disks.n, 3);
	d = t.disks.v;
	assert_string_equal(d[0].path, "a.img");
	assert_string_equal(d[1].path, "b,c");
	assert_true(d[1].size == GIB(1));
	assert_int_equal(d[2].size, 4096);
	option_free(&table, &t);
}

static void json_types_are_checked(void **state)
{
	(void)state;
	json_refuses("{\"name\": 1}",
		     "name: expected a string, not an integer");
	json_refuses("{\"count\": \"7\"}",
		     "count: expected an integer, not a string");
	json_refuses("{\"count\": 7.5}", "count: expected an integer, not a "
					 "number with decimals");
	json_refuses("{\"fast\": 1}",
		     "fast: expected true or false, not an integer");
	json_refuses("{\"delay\": \"1\"}",
		     "delay: expected a number, not a string");
	json_refuses("{\"note\": \"a\"}",
		     "note: expected an array of strings, not a string");
	json_refuses("{\"note\": [\"a\", 1]}", "note: [1]: expected an array "
					       "of strings, not an integer");
	json_refuses("{\"disk\": {}}", "disk: expected an array of objects or "
				       "strings, not an object");
	json_refuses("{\"rom\": null}",
		     "rom: expected an object or a string, not null");
	json_refuses("{\"rom\": {\"path\": \"x\", \"size\": true}}",
		     "rom: size: expected a string like \"512M\" or an integer "
		     "of bytes, not true or false");
	json_refuses("{\"three\": []}",
		     "three: expected a string, not an array");
	json_refuses("[]", "expected an object, not an array");
}

static void json_values_are_checked(void **state)
{
	(void)state;
	json_refuses("{\"count\": 65}",
		     "count: '65' is too large; at most 64 is possible");
	json_refuses("{\"count\": -1}", "count: '-1' is not a number");
	json_refuses("{\"delay\": 1e300}",
		     "delay: '1e+300' is not a number of seconds");
	json_refuses("{\"delay\": 0.0001}",
		     "delay: '0.0001' is not a number of seconds");
	json_refuses("{\"disk\": [\"a\", {\"ro\": true}]}",
		     "disk: [1]: 'path' is missing");
	json_refuses("{\"disk\": [{\"path\": \"\"}]}",
		     "disk: [0]: path: the path is empty");
}

static void json_keys_are_checked(void **state)
{
	(void)state;
	json_refuses("{\"nmae\": 1}",
		     "'nmae': unknown key (did you mean 'name'?)");
	json_refuses("{\"xyzzy\": 1}",
		     "'xyzzy': unknown key (they are named as the long "
		     "options; coffer test -h lists them)");
	json_refuses("{\"disk\": [{\"paht\": 1}]}",
		     "disk: [0]: 'paht' is unknown (did you mean 'path'?)");
	/* not from a file: the file itself, and help */
	json_refuses("{\"config\": \"x\"}",
		     "'config': unknown key (they are named as the long "
		     "options; coffer test -h lists them)");
	json_refuses("{\"help\": true}",
		     "'help': unknown key (they are named as the long options; "
		     "coffer test -h lists them)");
}

static void what_is_not_json_is_an_input_error(void **state)
{
	static const char *const bad[] = {
		"",
		"{",
		"{} {}",
		"{\"name\": \"a\", \"name\": \"b\"}",
		"{\"name\": \"\\u0000\"}",
		"{\"name\": \"\xff\"}",
		"{name: 1}",
		"ELF",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct target t;
		struct err err;

		assert_int_equal(from_json(&t, bad[i], &err), -EINVAL);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_int_equal(strncmp(err.msg, "line ", 5), 0);
		option_free(&table, &t);
	}
}

struct file_fixture {
	char path[32];
	char line[128];
};

static void write_config(struct file_fixture *f, const char *text,
			 const char *args)
{
	int fd;

	snprintf(f->path, sizeof(f->path), "/tmp/coffer-test-XXXXXX");
	fd = mkstemp(f->path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	snprintf(f->line, sizeof(f->line), "%s --config %s", args, f->path);
}

static void the_command_line_overrides_the_file(void **state)
{
	struct file_fixture f;
	struct target t;

	(void)state;
	write_config(&f,
		     "{\"name\": \"file\", \"count\": 9, \"fast\": true,"
		     "\"note\": [\"x\"], \"disk\": [\"x\", \"y\"]}",
		     "-n line --fast=off --note a -d z");
	parses(&t, f.line);
	assert_string_equal(t.name, "line");
	assert_int_equal(t.count, 9);
	assert_false(t.fast);
	assert_int_equal(t.notes.n, 1);
	assert_string_equal(t.notes.v[0], "a");
	assert_int_equal(t.disks.n, 1);
	assert_string_equal(((struct disk *)t.disks.v)->path, "z");
	option_free(&table, &t);
	unlink(f.path);
}

static void what_is_overridden_is_still_checked(void **state)
{
	enum option_outcome outcome;
	char message[128];
	struct file_fixture f;
	struct target t;
	struct err err;

	(void)state;
	write_config(&f, "{\"count\": \"many\"}", "-c 7");
	assert_int_equal(parse(&t, &outcome, &err, f.line), -EINVAL);
	snprintf(message, sizeof(message),
		 "%s: count: expected an integer, not a string", f.path);
	assert_string_equal(err.msg, message);
	option_free(&table, &t);
	unlink(f.path);
}

static void a_file_that_cannot_be_read_is_named(void **state)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	(void)state;
	assert_int_equal(parse(&t, &outcome, &err, "--config /nonexistent/x"),
			 -ENOENT);
	assert_int_equal(err.kind, ERR_INPUT);
	assert_string_equal(err.msg, "/nonexistent/x: cannot open: No such "
				     "file or directory");
	option_free(&table, &t);
	assert_int_equal(parse(&t, &outcome, &err, "--config /tmp"), -EISDIR);
	assert_int_equal(err.kind, ERR_INPUT);
	option_free(&table, &t);
	assert_int_equal(parse(&t, &outcome, &err, "--config /dev/zero"),
			 -EFBIG);
	assert_int_equal(err.kind, ERR_INPUT);
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
		cmocka_unit_test(json_has_the_same_keys),
		cmocka_unit_test(json_types_are_checked),
		cmocka_unit_test(json_values_are_checked),
		cmocka_unit_test(json_keys_are_checked),
		cmocka_unit_test(what_is_not_json_is_an_input_error),
		cmocka_unit_test(the_command_line_overrides_the_file),
		cmocka_unit_test(what_is_overridden_is_still_checked),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
		cmocka_unit_test(help_shows_every_option_in_80_columns),
	};

	return cmocka_run_group_tests_name("option", tests, NULL, NULL);
}
