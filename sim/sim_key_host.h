/*
 * sim/sim_key_host.h - the simulated MKTME kernel among real processes: its
 * keys are real keys of type "logon", named "mktme:DESCRIPTION#N", in the
 * session keyring that the simulator shares with its programs. Permissions,
 * possession, timeouts and links of a key are therefore the kernel's own.
 *
 * A program's process and thread keyrings cannot be reached; a keyring for each
 * process stands for both, and ends with it. What is not seen: munmap (memory
 * goes with its process), and fork (the child's copy has no KeyID).
 */
#ifndef SIM_SIM_KEY_HOST_H
#define SIM_SIM_KEY_HOST_H

#include <stdio.h>

#include "sim/sim_host.h"
#include "sim/sim_mktme.h"
#include "vmm/base/list.h"

enum { SIM_KEY_TEXT_MAX = 256, SIM_KEYS_MAX = 512 };

/* A key that was made, dead ones included until their place is needed. */
struct sim_key {
	int32_t serial; /* 0: free */
	int32_t ring;	/* real serial of the keyring it was put in */
	char description[SIM_KEY_TEXT_MAX];
};

/* A process that has a key, a keyring or encrypted memory. */
struct sim_key_proc {
	struct list link;
	struct sim_key_host *host;
	pid_t pid;
	int pidfd;
	struct loop_source *source;
	int32_t ring;	   /* its process keyring; 0: not yet */
	bool left_session; /* has joined another session keyring */
};

struct sim_key_host {
	struct sim_mktme_config c;
	struct sim_mktme *model;
	struct sim_host *host; /* borrowed */
	struct list procs;
	/* A key without links goes a moment after its last holder. */
	struct loop_source *later;
	unsigned int n_later;
	struct sim_key key[SIM_KEYS_MAX];
	unsigned int n_made;
};

/* A session keyring for us and what we will start. */
int sim_key_host_create(const struct sim_mktme_config *c, struct sim_host *h,
			struct sim_key_host **ret, struct err *err);
void sim_key_host_destroy(struct sim_key_host *k);

/* The process of @tid, watched from now on. NULL: it is gone. */
struct sim_key_proc *sim_key_proc_of(struct sim_key_host *k, pid_t tid);

/* The real keyring for @ring as the process means it; negative errno. */
int32_t sim_key_ring(struct sim_key_proc *p, int32_t ring);
/* Make the key. Its serial, or a negative errno. */
int32_t sim_key_make(struct sim_key_host *k, struct sim_key_proc *p,
		     const char *description, int32_t ring);
struct sim_key *sim_key_find(struct sim_key_host *k, int32_t serial);
/* Keys that the kernel has destroyed give their KeyIDs back. */
void sim_key_reap(struct sim_key_host *k);
/*
 * May the process look at the key? 0, -EACCES, or why there is none to look
 * at: -ENOKEY, -EKEYREVOKED, -EKEYEXPIRED. *ret (not NULL): "mktme;UID;GID;
 * PERM;DESCRIPTION".
 */
int sim_key_view(struct sim_key_host *k, const struct sim_key_proc *p,
		 pid_t tid, int32_t serial, char *ret, size_t size);
/* /proc/keys with the type that is simulated, as a file; negative errno. */
int sim_key_list(struct sim_key_host *k, FILE *out);

/*
 * The pages of [addr, addr + len) are lost: those that are there become zero,
 * or poison. -ENOMEM: a hole; -EINVAL: not private anonymous memory.
 */
int sim_key_check_range(pid_t tid, uint64_t addr, uint64_t len);
int sim_key_drop_pages(struct sim_proc *p, uint64_t addr, uint64_t len,
		       bool poison);

#endif
