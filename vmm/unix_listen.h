/* vmm/unix_listen.h - a listening unix socket at a path. */
#ifndef VMM_UNIX_LISTEN_H
#define VMM_UNIX_LISTEN_H

#include <sys/types.h>

struct err;

/*
 * Which file a socket was bound to: by its name alone, one that somebody else
 * has put there since would be removed.
 */
struct unix_name {
	dev_t dev;
	ino_t ino; /* 0: none */
};

/*
 * Listen at @path, for this user alone (mode 0600). Returns a non-blocking,
 * close-on-exec descriptor; before the caller closes it, unix_unlink().
 * @what        begins the message: an option's name
 * -ENAMETOOLONG  does not fit a socket address
 * -EADDRINUSE  another process listens there, or @path is not a socket; a
 *              socket nobody listens on any more is replaced
 * or the errno of socket(2), bind(2), listen(2)
 */
int unix_listen(const char *path, int backlog, const char *what,
		struct err *err);
/* What is at @path now: ours, right after unix_listen(). */
struct unix_name unix_name_of(const char *path);
/* Remove @path, if it still is what @name says. */
void unix_unlink(const char *path, const struct unix_name *name);

#endif
