/*
 * sim/sim_keys.h - the keys and certificates of a simulated SEV platform.
 *
 * The root is made with the platform and its private half thrown away at once,
 * as is that of the signing key: nothing is ever signed with them again. The
 * root's key id says SIMULATED, and so does the unused end of the first
 * signature of every certificate below it, where no tool of AMD's looks.
 */
#ifndef SIM_SIM_KEYS_H
#define SIM_SIM_KEYS_H

#include "crypto/sev_chain.h"
#include "crypto/sev_key.h"

struct err;

enum {
	SIM_CHIP_ID_LEN = 64,
	SIM_RSA_BITS = 2048,
	/* Where a certificate's first signature says what it is, and how. */
	SIM_MARK_OFF = 448,
	SIM_MARK_LEN = 64,
};

#define SIM_MARK "COFFER SIMULATED - THIS PLATFORM PROTECTS NOTHING"

struct sim_keys {
	uint8_t chip_id[SIM_CHIP_ID_LEN];
	bool is_external; /* owned by somebody else, whose OCA it is */
	/* Pairs, by enum sev_chain_member; no OCA's when is_external. */
	struct sev_key *pair[SEV_CHAIN_SEV_COUNT];
	struct sev_chain chain; /* complete; the CEK is signed by the ASK */
};

/* What firmware writes into a PEK. */
struct sim_api {
	uint8_t major, minor, build;
};

/* A new platform, all of its keys new. Needs RSA keys: part of a second. */
int sim_keys_create(const struct sim_api *api, struct sim_keys *ret,
		    struct err *err);
/* Wipes. A zeroed struct is fine. */
void sim_keys_destroy(struct sim_keys *k);

/* FACTORY_RESET, PEK_GEN: OCA, PEK and PDH are new, self-owned. -EIO. */
int sim_keys_renew(struct sim_keys *k, const struct sim_api *api);
/* PDH_GEN. -EIO. */
int sim_keys_renew_pdh(struct sim_keys *k);

/* The PEK without signatures, for its new owner to sign. */
void sim_keys_csr(const struct sim_keys *k, uint8_t csr[static SEV_CERT_LEN]);
/*
 * Take @oca for owner, who has signed @pek.
 * -EINVAL       @pek is not this platform's, or @oca is no OCA
 * -EKEYREJECTED a signature is not good
 * -EIO
 */
int sim_keys_import(struct sim_keys *k, const struct sev_cert *pek,
		    const struct sev_cert *oca);

/* Does the certificate say of itself that it is simulated? */
bool sim_keys_is_marked(const struct sev_cert *c);

#endif
