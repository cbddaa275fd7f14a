/*
 * sim/sim_proc.h - the real sim_target: a thread that waits for the answer to
 * its call, reached through /proc, process_vm_readv(2), kcmp(2) and
 * pidfd_getfd(2). All of that needs CAP_SYS_PTRACE over it.
 */
#ifndef SIM_SIM_PROC_H
#define SIM_SIM_PROC_H

#include <sys/types.h>

#include "sim/sim_target.h"

enum { SIM_SEV_FILES = 3 }; /* O_RDONLY, O_WRONLY, O_RDWR */

struct sim_proc {
	struct sim_target target;
	pid_t tid;
	int listener; /* of the notification; -1: none, for tests */
	uint64_t id;  /* of it */
	/* Descriptors of ours that stand for /dev/sev, by open mode. */
	const int *sev_files;
};

void sim_proc_init(struct sim_proc *p, pid_t tid, int listener, uint64_t id,
		   const int sev_files[static SIM_SEV_FILES]);

/* Does the call still wait? What was read before is its caller's then. */
bool sim_proc_is_valid(const struct sim_proc *p);

/* The process of the thread; negative errno when it is gone. */
pid_t sim_proc_tgid(pid_t tid);

/*
 * The text at @addr, which ends with a zero; -ENAMETOOLONG when it has @size
 * bytes or more, -EFAULT.
 */
int sim_proc_read_text(struct sim_proc *p, uint64_t addr, char *buf,
		       size_t size);

/* Write also where the target itself may only read. -EFAULT. */
int sim_proc_poke(struct sim_proc *p, uint64_t addr, const void *buf,
		  size_t len);

/* A duplicate of its descriptor, or a negative errno. */
int sim_proc_get_fd(pid_t tid, uint32_t fd);

enum sim_fd_kind {
	SIM_FD_OTHER,
	SIM_FD_KVM, /* /dev/kvm */
	SIM_FD_VM,
	SIM_FD_VCPU, /* *ret_vcpu is its number */
};

enum sim_fd_kind sim_proc_fd_kind(pid_t tid, uint32_t fd, uint32_t *ret_vcpu);

/* Are these descriptors of two threads one open file? */
bool sim_proc_same_file(pid_t a, uint32_t fd_a, pid_t b, uint32_t fd_b);

/* The capability, in the user namespace that plays the host's first one. */
bool sim_proc_has_cap(pid_t tid, unsigned int bit);

/* Does it see the same root directory as we do? */
bool sim_proc_has_our_root(pid_t tid);

#endif
