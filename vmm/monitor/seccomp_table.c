/*
 * vmm/monitor/seccomp_table.c - the lists. What is here was seen to be made,
 * and tests/system/seccomp_test.py shows of each entry that it is needed.
 */
#include "vmm/monitor/seccomp_table.h"

#include <asm/unistd.h>
#include <linux/futex.h>
#include <linux/if_tun.h>
#include <linux/vhost.h>
#include <signal.h>
#include <sys/mman.h>

#include "vmm/base/own.h"
#include "vmm/kvm/kvm_abi.h"
#include "vmm/monitor/monitor_proto.h"

#define CALL(name) .nr = __NR_##name, .call = #name
#define IS(i, v)                                                               \
	{                                                                      \
		.index = (i), .mask = UINT64_MAX, .value = (v)                 \
	}
#define MASKED(i, m, v)                                                        \
	{                                                                      \
		.index = (i), .mask = (m), .value = (v)                        \
	}
#define ONE(check) .n_args = 1, .args = {check}
#define TWO(a, b) .n_args = 2, .args = {a, b}

#define IOCTL(request, text)                                                   \
	{                                                                      \
		CALL(ioctl), .detail = #request, .who = text,                  \
			     ONE(IS(1, request))                               \
	}
#define FUTEX(op, text)                                                        \
	{                                                                      \
		CALL(futex), .detail = #op, .who = text, ONE(IS(1, op)),       \
			     .host = "C library"                               \
	}

/* What glibc's locks and condition variables do (nptl, futex-internal.h). */
#define FUTEX_COND_WAIT (FUTEX_WAIT_BITSET_PRIVATE | FUTEX_CLOCK_REALTIME)
#define FUTEX_JOIN (FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME)

/* SIGRTMIN of vcpu.c, which the C library knows at run time only. */
enum { KICK_SIGNAL = 34 };

#define LOCKS                                                                  \
	FUTEX(FUTEX_WAIT_PRIVATE, "wait for a lock"),                          \
		FUTEX(FUTEX_WAKE_PRIVATE, "release a lock")

/*
 * malloc(), which has one arena (monitor_main.c), grows the heap or maps large
 * blocks. Never executable, never of a file.
 */
#define MAP_HEAP                                                               \
	{                                                                      \
		CALL(mmap), .detail = "anonymous, not executable",             \
			    .who = "malloc: large blocks",                     \
			    TWO(MASKED(2, PROT_EXEC, 0),                       \
				MASKED(3, MAP_ANONYMOUS, MAP_ANONYMOUS)),      \
			    .host = "C library"                                \
	}
#define HEAP                                                                   \
	{CALL(brk), .detail = "", .who = "malloc: the heap grows or shrinks",  \
	 .host = "C library"},                                                 \
		MAP_HEAP,                                                      \
	{                                                                      \
		CALL(munmap), .detail = "", .who = "free: large blocks",       \
			      .host = "C library"                              \
	}

/* A clock that the kernel serves without the vDSO. */
#define CLOCKS                                                                 \
	{                                                                      \
		CALL(clock_gettime), .detail = "", .who = "time",              \
				     .host = "clock source"                    \
	}

#define ENDS                                                                   \
	{                                                                      \
		CALL(exit_group),                                              \
			.detail = "",                                          \
			.who = "the end of the process, also of one "          \
			       "that made a forbidden call"                    \
	}

/* What a thread of glibc's does between its function's return and its end. */
#define THREAD_END                                                             \
	{CALL(rt_sigprocmask), .detail = "",                                   \
	 .who = "the thread ends: signals are blocked", .host = "C library"},  \
		{CALL(madvise), .detail = "MADV_DONTNEED",                     \
		 .who = "the thread ends: its stack is given back",            \
		 ONE(IS(2, MADV_DONTNEED)), .host = "C library"},              \
	{                                                                      \
		CALL(exit), .detail = "", .who = "the thread ends"             \
	}

static const struct seccomp_entry vcpu[] = {
	IOCTL(KVM_RUN, "runs the guest"),
	IOCTL(KVM_KVMCLOCK_CTRL,
	      "goes on after a pause: the guest's watchdog is told"),
	{CALL(ioctl), .detail = "KVM_GET_REGS",
	 .who = "where the guest was when KVM gave up",
	 ONE(IS(1, KVM_GET_REGS)), .host = "KVM"},
	IOCTL(KVM_IRQ_LINE, "an interrupt line of the console, RTC or ACPI"),
	{CALL(ioctl), .detail = "KVM_SIGNAL_MSI",
	 .who = "a message interrupt, when there are no more routes",
	 ONE(IS(1, KVM_SIGNAL_MSI)), .host = "KVM's routes"},
	IOCTL(KVM_SET_GSI_ROUTING, "the guest programs an MSI-X vector"),
	IOCTL(KVM_IRQFD, "the guest programs an MSI-X vector"),
	IOCTL(KVM_IOEVENTFD, "the guest moves a device's doorbells"),
	{CALL(write), .detail = "",
	 .who = "console output; eventfds that wake other threads; the report "
		"of a forbidden call"},
	{CALL(read), .detail = "",
	 .who = "the guest unmasks an MSI-X vector: was there an interrupt?"},
	{CALL(poll), .detail = "",
	 .who = "console output: a reader is slow; the guest reads which "
		"MSI-X vectors are pending"},
	{CALL(timerfd_settime), .detail = "",
	 .who = "console output: a line without its end"},
	{CALL(pread64), .detail = "",
	 .who = "firmware reads kernel and initrd through fw_cfg"},
	{CALL(pwrite64), .detail = "",
	 .who = "firmware writes its store of variables"},
	{CALL(rt_sigreturn), .detail = "",
	 .who = "the signal that ends KVM_RUN has been handled"},
	{CALL(mmap), .detail = "fixed, shared, not executable",
	 .who = "a confidential guest shares pages with its devices",
	 TWO(MASKED(2, PROT_EXEC, 0),
	     IS(3, MAP_SHARED | MAP_FIXED | MAP_NORESERVE))},
	FUTEX(FUTEX_COND_WAIT, "wait for the end of a pause"),
	LOCKS,
	HEAP,
	CLOCKS,
	THREAD_END,
	ENDS,
};

static const struct seccomp_entry io[] = {
	{CALL(epoll_wait), .detail = "", .who = "the event loop"},
	{CALL(epoll_ctl), .detail = "",
	 .who = "the event loop: what a device waits for"},
	{CALL(timerfd_settime), .detail = "", .who = "the event loop: timers"},
	{CALL(read), .detail = "", .who = "the event loop: eventfds, timers"},
	{CALL(write), .detail = "",
	 .who = "eventfds: interrupts, other threads; the report of a "
		"forbidden call"},
	{CALL(io_uring_enter), .detail = "",
	 .who = "disks: requests to the ring, which is restricted",
	 .host = "io_uring"},
	{CALL(readv), .detail = "", .who = "network: a frame from a tap"},
	{CALL(writev), .detail = "", .who = "network: a frame to a tap"},
	{CALL(recvfrom), .detail = "", .who = "network: passt's stream"},
	{CALL(sendmsg), .detail = "",
	 .who = "network: passt's stream; vsock: data, and the broker"},
	{CALL(recvmsg), .detail = "",
	 .who = "vsock: data of a connection, the broker and its descriptors"},
	{CALL(shutdown), .detail = "",
	 .who = "vsock: one direction of a connection ends"},
	{CALL(close), .detail = "", .who = "vsock: a connection has ended"},
	{CALL(getrandom), .detail = "", .who = "rng: bytes for the guest"},
	IOCTL(TUNSETOFFLOAD, "network: the driver has chosen its offloads"),
	IOCTL(TUNSETQUEUE, "network: the driver has chosen its queues"),
	IOCTL(VHOST_SET_FEATURES, "vhost-vsock: the driver is ready"),
	IOCTL(VHOST_SET_VRING_NUM, "vhost-vsock: the driver is ready"),
	IOCTL(VHOST_SET_VRING_BASE, "vhost-vsock: the driver is ready"),
	IOCTL(VHOST_SET_VRING_ADDR, "vhost-vsock: the driver is ready"),
	IOCTL(VHOST_SET_VRING_CALL, "vhost-vsock: the driver is ready"),
	IOCTL(VHOST_SET_VRING_KICK, "vhost-vsock: the driver is ready"),
	IOCTL(VHOST_VSOCK_SET_RUNNING, "vhost-vsock: the driver is ready"),
	{CALL(ioctl), .detail = "KVM_SIGNAL_MSI",
	 .who = "a message interrupt, when there are no more routes",
	 ONE(IS(1, KVM_SIGNAL_MSI)), .host = "KVM's routes"},
	LOCKS,
	HEAP,
	CLOCKS,
	THREAD_END,
	ENDS,
};

static const struct seccomp_entry worker[] = {
	{CALL(preadv2), .detail = "", .who = "disks: read", .host = "io_uring"},
	{CALL(pwritev2), .detail = "", .who = "disks: write",
	 .host = "io_uring"},
	{CALL(fdatasync), .detail = "", .who = "disks: flush",
	 .host = "io_uring"},
	{CALL(fallocate), .detail = "", .who = "disks: discard, write zeroes",
	 .host = "io_uring"},
	{CALL(write), .detail = "",
	 .who = "wakes the device; the report of a forbidden call"},
	FUTEX(FUTEX_COND_WAIT, "wait for a request"),
	LOCKS,
	ENDS,
};

static const struct seccomp_entry main_thread[] = {
	{CALL(epoll_wait), .detail = "", .who = "the event loop"},
	{CALL(epoll_ctl), .detail = "", .who = "the event loop: the console"},
	{CALL(timerfd_settime), .detail = "",
	 .who = "the event loop: the RTC's next interrupt"},
	{CALL(read), .detail = "",
	 .who = "the event loop: eventfds, timers; console input"},
	{CALL(write), .detail = "",
	 .who = "console output; eventfds; the report of a forbidden call"},
	{CALL(poll), .detail = "", .who = "console output: a reader is slow"},
	{CALL(recvmsg), .detail = "the supervisor's channel",
	 .who = "what the supervisor asks", ONE(IS(0, MONITOR_FD_CHANNEL))},
	{CALL(sendmsg), .detail = "the supervisor's channel",
	 .who = "what the supervisor is told", ONE(IS(0, MONITOR_FD_CHANNEL))},
	{CALL(tgkill), .detail = "the signal that ends KVM_RUN",
	 .who = "vCPUs are paused or stopped", ONE(IS(2, KICK_SIGNAL))},
	{CALL(rt_sigprocmask), .detail = "",
	 .who = "vCPUs are paused or stopped: around tgkill",
	 .host = "C library"},
	{CALL(getpid), .detail = "", .who = "vCPUs are paused or stopped",
	 .host = "C library"},
	IOCTL(KVM_IRQ_LINE, "console input, the power button: an interrupt"),
	IOCTL(KVM_MEMORY_ENCRYPT_OP,
	      "the launch waits for its owner: secrets, its end"),
	FUTEX(FUTEX_JOIN, "wait for the end of a thread"),
	FUTEX(FUTEX_COND_WAIT, "wait until all threads have their lists"),
	LOCKS,
	HEAP,
	CLOCKS,
	{CALL(close), .detail = "", .who = "the console's reader has gone"},
	ENDS,
};

static const struct seccomp_entry sanitized[] = {
	{CALL(mmap), .detail = "not executable", .who = "shadow memory",
	 ONE(MASKED(2, PROT_EXEC, 0))},
	{CALL(mprotect), .detail = "not executable", .who = "shadow memory",
	 ONE(MASKED(2, PROT_EXEC, 0))},
	{CALL(munmap), .detail = "", .who = "shadow memory, thread's end"},
	{CALL(madvise), .detail = "", .who = "shadow memory"},
	{CALL(sigaltstack), .detail = "", .who = "a thread's end"},
	{CALL(rt_sigprocmask), .detail = "", .who = "a thread's end"},
	{CALL(sched_yield), .detail = "", .who = "locks"},
	{CALL(getpid), .detail = "", .who = "reports"},
	{CALL(gettid), .detail = "", .who = "reports"},
	{CALL(futex), .detail = "", .who = "locks"},
	{CALL(brk), .detail = "", .who = "allocation"},
	{CALL(clock_gettime), .detail = "", .who = "time"},
	{CALL(nanosleep), .detail = "", .who = "ThreadSanitizer: at the end"},
};

#define KILL(name, text)                                                       \
	{                                                                      \
		CALL(name), .detail = "", .who = text                          \
	}

static const struct seccomp_entry kill_at_once[] = {
	KILL(execve, "runs another program"),
	KILL(execveat, "runs another program"),
	KILL(fork, "makes a process"),
	KILL(vfork, "makes a process"),
	KILL(ptrace, "reaches into another process"),
	KILL(process_vm_readv, "reaches into another process"),
	KILL(process_vm_writev, "reaches into another process"),
	KILL(process_madvise, "reaches into another process"),
	KILL(pidfd_getfd, "takes another process's descriptors"),
	KILL(kcmp, "compares with another process"),
	KILL(setuid, "changes credentials"),
	KILL(setgid, "changes credentials"),
	KILL(setreuid, "changes credentials"),
	KILL(setregid, "changes credentials"),
	KILL(setresuid, "changes credentials"),
	KILL(setresgid, "changes credentials"),
	KILL(setgroups, "changes credentials"),
	KILL(setfsuid, "changes credentials"),
	KILL(setfsgid, "changes credentials"),
	KILL(capset, "changes credentials"),
	KILL(unshare, "changes namespaces"),
	KILL(setns, "changes namespaces"),
	KILL(mount, "changes the file system"),
	KILL(umount2, "changes the file system"),
	KILL(pivot_root, "changes the file system"),
	KILL(chroot, "changes the file system"),
	KILL(open_by_handle_at, "opens past every directory"),
	KILL(add_key, "asks for keys"),
	KILL(request_key, "asks for keys"),
	KILL(keyctl, "asks for keys"),
	KILL(io_uring_setup, "makes a ring without restrictions"),
	KILL(io_uring_register, "changes a ring"),
	KILL(bpf, "runs code in the kernel"),
	KILL(perf_event_open, "watches the machine"),
	KILL(userfaultfd, "stops the kernel in the middle of a copy"),
	KILL(init_module, "changes the kernel"),
	KILL(finit_module, "changes the kernel"),
	KILL(delete_module, "changes the kernel"),
	KILL(kexec_load, "changes the kernel"),
	KILL(kexec_file_load, "changes the kernel"),
	KILL(reboot, "stops the host"),
	KILL(modify_ldt, "makes segments that only attacks need"),
	KILL(personality, "makes memory executable"),
};

#define LIST(a) ((struct seccomp_list){(a), ARRAY_SIZE(a)})

struct seccomp_list seccomp_table(enum thread_kind kind)
{
	switch (kind) {
	case THREAD_MAIN:
		return LIST(main_thread);
	case THREAD_VCPU:
		return LIST(vcpu);
	case THREAD_IO:
		return LIST(io);
	case THREAD_WORKER:
		return LIST(worker);
	case THREAD_KIND_COUNT:
		break;
	}
	return (struct seccomp_list){NULL, 0};
}

struct seccomp_list seccomp_table_sanitized(void)
{
	return LIST(sanitized);
}

struct seccomp_list seccomp_table_kill(void)
{
	return LIST(kill_at_once);
}

const char *seccomp_kind_name(enum thread_kind kind)
{
	static const char *const name[THREAD_KIND_COUNT] = {
		[THREAD_MAIN] = "main",
		[THREAD_VCPU] = "vcpu",
		[THREAD_IO] = "io",
		[THREAD_WORKER] = "worker",
	};

	return (unsigned int)kind < THREAD_KIND_COUNT ? name[kind] : "?";
}

bool seccomp_table_is_sanitized_build(void)
{
#if defined(COFFER_SANITIZED)
	return true;
#else
	return false;
#endif
}
