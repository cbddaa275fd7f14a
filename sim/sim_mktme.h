/*
 * sim/sim_mktme.h - a kernel with MKTME, as far as programs see it: what its
 * key type accepts, and which KeyID is whose. A model; it knows no kernel and
 * no process. After the patches that were posted, docs/mktme.md.
 */
#ifndef SIM_SIM_MKTME_H
#define SIM_SIM_MKTME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "vmm/base/own.h"

/* Versions of the patches, by their month; they differ in what they take. */
enum sim_mktme_profile {
	SIM_MKTME_NONE = 0, /* no MKTME */
	SIM_MKTME_2018_12,  /* user keys, "clear"; a description is one key */
	SIM_MKTME_2019_05,  /* user keys */
	SIM_MKTME_2019_07,  /* keys of the CPU only */
};

enum {
	SIM_MKTME_KEYIDS_MAX = 127,
	SIM_MKTME_RANGES_MAX = 1024,
	SIM_MKTME_PAYLOAD_MAX = 1024,
};

struct sim_mktme; /* opaque */

struct sim_mktme_range {
	pid_t pid;
	uint64_t start, end;
	unsigned int keyid;
	int prot;
};

struct sim_mktme *sim_mktme_create(unsigned int n_keyids);
void sim_mktme_destroy(struct sim_mktme *m);
DEFINE_CLEANUP(struct sim_mktme, sim_mktme_destroy)

/* Is @text a payload that this version takes? 0 or -EINVAL. */
int sim_mktme_payload(enum sim_mktme_profile p, const char *text, size_t len);

/* The lowest free KeyID for the key @serial, or -ENOKEY. */
int sim_mktme_assign(struct sim_mktme *m, int32_t serial);
/* The KeyID of a key that lives; 0: it is none of ours. */
unsigned int sim_mktme_keyid(const struct sim_mktme *m, int32_t serial);
/* Its key is destroyed; the KeyID stays while memory has it. */
void sim_mktme_kill_key(struct sim_mktme *m, int32_t serial);
/* The @i-th key that lives; 0: no more. */
int32_t sim_mktme_key_at(const struct sim_mktme *m, size_t i);

/* Do the contents of [start, end) of @pid stay as they are? */
bool sim_mktme_keeps(const struct sim_mktme *m, pid_t pid, uint64_t start,
		     uint64_t end, unsigned int keyid, int prot);
/* That memory has the KeyID now, and no other. -ENOMEM: the table is full. */
int sim_mktme_cover(struct sim_mktme *m, pid_t pid, uint64_t start,
		    uint64_t end, unsigned int keyid, int prot);
/* The memory of @pid is gone. */
void sim_mktme_forget(struct sim_mktme *m, pid_t pid);

bool sim_mktme_has_memory(const struct sim_mktme *m, unsigned int keyid);
/* KeyIDs that are taken: by a key, or by memory. */
unsigned int sim_mktme_used(const struct sim_mktme *m);

#endif
