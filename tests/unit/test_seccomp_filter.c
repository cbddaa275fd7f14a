/*
 * tests/unit/test_seccomp_filter.c - filter, signal handler and report
 * together, each time in a child, for there is no way back.
 */
#include "tests/unit/unit.h"

#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vmm/base/own.h"
#include "vmm/kvm/kvm_abi.h"
#include "vmm/monitor/monitor_proto.h"
#include "vmm/monitor/seccomp_filter.h"
#include "vmm/monitor/seccomp_report.h"
#include "vmm/monitor/seccomp_trap.h"

enum { WENT_ON = 7, REPORTS_MAX = 8 };

struct outcome {
	int status; /* of waitpid() */
	size_t n;
	struct monitor_msg_trap t[REPORTS_MAX];
};

struct attempt {
	enum thread_kind kind;
	bool log;
	const char *name;
	bool all_signals_blocked;
	void (*fn)(void);
};

static void *in_thread(void *arg)
{
	const struct attempt *a = arg;

	pthread_setname_np(pthread_self(), a->name);
	seccomp_trap_prepare_thread(a->kind);
	if (seccomp_filter_enter(a->kind, a->log) < 0)
		_exit(99);
	a->fn();
	_exit(WENT_ON);
}

static void child(const struct attempt *a, int channel)
{
	pthread_t t;
	sigset_t all;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    seccomp_trap_install(channel, a->log) < 0)
		_exit(98);
	sigfillset(&all);
	if (a->all_signals_blocked)
		pthread_sigmask(SIG_SETMASK, &all, NULL);
	if (pthread_create(&t, NULL, in_thread, (void *)a))
		_exit(97);
	pthread_join(t, NULL);
	_exit(96);
}

static struct outcome try(const struct attempt *a)
{
	struct outcome o = {0};
	struct monitor_msg m;
	int s[2], fds[MONITOR_FDS_MAX];
	size_t n_fds;
	pid_t pid;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, s), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (!pid)
		child(a, s[1]);
	close(s[1]);
	while (monitor_msg_recv(s[0], MONITOR_TO_SUPERVISOR, &m, fds, &n_fds) >
	       0) {
		assert_int_equal(m.type, MONITOR_MSG_TRAP);
		assert_true(o.n < REPORTS_MAX);
		o.t[o.n++] = m.trap;
	}
	close(s[0]);
	assert_int_equal(waitpid(pid, &o.status, 0), pid);
	return o;
}

static struct outcome try_as(enum thread_kind kind, void (*fn)(void))
{
	const struct attempt a = {.kind = kind, .name = "tester", .fn = fn};

	return try(&a);
}

static void assert_trapped(struct outcome o, int nr, enum thread_kind kind)
{
	assert_int_equal(o.n, 1);
	assert_int_equal(o.t[0].nr, nr);
	assert_int_equal(o.t[0].kind, kind);
	assert_int_equal(o.t[0].logged, 0);
	assert_string_equal(o.t[0].thread, "tester");
	assert_true(WIFEXITED(o.status));
	assert_int_equal(WEXITSTATUS(o.status), SECCOMP_TRAP_STATUS);
}

static void assert_killed(struct outcome o)
{
	assert_int_equal(o.n, 0);
	assert_true(WIFSIGNALED(o.status));
	assert_int_equal(WTERMSIG(o.status), SIGSYS);
}

static void assert_went_on(struct outcome o)
{
	assert_true(WIFEXITED(o.status));
	assert_int_equal(WEXITSTATUS(o.status), WENT_ON);
}

/* --- what a thread may try ------------------------------------------------ */

static void nothing(void)
{
}

static void open_a_file(void)
{
	syscall(__NR_openat, AT_FDCWD, "/dev/null", O_RDONLY, 0);
}

static void run_a_program(void)
{
	char *argv[] = {(char *)"/bin/true", NULL};

	syscall(__NR_execve, argv[0], argv, NULL);
}

static void ioctl_of_nobody(void)
{
	syscall(__NR_ioctl, 0, 0x5413 /* TIOCGWINSZ */, NULL);
}

static void ioctl_of_a_vcpu(void)
{
	/* no such descriptor: EBADF, but allowed */
	syscall(__NR_ioctl, -1, KVM_RUN, 0);
}

/* The kernel takes 32 bits of a request; a filter that did, too, would let
 * whatever differs above them through. That is harmless, yet not listed. */
static void ioctl_with_high_bits(void)
{
	syscall(__NR_ioctl, -1, KVM_RUN | 1ull << 40, 0);
}

static void map_executable(void)
{
	syscall(__NR_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void map_anonymous(void)
{
	syscall(__NR_mmap, NULL, 4096, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void take_the_handler_away(void)
{
	syscall(__NR_rt_sigaction, SIGSYS, NULL, NULL, 8);
}

static void call_number_without_a_name(void)
{
	syscall(511);
}

static void call_of_i386(void)
{
	long r = 20; /* getpid */

	__asm__ volatile("int $0x80" : "+a"(r)::"memory");
}

static void call_of_x32(void)
{
	syscall(0x40000000 | __NR_getpid);
}

static void make_a_ring(void)
{
	syscall(__NR_io_uring_setup, 1, NULL);
}

static void open_twice_and_go_on(void)
{
	for (int i = 0; i < 2; i++) {
		long fd = syscall(__NR_openat, AT_FDCWD, "/dev/null", O_RDONLY,
				  0);

		if (fd < 0 || syscall(__NR_readv, fd, NULL, 0) != 0)
			_exit(95);
	}
}

static void open_what_is_not_there(void)
{
	if (syscall(__NR_openat, AT_FDCWD, "/no/such/file", 0, 0) != -1 ||
	    errno != ENOENT)
		_exit(95);
}

static void fork_with_log(void)
{
	if (syscall(__NR_fork) != -1 || errno != EPERM)
		_exit(95);
}

/* --- tests ---------------------------------------------------------------- */

static void a_thread_of_each_kind_goes_on_within_its_list(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < THREAD_KIND_COUNT; k++) {
		struct outcome o = try_as((enum thread_kind)k, nothing);

		assert_int_equal(o.n, 0);
		assert_went_on(o);
	}
	assert_went_on(try_as(THREAD_VCPU, ioctl_of_a_vcpu));
	assert_went_on(try_as(THREAD_VCPU, map_anonymous));
}

static void a_call_on_no_list_is_reported_and_ends_the_process(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < THREAD_KIND_COUNT; k++) {
		struct outcome o = try_as((enum thread_kind)k, open_a_file);

		assert_trapped(o, __NR_openat, (enum thread_kind)k);
		assert_int_equal((int)o.t[0].args[0], AT_FDCWD);
		assert_int_equal(o.t[0].args[2], O_RDONLY);
	}
}

static void a_listed_call_with_other_arguments_is_reported(void **state)
{
	struct outcome o = try_as(THREAD_VCPU, ioctl_of_nobody);

	(void)state;
	assert_trapped(o, __NR_ioctl, THREAD_VCPU);
	assert_int_equal(o.t[0].args[1], 0x5413);
	assert_trapped(try_as(THREAD_VCPU, ioctl_with_high_bits), __NR_ioctl,
		       THREAD_VCPU);
	assert_trapped(try_as(THREAD_VCPU, map_executable), __NR_mmap,
		       THREAD_VCPU);
	assert_trapped(try_as(THREAD_IO, map_executable), __NR_mmap, THREAD_IO);
}

static void what_one_kind_may_another_may_not(void **state)
{
	(void)state;
	assert_trapped(try_as(THREAD_IO, ioctl_of_a_vcpu), __NR_ioctl,
		       THREAD_IO);
	assert_trapped(try_as(THREAD_MAIN, ioctl_of_a_vcpu), __NR_ioctl,
		       THREAD_MAIN);
	assert_trapped(try_as(THREAD_WORKER, ioctl_of_a_vcpu), __NR_ioctl,
		       THREAD_WORKER);
}

static void a_call_that_only_attackers_make_kills_at_once(void **state)
{
	(void)state;
	for (unsigned int k = 0; k < THREAD_KIND_COUNT; k++) {
		assert_killed(try_as((enum thread_kind)k, run_a_program));
		assert_killed(try_as((enum thread_kind)k, make_a_ring));
	}
}

static void other_tables_of_calls_kill(void **state)
{
	(void)state;
	assert_killed(try_as(THREAD_VCPU, call_of_i386));
	assert_killed(try_as(THREAD_VCPU, call_of_x32));
}

static void the_handler_stays(void **state)
{
	(void)state;
	assert_trapped(try_as(THREAD_IO, take_the_handler_away),
		       __NR_rt_sigaction, THREAD_IO);
}

static void a_thread_that_blocks_all_signals_is_reported_too(void **state)
{
	const struct attempt a = {.kind = THREAD_IO,
				  .name = "tester",
				  .all_signals_blocked = true,
				  .fn = open_a_file};

	(void)state;
	assert_trapped(try(&a), __NR_openat, THREAD_IO);
}

static void with_log_the_call_is_made_and_reported_once(void **state)
{
	struct attempt a = {.kind = THREAD_VCPU,
			    .log = true,
			    .name = "vcpu 3",
			    .fn = open_twice_and_go_on};
	struct outcome o = try(&a);

	(void)state;
	assert_went_on(o);
	assert_int_equal(o.n, 2); /* of two calls each time */
	assert_int_equal(o.t[0].nr, __NR_openat);
	assert_int_equal(o.t[0].logged, 1);
	assert_string_equal(o.t[0].thread, "vcpu 3");
	assert_int_equal(o.t[1].nr, __NR_readv);
	a.fn = open_what_is_not_there;
	assert_went_on(try(&a));
}

static void with_log_nothing_is_killed_but_nothing_is_cloned(void **state)
{
	struct attempt a = {.kind = THREAD_IO,
			    .log = true,
			    .name = "tester",
			    .fn = make_a_ring};
	struct outcome o = try(&a);

	(void)state;
	assert_went_on(o);
	assert_int_equal(o.n, 1);
	assert_int_equal(o.t[0].nr, __NR_io_uring_setup);
	a.fn = fork_with_log;
	assert_went_on(try(&a));
}

static void without_no_new_privs_there_is_no_filter(void **state)
{
	(void)state;
	assert_int_equal(seccomp_filter_enter(THREAD_KIND_COUNT, false),
			 -EINVAL);
}

static void reports_name_call_thread_and_arguments(void **state)
{
	struct outcome o = try_as(THREAD_VCPU, call_number_without_a_name);
	struct monitor_msg_trap t = {
		.nr = __NR_openat,
		.kind = THREAD_VCPU,
		.thread = "vcpu 0",
		.args = {1, 0xffffffffffffffff},
	};
	char text[512];

	(void)state;
	assert_trapped(o, 511, THREAD_VCPU);
	seccomp_report_text(&o.t[0], text, sizeof(text));
	assert_non_null(strstr(text, "?("));
	assert_non_null(strstr(text, "number 511"));
	seccomp_report_text(&t, text, sizeof(text));
	assert_non_null(strstr(text, "'vcpu 0' (vcpu)"));
	assert_non_null(strstr(text, "openat(0x1, 0xffffffffffffffff, 0x0"));
	assert_null(strstr(text, "--seccomp log"));
	t.logged = 1;
	seccomp_report_text(&t, text, sizeof(text));
	assert_non_null(strstr(text, "--seccomp log"));
}

static void evil_reports_are_harmless(void **state)
{
	struct monitor_msg_trap t;
	char text[512], tiny[8];

	(void)state;
	memset(&t, 0xff, sizeof(t));
	seccomp_report_text(&t, text, sizeof(text));
	assert_non_null(strstr(text, "number -1"));
	seccomp_report_text(&t, tiny, sizeof(tiny));
	assert_int_equal(strlen(tiny), 7);
	memcpy(t.thread, "a\033[2Jb\n", 8);
	seccomp_report_text(&t, text, sizeof(text));
	assert_null(strchr(text, '\033'));
	assert_null(strchr(text, '\n'));
	assert_null(seccomp_call_name(-1));
	assert_null(seccomp_call_name(100000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_of_each_kind_goes_on_within_its_list),
		cmocka_unit_test(
			a_call_on_no_list_is_reported_and_ends_the_process),
		cmocka_unit_test(
			a_listed_call_with_other_arguments_is_reported),
		cmocka_unit_test(what_one_kind_may_another_may_not),
		cmocka_unit_test(a_call_that_only_attackers_make_kills_at_once),
		cmocka_unit_test(other_tables_of_calls_kill),
		cmocka_unit_test(the_handler_stays),
		cmocka_unit_test(
			a_thread_that_blocks_all_signals_is_reported_too),
		cmocka_unit_test(with_log_the_call_is_made_and_reported_once),
		cmocka_unit_test(
			with_log_nothing_is_killed_but_nothing_is_cloned),
		cmocka_unit_test(without_no_new_privs_there_is_no_filter),
		cmocka_unit_test(reports_name_call_thread_and_arguments),
		cmocka_unit_test(evil_reports_are_harmless),
	};

	return cmocka_run_group_tests_name("seccomp_filter", tests, NULL, NULL);
}
