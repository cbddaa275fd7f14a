/*
 * vmm/subopt.h - splits `value[,key=value...]`, the argument of an option with
 * suboptions. Knows no keys: vmm/option.h does.
 */
#ifndef VMM_SUBOPT_H
#define VMM_SUBOPT_H

#include <stddef.h>

#include "vmm/base/own.h"

struct err;

enum { SUBOPT_ITEMS_MAX = 64 };

struct subopt_item {
	const char *key;   /* "" when the item has no `=` */
	const char *value; /* the whole item when it has no `=` */
};

/* The strings are borrowed from text, which the list owns. */
struct subopt_list {
	size_t n;
	struct subopt_item item[SUBOPT_ITEMS_MAX];
	char *text;
};

/*
 * Items are separated by commas; two commas in a row are one comma of the
 * value, so that every file name can be written: `path=a,,b` is "a,b". The
 * first `=` of an item ends its key.
 * -EINVAL      an empty item, an empty key, or too many items
 * -ENOMEM
 * *ret is owned by the caller, subopt_free(), on success only.
 */
int subopt_split(const char *text, struct subopt_list *ret, struct err *err);
void subopt_free(struct subopt_list *l);

#endif
