/*
 * owner/owner_used.h - remembers for which launch a TIK was used, in a file
 * beside it. A second launch with the same keys lets a host replay the secrets
 * of the first.
 */
#ifndef OWNER_OWNER_USED_H
#define OWNER_OWNER_USED_H

#include "crypto/hash256.h"
#include "crypto/sev_abi.h"

struct err;

struct owner_use {
	const char *tik_path;
	const uint8_t *tik;	    /* SEV_KEY_LEN */
	const uint8_t *measurement; /* SEV_MEASUREMENT_LEN */
};

/*
 * Mark @u->tik as used by this launch; again for the same launch is fine.
 * -EKEYREJECTED: it was used by another
 * ERR_INPUT, ERR_PERM: the mark cannot be read or written
 */
int owner_used_claim(struct hash256 *h, const struct owner_use *u,
		     struct err *err);

/*
 * Was it marked by this launch? -EKEYREJECTED: not at all, or by another; the
 * message says which.
 */
int owner_used_check(struct hash256 *h, const struct owner_use *u,
		     struct err *err);

#endif
