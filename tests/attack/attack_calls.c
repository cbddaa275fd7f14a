/* tests/attack/attack_calls.c - system calls that no thread has a use for. */
#include "tests/attack/attack.h"

#include <asm/prctl.h>
#include <asm/unistd.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "vmm/base/own.h"
#include "vmm/kvm/kvm_abi.h"
#include "vmm/monitor/monitor_proto.h"

/* In its namespace the supervisor has no number; on a host it would be this. */
enum { SOMEBODY = 1, LEAKED_FD = 300, HIGH_LEAKED_FD = 900 };

static char page[4096];

#define TRY(name, ...)                                                         \
	static long name(void)                                                 \
	{                                                                      \
		long r_ = syscall(__VA_ARGS__);                                \
		return r_ < 0 ? -errno : r_;                                   \
	}

TRY(try_open, __NR_open, "/etc/passwd", O_RDONLY)
TRY(try_openat, __NR_openat, AT_FDCWD, "/etc/passwd", O_RDONLY, 0)
TRY(try_openat_proc, __NR_openat, AT_FDCWD, "/proc/self/mem", O_RDWR, 0)
TRY(try_openat2, __NR_openat2, AT_FDCWD, "/", page, 24)
TRY(try_creat, __NR_creat, "/tmp/x", 0600)
TRY(try_socket, __NR_socket, AF_INET, SOCK_STREAM, 0)
TRY(try_netlink, __NR_socket, AF_NETLINK, SOCK_RAW, 0)
TRY(try_connect, __NR_connect, MONITOR_FD_CHANNEL, page,
    sizeof(struct sockaddr_un))
TRY(try_bind, __NR_bind, MONITOR_FD_CHANNEL, page, sizeof(struct sockaddr_un))
TRY(try_listen, __NR_listen, MONITOR_FD_CHANNEL, 1)
TRY(try_accept, __NR_accept4, MONITOR_FD_CHANNEL, NULL, NULL, 0)
TRY(try_execve, __NR_execve, "/bin/sh", NULL, NULL)
TRY(try_execveat, __NR_execveat, -1, "/bin/sh", NULL, NULL, 0)
TRY(try_fork, __NR_fork)
TRY(try_vfork, __NR_vfork)
TRY(try_clone, __NR_clone, SIGCHLD, NULL, NULL, NULL, 0)
TRY(try_clone3, __NR_clone3, page, 64)
TRY(try_ptrace, __NR_ptrace, PTRACE_ATTACH, SOMEBODY, NULL, NULL)
TRY(try_process_vm_writev, __NR_process_vm_writev, SOMEBODY, NULL, 0, NULL, 0,
    0)
TRY(try_kill, __NR_kill, SOMEBODY, SIGTERM)
TRY(try_tgkill, __NR_tgkill, SOMEBODY, SOMEBODY, SIGKILL)
TRY(try_pidfd_open, __NR_pidfd_open, SOMEBODY, 0)
TRY(try_pidfd_getfd, __NR_pidfd_getfd, 3, 0, 0)
TRY(try_mount, __NR_mount, "none", "/", "tmpfs", 0, NULL)
TRY(try_umount, __NR_umount2, "/", MNT_DETACH)
TRY(try_pivot_root, __NR_pivot_root, ".", ".")
TRY(try_chroot, __NR_chroot, "/")
TRY(try_unshare, __NR_unshare, CLONE_NEWUSER)
TRY(try_setns, __NR_setns, 3, 0)
TRY(try_setuid, __NR_setuid, 0)
TRY(try_setgroups, __NR_setgroups, 0, NULL)
TRY(try_capset, __NR_capset, page, page)
TRY(try_mmap_exec, __NR_mmap, NULL, 4096, PROT_READ | PROT_EXEC,
    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
TRY(try_mmap_file, __NR_mmap, NULL, 4096, PROT_READ, MAP_SHARED,
    MONITOR_FD_CHANNEL, 0)
TRY(try_mprotect_exec, __NR_mprotect, page, 4096, PROT_READ | PROT_EXEC)
TRY(try_memfd, __NR_memfd_create, "x", 0)
TRY(try_add_key, __NR_add_key, "user", "x", "y", 1, -3)
TRY(try_request_key, __NR_request_key, "user", "x", NULL, 0)
TRY(try_keyctl, __NR_keyctl, 0, -3, 0, 0, 0)
TRY(try_tiocsti, __NR_ioctl, 0, 0x5412, "x")
TRY(try_kvm_create_vm, __NR_ioctl, 4, KVM_CREATE_VM, 0)
TRY(try_kvm_set_memory, __NR_ioctl, 5, KVM_SET_USER_MEMORY_REGION, page)
TRY(try_prctl, __NR_prctl, PR_SET_DUMPABLE, 1, 0, 0, 0)
TRY(try_arch_prctl, __NR_arch_prctl, ARCH_SET_GS, 0)
TRY(try_seccomp, __NR_seccomp, 0, 0, NULL)
TRY(try_sigaction, __NR_rt_sigaction, SIGSYS, NULL, NULL, 8)
TRY(try_bpf, __NR_bpf, 0, page, 64)
TRY(try_perf, __NR_perf_event_open, page, 0, -1, -1, 0)
TRY(try_userfaultfd, __NR_userfaultfd, 0)
TRY(try_ring_setup, __NR_io_uring_setup, 8, page)
TRY(try_ring_register, __NR_io_uring_register, 4, IORING_REGISTER_BUFFERS, page,
    1)
TRY(try_dup, __NR_dup, MONITOR_FD_CHANNEL)
TRY(try_dup2, __NR_dup2, MONITOR_FD_CHANNEL, 0)
TRY(try_fcntl, __NR_fcntl, 0, F_DUPFD, 0)
TRY(try_x32, 0x40000000 | __NR_getpid)
/* What coffer was started with is not what the monitor is started with. */
TRY(try_write_leaked, __NR_write, LEAKED_FD, "x", 1)
TRY(try_write_high_leaked, __NR_write, HIGH_LEAKED_FD, "x", 1)

static long try_process_vm_readv(void)
{
	struct iovec here = {page, sizeof(page)}, there = {page, sizeof(page)};
	long r = syscall(__NR_process_vm_readv, SOMEBODY, &here, 1, &there, 1,
			 0);

	return r < 0 ? -errno : r;
}

static long try_i386(void)
{
	long r = 20; /* getpid */

	__asm__ volatile("int $0x80" : "+a"(r)::"memory");
	return r;
}

const struct attempt attack_calls[] = {
	{"open of a file", try_open},
	{"openat of a file", try_openat},
	{"openat of /proc/self/mem", try_openat_proc},
	{"openat2", try_openat2},
	{"creat", try_creat},
	{"socket, IPv4", try_socket},
	{"socket, netlink", try_netlink},
	{"connect", try_connect},
	{"bind", try_bind},
	{"listen", try_listen},
	{"accept4", try_accept},
	{"execve of a shell", try_execve},
	{"execveat of a shell", try_execveat},
	{"fork", try_fork},
	{"vfork", try_vfork},
	{"clone", try_clone},
	{"clone3", try_clone3},
	{"ptrace", try_ptrace},
	{"process_vm_readv", try_process_vm_readv},
	{"process_vm_writev", try_process_vm_writev},
	{"kill", try_kill},
	{"tgkill with SIGKILL", try_tgkill},
	{"pidfd_open", try_pidfd_open},
	{"pidfd_getfd", try_pidfd_getfd},
	{"mount", try_mount},
	{"umount2", try_umount},
	{"pivot_root", try_pivot_root},
	{"chroot", try_chroot},
	{"unshare", try_unshare},
	{"setns", try_setns},
	{"setuid 0", try_setuid},
	{"setgroups", try_setgroups},
	{"capset", try_capset},
	{"mmap, executable", try_mmap_exec},
	{"mmap of a descriptor", try_mmap_file},
	{"mprotect, executable", try_mprotect_exec},
	{"memfd_create", try_memfd},
	{"add_key", try_add_key},
	{"request_key", try_request_key},
	{"keyctl", try_keyctl},
	{"ioctl TIOCSTI", try_tiocsti},
	{"ioctl KVM_CREATE_VM", try_kvm_create_vm},
	{"ioctl KVM_SET_USER_MEMORY_REGION", try_kvm_set_memory},
	{"prctl PR_SET_DUMPABLE", try_prctl},
	{"arch_prctl", try_arch_prctl},
	{"seccomp", try_seccomp},
	{"rt_sigaction of SIGSYS", try_sigaction},
	{"bpf", try_bpf},
	{"perf_event_open", try_perf},
	{"userfaultfd", try_userfaultfd},
	{"io_uring_setup", try_ring_setup},
	{"io_uring_register", try_ring_register},
	{"dup", try_dup},
	{"dup2", try_dup2},
	{"fcntl F_DUPFD", try_fcntl},
	{"getpid of x32", try_x32},
	{"getpid of i386", try_i386},
	{"write to a descriptor that coffer inherited", try_write_leaked},
	{"the same, with a high number", try_write_high_leaked},
};
const size_t attack_n_calls = ARRAY_SIZE(attack_calls);
