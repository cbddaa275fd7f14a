/*
 * What cases need on the host side and a shell cannot do.
 *
 * host-tool unix PATH            standard input and output to a unix socket
 * host-tool exec CMD...          become CMD, with SIGINT and SIGQUIT at their
 *                                defaults: a shell ignores them in background
 * host-tool pty PIDFILE CMD...   run CMD on a terminal of its own, relay it,
 *                                and say on stderr whether the terminal is
 *                                afterwards as it was; ends with CMD's status
 * host-tool as UID CMD...        as this user and group, with nothing else
 * host-tool without io_uring|sync CMD...
 *                                on a host that refuses io_uring; or that also
 *                                says "done" to fsync(2) and does nothing
 * host-tool tap NAME UID QUEUES  a persistent tap that UID may use
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/filter.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
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

static int as_main(const char *user, char **argv)
{
	uid_t id = (uid_t)strtoul(user, NULL, 10);

	if (setgroups(0, NULL) < 0 || setresgid(id, id, id) < 0 ||
	    setresuid(id, id, id) < 0) {
		perror("host-tool: as");
		return 70;
	}
	return exec_main(argv);
}

/* What a call answers instead of being made. */
#define ANSWER(nr, error)                                                      \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr, 0, 1),                         \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

static int without_main(const char *what, char **argv)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		ANSWER(SYS_io_uring_setup, ENOSYS),
		/* what follows is for "sync" */
		ANSWER(SYS_fsync, 0),
		ANSWER(SYS_fdatasync, 0),
		ANSWER(SYS_sync_file_range, 0),
		ANSWER(SYS_msync, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const size_t n = sizeof(code) / sizeof(code[0]);
	struct sock_fprog filter = {.len = (unsigned short)n, .filter = code};

	if (strcmp(what, "io_uring") == 0) {
		code[3] = code[n - 1];
		filter.len = 4;
	} else if (strcmp(what, "sync") != 0) {
		return 64;
	}
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0) {
		perror("host-tool: seccomp");
		return 70;
	}
	return exec_main(argv);
}

static int tap_main(const char *name, const char *uid, int queues)
{
	struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (queues > 1)
		r.ifr_flags |= IFF_MULTI_QUEUE;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r) < 0 ||
	    ioctl(fd, TUNSETOWNER, strtoul(uid, NULL, 10)) < 0 ||
	    ioctl(fd, TUNSETPERSIST, 1) < 0) {
		perror("host-tool: tap");
		return 70;
	}
	return 0;
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
	if (argc >= 4 && strcmp(argv[1], "as") == 0)
		return as_main(argv[2], argv + 3);
	if (argc >= 4 && strcmp(argv[1], "without") == 0)
		return without_main(argv[2], argv + 3);
	if (argc == 5 && strcmp(argv[1], "tap") == 0)
		return tap_main(argv[2], argv[3], atoi(argv[4]));
	fprintf(stderr, "usage: see the source\n");
	return 64;
}
