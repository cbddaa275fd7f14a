/* tests/unit/test_option_json.c - options in a file, and beside one. */
#include "tests/unit/option_fixture.h"

#include <fcntl.h>
#include <unistd.h>

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
	json_refuses("{\"note\": [\"a\", 1]}",
		     "note: [1]: expected a string, not an integer");
	json_refuses("{\"disk\": [1]}",
		     "disk: [0]: expected an object or a string, not an "
		     "integer");
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

static void keys_behind_a_wrong_one_count(void **state)
{
	enum option_outcome outcome;
	char message[128];
	struct file_fixture f;
	struct target t;
	struct err err;

	(void)state;
	write_config(&f,
		     "{\"count\": \"many\", \"three\": [], \"name\": \"x\"}",
		     "--fast");
	assert_int_equal(parse(&t, &outcome, &err, f.line), -EINVAL);
	snprintf(message, sizeof(message),
		 "%s: count: expected an integer, not a string", f.path);
	assert_string_equal(err.msg, message); /* the first */
	assert_string_equal(t.name, "x");
	option_free(&table, &t);
	unlink(f.path);
}

static void a_file_without_a_name_is_refused(void **state)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	(void)state;
	assert_int_equal(parse(&t, &outcome, &err, "--config="), -EINVAL);
	assert_string_equal(err.msg, "--config: the path is empty");
	assert_int_equal(err.kind, ERR_USAGE);
	option_free(&table, &t);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_has_the_same_keys),
		cmocka_unit_test(json_types_are_checked),
		cmocka_unit_test(json_values_are_checked),
		cmocka_unit_test(json_keys_are_checked),
		cmocka_unit_test(what_is_not_json_is_an_input_error),
		cmocka_unit_test(the_command_line_overrides_the_file),
		cmocka_unit_test(what_is_overridden_is_still_checked),
		cmocka_unit_test(keys_behind_a_wrong_one_count),
		cmocka_unit_test(a_file_without_a_name_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_is_named),
	};

	return cmocka_run_group_tests_name("option_json", tests, NULL, NULL);
}
