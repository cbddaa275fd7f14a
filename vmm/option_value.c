/* vmm/option_value.c - stores one value, given as text, in its field. */
#include "vmm/option_impl.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/nearest.h"
#include "vmm/quantity.h"
#include "vmm/subopt.h"

/* " (try 512M)", or nothing. */
static const char *hint_of(const struct option_desc *o, char buf[static 96])
{
	buf[0] = 0;
	if (o->hint)
		snprintf(buf, 96, " (%s)", o->hint);
	return buf;
}

static int bad_value(const struct option_desc *o, const char *text,
		     const char *what, struct err *err)
{
	char hint[96];

	return err_set_kind(err, ERR_USAGE, -EINVAL, "'%.64s' is not %s%s",
			    text, what, hint_of(o, hint));
}

static int no_memory(struct err *err)
{
	return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
}

static int set_flag(const struct option_desc *o, bool *field, const char *text,
		    struct err *err)
{
	if (strcmp(text, "on") != 0 && strcmp(text, "off") != 0)
		return bad_value(o, text, "on or off", err);
	*field = !strcmp(text, "on");
	return 0;
}

static int set_string(char **field, const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (!copy)
		return no_memory(err);
	free(*field);
	*field = copy;
	return 0;
}

static int too_long(size_t len, size_t max, struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "is %zu bytes long; at most %zu are possible", len,
			    max);
}

static int set_text(const struct option_desc *o, char **field, const char *text,
		    struct err *err)
{
	if (o->max && strlen(text) > o->max)
		return too_long(strlen(text), o->max, err);
	return set_string(field, text, err);
}

static int set_path(char **field, const char *text, struct err *err)
{
	if (!*text)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "the path is empty");
	if (strlen(text) >= PATH_MAX)
		return too_long(strlen(text), PATH_MAX - 1, err);
	return set_string(field, text, err);
}

static int add_text(const struct option_desc *o, struct text_list *l,
		    const char *text, struct err *err)
{
	char **v;

	if (!*text)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "the text is empty");
	if (strlen(text) > o->entry_max)
		return too_long(strlen(text), o->entry_max, err);
	if (l->n >= o->max)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "given more than %llu times",
				    (unsigned long long)o->max);
	v = reallocarray(l->v, l->n + 1, sizeof(*v));
	if (!v)
		return no_memory(err);
	l->v = v;
	v[l->n] = strdup(text);
	if (!v[l->n])
		return no_memory(err);
	l->n++;
	return 0;
}

static const char *format_amount(const struct option_desc *o, uint64_t v,
				 char buf[static QUANTITY_TEXT_MAX])
{
	if (o->kind == OPTION_SIZE)
		return quantity_format_size(v, buf);
	if (o->kind == OPTION_SECONDS)
		return quantity_format_seconds(v, buf);
	snprintf(buf, QUANTITY_TEXT_MAX, "%llu", (unsigned long long)v);
	return buf;
}

/* NUMBER, SIZE, SECONDS: an amount in its own notation, within its range. */
static int set_amount(const struct option_desc *o, uint64_t *field,
		      const char *text, struct err *err)
{
	char lo[QUANTITY_TEXT_MAX], hi[QUANTITY_TEXT_MAX];
	const char *what = "a number";
	uint64_t v = 0;
	int r;

	if (o->kind == OPTION_SIZE) {
		what = "a size";
		r = quantity_parse_size(text, &v);
	} else if (o->kind == OPTION_SECONDS) {
		what = "a number of seconds";
		r = quantity_parse_seconds(text, &v);
	} else {
		r = quantity_parse_number(text, &v);
	}
	if (r == -EINVAL)
		return bad_value(o, text, what, err);
	if (r < 0 || (o->max && v > o->max))
		return err_set_kind(
			err, ERR_USAGE, -EINVAL,
			"'%.64s' is too large; at most %s is possible", text,
			format_amount(o, o->max ? o->max : UINT64_MAX, hi));
	if (v < o->min)
		return err_set_kind(
			err, ERR_USAGE, -EINVAL,
			"'%.64s' is too small; at least %s is needed", text,
			format_amount(o, o->min, lo));
	*field = v;
	return 0;
}

static int set_choice(const struct option_desc *o, int *field, const char *text,
		      struct err *err)
{
	char all[256] = "";
	size_t n = 0;

	for (int i = 0; o->choices[i]; i++)
		if (!strcmp(o->choices[i], text)) {
			*field = i;
			return 0;
		}
	for (int i = 0; o->choices[i] && n < sizeof(all); i++)
		n += (size_t)snprintf(all + n, sizeof(all) - n, "%s%s",
				      i ? ", " : "", o->choices[i]);
	return err_set_kind(err, ERR_USAGE, -EINVAL, "'%.64s' is not one of %s",
			    text, all);
}

static const struct option_desc *implicit_sub(const struct option_desc *o)
{
	for (const struct option_desc *s = o->subs; s->name; s++)
		if (s->implicit)
			return s;
	return NULL;
}

/* The suboption an item is for, and its value; NULL after an error. */
static const struct option_desc *resolve_item(const struct option_desc *o,
					      bool first,
					      struct subopt_item *it,
					      struct err *err)
{
	const char *name = *it->key ? it->key : it->value;
	const struct option_desc *s =
		first && !*it->key ? implicit_sub(o) : NULL;

	if (s)
		return s;
	s = option_group_find(o, name);
	if (!s) {
		option_group_unknown(o, name, err);
		return NULL;
	}
	if (*it->key)
		return s;
	if (option_takes_value(s)) {
		err_set_kind(err, ERR_USAGE, -EINVAL,
			     "'%s' needs a value: %s=%s", s->name, s->name,
			     s->arg);
		return NULL;
	}
	it->value = "on";
	return s;
}

static int set_group(const struct option_desc *o, void *base, const char *text,
		     struct err *err)
{
	AUTO(subopt_free) struct subopt_list items = {0};
	uint64_t seen = 0;
	void *group;
	int r = subopt_split(text, &items, err);

	if (r < 0) {
		err_default_kind(err, ERR_USAGE);
		return r;
	}
	r = option_group_start(o, base, &group, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < items.n; i++) {
		const struct option_desc *sub =
			resolve_item(o, !i, &items.item[i], err);

		if (!sub)
			return -EINVAL;
		r = option_group_mark(o, sub, &seen, err);
		if (r < 0)
			return r;
		r = option_set_text(sub, group, items.item[i].value, err);
		if (r < 0) {
			if (!sub->implicit)
				err_prefix(err, "%s", sub->name);
			return r;
		}
	}
	return option_group_end(o, group, seen, err);
}

int option_set_text(const struct option_desc *o, void *base, const char *text,
		    struct err *err)
{
	void *field = (char *)base + o->off;
	int r;

	switch (o->kind) {
	case OPTION_FLAG:
		return set_flag(o, field, text, err);
	case OPTION_TEXT:
		return set_text(o, field, text, err);
	case OPTION_PATH:
		return set_path(field, text, err);
	case OPTION_TEXTS:
		return add_text(o, field, text, err);
	case OPTION_NUMBER:
	case OPTION_SIZE:
	case OPTION_SECONDS:
		return set_amount(o, field, text, err);
	case OPTION_CHOICE:
		return set_choice(o, field, text, err);
	case OPTION_PARSED:
		r = o->parse(field, text, err);
		if (r < 0)
			err_default_kind(err, ERR_USAGE);
		return r;
	case OPTION_GROUP:
	case OPTION_GROUPS:
		return set_group(o, base, text, err);
	case OPTION_HELP:
	case OPTION_VERSION:
		break;
	}
	assert(false && "an option without a field was given a value");
	return -EINVAL;
}
