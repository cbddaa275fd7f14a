/* vmm/option_json.c - the JSON form of the same options. */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/nearest.h"
#include "vmm/option_impl.h"

static const char *type_name(const json_t *j)
{
	switch (json_typeof(j)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "an array";
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "an integer";
	case JSON_REAL:
		return "a number with decimals";
	case JSON_TRUE:
	case JSON_FALSE:
		return "true or false";
	case JSON_NULL:
		return "null";
	}
	return "something else";
}

static const char *expected(const struct option_desc *o)
{
	switch (o->kind) {
	case OPTION_FLAG:
		return "true or false";
	case OPTION_TEXTS:
		return "an array of strings";
	case OPTION_NUMBER:
		return "an integer";
	case OPTION_SIZE:
		return "a string like \"512M\" or an integer of bytes";
	case OPTION_SECONDS:
		return "a number";
	case OPTION_GROUP:
		return "an object or a string";
	case OPTION_GROUPS:
		return "an array of objects or strings";
	default:
		return "a string";
	}
}

static int wrong_type(const struct option_desc *o, const json_t *j,
		      struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "expected %s, not %s",
			    expected(o), type_name(j));
}

/* The same, for an element of an array. */
static int wrong_element(const struct option_desc *o, const json_t *j,
			 struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "expected %s, not %s",
			    o->kind == OPTION_GROUPS ? "an object or a string"
						     : "a string",
			    type_name(j));
}

static int set_value(const struct option_desc *o, void *base, const json_t *j,
		     struct err *err);

/* A number goes the way of its text, so that limits and messages are shared. */
static int set_number(const struct option_desc *o, void *base, const json_t *j,
		      struct err *err)
{
	char text[64];

	if (json_is_integer(j))
		snprintf(text, sizeof(text), "%" JSON_INTEGER_FORMAT,
			 json_integer_value(j));
	else
		snprintf(text, sizeof(text), "%.15g", json_real_value(j));
	return option_set_text(o, base, text, err);
}

static int set_object(const struct option_desc *o, void *base,
		      const json_t *object, struct err *err)
{
	uint64_t seen = 0;
	const char *key;
	void *group;
	json_t *j;
	int r = option_group_start(o, base, &group, err);

	if (r < 0)
		return r;
	/* The iterator wants a writable object; nothing is written. */
	json_object_foreach((json_t *)object, key, j)
	{
		const struct option_desc *sub = option_group_find(o, key);

		if (!sub)
			return option_group_unknown(o, key, err);
		option_group_mark(o, sub, &seen, err); /* keys are unique */
		r = set_value(sub, group, j, err);
		if (r < 0) {
			err_prefix(err, "%s", sub->name);
			return r;
		}
	}
	return option_group_end(o, group, seen, err);
}

static int set_array(const struct option_desc *o, void *base, const json_t *a,
		     struct err *err)
{
	size_t i;
	json_t *j;

	if (!json_is_array(a))
		return wrong_type(o, a, err);
	json_array_foreach(a, i, j)
	{
		int r;

		if (json_is_object(j) && o->kind == OPTION_GROUPS)
			r = set_object(o, base, j, err);
		else if (json_is_string(j))
			r = option_set_text(o, base, json_string_value(j), err);
		else
			r = wrong_element(o, j, err);
		if (r < 0) {
			err_prefix(err, "[%zu]", i);
			return r;
		}
	}
	return 0;
}

static int set_value(const struct option_desc *o, void *base, const json_t *j,
		     struct err *err)
{
	switch (o->kind) {
	case OPTION_FLAG:
		if (!json_is_boolean(j))
			return wrong_type(o, j, err);
		return option_set_text(o, base, json_is_true(j) ? "on" : "off",
				       err);
	case OPTION_TEXTS:
	case OPTION_GROUPS:
		return set_array(o, base, j, err);
	case OPTION_NUMBER:
		if (!json_is_integer(j))
			return wrong_type(o, j, err);
		return set_number(o, base, j, err);
	case OPTION_SIZE:
		if (json_is_integer(j))
			return set_number(o, base, j, err);
		break;
	case OPTION_SECONDS:
		if (!json_is_number(j))
			return wrong_type(o, j, err);
		return set_number(o, base, j, err);
	case OPTION_GROUP:
		if (json_is_object(j))
			return set_object(o, base, j, err);
		break;
	default:
		break;
	}
	if (!json_is_string(j))
		return wrong_type(o, j, err);
	return option_set_text(o, base, json_string_value(j), err);
}

static bool is_key(const struct option_desc *o)
{
	return !o->cli_only && !o->is_config && o->kind != OPTION_HELP &&
	       o->kind != OPTION_VERSION;
}

static int unknown_key(const struct option_table *t, const char *key,
		       struct err *err)
{
	struct nearest near;

	nearest_start(&near, key);
	for (const struct option_section *s = t->sections; s->title; s++)
		for (const struct option_desc *o = s->options; o->name; o++)
			if (is_key(o))
				nearest_offer(&near, o->name);
	if (near.best)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "'%.*s': unknown key (did you mean '%s'?)",
				    OPTION_NAME_MAX, key, near.best);
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "'%.*s': unknown key (they are named as the long "
			    "options; coffer %s -h lists them)",
			    OPTION_NAME_MAX, key, t->verb);
}

static int apply_key(const struct option_table *t, const char *key,
		     const json_t *j, const struct option_skip *skip,
		     void *target, void *scratch, struct err *err)
{
	const struct option_desc *o = option_find(t, key);
	void *to = target;
	int r;

	if (!o || !is_key(o))
		return unknown_key(t, key, err);
	if (skip && skip->skip(skip, o))
		to = scratch;
	r = set_value(o, to, j, err);
	if (r < 0)
		err_prefix(err, "%s", key);
	else if (to == target)
		option_mark_given(t, target, o);
	return r;
}

/* All keys: one that is right counts, wherever a wrong one stands. */
static int apply(const struct option_table *t, const json_t *root,
		 const struct option_skip *skip, void *target, void *scratch,
		 struct err *err)
{
	const char *key;
	int first = 0;
	json_t *j;

	json_object_foreach((json_t *)root, key, j)
	{
		int r = apply_key(t, key, j, skip, target, scratch,
				  first ? NULL : err);

		if (!first)
			first = r < 0 ? r : 0;
	}
	return first;
}

int option_parse_json(const struct option_table *t, const char *text,
		      size_t len, const struct option_skip *skip, void *target,
		      struct err *err)
{
	AUTO(freep) void *scratch = calloc(1, t->size);
	AUTO(json_decrefp) json_t *root = NULL;
	json_error_t e;
	int r;

	if (!scratch)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES, &e);
	if (!root)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "line %d, column %d: %s", e.line, e.column,
				    e.text);
	if (!json_is_object(root))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "expected an object, not %s",
				    type_name(root));
	t->init(scratch);
	r = apply(t, root, skip, target, scratch, err);
	option_free(t, scratch);
	return r;
}
