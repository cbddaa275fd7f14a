/*
 * vmm/option.h - one table of options drives the command line, the JSON
 * configuration file and the help text.
 *
 * An option describes one field of a caller's struct: where it is, what it
 * holds, how it is called. The same description serves as a suboption, so that
 * `--disk path=a.img,ro` and {"disk": [{"path": "a.img", "ro": true}]} fill the
 * same struct by the same rules.
 *
 * The command line is parsed here and not by getopt_long(), which accepts
 * every unambiguous abbreviation (a script that says --mem breaks on the day
 * another option starts with it) and keeps its state in globals.
 */
#ifndef VMM_OPTION_H
#define VMM_OPTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct err;

/* What a field is. Strings are malloc'ed; option_free() frees them. */
enum option_kind {
	OPTION_FLAG,	/* bool; no argument, or =on|off; JSON boolean */
	OPTION_TEXT,	/* char *; JSON string, at most max bytes */
	OPTION_PATH,	/* char *, not empty; JSON string */
	OPTION_TEXTS,	/* struct text_list; repeatable; JSON array of strings;
			   at most max of them, 1..entry_max bytes each */
	OPTION_NUMBER,	/* uint64_t, min..max; JSON integer */
	OPTION_SIZE,	/* uint64_t, bytes, min..max; JSON string or integer */
	OPTION_SECONDS, /* uint64_t, milliseconds; JSON number */
	OPTION_CHOICE,	/* int, index into choices; JSON string */
	OPTION_PARSED,	/* whatever parse() fills; JSON string */
	OPTION_GROUP,	/* a struct with suboptions; JSON string or object */
	OPTION_GROUPS,	/* struct group_list of them, at most max; repeatable;
			   JSON array */
	OPTION_HELP,	/* no field: -h short help, --help long help */
	OPTION_VERSION, /* no field */
};

struct text_list {
	char **v;
	size_t n;
};

/* v is an array of n structs of the option's group_size bytes. */
struct group_list {
	void *v;
	size_t n;
};

struct option_desc {
	const char *name; /* long option and JSON key; NULL ends a table */
	char short_name;  /* 0: none */
	enum option_kind kind;
	size_t off;	  /* of the field in the caller's struct */
	const char *arg;  /* "FILE" in help; NULL for flags */
	const char *help; /* one line, no full stop */
	const char *more; /* further sentences of the long help, or NULL */
	/* NUMBER, SIZE and SECONDS (there in ms): inclusive; max 0: none */
	uint64_t min, max;
	size_t entry_max;	    /* TEXTS */
	const char *const *choices; /* CHOICE: ends with NULL */
	const char *hint; /* "(try 512M)": ends a message about a bad value */
	int (*parse)(void *field, const char *text, struct err *err); /*PARSED*/
	/* GROUP, GROUPS */
	const struct option_desc *subs;
	size_t group_size;
	/* Fill defaults of one group (NULL: zeroes); check it when parsed. */
	void (*group_init)(void *group);
	int (*group_check)(void *group, struct err *err);
	/*
	 * Suboption only: a first item without `=` is this one's value, so
	 * that `-m 512M` means `-m size=512M`.
	 */
	bool implicit;
	bool required;	/* suboption: every group must have it; operand */
	bool cli_only;	/* not a JSON key */
	bool is_config; /* PATH: names the JSON file; also cli_only */
	/*
	 * Not an option but a word without one, called name in help and
	 * messages. Words go to operands in the order of the table, the rest
	 * of them to the last if that is TEXTS; required ones come first.
	 */
	bool operand;
};

/* What every table has. */
#define OPTION_HELP_AND_VERSION                                                \
	{.name = "help",                                                       \
	 .short_name = 'h',                                                    \
	 .kind = OPTION_HELP,                                                  \
	 .help = "-h: this list; --help: more of it"},                         \
	{                                                                      \
		.name = "version", .kind = OPTION_VERSION,                     \
		.help = "print the version"                                    \
	}

/* The offset of field @f of struct @s, which must be of type @t. */
#define OPTION_AT(s, f, t)                                                     \
	(offsetof(s, f) + 0 * sizeof(char[__builtin_types_compatible_p(        \
						  __typeof__(((s *)0)->f), t)  \
						  ? 1                          \
						  : -1]))

/* A heading in the long help, and the options under it; "": as above. */
struct option_section {
	const char *title;
	const struct option_desc *options;
};

/*
 * Which options were given, on the command line or in the file, for those who
 * must tell a default from a choice.
 */
enum { OPTION_GIVEN_MAX = 96 };
struct option_given {
	const struct option_desc *v[OPTION_GIVEN_MAX];
	size_t n;
};

struct option_table {
	const char *verb;	   /* "run" */
	const char *synopsis;	   /* "-k FILE [OPTION...]" */
	const char *summary;	   /* one line */
	void (*epilogue)(FILE *f); /* end of the long help, or NULL */
	const struct option_section *sections; /* ends with title NULL */
	size_t size;			       /* of the caller's struct */
	size_t given_off; /* of a struct option_given in it; 0: none */
	void (*init)(void *target); /* defaults, nothing allocated */
};

enum option_outcome {
	OPTION_OUTCOME_OK = 0,
	OPTION_OUTCOME_SHORT_HELP,
	OPTION_OUTCOME_LONG_HELP,
	OPTION_OUTCOME_VERSION,
};

/*
 * Parse @argv[1..argc) over @target, which init() has filled. A JSON file
 * named by the is_config option is read first and the command line overrides
 * it: an option given on both sides takes nothing from the file (which is
 * still checked). On -h, --help or --version *ret says which, whatever else
 * is wrong, and @target holds defaults only.
 * -EINVAL with ERR_USAGE: unknown or repeated option, bad value; the message
 *         begins with "--name: "
 * errors of option_parse_json(); of reading the file, ERR_INPUT or ERR_PERM
 * The first error is reported, but what follows it is parsed too, so that
 * @target knows, for instance, where the operator wants the bad news written.
 */
int option_parse_args(const struct option_table *t, int argc, char *const *argv,
		      void *target, enum option_outcome *ret, struct err *err);

/*
 * The JSON object in @text, keys as long options. Keys that @skip (NULL: none)
 * says yes to are checked and not stored. Messages do not name the file.
 * -EINVAL with ERR_INPUT: not JSON (with line and column), a repeated key
 * -EINVAL with ERR_USAGE: an unknown key (the nearest one is named), a wrong
 *         type (the expected one is named), a bad value
 * Behind an error, too, keys are parsed: as option_parse_args() does.
 */
struct option_skip {
	bool (*skip)(const struct option_skip *s, const struct option_desc *o);
};
int option_parse_json(const struct option_table *t, const char *text,
		      size_t len, const struct option_skip *skip, void *target,
		      struct err *err);

/*
 * Set option @name, which @t has, as if @text had been given for it; it does
 * not count as given. Errors as of option_parse_args().
 */
int option_set(const struct option_table *t, void *target, const char *name,
	       const char *text, struct err *err);

bool option_was_given(const struct option_given *g, const char *name);

/* Free every string, list and group of @target. */
void option_free(const struct option_table *t, void *target);

void option_print_short_help(const struct option_table *t, FILE *f);
void option_print_long_help(const struct option_table *t, FILE *f);

#endif
