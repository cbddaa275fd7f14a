/* vmm/unix_listen.h - a listening unix socket at a path. */
#ifndef VMM_UNIX_LISTEN_H
#define VMM_UNIX_LISTEN_H

struct err;

/*
 * Listen at @path, for this user alone (mode 0600). Returns a non-blocking,
 * close-on-exec descriptor; the caller unlinks @path when it is done.
 * @what        begins the message: an option's name
 * -ENAMETOOLONG  does not fit a socket address
 * -EADDRINUSE  another process listens there, or @path is not a socket; a
 *              socket nobody listens on any more is replaced
 * or the errno of socket(2), bind(2), listen(2)
 */
int unix_listen(const char *path, int backlog, const char *what,
		struct err *err);

#endif
