/* sim/sim_fw_impl.h - what the files of sim_fw share. */
#ifndef SIM_SIM_FW_IMPL_H
#define SIM_SIM_FW_IMPL_H

#include "crypto/hash256.h"
#include "crypto/sev_session.h"
#include "sim/sim_fw.h"

struct sim_fw_guest {
	uint32_t handle; /* 0: a free entry */
	uint32_t policy;
	uint32_t asid; /* 0: not active */
	enum sim_fw_guest_state state;
	struct sev_session_keys keys;
	struct hash256 *digest;	    /* of what was launched; owned */
	uint8_t ld[SEV_DIGEST_LEN]; /* once measured */
	uint8_t measure[SEV_MEASURE_LEN];
};

struct sim_fw {
	struct sim_fw_config c;
	struct sim_keys keys; /* owned */
	struct sim_fw_hooks hooks;
	struct hash256 *h; /* owned; between two messages */
	enum sim_fw_platform_state state;
	uint32_t next_handle, n_guests;
	struct sim_fw_guest guest[SIM_FW_GUESTS_MAX];
};

/* Frees the entry. */
void sim_fw_guest_clear(struct sim_fw_guest *g);

/* Returns from a command that is to fail. */
#define SIM_FW_FAULT(f, cmd)                                                   \
	do {                                                                   \
		uint32_t fault_;                                               \
                                                                               \
		if ((f)->hooks.fault &&                                        \
		    (f)->hooks.fault((f)->hooks.arg, (cmd), &fault_))          \
			return fault_;                                         \
	} while (0)

#endif
