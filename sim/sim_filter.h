/*
 * sim/sim_filter.h - the seccomp filter that has chosen calls of a program
 * answered by another process (seccomp_unotify(2)).
 */
#ifndef SIM_SIM_FILTER_H
#define SIM_SIM_FILTER_H

#include <linux/filter.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* A call to be answered; what is not listed is left alone. */
struct sim_rule {
	int nr;
	/* Arguments that must have these values, as 32 bits; 0: any. */
	uint32_t arg1, arg2;
};

enum { SIM_FILTER_MAX = 256 }; /* instructions */

/*
 * Write the program that notifies of @rules. Programs of other architectures
 * (i386, x32) get EPERM for every call: they would pass unseen. Returns the
 * number of instructions; -ENOSPC.
 */
int sim_filter_build(const struct sim_rule *rules, size_t n,
		     struct sock_filter prog[static SIM_FILTER_MAX]);

/*
 * Put the calling process under it, for good, with everything it will start.
 * Returns the descriptor of the listener. For a child before exec.
 * ERR_HOST: the kernel cannot (before 5.19), or there is one already
 */
int sim_filter_install(const struct sock_filter *prog, size_t n,
		       struct err *err);

#endif
