/*
 * tests/unit/test_monitor_proc.c - what the program is started with, and that
 * we are as before. The program is this one: it tells what it finds.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/build_id.h"
#include "vmm/monitor/monitor_proto.h"
#include "vmm/supervisor/monitor_proc.h"

enum { ALL_WELL = 7, FDS_TRIED = 1024, STARTS = 300 };

/* --- the program --------------------------------------------------------- */

static const char *signals_found(void)
{
	struct sigaction sa;
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int i = 1; i < SIGRTMAX; i++) {
		if (sigismember(&mask, i) == 1)
			return "a signal is blocked";
		if (sigaction(i, NULL, &sa) < 0) /* the C library's own */
			continue;
		if (sa.sa_handler == SIG_IGN && i != SIGPIPE && i != SIGXFSZ)
			return "a signal is ignored";
	}
	return NULL;
}

static const char *what_is_wrong(char **argv, char **envp)
{
	if (strcmp(argv[1], coffer_build_id()) != 0)
		return "the argument is not the build's number";
	if (envp[0])
		return "there is an environment";
	for (int fd = 0; fd <= MONITOR_FD_CHANNEL; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			return "a descriptor is missing";
	for (int fd = MONITOR_FD_CHANNEL + 1; fd < FDS_TRIED; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return "there is a descriptor more";
	if (getsid(0) != getpid())
		return "it has no session of its own";
	return signals_found();
}

static void be_the_program(char **argv, char **envp)
{
	struct monitor_msg m = {.type = MONITOR_MSG_READY};
	const char *wrong = what_is_wrong(argv, envp);

	if (wrong) {
		m.type = MONITOR_MSG_ERROR;
		m.error.kind = ERR_INTERNAL;
		m.error.code = -EIO;
		snprintf(m.error.msg, sizeof(m.error.msg), "%s", wrong);
	}
	monitor_msg_send(MONITOR_FD_CHANNEL, &m, NULL, 0);
	_exit(wrong ? EXIT_FAILURE : ALL_WELL);
}

/* --- the tests ----------------------------------------------------------- */

static struct monitor_msg msg;

/* Its message, or 0 when it ended without one; and its status. */
static int hear(struct monitor_proc *p, int *ret_status)
{
	struct pollfd ch = {.fd = monitor_proc_channel(p), .events = POLLIN};
	int fds[MONITOR_FDS_MAX], r;
	size_t n_fds;

	assert_int_equal(poll(&ch, 1, 60000), 1);
	r = monitor_msg_recv(ch.fd, MONITOR_TO_SUPERVISOR, &msg, fds, &n_fds);
	*ret_status = monitor_proc_reap(p);
	return r;
}

static struct monitor_proc *start(int program)
{
	const struct monitor_proc_params params = {.program = program,
						   .cgroup = -1};
	struct monitor_proc *p = NULL;
	struct err err = {0};

	if (monitor_proc_start(&params, &p, &err) < 0)
		fail_msg("%s", err.msg);
	return p;
}

static int this_program(void)
{
	int fd = open("/proc/self/exe", O_PATH | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static void it_has_four_descriptors_and_nothing_else_of_ours(void **state)
{
	AUTO(fd_closep) int program = this_program();
	AUTO(fd_closep) int left_open = open("/dev/null", O_RDONLY);
	AUTO(monitor_proc_destroyp) struct monitor_proc *p = NULL;
	sigset_t some, old, now;
	int status;

	(void)state;
	assert_true(left_open >= 0); /* and without O_CLOEXEC */
	sigemptyset(&some);
	sigaddset(&some, SIGTERM);
	sigaddset(&some, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &some, &old);
	signal(SIGHUP, SIG_IGN);
	p = start(program);
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_SETMASK, &old, &now);
	assert_int_equal(hear(p, &status), 1);
	if (msg.type == MONITOR_MSG_ERROR)
		fail_msg("%s", msg.error.msg);
	assert_int_equal(msg.type, MONITOR_MSG_READY);
	assert_int_equal(WEXITSTATUS(status), ALL_WELL);
	/* what we had blocked was so afterwards, and nothing else */
	assert_int_equal(sigismember(&now, SIGTERM), 1);
	assert_int_equal(sigismember(&now, SIGRTMIN + 3), 1);
	assert_int_equal(sigismember(&now, SIGINT), 0);
}

static void what_fails_before_exec_is_told_over_the_channel(void **state)
{
	AUTO(fd_closep) int no_program = open("/dev/null", O_PATH | O_CLOEXEC);
	AUTO(monitor_proc_destroyp) struct monitor_proc *p = NULL;
	int status;

	(void)state;
	p = start(no_program);
	assert_int_equal(hear(p, &status), 1);
	assert_int_equal(msg.type, MONITOR_MSG_ERROR);
	assert_int_equal(msg.error.kind, ERR_HOST);
	assert_int_equal(msg.error.code, -EACCES);
	assert_string_equal(msg.error.msg,
			    "coffer-monitor: execveat: Permission denied");
	assert_int_equal(WEXITSTATUS(status), EXIT_FAILURE);
}

static void what_clone_refuses_is_ours_to_tell(void **state)
{
	AUTO(fd_closep) int program = this_program();
	/* a cgroup that is none */
	const struct monitor_proc_params params = {.program = program,
						   .cgroup = program};
	struct monitor_proc *p = NULL;
	struct err err = {0};

	(void)state;
	assert_true(monitor_proc_start(&params, &p, &err) < 0);
	assert_null(p);
	assert_non_null(strstr(err.msg, "coffer-monitor: clone3: "));
}

static pid_t us;
static atomic_bool over, in_child;
static atomic_uint n_handled;

static void on_signal(int signo)
{
	(void)signo;
	atomic_fetch_add(&n_handled, 1);
	if (getpid() != us)
		atomic_store(&in_child, true);
}

/* To our group: to the child, too, until it has a session of its own. */
static void *storm(void *arg)
{
	(void)arg;
	while (!atomic_load(&over))
		kill(0, SIGURG);
	return NULL;
}

/* The child is in our memory until exec, on a stack that is made for less. */
static void no_handler_of_ours_runs_in_the_child(void **state)
{
	struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
	AUTO(fd_closep) int program = this_program();
	pthread_t t;

	(void)state;
	us = getpid();
	setpgid(0, 0); /* a leader of a session has one already */
	assert_int_equal(sigaction(SIGURG, &sa, NULL), 0);
	assert_int_equal(pthread_create(&t, NULL, storm, NULL), 0);
	for (int i = 0; i < STARTS && !atomic_load(&in_child); i++)
		monitor_proc_destroy(start(program));
	atomic_store(&over, true);
	pthread_join(t, NULL);
	assert_true(atomic_load(&n_handled) > 0);
	assert_false(atomic_load(&in_child));
}

static void nothing_is_left_of_many(void **state)
{
	AUTO(fd_closep) int program = this_program();
	int before = dup(program), after;

	(void)state;
	close(before);
	for (int i = 0; i < 20; i++)
		monitor_proc_destroy(start(program));
	after = dup(program);
	close(after);
	assert_int_equal(after, before);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* As Docker's list of calls does it. The last test: there is no way back. */
static void a_container_that_hides_clone3_is_named(void **state)
{
	struct sock_filter f[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog prog = {ARRAY_SIZE(f), f};
	AUTO(fd_closep) int program = this_program();
	const struct monitor_proc_params params = {.program = program,
						   .cgroup = -1};
	struct monitor_proc *p = NULL;
	struct err err = {0};

	(void)state;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) < 0)
		skip();
	assert_int_equal(monitor_proc_start(&params, &p, &err), -ENOSYS);
	assert_int_equal(err.kind, ERR_HOST);
	assert_non_null(strstr(err.msg, "container"));
}

int main(int argc, char **argv, char **envp)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			it_has_four_descriptors_and_nothing_else_of_ours),
		cmocka_unit_test(
			what_fails_before_exec_is_told_over_the_channel),
		cmocka_unit_test(what_clone_refuses_is_ours_to_tell),
		cmocka_unit_test(no_handler_of_ours_runs_in_the_child),
		cmocka_unit_test(nothing_is_left_of_many),
		cmocka_unit_test(a_container_that_hides_clone3_is_named),
	};

	if (argc == 2 && strcmp(argv[0], "coffer-monitor") == 0)
		be_the_program(argv, envp);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
