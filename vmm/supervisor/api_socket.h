/* vmm/supervisor/api_socket.h - the socket the API listens at. */
#ifndef VMM_SUPERVISOR_API_SOCKET_H
#define VMM_SUPERVISOR_API_SOCKET_H

#include <stdbool.h>

#include "vmm/unix_listen.h"

struct err;

struct api_socket {
	int fd;		   /* listening, or -1: no API is wanted */
	char *unlink_path; /* ours to remove, or NULL */
	struct unix_name name;
};

/*
 * Listen at @path (NULL: none), or take the socket that a service manager
 * passed (LISTEN_FDS, sd_listen_fds(3)), whose variables are removed from the
 * environment. With both, the passed one must be bound to @path.
 * Messages name --api. Errors of unix_listen();
 * -EINVAL  more than one socket passed, or not a listening unix stream socket
 */
int api_socket_open(const char *path, struct api_socket *ret, struct err *err);
/* Has a service manager passed one to this process? */
bool api_socket_is_passed(void);
/* Closes and removes. Fine after a failure, if ret was {.fd = -1}. */
void api_socket_close(struct api_socket *s);

#endif
