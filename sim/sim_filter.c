/* sim/sim_filter.c - builds and installs the notifying filter. */
#include "sim/sim_filter.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/base/err.h"

/* Linux 5.19: only a fatal signal interrupts a call that is being answered. */
#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

#define X32_BIT 0x40000000u

struct builder {
	struct sock_filter *prog;
	size_t n;
};

static void emit(struct builder *b, uint16_t code, uint32_t k, uint8_t jt,
		 uint8_t jf)
{
	if (b->n < SIM_FILTER_MAX)
		b->prog[b->n] = (struct sock_filter){code, jt, jf, k};
	b->n++;
}

static void load(struct builder *b, size_t off)
{
	emit(b, BPF_LD | BPF_W | BPF_ABS, (uint32_t)off, 0, 0);
}

/* The low half of argument @i: requests and capabilities are 32 bits. */
static void load_arg(struct builder *b, unsigned int i)
{
	load(b, offsetof(struct seccomp_data, args) + 8 * (size_t)i);
}

static void ret(struct builder *b, uint32_t action)
{
	emit(b, BPF_RET | BPF_K, action, 0, 0);
}

/* Jump over @skip instructions unless the accumulator is @value. */
static void unless_equal(struct builder *b, uint32_t value, uint8_t skip)
{
	emit(b, BPF_JMP | BPF_JEQ | BPF_K, value, 0, skip);
}

static void add_rule(struct builder *b, const struct sim_rule *r)
{
	uint8_t rest = (uint8_t)(1 + (r->arg1 ? 2 : 0) + (r->arg2 ? 2 : 0));

	load(b, offsetof(struct seccomp_data, nr));
	unless_equal(b, (uint32_t)r->nr, rest);
	if (r->arg1) {
		rest = (uint8_t)(rest - 2);
		load_arg(b, 1);
		unless_equal(b, r->arg1, rest);
	}
	if (r->arg2) {
		rest = (uint8_t)(rest - 2);
		load_arg(b, 2);
		unless_equal(b, r->arg2, rest);
	}
	ret(b, SECCOMP_RET_USER_NOTIF);
}

int sim_filter_build(const struct sim_rule *rules, size_t n,
		     struct sock_filter prog[static SIM_FILTER_MAX])
{
	struct builder b = {prog, 0};

	load(&b, offsetof(struct seccomp_data, arch));
	emit(&b, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	ret(&b, SECCOMP_RET_ERRNO | EPERM);
	load(&b, offsetof(struct seccomp_data, nr));
	emit(&b, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
	ret(&b, SECCOMP_RET_ERRNO | EPERM);
	for (size_t i = 0; i < n; i++)
		add_rule(&b, &rules[i]);
	ret(&b, SECCOMP_RET_ALLOW);
	return b.n > SIM_FILTER_MAX ? -ENOSPC : (int)b.n;
}

static int install(const struct sock_fprog *prog)
{
	long fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
			  SECCOMP_FILTER_FLAG_NEW_LISTENER |
				  SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
			  prog);

	return fd < 0 ? -errno : (int)fd;
}

int sim_filter_install(const struct sock_filter *prog, size_t n,
		       struct err *err)
{
	struct sock_fprog p = {(unsigned short)n, (struct sock_filter *)prog};
	int r = install(&p);

	if (r == -EACCES) {
		/* Without a capability a program must give up setuid first. */
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
			r = install(&p);
	}
	if (r == -EBUSY)
		return err_set_kind(err, ERR_HOST, r,
				    "another program answers for system calls "
				    "here already (coffer sim inside coffer "
				    "sim?)");
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "the kernel does not let us answer for "
				    "system calls (seccomp user notification, "
				    "Linux 5.19 or later): %s",
				    strerror(-r));
	return r;
}
