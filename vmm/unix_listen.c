/* vmm/unix_listen.c - bind, unless somebody is there. */
#include "vmm/unix_listen.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

static int fail(struct err *err, enum err_kind kind, int code, const char *what,
		const char *path)
{
	if (code == -EACCES || code == -EPERM)
		kind = ERR_PERM;
	return err_set_kind(err, kind, code, "%s: %s: %s", what, path,
			    strerror(-code));
}

static bool is_socket(const char *path)
{
	struct stat st;

	return !lstat(path, &st) && S_ISSOCK(st.st_mode);
}

/* Is nobody listening there? A socket file outlives a killed process. */
static bool is_stale(const struct sockaddr_un *a)
{
	AUTO(fd_closep) int fd = -1;

	if (!is_socket(a->sun_path))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	return fd >= 0 &&
	       connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 &&
	       errno == ECONNREFUSED;
}

struct unix_name unix_name_of(const char *path)
{
	struct stat st;

	if (lstat(path, &st) < 0)
		return (struct unix_name){0};
	return (struct unix_name){st.st_dev, st.st_ino};
}

void unix_unlink(const char *path, const struct unix_name *name)
{
	struct stat st;

	if (name->ino && !lstat(path, &st) && st.st_dev == name->dev &&
	    st.st_ino == name->ino)
		unlink(path);
}

int unix_listen(const char *path, int backlog, const char *what,
		struct err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO(fd_closep) int fd = -1;
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(a.sun_path))
		return err_set_kind(err, ERR_USAGE, -ENAMETOOLONG,
				    "%s: %s: a socket path has at most %zu "
				    "bytes; choose a shorter one",
				    what, path, sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail(err, ERR_HOST, -errno, what, path);
	if (is_stale(&a))
		unlink(path);
	mask = umask(0177); /* for us alone */
	r = bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ? -errno : 0;
	umask(mask);
	if (r == -EADDRINUSE)
		return err_set_kind(
			err, ERR_INPUT, r, "%s: %s %s; choose another path",
			what, path,
			is_socket(path) ? "is in use by another program"
					: "exists, and is no socket");
	if (r < 0)
		return fail(err, ERR_INPUT, r, what, path);
	if (listen(fd, backlog) < 0) {
		r = -errno;
		unlink(path);
		return fail(err, ERR_HOST, r, what, path);
	}
	return TAKE_FD(fd);
}
