/*
 * crypto/mktme_ram.h - puts guest memory under an MKTME key by
 * encrypt_mprotect(), and checks that it is.
 *
 * The key protects what is in the memory modules against somebody who has them
 * in his hands. It does not protect the guest from the host: host processes
 * and the host's kernel read plain text.
 */
#ifndef CRYPTO_MKTME_RAM_H
#define CRYPTO_MKTME_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/mem_crypt.h"
#include "vmm/base/own.h"

struct err;
struct mktme_ram; /* opaque */

/* The two calls, for tests to replace. 0 or a negative errno. */
struct mktme_ram_ops {
	int (*encrypt_mprotect)(void *arg, void *addr, size_t len, int prot,
				int32_t serial);
	int (*mprotect)(void *arg, void *addr, size_t len, int prot);
};

struct mktme_ram_params {
	int32_t serial;	  /* of the key, > 0 */
	uint64_t syscall; /* one that mktme_syscall_check() likes */
	int smaps_fd;	  /* /proc/self/smaps, borrowed; -1: cannot verify */
	const struct mktme_ram_ops *ops; /* NULL: the kernel's */
	void *arg;			 /* of ops and encrypted */
	/* Every byte is encrypted and checked. NULL: nobody wants to know. */
	void (*encrypted)(void *arg, bool verified);
};

/* -EINVAL      serial or number out of range */
int mktme_ram_create(const struct mktme_ram_params *p, struct mktme_ram **ret,
		     struct err *err);
void mktme_ram_destroy(struct mktme_ram *m);
DEFINE_CLEANUP(struct mktme_ram, mktme_ram_destroy)

/*
 * For guest_mem_opts.crypt. Errors of encrypt():
 * -ENOSYS        ERR_HOST: the kernel has no such call
 * -ENOKEY        ERR_BUSY: the key is gone
 * -EKEYREVOKED   ERR_BUSY: somebody has revoked it
 * -EKEYEXPIRED   ERR_BUSY: the start took longer than the key lived
 * -EACCES        ERR_PERM: the key may not be seen by this process
 * -EINVAL        ERR_HOST: not a key of type mktme, or not memory for it
 * and of done():
 * -EKEYREJECTED  ERR_HOST: part of the memory has another key, or none
 */
struct mem_crypt *mktme_ram_crypt(struct mktme_ram *m);

/*
 * Which keys does /proc/PID/smaps (text of @smaps_fd, from its beginning) name
 * for [start, end)? 1: one KeyID other than 0, for every byte; 0: this kernel
 * prints none. -EKEYREJECTED and why: a part has another KeyID, or 0, or is not
 * mapped. *ret_keyid is set for 1.
 */
int mktme_smaps_check(int smaps_fd, uint64_t start, uint64_t end,
		      uint64_t *ret_keyid, struct err *err);

#endif
