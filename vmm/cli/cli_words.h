/* vmm/cli/cli_words.h - finds what a typed word stands for, or says so. */
#ifndef VMM_CLI_CLI_WORDS_H
#define VMM_CLI_CLI_WORDS_H

#include <stddef.h>

struct err;

/* A table of what may be typed. All is borrowed. */
struct cli_words {
	const char *what; /* "verb", "command" */
	const char *help; /* what lists them: "coffer ctl --help" */
	/* n structs of size bytes; the first field of each is its name */
	const void *v;
	size_t n, size;
};

/*
 * The struct whose name is @word. NULL with ERR_USAGE: there is none; the
 * message has the nearest, or where they are listed.
 */
const void *cli_words_find(const struct cli_words *w, const char *word,
			   struct err *err);

#endif
