/* vmm/supervisor/monitor_proc.c - clone, exec, kill, wait. */
#include "vmm/supervisor/monitor_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "vmm/base/err.h"
#include "vmm/build_id.h"
#include "vmm/monitor/monitor_proto.h"

static const char name[] = "coffer-monitor";

struct monitor_proc {
	pid_t pid; /* -1: reaped */
	int status;
	int pidfd, channel, err_fd;
};

/* --- which program ------------------------------------------------------- */

int monitor_proc_find(int *ret_fd, struct err *err)
{
	char dir[4096], *slash;
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);
	AUTO(fd_closep) int dir_fd = -1;
	int fd = -1;

	dir[n < 0 ? 0 : n] = 0;
	slash = strrchr(dir, '/');
	if (slash) {
		*slash = 0;
		dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
	}
	if (dir_fd >= 0)
		fd = openat(dir_fd, name, O_PATH | O_CLOEXEC);
	if (fd < 0 && dir_fd >= 0) /* wherever bin was installed to */
		fd = openat(dir_fd, COFFER_LIBEXEC_FROM_BIN "/coffer-monitor",
			    O_PATH | O_CLOEXEC);
	if (fd < 0)
		fd = open(COFFER_LIBEXECDIR "/coffer-monitor",
			  O_PATH | O_CLOEXEC);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		return err_set_kind(err, ERR_HOST, -errno,
				    "%s: %s (limits that apply: ulimit -n, "
				    "fs.file-max)",
				    name, strerror(errno));
	if (fd < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "%s is neither in %s nor in %s: %s; "
				    "install coffer anew",
				    name, dir, COFFER_LIBEXECDIR,
				    strerror(errno));
	*ret_fd = fd;
	return 0;
}

static uint64_t namespace_flags(const struct monitor_proc_params *p)
{
	uint64_t flags = CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC |
			 CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWCGROUP;

	if (!p->namespaces)
		return 0;
	return geteuid() == 0 ? flags : flags | CLONE_NEWUSER;
}

/* --- the child, until it is another program ------------------------------ */

/* Of the child, which borrows our memory until it is another program. */
enum { CHILD_STACK = 64 * 1024 };

struct child {
	const struct monitor_proc_params *p;
	int program, null, err_fd, channel; /* all above MONITOR_FD_CHANNEL */
	pid_t parent;
	uid_t uid; /* ours, outside */
	gid_t gid;
};

/*
 * On a stack that no sanitizer knows: a call from there that does not return
 * would have it clean up what it takes for the rest of ours.
 */
#define ON_CHILD_STACK __attribute__((no_sanitize("address")))
#define DOES_NOT_RETURN __attribute__((noreturn))

/* Nothing but system calls: who knows what memory this is. */
static void ON_CHILD_STACK DOES_NOT_RETURN fail_in_child(const struct child *c,
							 const char *what)
{
	struct monitor_msg m = {.type = MONITOR_MSG_ERROR};
	int e = errno;

	m.error.kind = ERR_HOST;
	m.error.code = -e;
	snprintf(m.error.msg, sizeof(m.error.msg), "%s: %s: %s", name, what,
		 strerror(e));
	monitor_msg_send(c->channel, &m, NULL, 0);
	_exit(EXIT_FAILURE);
}

static void default_signals(void)
{
	struct sigaction sa = {.sa_handler = SIG_DFL};
	sigset_t none;

	for (int i = 1; i < NSIG; i++)
		sigaction(i, &sa, NULL);
	sa.sa_handler = SIG_IGN; /* those it writes to come and go */
	sigaction(SIGPIPE, &sa, NULL);
	sigaction(SIGXFSZ, &sa, NULL); /* a disk's error, not its end */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

static void ON_CHILD_STACK write_map(const struct child *c, const char *path,
				     const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0 || write(fd, text, len) != (ssize_t)len)
		fail_in_child(c, path);
	close(fd);
}

/*
 * In a user namespace of our own we are user 0, which is the caller outside.
 * Mapped before exec, which would take the capabilities away from nobody
 * (user_namespaces(7)).
 */
static void map_user(const struct child *c)
{
	char map[32];

	write_map(c, "/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1", c->uid);
	write_map(c, "/proc/self/uid_map", map);
	snprintf(map, sizeof(map), "0 %u 1", c->gid);
	write_map(c, "/proc/self/gid_map", map);
}

/* What dup2() overwrites is none of @c's. Our caller has blocked all signals.
 */
static void ON_CHILD_STACK DOES_NOT_RETURN become_monitor(const struct child *c)
{
	char *argv[] = {(char *)(uintptr_t)name,
			(char *)(uintptr_t)coffer_build_id(), NULL};
	char *envp[] = {NULL};

	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		fail_in_child(c, "PR_SET_PDEATHSIG");
	if (!c->p->namespaces && getppid() != c->parent)
		_exit(EXIT_FAILURE); /* it died before that */
	if (setsid() < 0 && errno != EPERM)
		fail_in_child(c, "setsid");
	default_signals();
	if (namespace_flags(c->p) & CLONE_NEWUSER)
		map_user(c);
	if (dup2(c->null, 0) < 0 || dup2(c->null, 1) < 0 ||
	    dup2(c->err_fd, MONITOR_FD_STDERR) < 0 ||
	    dup2(c->channel, MONITOR_FD_CHANNEL) < 0)
		fail_in_child(c, "dup2");
	/* whatever the caller left open, this program does not get it */
	if (syscall(SYS_close_range, MONITOR_FD_CHANNEL + 1, ~0U,
		    CLOSE_RANGE_CLOEXEC) < 0)
		fail_in_child(c, "close_range (Linux 5.11 is needed)");
	syscall(SYS_execveat, c->program, "", argv, envp, AT_EMPTY_PATH);
	fail_in_child(c, "execveat");
}

/* --- the parent ---------------------------------------------------------- */

static int clone_failed(const struct monitor_proc_params *p, int e,
			struct err *err)
{
	const char *hint = "";

	if (p->cgroup >= 0 && e == EACCES)
		hint = "; to put it into the cgroup, this process has to be in "
		       "the delegated tree itself (systemd-run --user --scope "
		       "-p Delegate=yes)";
	if (p->namespaces && (e == EPERM || e == ENOSPC || e == EUSERS))
		hint = "; this host allows no namespaces "
		       "(kernel.unprivileged_userns_clone, "
		       "user.max_user_namespaces, or a chroot or container "
		       "around us): run as root, or without them by --jail off";
	if (e == ENOSYS)
		hint = "; the list of system calls of a container around us "
		       "hides it: run that with a seccomp profile that has "
		       "clone3";
	return err_set_kind(err,
			    e == EPERM || e == EACCES ? ERR_PERM : ERR_HOST, -e,
			    "%s: clone3: %s%s", name, strerror(e), hint);
}

/* A number that the child's dup2() calls do not hit. */
static int above_channel(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, MONITOR_FD_CHANNEL + 1);
	int e = errno;

	close(fd);
	errno = e;
	return high;
}

static int open_ends(struct monitor_proc *p, struct child *c, struct err *err)
{
	int pair[2], ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set_kind(err, ERR_HOST, -errno, "%s: socketpair: %s",
				    name, strerror(errno));
	p->channel = pair[0];
	c->channel = above_channel(pair[1]);
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return err_set_kind(err, ERR_HOST, -errno, "%s: pipe: %s", name,
				    strerror(errno));
	p->err_fd = ends[0];
	c->err_fd = above_channel(ends[1]);
	c->null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (c->null >= 0)
		c->null = above_channel(c->null);
	c->program =
		fcntl(c->p->program, F_DUPFD_CLOEXEC, MONITOR_FD_CHANNEL + 1);
	if (c->channel < 0 || c->err_fd < 0 || c->null < 0 || c->program < 0 ||
	    fcntl(p->channel, F_SETFL, O_NONBLOCK) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "%s: descriptors: %s", name,
				    strerror(errno));
	return 0;
}

/*
 * clone3(2), whose child calls become_monitor() at the top of @a's stack. No
 * library has it: syscall() would return there to where its caller never was.
 */
static long clone_monitor(const struct clone_args *a, const struct child *c)
{
	register const struct child *child __asm__("r8") = c;
	register void (*fn)(const struct child *) __asm__("r9") =
		become_monitor;
	long ret;

	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "mov %%r8, %%rdi\n\t"
			 "call *%%r9\n\t"
			 "ud2\n"
			 "1:"
			 : "=a"(ret)
			 : "a"(SYS_clone3), "D"(a), "S"(sizeof(*a)), "r"(child),
			   "r"(fn)
			 : "rcx", "r11", "cc", "memory");
	return ret;
}

/*
 * The child shares our memory, and we wait until it has called exec: there are
 * no page tables to copy, and no pages afterwards. Until it has given our
 * handlers back it takes no signal: one would run there, in our memory.
 */
static int start(struct monitor_proc *p, const struct child *c, struct err *err)
{
	AUTO(freep) char *stack = aligned_alloc(16, CHILD_STACK);
	struct clone_args a = {
		.flags = CLONE_PIDFD | CLONE_VM | CLONE_VFORK |
			 namespace_flags(c->p),
		.pidfd = (uintptr_t)&p->pidfd,
		.exit_signal = SIGCHLD,
		.stack = (uintptr_t)stack,
		.stack_size = CHILD_STACK,
	};
	sigset_t all, old;
	long pid;

	if (!stack)
		return err_set(err, -ENOMEM, "out of memory");
	if (c->p->cgroup >= 0) { /* what it allocates is counted there */
		a.flags |= CLONE_INTO_CGROUP;
		a.cgroup = (__u64)c->p->cgroup;
	}
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	pid = clone_monitor(&a, c);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	if (pid < 0)
		return clone_failed(c->p, (int)-pid, err);
	p->pid = (pid_t)pid;
	return 0;
}

int monitor_proc_start(const struct monitor_proc_params *params,
		       struct monitor_proc **ret, struct err *err)
{
	AUTO(monitor_proc_destroyp) struct monitor_proc *p = NULL;
	struct child c = {
		.p = params,
		.program = -1,
		.null = -1,
		.err_fd = -1,
		.channel = -1,
		.parent = getpid(),
		.uid = geteuid(),
		.gid = getegid(),
	};
	int r;

	p = calloc(1, sizeof(*p));
	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	p->pid = p->pidfd = p->channel = p->err_fd = -1;
	r = open_ends(p, &c, err);
	if (!r)
		r = start(p, &c, err);
	fd_closep(&c.program);
	fd_closep(&c.null);
	fd_closep(&c.err_fd);
	fd_closep(&c.channel);
	if (r < 0)
		return r;
	*ret = TAKE(p);
	return 0;
}

void monitor_proc_kill(struct monitor_proc *p)
{
	if (p->pid > 0)
		syscall(SYS_pidfd_send_signal, p->pidfd, SIGKILL, NULL, 0);
}

int monitor_proc_reap(struct monitor_proc *p)
{
	while (p->pid > 0 && waitpid(p->pid, &p->status, 0) < 0)
		if (errno != EINTR)
			break; /* SIGCHLD is ignored: the kernel has */
	p->pid = -1;
	return p->status;
}

void monitor_proc_destroy(struct monitor_proc *p)
{
	if (!p)
		return;
	monitor_proc_kill(p);
	monitor_proc_reap(p);
	fd_closep(&p->pidfd);
	fd_closep(&p->channel);
	fd_closep(&p->err_fd);
	free(p);
}

int monitor_proc_channel(const struct monitor_proc *p)
{
	return p->channel;
}

int monitor_proc_pidfd(const struct monitor_proc *p)
{
	return p->pidfd;
}

int monitor_proc_stderr(const struct monitor_proc *p)
{
	return p->err_fd;
}

pid_t monitor_proc_pid(const struct monitor_proc *p)
{
	return p->pid;
}
