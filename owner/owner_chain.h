/* owner/owner_chain.h - a platform's certificates from files, and a verdict. */
#ifndef OWNER_OWNER_CHAIN_H
#define OWNER_OWNER_CHAIN_H

#include "crypto/hash256.h"
#include "crypto/sev_chain.h"
#include "owner/owner.h"

/*
 * Read o->chain, then o->roots and o->cek over it. The PDH must be there and
 * be a key for key agreement. ERR_INPUT names the file and what it is.
 */
int owner_chain_load(const struct owner_platform *o, struct sev_chain *ret,
		     struct err *err);

/*
 * Verify the chain and its root: AMD's, or with o->simulated a simulated one.
 * Says on @out what was found.
 * -ENOENT with ERR_INPUT: it is not complete
 * -EKEYREJECTED: it does not lead to such a root
 */
int owner_chain_verify(const struct owner_platform *o,
		       const struct sev_chain *c, struct hash256 *h, FILE *out,
		       struct err *err);

/* Do @len bytes parse as certificates? */
bool owner_chain_fits(const uint8_t *data, size_t len);

#endif
