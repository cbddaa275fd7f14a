/* vmm/console_open.c - files, sockets and terminals for the console. */
#include "vmm/console_open.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/tty.h"
#include "vmm/unix_listen.h"

void console_files_init(struct console_files *f)
{
	*f = (struct console_files){
		.params = {.in_fd = -1, .out_fd = -1},
		.own = {-1, -1},
	};
}

static int fail(struct err *err, enum err_kind kind, int code, const char *path)
{
	if (code == -EACCES || code == -EPERM)
		kind = ERR_PERM;
	return err_set_kind(err, kind, code, "--console: %s: %s", path,
			    strerror(-code));
}

static int open_stdio(struct console_files *f, struct err *err)
{
	int r;

	f->params.style = CONSOLE_STYLE_STREAM;
	f->params.in_fd = STDIN_FILENO;
	f->params.out_fd = STDOUT_FILENO;
	if (fcntl(STDIN_FILENO, F_GETFD) < 0)
		f->params.in_fd = -1; /* closed by whoever started us */
	if (fcntl(STDOUT_FILENO, F_GETFD) < 0)
		f->params.style = CONSOLE_STYLE_NONE;
	if (f->params.in_fd < 0 || !isatty(STDIN_FILENO))
		return 0;
	r = tty_raw(STDIN_FILENO, err);
	if (r < 0)
		return r;
	if (r == 1) { /* in the background: reading would stop us */
		f->params.in_fd = -1;
		return 0;
	}
	f->raw = true;
	f->params.escapes = true;
	return 0;
}

/*
 * A pipe with a name waits for its reader, but not for good: signals are
 * blocked, and the event loop that takes them does not run yet.
 */
static int open_fifo(const char *path)
{
	static const struct timespec wait = {.tv_nsec = 20000000};
	sigset_t end;
	int fd;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	sigaddset(&end, SIGHUP);
	for (;;) {
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 || errno != ENXIO)
			break;
		if (sigtimedwait(&end, NULL, &wait) > 0) {
			errno = ENXIO;
			break;
		}
	}
	if (fd >= 0)
		fcntl(fd, F_SETFL, 0); /* from here on it may wait */
	return fd;
}

static bool is_fifo(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISFIFO(st.st_mode);
}

static int open_file(const char *path, struct console_files *f, struct err *err)
{
	int fd = is_fifo(path)
			 ? open_fifo(path)
			 : open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOCTTY,
				0644);

	if (fd < 0 && errno == ENXIO)
		return err_set_kind(err, ERR_INPUT, -ENXIO,
				    "--console: %s: nobody reads from it",
				    path);
	if (fd < 0)
		return fail(err, ERR_INPUT, -errno, path);
	f->own[0] = fd;
	f->file = path;
	f->params.style = CONSOLE_STYLE_STREAM;
	f->params.out_fd = fd;
	return 0;
}

static int open_unix(const char *path, struct console_files *f, struct err *err)
{
	AUTO(fd_closep) int fd = unix_listen(path, 4, "--console", err);

	if (fd < 0)
		return fd;
	f->name = unix_name_of(path);
	f->unlink_path = strdup(path);
	if (!f->unlink_path) {
		unix_unlink(path, &f->name);
		return fail(err, ERR_HOST, -ENOMEM, path);
	}
	f->params.style = CONSOLE_STYLE_LISTEN;
	f->params.out_fd = f->own[0] = TAKE_FD(fd);
	return 0;
}

/*
 * The slave stays open here: so the settings made on it last, and the master
 * does not hang up while nobody is attached.
 */
static int open_pty(struct console_files *f, struct err *err)
{
	AUTO(fd_closep) int master = -1;
	AUTO(fd_closep) int slave = -1;
	struct winsize w;
	struct termios t;
	char name[64];

	master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, sizeof(name)))
		return fail(err, ERR_HOST, errno ? -errno : -EIO, "pty");
	slave = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || tcgetattr(slave, &t) < 0)
		return fail(err, ERR_HOST, -errno, name);
	cfmakeraw(&t); /* no echo: it would come back as the guest's input */
	tcsetattr(slave, TCSANOW, &t);
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0)
		ioctl(master, TIOCSWINSZ, &w);
	log_info("console: %s", name);
	f->params.style = CONSOLE_STYLE_PTY;
	f->params.in_fd = f->params.out_fd = master;
	f->own[0] = TAKE_FD(master);
	f->own[1] = TAKE_FD(slave);
	return 0;
}

int console_open(const struct console_config *c, struct console_files *ret,
		 struct err *err)
{
	switch (c->kind) {
	case CONSOLE_STDIO:
		return open_stdio(ret, err);
	case CONSOLE_FILE:
		return open_file(c->path, ret, err);
	case CONSOLE_UNIX:
		return open_unix(c->path, ret, err);
	case CONSOLE_PTY:
		return open_pty(ret, err);
	case CONSOLE_NONE:
		ret->params.style = CONSOLE_STYLE_NONE;
		return 0;
	}
	return err_set_kind(err, ERR_INTERNAL, -EINVAL, "console kind %d",
			    (int)c->kind);
}

int console_empty_file(const struct console_files *f, struct err *err)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	struct stat st;

	if (!f->file || fstat(f->own[0], &st) < 0 || !S_ISREG(st.st_mode))
		return 0;
	if (!fcntl(f->own[0], F_OFD_GETLK, &l) && l.l_type != F_UNLCK)
		return err_set_kind(err, ERR_INPUT, -EBUSY,
				    "--console: %s is in use, as a guest's "
				    "disk or variables; choose another file",
				    f->file);
	if (ftruncate(f->own[0], 0) < 0)
		return fail(err, ERR_INPUT, -errno, f->file);
	return 0;
}

void console_close(struct console_files *f)
{
	if (f->raw)
		tty_restore();
	f->raw = false;
	if (f->unlink_path)
		unix_unlink(f->unlink_path, &f->name);
	free(f->unlink_path);
	f->unlink_path = NULL;
	for (int i = 0; i < 2; i++) {
		fd_closep(&f->own[i]);
		f->own[i] = -1;
	}
}
