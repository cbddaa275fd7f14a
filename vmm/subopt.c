/* vmm/subopt.c - the one place that knows about commas in option arguments. */
#include "vmm/subopt.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "vmm/base/err.h"

/*
 * Copy one item from *src to @dst, undoubling commas, with a final zero where
 * the comma was; return what follows it. *ret_more: a single comma ended it.
 */
static char *take_item(const char **src, char *dst, bool *ret_more)
{
	const char *s = *src;

	*ret_more = false;
	for (; *s; s++) {
		if (*s == ',' && s[1] != ',') {
			*ret_more = true;
			s++;
			break;
		}
		if (*s == ',')
			s++;
		*dst++ = *s;
	}
	*dst++ = 0;
	*src = s;
	return dst;
}

static int add_item(struct subopt_list *l, char *item, struct err *err)
{
	struct subopt_item *it = &l->item[l->n];
	char *eq = strchr(item, '=');

	if (!*item)
		return err_set(err, -EINVAL,
			       "an empty item (write a comma that belongs to a "
			       "value twice)");
	if (eq == item)
		return err_set(err, -EINVAL, "'%s' has no name before '='",
			       item);
	it->key = "";
	it->value = item;
	if (eq) {
		*eq = 0;
		it->key = item;
		it->value = eq + 1;
	}
	l->n++;
	return 0;
}

int subopt_split(const char *text, struct subopt_list *ret, struct err *err)
{
	struct subopt_list l = {0};
	AUTO(freep) char *buf = malloc(strlen(text) + 1);
	char *next = buf;
	bool more = true;

	if (!buf)
		return err_set(err, -ENOMEM, "out of memory");
	while (more) {
		char *item = next;
		int r;

		if (l.n == SUBOPT_ITEMS_MAX)
			return err_set(err, -EINVAL, "more than %d items",
				       SUBOPT_ITEMS_MAX);
		next = take_item(&text, item, &more);
		r = add_item(&l, item, err);
		if (r < 0)
			return r;
	}
	l.text = TAKE(buf);
	*ret = l;
	return 0;
}

void subopt_free(struct subopt_list *l)
{
	free(l->text);
	*l = (struct subopt_list){0};
}
