/* vmm/cli/cli_words.c - a typed word against a table of known ones. */
#include "vmm/cli/cli_words.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/nearest.h"

const void *cli_words_find(const struct cli_words *w, const char *word,
			   struct err *err)
{
	const char *at = w->v;
	struct nearest near;

	nearest_start(&near, word);
	for (size_t i = 0; i < w->n; i++, at += w->size) {
		const char *name = *(const char *const *)(const void *)at;

		if (!strcmp(name, word))
			return at;
		nearest_offer(&near, name);
	}
	if (near.best)
		err_set_kind(err, ERR_USAGE, -EINVAL,
			     "'%.48s': unknown %s (did you mean '%s'?)", word,
			     w->what, near.best);
	else
		err_set_kind(err, ERR_USAGE, -EINVAL,
			     "'%.48s': unknown %s (%s lists them)", word,
			     w->what, w->help);
	return NULL;
}
