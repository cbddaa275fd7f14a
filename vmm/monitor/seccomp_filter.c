/* vmm/monitor/seccomp_filter.c - hands a ready filter to the kernel. */
#include "vmm/monitor/seccomp_filter.h"

#include <asm/unistd.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "vmm/base/own.h"
#include "vmm/monitor/seccomp_bpf.h"
#include "vmm/monitor/seccomp_build.h"
#include "vmm/monitor/seccomp_trap.h"

static int install(const struct sock_fprog *p)
{
	if (syscall(__NR_seccomp, SECCOMP_SET_MODE_FILTER, 0, p) < 0)
		return -errno;
	return 0;
}

enum {
	NR = offsetof(struct seccomp_data, nr),
	IP_LOW = offsetof(struct seccomp_data, instruction_pointer),
};

/*
 * The same filter, without killing, behind a door for one address and for the
 * return from the handler.
 */
static int install_log(const struct sock_fprog *p)
{
	uintptr_t ip = seccomp_trap_redo_ip();
	const struct sock_filter door[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, NR),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_rt_sigreturn, 4, 0),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP_LOW),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)ip, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, IP_LOW + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)(ip >> 32), 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_filter insn[ARRAY_SIZE(door) + SECCOMP_INSNS_MAX];
	struct sock_fprog log = {.filter = insn};

	memcpy(insn, door, sizeof(door));
	memcpy(insn + ARRAY_SIZE(door), p->filter, p->len * sizeof(insn[0]));
	log.len = (unsigned short)(ARRAY_SIZE(door) + p->len);
	for (size_t i = 0; i < log.len; i++)
		if (insn[i].code == (BPF_RET | BPF_K) &&
		    insn[i].k == SECCOMP_RET_KILL_PROCESS)
			insn[i].k = SECCOMP_RET_TRAP;
	return install(&log);
}

int seccomp_filter_enter(enum thread_kind kind, bool log)
{
	if ((unsigned int)kind >= THREAD_KIND_COUNT)
		return -EINVAL;
	return log ? install_log(&seccomp_bpf[kind])
		   : install(&seccomp_bpf[kind]);
}
