/* vmm/counters.c - a growing list of named numbers. */
#include "vmm/counters.h"

#include <stdio.h>
#include <stdlib.h>

void counters_add(struct counters *c, const char *device, const char *name,
		  uint64_t value)
{
	struct counter *e;

	if (c->n == c->cap) {
		size_t cap = c->cap ? 2 * c->cap : 64;
		struct counter *v;

		if (cap > COUNTERS_MAX)
			return;
		v = realloc(c->v, cap * sizeof(*v));
		if (!v)
			return;
		c->v = v;
		c->cap = cap;
	}
	e = &c->v[c->n++];
	snprintf(e->device, sizeof(e->device), "%s", device);
	snprintf(e->name, sizeof(e->name), "%s", name);
	e->value = value;
}

void counters_clear(struct counters *c)
{
	c->n = 0;
}

void counters_free(struct counters *c)
{
	free(c->v);
	*c = (struct counters){0};
}
