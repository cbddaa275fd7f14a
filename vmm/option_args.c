/* vmm/option_args.c - the command line, by the table. */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/nearest.h"
#include "vmm/option_impl.h"

enum { CONFIG_FILE_MAX = 1 << 20 }; /* bytes; ours, larger is a mistake */

struct given {
	const struct option_desc *o;
	const char *value; /* borrowed from argv */
};

struct scan {
	struct option_skip skip; /* what the command line has, the file not */
	const struct option_table *t;
	struct given *v; /* owned */
	size_t n;
	enum option_outcome outcome;
	struct err *err; /* first error wins */
	int first;	 /* its code, 0 so far */
};

static void scan_free(struct scan *s)
{
	free(s->v);
}

/* Where the next error goes: nowhere once there was one. */
static struct err *err_slot(struct scan *s)
{
	return s->first ? NULL : s->err;
}

static void keep_first(struct scan *s, int r)
{
	if (r < 0 && !s->first)
		s->first = r;
}

#define USAGE(s, ...)                                                          \
	keep_first((s),                                                        \
		   err_set_kind(err_slot(s), ERR_USAGE, -EINVAL, __VA_ARGS__))

const struct option_desc *option_find(const struct option_table *t,
				      const char *name)
{
	for (const struct option_section *s = t->sections; s->title; s++)
		for (const struct option_desc *o = s->options; o->name; o++)
			if (!o->operand && !strcmp(o->name, name))
				return o;
	return NULL;
}

const struct option_desc *option_find_short(const struct option_table *t,
					    char c)
{
	for (const struct option_section *s = t->sections; s->title; s++)
		for (const struct option_desc *o = s->options; o->name; o++)
			if (o->short_name && o->short_name == c)
				return o;
	return NULL;
}

bool option_takes_value(const struct option_desc *o)
{
	return o->kind != OPTION_FLAG && o->kind != OPTION_HELP &&
	       o->kind != OPTION_VERSION;
}

bool option_repeats(const struct option_desc *o)
{
	return o->kind == OPTION_TEXTS || o->kind == OPTION_GROUPS;
}

void option_mark_given(const struct option_table *t, void *target,
		       const struct option_desc *o)
{
	struct option_given *g = (void *)((char *)target + t->given_off);

	if (!t->given_off || option_was_given(g, o->name))
		return;
	assert(g->n < OPTION_GIVEN_MAX); /* more than a table has */
	g->v[g->n++] = o;
}

bool option_was_given(const struct option_given *g, const char *name)
{
	for (size_t i = 0; i < g->n; i++)
		if (!strcmp(g->v[i]->name, name))
			return true;
	return false;
}

int option_set(const struct option_table *t, void *target, const char *name,
	       const char *text, struct err *err)
{
	const struct option_desc *o = option_find(t, name);
	int r;

	assert(o);
	r = option_set_text(o, target, text, err);
	if (r < 0)
		err_prefix(err, "--%s", name);
	return r;
}

static bool is_given(const struct option_skip *skip,
		     const struct option_desc *o)
{
	const struct scan *s = container_of(skip, struct scan, skip);

	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].o == o)
			return true;
	return false;
}

static void unknown_long(struct scan *s, const char *name)
{
	struct nearest near;

	nearest_start(&near, name);
	for (const struct option_section *c = s->t->sections; c->title; c++)
		for (const struct option_desc *o = c->options; o->name; o++)
			if (!o->operand)
				nearest_offer(&near, o->name);
	if (near.best)
		USAGE(s, "--%.*s: unknown option (did you mean --%s?)",
		      OPTION_NAME_MAX, name, near.best);
	else
		USAGE(s, "--%.*s: unknown option (coffer %s -h lists them)",
		      OPTION_NAME_MAX, name, s->t->verb);
}

static void note(struct scan *s, const struct option_desc *o, const char *value)
{
	struct given *v;

	if (!option_repeats(o) && is_given(&s->skip, o)) {
		USAGE(s, "--%s: given twice", o->name);
		return;
	}
	v = reallocarray(s->v, s->n + 1, sizeof(*v));
	if (!v) {
		keep_first(s, err_set_kind(err_slot(s), ERR_HOST, -ENOMEM,
					   "out of memory"));
		return;
	}
	s->v = v;
	v[s->n++] = (struct given){.o = o, .value = value};
}

/* @value is what came with the option itself, or NULL. */
static void take(struct scan *s, const struct option_desc *o, const char *value,
		 bool by_short_name)
{
	if (o->kind == OPTION_HELP)
		s->outcome = by_short_name ? OPTION_OUTCOME_SHORT_HELP
					   : OPTION_OUTCOME_LONG_HELP;
	else if (o->kind == OPTION_VERSION)
		s->outcome = OPTION_OUTCOME_VERSION;
	else
		note(s, o, value ? value : "on");
}

/* Both return how many further arguments were used: 0 or 1. */
static int scan_long(struct scan *s, const char *arg, const char *next)
{
	AUTO(freep) char *name = strdup(arg);
	const struct option_desc *o;
	const char *value = NULL;
	char *eq;

	if (!name) {
		keep_first(s, err_set_kind(err_slot(s), ERR_HOST, -ENOMEM,
					   "out of memory"));
		return 0;
	}
	eq = strchr(name, '=');
	if (eq) {
		*eq = 0;
		value = arg + (eq - name) + 1;
	}
	o = option_find(s->t, name);
	if (!o) {
		unknown_long(s, name);
		return 0;
	}
	if (value || !option_takes_value(o)) {
		take(s, o, value, false);
		return 0;
	}
	if (!next) {
		USAGE(s, "--%s: needs %s", o->name, o->arg);
		return 0;
	}
	take(s, o, next, false);
	return 1;
}

static int scan_short(struct scan *s, const char *letters, const char *next)
{
	for (; *letters; letters++) {
		const struct option_desc *o = option_find_short(s->t, *letters);

		if (!o) {
			USAGE(s,
			      "-%c: unknown option (coffer %s -h lists them)",
			      *letters, s->t->verb);
			return 0;
		}
		if (!option_takes_value(o)) {
			take(s, o, NULL, true);
			continue;
		}
		if (letters[1]) {
			take(s, o, letters + 1, true);
			return 0;
		}
		if (!next) {
			USAGE(s, "--%s: needs %s", o->name, o->arg);
			return 0;
		}
		take(s, o, next, true);
		return 1;
	}
	return 0;
}

/* The first operand that still takes a word; NULL: none does. */
static const struct option_desc *next_operand(const struct scan *s)
{
	for (const struct option_section *c = s->t->sections; c->title; c++)
		for (const struct option_desc *o = c->options; o->name; o++)
			if (o->operand &&
			    (option_repeats(o) || !is_given(&s->skip, o)))
				return o;
	return NULL;
}

static void scan_word(struct scan *s, const char *arg)
{
	const struct option_desc *o = next_operand(s);

	if (o)
		note(s, o, arg);
	else
		USAGE(s,
		      "'%.64s': not an option, and no other argument is "
		      "expected",
		      arg);
}

static void require_operands(struct scan *s)
{
	for (const struct option_section *c = s->t->sections; c->title; c++)
		for (const struct option_desc *o = c->options; o->name; o++)
			if (o->operand && o->required && !is_given(&s->skip, o))
				USAGE(s,
				      "%s is missing (coffer %s -h tells more)",
				      o->name, s->t->verb);
}

static void scan_args(struct scan *s, int argc, char *const *argv)
{
	bool only_words = false;

	for (int i = 1; i < argc; i++) {
		const char *arg = argv[i];
		const char *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (only_words || arg[0] != '-' || !arg[1])
			scan_word(s, arg);
		else if (!strcmp(arg, "--"))
			only_words = true;
		else if (arg[1] == '-')
			i += scan_long(s, arg + 2, next);
		else
			i += scan_short(s, arg + 1, next);
	}
}

/* The whole file, however it arrives (a pipe is fine). */
static int read_file(const char *path, char **ret, size_t *ret_len,
		     struct err *err)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(freep) char *buf = malloc(CONFIG_FILE_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	if (fd < 0)
		return err_set(err, -errno, "cannot open: %s", strerror(errno));
	if (!buf)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	while (n && len <= CONFIG_FILE_MAX) {
		n = read(fd, buf + len, CONFIG_FILE_MAX + 1 - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "cannot read: %s",
				       strerror(errno));
		len += (size_t)n;
	}
	if (len > CONFIG_FILE_MAX)
		return err_set(err, -EFBIG, "larger than 1 MiB");
	*ret = TAKE(buf);
	*ret_len = len;
	return 0;
}

static int apply_file(struct scan *s, const char *path, void *target,
		      struct err *err)
{
	AUTO(freep) char *text = NULL;
	size_t len = 0;
	int r = read_file(path, &text, &len, err);

	if (r >= 0)
		r = option_parse_json(s->t, text, len, &s->skip, target, err);
	if (r < 0) {
		err_default_kind(err, ERR_INPUT);
		err_prefix(err, "%s", path);
	}
	return r;
}

static void apply_args(struct scan *s, void *target)
{
	for (size_t i = 0; i < s->n; i++) {
		const struct given *g = &s->v[i];
		struct err *err = err_slot(s);
		int r = option_set_text(g->o, target, g->value, err);

		if (r < 0)
			err_prefix(err, "%s%s", g->o->operand ? "" : "--",
				   g->o->name);
		option_mark_given(s->t, target, g->o);
		keep_first(s, r);
	}
}

int option_parse_args(const struct option_table *t, int argc, char *const *argv,
		      void *target, enum option_outcome *ret, struct err *err)
{
	AUTO(scan_free)
	struct scan s = {.skip = {is_given}, .t = t, .err = err};

	scan_args(&s, argc, argv);
	*ret = s.outcome;
	if (s.outcome != OPTION_OUTCOME_OK)
		return 0;
	require_operands(&s);
	for (size_t i = 0; i < s.n; i++)
		if (s.v[i].o->is_config && !*s.v[i].value)
			USAGE(&s, "--%s: the path is empty", s.v[i].o->name);
		else if (s.v[i].o->is_config)
			keep_first(&s, apply_file(&s, s.v[i].value, target,
						  err_slot(&s)));
	apply_args(&s, target);
	return s.first;
}
