/* vmm/option_group.c - options made of suboptions; freeing of all kinds. */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/nearest.h"
#include "vmm/option_impl.h"

/* Free the field and leave it empty; numbers keep their value. */
static void free_field(const struct option_desc *o, void *base);

static void free_group(const struct option_desc *o, void *group)
{
	for (const struct option_desc *s = o->subs; s->name; s++)
		free_field(s, group);
}

static void free_field(const struct option_desc *o, void *base)
{
	void *field = (char *)base + o->off;

	switch (o->kind) {
	case OPTION_TEXT:
	case OPTION_PATH:
		free(*(char **)field);
		*(char **)field = NULL;
		break;
	case OPTION_TEXTS: {
		struct text_list *l = field;

		for (size_t i = 0; i < l->n; i++)
			free(l->v[i]);
		free(l->v);
		*l = (struct text_list){0};
		break;
	}
	case OPTION_GROUP:
		free_group(o, field);
		break;
	case OPTION_GROUPS: {
		struct group_list *l = field;

		for (size_t i = 0; i < l->n; i++)
			free_group(o, (char *)l->v + i * o->group_size);
		free(l->v);
		*l = (struct group_list){0};
		break;
	}
	default:
		break;
	}
}

void option_free(const struct option_table *t, void *target)
{
	for (const struct option_section *s = t->sections; s->title; s++)
		for (const struct option_desc *o = s->options; o->name; o++)
			free_field(o, target);
}

/* Room for one more group at the end of the list. */
static int grow(const struct option_desc *o, struct group_list *l,
		void **ret_group, struct err *err)
{
	void *v;

	if (l->n >= o->max)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "given more than %llu times",
				    (unsigned long long)o->max);
	v = reallocarray(l->v, l->n + 1, o->group_size);
	if (!v)
		return err_set_kind(err, ERR_HOST, -ENOMEM, "out of memory");
	l->v = v;
	*ret_group = (char *)v + l->n * o->group_size;
	l->n++;
	return 0;
}

int option_group_start(const struct option_desc *o, void *base,
		       void **ret_group, struct err *err)
{
	void *field = (char *)base + o->off;
	int r;

	if (o->kind == OPTION_GROUPS) {
		r = grow(o, field, &field, err);
		if (r < 0)
			return r;
	} else {
		free_group(o, field);
	}
	memset(field, 0, o->group_size);
	if (o->group_init)
		o->group_init(field);
	*ret_group = field;
	return 0;
}

int option_group_mark(const struct option_desc *o,
		      const struct option_desc *sub, uint64_t *seen,
		      struct err *err)
{
	ptrdiff_t index = sub - o->subs;

	assert(index < 64);
	if (*seen & BIT64(index))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "'%s' is given twice", sub->name);
	*seen |= BIT64(index);
	return 0;
}

int option_group_end(const struct option_desc *o, void *group, uint64_t seen,
		     struct err *err)
{
	int r;

	for (const struct option_desc *s = o->subs; s->name; s++)
		if (s->required && !(seen & BIT64(s - o->subs)))
			return err_set_kind(err, ERR_USAGE, -EINVAL,
					    "'%s' is missing", s->name);
	if (!o->group_check)
		return 0;
	r = o->group_check(group, err);
	if (r < 0)
		err_default_kind(err, ERR_USAGE);
	return r;
}

const struct option_desc *option_group_find(const struct option_desc *o,
					    const char *name)
{
	for (const struct option_desc *s = o->subs; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

int option_group_unknown(const struct option_desc *o, const char *name,
			 struct err *err)
{
	char known[256] = "";
	struct nearest near;
	size_t n = 0;

	nearest_start(&near, name);
	for (const struct option_desc *s = o->subs; s->name; s++) {
		nearest_offer(&near, s->name);
		if (n < sizeof(known))
			n += (size_t)snprintf(known + n, sizeof(known) - n,
					      "%s%s", n ? ", " : "", s->name);
	}
	if (near.best)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "'%.*s' is unknown (did you mean '%s'?)",
				    OPTION_NAME_MAX, name, near.best);
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "'%.*s' is unknown; there are: %s", OPTION_NAME_MAX,
			    name, known);
}
