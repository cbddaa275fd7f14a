/*
 * What cases need on the host side and a shell cannot do.
 *
 * host-tool unix PATH            standard input and output to a unix socket
 * host-tool exec CMD...          become CMD, with SIGINT and SIGQUIT at their
 *                                defaults: a shell ignores them in background
 * host-tool pty PIDFILE CMD...   run CMD on a terminal of its own, relay it,
 *                                and say on stderr whether the terminal is
 *                                afterwards as it was; ends with CMD's status
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static int write_all(int fd, const char *p, ssize_t n)
{
	while (n > 0) {
		ssize_t r = write(fd, p, (size_t)n);

		if (r < 0 && errno != EINTR)
			return -1;
		if (r > 0) {
			p += r;
			n -= r;
		}
	}
	return 0;
}

/* 0: the end of @from; -1: an error on either side. */
static int relay_some(int from, int to)
{
	char buf[4096];
	ssize_t n = read(from, buf, sizeof(buf));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 1 : -1;
	if (n == 0)
		return 0;
	return write_all(to, buf, n) < 0 ? -1 : 1;
}

/* Both ways between (0, 1) and @fd, until @fd ends or @child has. */
static int relay(int fd, pid_t child)
{
	struct pollfd p[2] = {{fd, POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
	int status = 0;

	for (;;) {
		if (poll(p, 2, 100) < 0 && errno != EINTR)
			return 70;
		if (p[0].revents && relay_some(fd, STDOUT_FILENO) <= 0)
			p[0].fd = -1;
		if (p[1].revents && relay_some(STDIN_FILENO, fd) <= 0)
			p[1].fd = -1;
		if (!child && p[0].fd < 0)
			return 0;
		if (child && !(p[0].revents & POLLIN) &&
		    waitpid(child, &status, WNOHANG) == child)
			return WIFEXITED(status) ? WEXITSTATUS(status)
						 : 128 + WTERMSIG(status);
	}
}

static int unix_main(const char *path)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (strlen(path) >= sizeof(a.sun_path))
		return 64;
	strcpy(a.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0) {
		perror(path);
		return 66;
	}
	return relay(fd, 0);
}

static int open_terminal(int *ret_master, int *ret_slave)
{
	const struct winsize size = {.ws_row = 33, .ws_col = 99};
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	int slave;

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0)
		return -1;
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0 || ioctl(slave, TIOCSWINSZ, &size) < 0)
		return -1;
	*ret_master = master;
	*ret_slave = slave;
	return 0;
}

static int exec_main(char **argv)
{
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	execvp(argv[0], argv);
	perror(argv[0]);
	return 127;
}

static void run_on(int slave, const char *pidfile, char **argv)
{
	FILE *f = fopen(pidfile, "we");

	if (!f || fprintf(f, "%d\n", (int)getpid()) < 0 || fclose(f) != 0)
		_exit(70);
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		_exit(70);
	for (int fd = 0; fd <= 2; fd++)
		if (dup2(slave, fd) < 0)
			_exit(70);
	_exit(exec_main(argv));
}

static int same_terminal(const struct termios *a, const struct termios *b)
{
	return a->c_iflag == b->c_iflag && a->c_oflag == b->c_oflag &&
	       a->c_cflag == b->c_cflag && a->c_lflag == b->c_lflag &&
	       memcmp(a->c_cc, b->c_cc, sizeof(a->c_cc)) == 0;
}

static int pty_main(const char *pidfile, char **argv)
{
	struct termios before, after;
	int master, slave, status;
	pid_t child;

	if (open_terminal(&master, &slave) < 0 ||
	    tcgetattr(slave, &before) < 0) {
		perror("host-tool: pty");
		return 70;
	}
	child = fork();
	if (child < 0)
		return 70;
	if (child == 0)
		run_on(slave, pidfile, argv);
	status = relay(master, child);
	if (tcgetattr(slave, &after) < 0)
		return 70;
	fprintf(stderr, "pty: the terminal is %s\n",
		same_terminal(&before, &after) ? "as it was" : "changed");
	return status;
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "unix") == 0)
		return unix_main(argv[2]);
	if (argc >= 3 && strcmp(argv[1], "exec") == 0)
		return exec_main(argv + 2);
	if (argc >= 4 && strcmp(argv[1], "pty") == 0)
		return pty_main(argv[2], argv + 3);
	fprintf(stderr, "usage: host-tool unix PATH | exec CMD... | "
			"pty PIDFILE CMD...\n");
	return 64;
}
