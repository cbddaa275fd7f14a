/*
 * vmm/supervisor/sd_notify.c - the datagram of sd_notify(3). The protocol is
 * stable and this small; libsystemd would bring four libraries along.
 */
#include "vmm/supervisor/sd_notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "vmm/base/own.h"

int sd_notify_send(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO(fd_closep) int fd = -1;
	size_t len;
	ssize_t n;

	if (!path || !*path)
		return 0;
	len = strlen(path);
	if ((*path != '/' && *path != '@') || len >= sizeof(a.sun_path))
		return -EAFNOSUPPORT; /* vsock: in a guest, which we are not */
	memcpy(a.sun_path, path, len);
	if (*path == '@') /* an abstract name */
		a.sun_path[0] = 0;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	n = sendto(fd, text, strlen(text), MSG_NOSIGNAL | MSG_DONTWAIT,
		   (struct sockaddr *)&a,
		   (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len));
	return n < 0 ? -errno : 1;
}
