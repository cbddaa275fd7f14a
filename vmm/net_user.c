/* vmm/net_user.c - starts passt, waits until it serves, ends it. */
#include "vmm/net_user.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/now.h"
#include "vmm/net_forward.h"

enum {
	TIMEOUT_MS = 10000,
	POLL_MS = 2,
	SAID_MAX = 4096, /* of what passt says, the last bytes are kept */
	ARGS_FIXED = 16,
	SOCKET_BYTES = 4 << 20,
	ARG_MAX_LEN = 80, /* "[address]/65535:65535", "2147483647" */
	PROBE_LEN = 60,
	ETH_P_LOCAL = 0x88b5, /* IEEE 802: for local experiments */
};

struct net_user {
	pid_t pid;
	int pidfd;
	int said_fd; /* passt's standard output and error, read end */
	bool reaped;
	int status; /* of waitpid(2), when reaped */
	size_t said_len;
	char said[SAID_MAX + 1];
};

/* The command line; text holds what argv points at. */
struct args {
	size_t n;
	char **argv;
	char (*text)[ARG_MAX_LEN];
};

/* --- the command line --------------------------------------------------- */

static void args_free(struct args *a)
{
	free(a->argv);
	free(a->text);
}

/* Room for one more: ARG_MAX_LEN bytes. */
static char *next(struct args *a)
{
	a->argv[a->n] = a->text[a->n];
	return a->text[a->n++];
}

static void add(struct args *a, const char *text)
{
	snprintf(next(a), ARG_MAX_LEN, "%s", text);
}

static void add_number(struct args *a, unsigned int n)
{
	snprintf(next(a), ARG_MAX_LEN, "%u", n);
}

static void add_forwards(struct args *a, const struct net_user_params *p,
			 bool udp)
{
	bool any = false;

	for (size_t i = 0; i < p->n_forwards; i++) {
		const struct net_forward *f = &p->forwards[i];

		if (f->udp != udp)
			continue;
		any = true;
		add(a, udp ? "-u" : "-t");
		snprintf(next(a), ARG_MAX_LEN, "%s%s%u:%u", f->address,
			 *f->address ? "/" : "", f->host, f->guest);
	}
	/* said aloud: the default for UDP would be the ports of TCP */
	if (!any) {
		add(a, udp ? "-u" : "-t");
		add(a, "none");
	}
}

static int build_args(const struct net_user_params *p, const char *program,
		      int fd, struct args *a, struct err *err)
{
	size_t max = ARGS_FIXED + 2 * p->n_forwards;

	a->argv = calloc(max + 1, sizeof(*a->argv));
	a->text = calloc(max, sizeof(*a->text));
	if (!a->argv || !a->text) {
		err_set(err, -ENOMEM, "out of memory");
		return -ENOMEM;
	}
	add(a, "");
	a->argv[0] = (char *)program; /* may be a long path */
	add(a, "-f");
	add(a, "-q");
	add(a, "-1");
	add(a, "--fd");
	add_number(a, (unsigned int)fd);
	if (p->mtu) {
		add(a, "-m");
		add_number(a, p->mtu);
	}
	add_forwards(a, p, false);
	add_forwards(a, p, true);
	return 0;
}

/* --- what it says ------------------------------------------------------- */

/* Keep the last SAID_MAX bytes. */
static void listen_to(struct net_user *u)
{
	char buf[1024];
	ssize_t n;

	while ((n = read(u->said_fd, buf, sizeof(buf))) > 0) {
		size_t len = (size_t)n, keep = u->said_len;

		if (keep > SAID_MAX - len)
			keep = SAID_MAX - len;
		memmove(u->said, u->said + u->said_len - keep, keep);
		memcpy(u->said + keep, buf, len);
		u->said_len = keep + len;
	}
	u->said[u->said_len] = 0;
}

/*
 * The last line that is about something. Without a system log passt complains
 * of that after every other line.
 */
static void last_line(struct net_user *u, char *buf, size_t size)
{
	char *save = NULL;

	*buf = 0;
	listen_to(u);
	for (char *l = strtok_r(u->said, "\n", &save); l;
	     l = strtok_r(NULL, "\n", &save)) {
		while (*l == ' ' || *l == '\t')
			l++;
		if (*l && strncmp(l, "Failed to send ", 15) != 0)
			snprintf(buf, size, "%s", l);
	}
	u->said_len = 0;
	/* it goes to a terminal */
	for (; *buf; buf++)
		if ((unsigned char)*buf < ' ' || *buf == 0x7f)
			*buf = '?';
}

static void reap(struct net_user *u)
{
	if (!u->reaped && waitpid(u->pid, &u->status, WNOHANG) == u->pid)
		u->reaped = true;
}

int net_user_result(struct net_user *u, struct err *err)
{
	char line[256], how[64];

	reap(u);
	if (!u->reaped)
		return 0;
	if (WIFSIGNALED(u->status))
		snprintf(how, sizeof(how), "was ended by signal %d",
			 WTERMSIG(u->status));
	else
		snprintf(how, sizeof(how), "ended with status %d",
			 WEXITSTATUS(u->status));
	last_line(u, line, sizeof(line));
	return err_set_kind(err, ERR_HOST, -EPIPE, "--net: user: passt %s%s%s",
			    how, *line ? ": " : "", line);
}

int net_user_pidfd(const struct net_user *u)
{
	return u->pidfd;
}

/* --- the child ---------------------------------------------------------- */

/* What the child needs, and nothing that allocates. */
struct child {
	pid_t parent;
	int socket, said, failed; /* its ends */
	char *const *argv;
};

static void set_up(const struct child *c)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	/* not with the terminal's Ctrl-C: the guest has still to shut down */
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != c->parent)
		_exit(0); /* it died before that was in force */
	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(c->said, STDOUT_FILENO);
	dup2(c->said, STDERR_FILENO);
	close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	fcntl(c->socket, F_SETFD, 0);
}

static void __attribute__((noreturn)) run_child(const struct child *c)
{
	ssize_t unused;
	int e;

	set_up(c);
	execvp(c->argv[0], c->argv);
	e = errno;
	unused = write(c->failed, &e, sizeof(e));
	(void)unused;
	_exit(127);
}

static int exec_failed(const char *program, int e, struct err *err)
{
	if (e == ENOENT)
		return err_set_kind(err, ERR_HOST, -e,
				    "--net: user: '%s' is not installed (apt "
				    "install passt)",
				    program);
	return err_set_kind(err, ERR_HOST, -e, "--net: user: '%s': %s", program,
			    strerror(e));
}

/* Fork, and come back when the program runs or could not be run. */
static int spawn(struct net_user *u, struct child *c, struct err *err)
{
	AUTO(fd_closep) int failed = -1;
	AUTO(fd_closep) int child_failed = -1;
	int p[2], e = 0;
	ssize_t n;

	if (pipe2(p, O_CLOEXEC) < 0)
		return err_set_kind(err, ERR_HOST, -errno, "pipe: %s",
				    strerror(errno));
	failed = p[0];
	c->failed = child_failed = p[1];
	c->parent = getpid();
	u->pid = fork();
	if (u->pid < 0)
		return err_set_kind(err, ERR_HOST, -errno, "fork: %s",
				    strerror(errno));
	if (!u->pid)
		run_child(c);
	u->reaped = false;
	fd_closep(&child_failed);
	child_failed = -1;
	do {
		n = read(failed, &e, sizeof(e));
	} while (n < 0 && errno == EINTR);
	if (n == sizeof(e))
		return exec_failed(c->argv[0], e, err);
	u->pidfd = (int)syscall(SYS_pidfd_open, u->pid, 0);
	if (u->pidfd < 0)
		return err_set_kind(err, ERR_HOST, -errno, "pidfd_open: %s",
				    strerror(errno));
	return 0;
}

/* --- until it serves ---------------------------------------------------- */

/*
 * passt says nothing when it is ready, but it reads its socket only then. So
 * it gets a frame of a kind that nobody answers, and the kernel tells us when
 * that has been read. (It learns the guest's address from it, too.)
 */
static int send_probe(int fd, const uint8_t *mac)
{
	uint8_t m[4 + PROBE_LEN] = {0};

	store_be32(m, PROBE_LEN);
	memset(m + 4, 0xff, 6);
	memcpy(m + 10, mac, 6);
	store_be16(m + 16, ETH_P_LOCAL);
	if (send(fd, m, sizeof(m), MSG_NOSIGNAL) == (ssize_t)sizeof(m))
		return 0;
	return errno == EPIPE ? 0 : -errno; /* then its end is noticed */
}

/* Its end of the socket is closed. */
static bool has_hung_up(int fd)
{
	struct pollfd p = {.fd = fd};

	return poll(&p, 1, 0) > 0 && p.revents & POLLHUP;
}

static int wait_ready(struct net_user *u, int fd, unsigned int timeout_ms,
		      struct err *err)
{
	uint64_t end = now_ms() + (timeout_ms ? timeout_ms : TIMEOUT_MS);
	struct pollfd p = {.fd = u->pidfd, .events = POLLIN};

	for (;;) {
		int unread = -1;

		if (poll(&p, 1, POLL_MS) > 0 && net_user_result(u, err) < 0)
			return -EPIPE;
		if (ioctl(fd, SIOCOUTQ, &unread) < 0)
			return err_set_kind(err, ERR_HOST, -errno,
					    "SIOCOUTQ: %s", strerror(errno));
		/*
		 * A process that ends takes what it has not read with it, a
		 * moment before it has ended.
		 */
		if (!unread && !has_hung_up(fd))
			return 0;
		listen_to(u);
		if (now_ms() >= end)
			return err_set_kind(err, ERR_HOST, -ETIMEDOUT,
					    "--net: user: passt does not come "
					    "up");
	}
}

static int cannot_forward(const struct net_forward *f, int r, struct err *err)
{
	const char *hint = "";

	if (r == -EADDRINUSE)
		hint = "; another program has that port";
	if (r == -EACCES)
		hint = "; ports below net.ipv4.ip_unprivileged_port_start "
		       "need a privilege";
	return err_set_kind(err, r == -EACCES ? ERR_PERM : ERR_HOST, r,
			    "--publish: cannot listen on %s%s%u/%s: %s%s",
			    f->address, *f->address ? " port " : "port ",
			    f->host, f->udp ? "udp" : "tcp", strerror(-r),
			    hint);
}

/* passt goes on without a port it does not get; we do not. */
static int check_free(const struct net_user_params *p, struct err *err)
{
	for (size_t i = 0; i < p->n_forwards; i++) {
		int r = net_forward_probe(&p->forwards[i]);

		if (r < 0)
			return cannot_forward(&p->forwards[i], r, err);
	}
	return 0;
}

static int check_taken(const struct net_user_params *p, struct err *err)
{
	for (size_t i = 0; i < p->n_forwards; i++)
		if (net_forward_probe(&p->forwards[i]) != -EADDRINUSE)
			return cannot_forward(&p->forwards[i], -EACCES, err);
	return 0;
}

/* --- life --------------------------------------------------------------- */

/* passt may not wait for us to read what it says. */
static int make_pipe(struct net_user *u, int *ret_child, struct err *err)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set_kind(err, ERR_HOST, -errno, "pipe: %s",
				    strerror(errno));
	u->said_fd = p[0];
	*ret_child = p[1];
	return 0;
}

/*
 * passt has no congestion window: it sends what the guest's TCP windows allow,
 * and takes a frame for sent that its socket has no room for. Nobody misses the
 * last of such frames until a timer of two seconds does, and the third such
 * timer in a row ends the connection. It enlarges sockets that it accepts, but
 * not those it is given (passt 2023-03-09, tap.c and tcp.c). Without a
 * privilege the limit is net.core.wmem_max.
 */
static void enlarge(int socket)
{
	int n = SOCKET_BYTES;

	if (setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &n, sizeof(n)) < 0)
		setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &n, sizeof(n));
}

static int launch(struct net_user *u, const struct net_user_params *p,
		  int socket, struct err *err)
{
	AUTO(args_free) struct args a = {0};
	AUTO(fd_closep) int said = -1;
	struct child c;
	int r = make_pipe(u, &said, err);

	if (r < 0)
		return r;
	r = build_args(p, p->program ? p->program : "passt", socket, &a, err);
	if (r < 0)
		return r;
	c = (struct child){.socket = socket, .said = said, .argv = a.argv};
	return spawn(u, &c, err);
}

int net_user_start(const struct net_user_params *p, struct net_user **ret,
		   int *ret_fd, struct err *err)
{
	AUTO(net_user_destroyp) struct net_user *u = NULL;
	AUTO(fd_closep) int mine = -1;
	int sv[2], r;

	r = check_free(p, err);
	if (r < 0)
		return r;
	u = calloc(1, sizeof(*u));
	if (!u)
		return err_set(err, -ENOMEM, "out of memory");
	u->pidfd = u->said_fd = -1;
	u->reaped = true; /* nobody is there yet */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sv) < 0)
		return err_set_kind(err, ERR_HOST, -errno, "socketpair: %s",
				    strerror(errno));
	mine = sv[0];
	fcntl(mine, F_SETFL, O_NONBLOCK);
	enlarge(sv[1]);
	r = launch(u, p, sv[1], err);
	close(sv[1]);
	if (r < 0)
		return r;
	r = send_probe(mine, p->mac);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "--net: user: %s",
				    strerror(-r));
	r = wait_ready(u, mine, p->timeout_ms, err);
	if (!r)
		r = check_taken(p, err);
	if (r < 0)
		return r;
	*ret_fd = TAKE_FD(mine);
	*ret = TAKE(u);
	return 0;
}

void net_user_destroy(struct net_user *u)
{
	if (!u)
		return;
	reap(u);
	if (!u->reaped) {
		/* it keeps nothing that would have to be put in order */
		kill(u->pid, SIGKILL);
		waitpid(u->pid, &u->status, 0);
	}
	fd_closep(&u->pidfd);
	fd_closep(&u->said_fd);
	free(u);
}
