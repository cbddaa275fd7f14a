/*
 * vmm/supervisor/key_source.h - a user's MKTME key, out of a file, a
 * descriptor or a command's output, into locked memory.
 *
 * A key that lives elsewhere (behind a URL, in a vault) is fetched by the
 * command; it reaches us through a pipe and is in no argument, environment,
 * file or log of ours.
 */
#ifndef VMM_SUPERVISOR_KEY_SOURCE_H
#define VMM_SUPERVISOR_KEY_SOURCE_H

#include "crypto/mktme_key.h"

struct err;

enum { KEY_COMMAND_SECONDS = 30 };

struct key_source {
	const char *file;	      /* or NULL */
	int fd;			      /* or -1; borrowed */
	const char *command;	      /* or NULL; run by /bin/sh */
	unsigned int command_seconds; /* 0: KEY_COMMAND_SECONDS */
};

/*
 * *ret is the caller's: key_source_free(). A file that others may read is
 * warned of.
 * ERR_INPUT, ERR_PERM: it cannot be read, or is no key
 * -ETIMEDOUT, -ECHILD (ERR_INPUT): the command took too long, or failed
 */
int key_source_read(const struct key_source *src, struct mktme_secret **ret,
		    struct err *err);
/* Wipes. NULL is fine. */
void key_source_free(struct mktme_secret *s);

#endif
