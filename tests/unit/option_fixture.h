/*
 * tests/unit/option_fixture.h - a small table with every kind of option, and
 * how it is parsed, for test_option.c and test_option_json.c.
 */
#ifndef TESTS_UNIT_OPTION_FIXTURE_H
#define TESTS_UNIT_OPTION_FIXTURE_H

#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static inline int disk_check(void *group, struct err *err)
{
	struct disk *d = group;

	if (d->ro && d->size)
		return err_set(err, -EINVAL, "ro contradicts size");
	d->checked = true;
	return 0;
}

static inline void disk_init(void *group)
{
	((struct disk *)group)->size = 0;
}

static inline int parse_three(void *field, const char *text, struct err *err)
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

static inline void init(void *target)
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
static inline int parse(struct target *t, enum option_outcome *outcome,
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

static inline void parses(struct target *t, const char *line)
{
	enum option_outcome outcome;
	struct err err;

	assert_int_equal(parse(t, &outcome, &err, line), 0);
	assert_int_equal(outcome, OPTION_OUTCOME_OK);
	assert_int_equal(err.code, 0);
}

static inline void refuses(const char *line, const char *message)
{
	enum option_outcome outcome;
	struct target t;
	struct err err;

	assert_int_equal(parse(&t, &outcome, &err, line), -EINVAL);
	assert_string_equal(err.msg, message);
	assert_int_equal(err.kind, ERR_USAGE);
	option_free(&table, &t);
}

static inline int from_json(struct target *t, const char *text, struct err *err)
{
	init(t);
	memset(err, 0, sizeof(*err));
	return option_parse_json(&table, text, strlen(text), NULL, t, err);
}

static inline void json_parses(struct target *t, const char *text)
{
	struct err err;

	assert_int_equal(from_json(t, text, &err), 0);
	assert_int_equal(err.code, 0);
}

static inline void json_refuses(const char *text, const char *message)
{
	struct target t;
	struct err err;

	assert_int_equal(from_json(&t, text, &err), -EINVAL);
	assert_string_equal(err.msg, message);
	assert_int_equal(err.kind, ERR_USAGE);
	option_free(&table, &t);
}

#endif
