/*
 * vmm/monitor/seccomp_trap.c - the handler of SIGSYS. It runs in whatever state
 * the thread is: no allocation, no locks, no calls but write and exit_group.
 */
#include "vmm/monitor/seccomp_trap.h"

#include <asm/unistd.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <ucontext.h>
#include <unistd.h>

/* A signal handler has no argument of ours: hence static storage. */
static int report_channel = -1;
static bool go_on_after;
/* What has been reported with go_on_after; 0: free. */
enum { SEEN_MAX = 128 };
static _Atomic uint64_t seen[SEEN_MAX];
static __thread enum thread_kind thread_kind;
static __thread char thread_name[16];

/* syscall(2) of the C library, but with an address that we know. */
long seccomp_redo(long nr, long a, long b, long c, long d, long e, long f);
extern const char seccomp_redo_ip[];
__asm__(".text\n"
	".type seccomp_redo, @function\n"
	"seccomp_redo:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	mov %r9, %r8\n"
	"	mov 8(%rsp), %r9\n"
	"	syscall\n"
	"seccomp_redo_ip:\n"
	"	ret\n"
	".size seccomp_redo, . - seccomp_redo\n");

uintptr_t seccomp_trap_redo_ip(void)
{
	return (uintptr_t)seccomp_redo_ip;
}

/* A child would go on in this handler, on a stack that is not its own. */
static bool makes_child(int nr)
{
	return nr == __NR_clone || nr == __NR_clone3 || nr == __NR_fork ||
	       nr == __NR_vfork;
}

static void report(int nr, const greg_t *g)
{
	struct monitor_msg m;
	const size_t len = offsetof(struct monitor_msg, trap) + sizeof(m.trap);
	ssize_t unused;

	memset(&m, 0, len);
	m.type = MONITOR_MSG_TRAP;
	m.trap.args[0] = (uint64_t)g[REG_RDI];
	m.trap.args[1] = (uint64_t)g[REG_RSI];
	m.trap.args[2] = (uint64_t)g[REG_RDX];
	m.trap.args[3] = (uint64_t)g[REG_R10];
	m.trap.args[4] = (uint64_t)g[REG_R8];
	m.trap.args[5] = (uint64_t)g[REG_R9];
	m.trap.nr = nr;
	m.trap.kind = thread_kind;
	m.trap.logged = go_on_after;
	memcpy(m.trap.thread, thread_name, sizeof(m.trap.thread));
	/* whole or not at all: it is a SOCK_SEQPACKET */
	unused = write(report_channel, &m, len);
	(void)unused;
}

/* Of this call, or this request of an ioctl, by this kind of thread? */
static bool is_first(int nr, const greg_t *g)
{
	uint32_t request = nr == __NR_ioctl ? (uint32_t)g[REG_RSI] : 0;
	uint64_t key = (uint64_t)request << 32 | (uint64_t)thread_kind << 16 |
		       ((uint32_t)nr & 0xfff) | 1 << 15;

	for (size_t i = 0; i < SEEN_MAX; i++) {
		uint64_t was = 0;

		if (atomic_compare_exchange_strong(&seen[i], &was, key))
			return true;
		if (was == key)
			return false;
	}
	return false; /* enough has been said */
}

static void on_sigsys(int signo, siginfo_t *si, void *context)
{
	ucontext_t *uc = context;
	greg_t *g = uc->uc_mcontext.gregs;
	int nr = si->si_syscall;

	(void)signo;
	if (!go_on_after) {
		report(nr, g);
		_exit(SECCOMP_TRAP_STATUS);
	}
	if (is_first(nr, g))
		report(nr, g);
	g[REG_RAX] = makes_child(nr) ? -EPERM
				     : seccomp_redo(nr, g[REG_RDI], g[REG_RSI],
						    g[REG_RDX], g[REG_R10],
						    g[REG_R8], g[REG_R9]);
}

int seccomp_trap_install(int channel, bool go_on)
{
	struct sigaction sa = {
		.sa_sigaction = on_sigsys,
		.sa_flags = SA_SIGINFO,
	};

	report_channel = channel;
	go_on_after = go_on;
	sigemptyset(&sa.sa_mask);
	return sigaction(SIGSYS, &sa, NULL) < 0 ? -errno : 0;
}

void seccomp_trap_prepare_thread(enum thread_kind kind)
{
	sigset_t set;

	thread_kind = kind;
	prctl(PR_GET_NAME, thread_name);
	sigemptyset(&set);
	sigaddset(&set, SIGSYS);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}
