/*
 * mem/mem_crypt.h - who encrypts guest memory under a key of its own.
 * guest_mem calls it, crypto/mktme_ram.h implements it.
 */
#ifndef MEM_MEM_CRYPT_H
#define MEM_MEM_CRYPT_H

#include <stdint.h>

struct err;
struct mem_crypt;

struct mem_crypt_ops {
	/*
	 * Put [hva, hva + len), whole pages of private anonymous memory that
	 * nobody has written to, under the key. What is there is lost. It
	 * stays readable and writable.
	 */
	int (*encrypt)(struct mem_crypt *c, void *hva, uint64_t len,
		       struct err *err);
	/* That was all memory: check that every byte of it has the key. */
	int (*done)(struct mem_crypt *c, struct err *err);
};

struct mem_crypt {
	const struct mem_crypt_ops *ops;
};

#endif
