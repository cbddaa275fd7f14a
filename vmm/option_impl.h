/* vmm/option_impl.h - what the files of the option parser share. */
#ifndef VMM_OPTION_IMPL_H
#define VMM_OPTION_IMPL_H

#include "vmm/option.h"

enum { OPTION_NAME_MAX = 48 }; /* bytes of a name that is quoted in messages */

/*
 * Store @text in the field of @o in the struct at @base. TEXTS and GROUPS
 * append. -EINVAL with a message that does not name the option; -ENOMEM.
 */
int option_set_text(const struct option_desc *o, void *base, const char *text,
		    struct err *err);

/*
 * One group, filled item by item:
 *   option_group_start(); any option_set...(sub, group); option_group_end()
 * @seen is a caller's bit set of the suboptions given.
 */
int option_group_start(const struct option_desc *o, void *base,
		       void **ret_group, struct err *err);
/* -EINVAL: given already. */
int option_group_mark(const struct option_desc *o,
		      const struct option_desc *sub, uint64_t *seen,
		      struct err *err);
/* -EINVAL: something required is missing, or group_check() says no. */
int option_group_end(const struct option_desc *o, void *group, uint64_t seen,
		     struct err *err);
const struct option_desc *option_group_find(const struct option_desc *o,
					    const char *name);
/* -EINVAL, naming the nearest suboption. */
int option_group_unknown(const struct option_desc *o, const char *name,
			 struct err *err);

const struct option_desc *option_find(const struct option_table *t,
				      const char *name);
const struct option_desc *option_find_short(const struct option_table *t,
					    char c);
bool option_takes_value(const struct option_desc *o);
bool option_repeats(const struct option_desc *o);
/* Remember that @o was given, where @t has a place for it. */
void option_mark_given(const struct option_table *t, void *target,
		       const struct option_desc *o);

#endif
