/* tests/unit/capture.c - standard output and error, in memory. */
#include "tests/unit/unit.h"

#include "tests/unit/capture.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { WORDS_MAX = 40 };

/* Send descriptor @target to a new file; *ret_saved is the old one. */
static int divert(int target, int *ret_saved)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	assert_true(fd >= 0);
	*ret_saved = dup(target);
	assert_int_equal(dup2(fd, target), target);
	return fd;
}

static void restore(int target, int saved, int fd, char *buf, size_t len)
{
	ssize_t n = pread(fd, buf, len - 1, 0);

	buf[n > 0 ? n : 0] = 0;
	dup2(saved, target);
	close(saved);
	close(fd);
}

int capture_call(struct capture *c, capture_main_fn fn, const char *name,
		 va_list ap)
{
	char *argv[WORDS_MAX + 1] = {(char *)name};
	int argc = 1, status, out, err, saved_out, saved_err;
	const char *word;

	while ((word = va_arg(ap, const char *))) {
		assert_true(argc < WORDS_MAX);
		argv[argc++] = (char *)word;
	}
	fflush(stdout);
	out = divert(STDOUT_FILENO, &saved_out);
	err = divert(STDERR_FILENO, &saved_err);
	status = fn(argc, argv);
	fflush(stdout);
	restore(STDERR_FILENO, saved_err, err, c->err, sizeof(c->err));
	restore(STDOUT_FILENO, saved_out, out, c->out, sizeof(c->out));
	return status;
}

void assert_says(const char *text, const char *words)
{
	if (!strstr(text, words))
		fail_msg("'%s' lacks '%s'", text, words);
}
