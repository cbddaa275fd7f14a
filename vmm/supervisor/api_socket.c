/* vmm/supervisor/api_socket.c - a path of ours, or a socket from outside. */
#include "vmm/supervisor/api_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/supervisor/api_server.h"
#include "vmm/unix_listen.h"

enum { PASSED_FD = 3 }; /* sd_listen_fds(3): SD_LISTEN_FDS_START */

/* How many sockets were passed to this very process. */
static long n_passed(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	char *end;
	long n;

	if (!pid || !fds || strtol(pid, &end, 10) != (long)getpid() || *end)
		return 0;
	n = strtol(fds, &end, 10);
	return *end || n < 0 ? 0 : n;
}

bool api_socket_is_passed(void)
{
	return n_passed() > 0;
}

/* Children must not take them for theirs. */
static void forget_passed(void)
{
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
}

static int get_option(int fd, int option)
{
	int v = -1;
	socklen_t len = sizeof(v);

	return getsockopt(fd, SOL_SOCKET, option, &v, &len) < 0 ? -1 : v;
}

static int check_passed(int fd, const char *path, struct err *err)
{
	struct sockaddr_un a = {0};
	socklen_t len = sizeof(a) - 1;

	if (get_option(fd, SO_DOMAIN) != AF_UNIX ||
	    get_option(fd, SO_TYPE) != SOCK_STREAM ||
	    get_option(fd, SO_ACCEPTCONN) != 1)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--api: the socket passed by LISTEN_FDS is "
				    "not a listening unix stream socket");
	if (!path)
		return 0;
	if (getsockname(fd, (struct sockaddr *)&a, &len) < 0 ||
	    len <= offsetof(struct sockaddr_un, sun_path) ||
	    strcmp(a.sun_path, path) != 0)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--api: LISTEN_FDS passed a socket at "
				    "'%s', not at '%s'; leave --api away",
				    a.sun_path, path);
	return 0;
}

static int take_passed(long n, const char *path, struct api_socket *ret,
		       struct err *err)
{
	int r;

	if (n > 1)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--api: LISTEN_FDS passed %ld sockets; the "
				    "API takes one",
				    n);
	r = check_passed(PASSED_FD, path, err);
	if (r < 0)
		return r;
	if (fcntl(PASSED_FD, F_SETFD, FD_CLOEXEC) < 0 ||
	    fcntl(PASSED_FD, F_SETFL, O_NONBLOCK) < 0)
		return err_set(err, -errno, "--api: LISTEN_FDS: %s",
			       strerror(errno));
	*ret = (struct api_socket){.fd = PASSED_FD};
	return 0;
}

int api_socket_open(const char *path, struct api_socket *ret, struct err *err)
{
	long n = n_passed();
	int fd;

	*ret = (struct api_socket){.fd = -1};
	if (n > 0) {
		forget_passed();
		return take_passed(n, path, ret, err);
	}
	if (!path)
		return 0;
	fd = unix_listen(path, API_CLIENTS_MAX, "--api", err);
	if (fd < 0)
		return fd;
	ret->fd = fd;
	ret->name = unix_name_of(path);
	ret->unlink_path = strdup(path);
	if (!ret->unlink_path) {
		unix_unlink(path, &ret->name);
		api_socket_close(ret);
		return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

void api_socket_close(struct api_socket *s)
{
	if (s->unlink_path)
		unix_unlink(s->unlink_path, &s->name);
	fd_closep(&s->fd);
	free(s->unlink_path);
	*s = (struct api_socket){.fd = -1};
}
