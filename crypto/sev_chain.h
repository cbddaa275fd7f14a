/*
 * crypto/sev_chain.h - a platform's certificates as a set, and whether they
 * lead from its Diffie-Hellman key to AMD.
 */
#ifndef CRYPTO_SEV_CHAIN_H
#define CRYPTO_SEV_CHAIN_H

#include "crypto/amd_cert.h"
#include "crypto/hash256.h"
#include "crypto/sev_cert.h"

struct err;

/* In the order in which sevctl writes them. */
enum sev_chain_member {
	SEV_CHAIN_PDH,
	SEV_CHAIN_PEK,
	SEV_CHAIN_OCA,
	SEV_CHAIN_CEK,
	SEV_CHAIN_ASK,
	SEV_CHAIN_ARK,
	SEV_CHAIN_COUNT,
};

enum { SEV_CHAIN_SEV_COUNT = SEV_CHAIN_CEK + 1 };
/* Bytes of the longest: PDH to CEK, ASK and ARK of 4096 bits. */
enum { SEV_CHAIN_MAX = SEV_CHAIN_SEV_COUNT * SEV_CERT_LEN + 2 * AMD_CERT_MAX };

struct sev_chain {
	bool have[SEV_CHAIN_COUNT];
	struct sev_cert sev[SEV_CHAIN_SEV_COUNT];
	struct amd_cert ask, ark;
};

/*
 * Add the certificates of a file, one after the other in any order. One that
 * is there already is replaced: later files are the better ones.
 * -EINVAL with ERR_INPUT: something in it is no certificate (where is said),
 *         or one certificate is in it twice
 */
int sev_chain_add(struct sev_chain *c, const void *data, size_t len,
		  struct err *err);

/* "PDH", ..., "ARK". */
const char *sev_chain_member_name(enum sev_chain_member m);

/* How a verified chain ends. */
struct sev_chain_root {
	const char *generation; /* "Milan"; NULL: not AMD's */
	bool is_simulated;
};

/*
 * Verify each of the links below whose two certificates are there; a chain with
 * gaps passes. Errors as sev_chain_verify().
 */
int sev_chain_verify_links(const struct sev_chain *c, struct hash256 *h,
			   struct err *err);

/*
 * Verify PDH by PEK, PEK by OCA and by CEK, OCA by itself, CEK by ASK, ASK by
 * ARK, ARK by itself, and say whose root it is. The caller decides whether
 * that root will do.
 * -ENOENT with ERR_INPUT: certificates are missing; which, and what to do
 * -EKEYREJECTED: a signature is not good; which link
 * -EIO: libcrypto failed
 */
int sev_chain_verify(const struct sev_chain *c, struct hash256 *h,
		     struct sev_chain_root *ret, struct err *err);

#endif
