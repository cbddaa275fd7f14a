/*
 * sim/sim_state.h - the file in which a simulated platform keeps its keys, as
 * a real one keeps them in its flash.
 *
 * All of it is checked when it is read: its digest, that every private key
 * belongs to its certificate, and the chain up to the simulated root.
 */
#ifndef SIM_SIM_STATE_H
#define SIM_SIM_STATE_H

#include "crypto/hash256.h"
#include "sim/sim_keys.h"

struct err;

/* Layout: all fields at fixed places, SHA-256 of the rest at the end. */
enum {
	SIM_STATE_MAGIC = 0, /* 32 bytes of text, with the version */
	SIM_STATE_CHIP_ID = 32,
	SIM_STATE_FLAGS = 96, /* le32; bit 0: externally owned */
	/* Private scalars, big-endian: PDH, PEK, OCA, CEK. */
	SIM_STATE_SCALARS = 100,
	SIM_STATE_CERTS = SIM_STATE_SCALARS + SEV_CHAIN_SEV_COUNT * 48,
	SIM_STATE_ASK = SIM_STATE_CERTS + SEV_CHAIN_SEV_COUNT * SEV_CERT_LEN,
	SIM_STATE_AMD_LEN = AMD_CERT_HEADER_LEN + 3 * SIM_RSA_BITS / 8,
	SIM_STATE_ARK = SIM_STATE_ASK + SIM_STATE_AMD_LEN,
	SIM_STATE_DIGEST = SIM_STATE_ARK + SIM_STATE_AMD_LEN,
	SIM_STATE_LEN = SIM_STATE_DIGEST + HASH256_LEN,
};

int sim_state_pack(const struct sim_keys *k, struct hash256 *h,
		   uint8_t buf[static SIM_STATE_LEN]);
/*
 * -EINVAL with ERR_INPUT and what is wrong with it; -EIO when libcrypto
 * failed. Messages do not name a file.
 */
int sim_state_parse(const void *data, size_t len, struct hash256 *h,
		    struct sim_keys *ret, struct err *err);

/*
 * The platform in @path; a new one is made and written when there is no such
 * file. Two that make it at once get the same platform.
 * ERR_INPUT, ERR_PERM: the file cannot be read or written, or is corrupted
 */
int sim_state_load(const char *path, const struct sim_api *api,
		   struct hash256 *h, struct sim_keys *ret, struct err *err);
/* Replace the file by a whole new one, mode 0600. */
int sim_state_save(const char *path, const struct sim_keys *k,
		   struct hash256 *h, struct err *err);

#endif
