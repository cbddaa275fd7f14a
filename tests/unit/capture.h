/* tests/unit/capture.h - calls a program's main function, and keeps its words.
 */
#ifndef TESTS_UNIT_CAPTURE_H
#define TESTS_UNIT_CAPTURE_H

#include <stdarg.h>

struct capture {
	char out[16384], err[4096]; /* of the last call */
};

typedef int (*capture_main_fn)(int argc, char *const *argv);

/*
 * @fn with @name and the words that follow in @ap, up to a NULL, as its
 * arguments; returns its status. Standard output and error are files meanwhile.
 */
int capture_call(struct capture *c, capture_main_fn fn, const char *name,
		 va_list ap);

/* Fails the test unless @text has @words in it. */
void assert_says(const char *text, const char *words);

#endif
