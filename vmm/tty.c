/*
 * vmm/tty.c - raw mode.
 *
 * The saved settings are file-scope state on purpose: a signal handler and
 * atexit() have no argument to find them by.
 */
#include "vmm/tty.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

static struct termios saved, raw;
static volatile sig_atomic_t raw_fd = -1;

/* tcsetattr() from the background stops us unless SIGTTOU is blocked. */
static void apply(int fd, const struct termios *t)
{
	sigset_t set, old;

	sigemptyset(&set);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, &old);
	tcsetattr(fd, TCSADRAIN, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void tty_restore(void)
{
	int saved_errno = errno;

	if (raw_fd >= 0)
		apply(raw_fd, &saved);
	raw_fd = -1;
	errno = saved_errno;
}

void tty_resume(void)
{
	if (raw_fd >= 0 && tcgetpgrp(raw_fd) == getpgrp())
		apply(raw_fd, &raw);
}

static void on_crash(int signo)
{
	tty_restore();
	raise(signo); /* SA_RESETHAND: the default action, with the core */
}

static void restore_on_crash(void)
{
	static const int crash[] = {SIGSEGV, SIGBUS, SIGABRT,
				    SIGILL,  SIGFPE, SIGSYS};
	struct sigaction sa = {.sa_handler = on_crash,
			       .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	for (size_t i = 0; i < ARRAY_SIZE(crash); i++) {
		struct sigaction old;

		/* A sanitizer's handler prints more than ours would. */
		if (!sigaction(crash[i], NULL, &old) &&
		    old.sa_handler == SIG_DFL)
			sigaction(crash[i], &sa, NULL);
	}
}

int tty_raw(int fd, struct err *err)
{
	if (!isatty(fd) || tcgetpgrp(fd) != getpgrp())
		return 1;
	if (tcgetattr(fd, &saved) < 0)
		return err_set(err, -errno, "terminal: %s", strerror(errno));
	raw = saved;
	cfmakeraw(&raw);
	raw.c_oflag |= OPOST; /* our own messages still end in a line feed */
	raw_fd = fd;
	apply(fd, &raw);
	atexit(tty_restore);
	restore_on_crash();
	return 0;
}

bool tty_size(int fd, unsigned int *ret_rows, unsigned int *ret_cols)
{
	struct winsize w;

	if (ioctl(fd, TIOCGWINSZ, &w) < 0 || !w.ws_row || !w.ws_col)
		return false;
	*ret_rows = w.ws_row;
	*ret_cols = w.ws_col;
	return true;
}
