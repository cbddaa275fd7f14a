/* sim/sim_run.c - starts the command, passes signals on, waits. */
#include "sim/sim_run.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "sim/sim_notify.h"
#include "sim/sim_userns.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"

struct run {
	struct loop *loop;
	struct sock_filter prog[SIM_FILTER_MAX];
	int prog_len;
	int parent_sock, child_sock; /* the listener comes through here */
	sigset_t signals, old_mask;
	int signal_fd;
	pid_t child;
	bool child_ended, calls_ended;
	struct sim_result result;
};

/* What the child says when it cannot start the command. */
struct failure {
	int code; /* errno of exec; 0 when err has it */
	struct err err;
};

/* --- the child ------------------------------------------------------------ */

static int send_fd(int sock, int fd)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	char byte = 0;
	struct iovec iov = {&byte, 1};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(sock, &msg, 0) == 1 ? 0 : -errno;
}

/*
 * From here to exec every call that the filter catches waits for the parent,
 * so nothing is opened any more.
 */
static _Noreturn void child(struct run *run, pid_t parent, char *const *argv)
{
	struct failure f = {0};
	int listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	sigprocmask(SIG_SETMASK, &run->old_mask, NULL);
	listener = sim_filter_install(run->prog, (size_t)run->prog_len, &f.err);
	if (listener >= 0 && send_fd(run->child_sock, listener) >= 0) {
		close(listener);
		execvp(argv[0], argv);
		f.code = errno;
	}
	send(run->child_sock, &f, sizeof(f), MSG_NOSIGNAL);
	_exit(127);
}

/* --- the parent ----------------------------------------------------------- */

static int receive_fd(int sock, struct failure *f)
{
	union {
		struct cmsghdr align;
		char buf[CMSG_SPACE(sizeof(int))];
	} control = {0};
	struct iovec iov = {f, sizeof(*f)};
	struct msghdr msg = {.msg_iov = &iov,
			     .msg_iovlen = 1,
			     .msg_control = control.buf,
			     .msg_controllen = sizeof(control.buf)};
	ssize_t n = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
	struct cmsghdr *c = n > 0 ? CMSG_FIRSTHDR(&msg) : NULL;
	int fd = -1;

	if (c && c->cmsg_type == SCM_RIGHTS)
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

static void end_if_done(struct run *run)
{
	if (run->child_ended && run->calls_ended)
		loop_quit(run->loop);
}

static void on_calls_ended(void *arg)
{
	struct run *run = arg;

	run->calls_ended = true;
	end_if_done(run);
}

static void reap(struct run *run)
{
	if (waitpid(run->child, &run->result.wait_status, WNOHANG) !=
	    run->child)
		return;
	run->child_ended = true;
	end_if_done(run);
}

/*
 * What the terminal sends goes to the command by itself; what was sent to us
 * alone is passed on. When the command has ended and others it started have
 * not, we end.
 */
static void on_signal(void *arg, int fd, uint32_t events)
{
	struct run *run = arg;
	struct signalfd_siginfo si;

	(void)events;
	if (read(fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD)
		reap(run);
	else if (run->child_ended)
		loop_quit(run->loop);
	else if (si.ssi_code != SI_KERNEL)
		kill(run->child, (int)si.ssi_signo);
}

static int prepare(struct run *run, const struct sim_config *c, struct err *err)
{
	static const int passed[] = {SIGHUP,  SIGINT,  SIGQUIT, SIGTERM,
				     SIGUSR1, SIGUSR2, SIGCONT, SIGCHLD};
	int pair[2];

	run->prog_len = sim_host_filter(c, run->prog);
	if (run->prog_len < 0)
		return err_set(err, run->prog_len, "the filter is too long");
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "cannot make a socket: %s",
				    strerror(errno));
	run->parent_sock = pair[0];
	run->child_sock = pair[1];
	sigemptyset(&run->signals);
	for (size_t i = 0; i < ARRAY_SIZE(passed); i++)
		sigaddset(&run->signals, passed[i]);
	sigprocmask(SIG_BLOCK, &run->signals, &run->old_mask);
	run->signal_fd =
		signalfd(-1, &run->signals, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signal_fd < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "cannot wait for signals: %s",
				    strerror(errno));
	return 0;
}

static int start(struct run *run, char *const *argv, struct err *err)
{
	pid_t parent = getpid();

	fflush(NULL);
	run->child = fork();
	if (run->child < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "cannot start a process: %s",
				    strerror(errno));
	if (!run->child)
		child(run, parent, argv);
	fd_closep(&run->child_sock);
	run->child_sock = -1;
	return 0;
}

/* exec closes the child's end; before, it may have said why it failed. */
static void read_failure(struct run *run)
{
	struct failure f = {0};

	if (recv(run->parent_sock, &f, sizeof(f), MSG_DONTWAIT) == sizeof(f))
		run->result.exec_errno = f.code;
}

static int serve(struct run *run, struct sim_host *host, struct err *err)
{
	AUTO(sim_notify_destroyp) struct sim_notify *n = NULL;
	struct loop_source *source;
	struct failure f = {0};
	int listener = receive_fd(run->parent_sock, &f), r;

	if (listener < 0) {
		waitpid(run->child, &run->result.wait_status, 0);
		if (err)
			*err = f.err;
		return f.err.code ? f.err.code
				  : err_set_kind(err, ERR_HOST, -ECHILD,
						 "the command was killed "
						 "before it started");
	}
	r = sim_notify_create(host, run->loop, listener, on_calls_ended, run,
			      &n, err);
	if (r < 0)
		return r;
	r = loop_add_fd(run->loop, run->signal_fd, EPOLLIN, on_signal, run,
			&source);
	if (r >= 0)
		r = loop_run(run->loop);
	if (r < 0)
		return err_set(err, r, "the event loop failed: %s",
			       strerror(-r));
	read_failure(run);
	return 0;
}

static void run_end(struct run *run)
{
	fd_closep(&run->parent_sock);
	fd_closep(&run->child_sock);
	fd_closep(&run->signal_fd);
}

int sim_run(const struct sim_config *c, char *const *argv,
	    struct sim_result *ret, struct err *err)
{
	AUTO(loop_destroyp) struct loop *loop = NULL;
	AUTO(sim_host_destroyp) struct sim_host *host = NULL;
	AUTO(run_end)
	struct run run = {.parent_sock = -1, .child_sock = -1, .signal_fd = -1};
	int r = loop_create(&loop, err);

	run.loop = loop;
	if (r >= 0)
		r = sim_host_create(c, loop, &host, err);
	if (r >= 0)
		r = sim_userns_enter(err);
	if (r >= 0)
		r = prepare(&run, c, err);
	if (r >= 0)
		r = start(&run, argv, err);
	if (r >= 0)
		r = serve(&run, host, err);
	if (r < 0)
		return r;
	*ret = run.result;
	ret->touched = host->touched;
	return 0;
}
