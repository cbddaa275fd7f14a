/*
 * sim/sim_fw.h - the security processor's SEV firmware, simulated: platform
 * state, guests, their keys, digests and measurements (AMD SEV API 0.24,
 * chapters "Platform Management", "Guest Management", "Launch").
 *
 * Each function is one command and returns what the firmware would: 0 or a
 * code of crypto/sev_status.h. All arguments are hostile. Memory does not occur
 * here: the caller hands in the bytes that a command would read.
 *
 * The order of checks is platform, parameters, guest, its state, policy,
 * cryptography: plausible, but not documented by AMD.
 */
#ifndef SIM_SIM_FW_H
#define SIM_SIM_FW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sev_abi.h"
#include "crypto/sev_status.h"
#include "sim/sim_keys.h"
#include "vmm/base/own.h"

struct err;
struct sim_fw; /* opaque */

/* Numbers of the commands; AMD SEV API 0.24, Table "Command Identifiers". */
enum sim_fw_cmd {
	SIM_FW_INIT = 0x01,
	SIM_FW_SHUTDOWN = 0x02,
	SIM_FW_PLATFORM_RESET = 0x03,
	SIM_FW_PLATFORM_STATUS = 0x04,
	SIM_FW_PEK_GEN = 0x05,
	SIM_FW_PEK_CSR = 0x06,
	SIM_FW_PEK_CERT_IMPORT = 0x07,
	SIM_FW_PDH_CERT_EXPORT = 0x08,
	SIM_FW_PDH_GEN = 0x09,
	SIM_FW_GET_ID = 0x0c,
	SIM_FW_DECOMMISSION = 0x20,
	SIM_FW_ACTIVATE = 0x21,
	SIM_FW_DEACTIVATE = 0x22,
	SIM_FW_GUEST_STATUS = 0x23,
	SIM_FW_LAUNCH_START = 0x30,
	SIM_FW_LAUNCH_UPDATE_DATA = 0x31,
	SIM_FW_LAUNCH_UPDATE_VMSA = 0x32,
	SIM_FW_LAUNCH_MEASURE = 0x33,
	SIM_FW_LAUNCH_SECRET = 0x34,
	SIM_FW_LAUNCH_FINISH = 0x35,
	SIM_FW_ATTESTATION = 0x36,
	SIM_FW_DBG_DECRYPT = 0x60,
	SIM_FW_DBG_ENCRYPT = 0x61,
};

/* "LAUNCH_START"; NULL past the last @i, or for a number that is none. */
const char *sim_fw_cmd_name(enum sim_fw_cmd cmd);
const char *sim_fw_cmd_at(size_t i);

enum sim_fw_platform_state {
	SIM_FW_PLATFORM_UNINIT = 0,
	SIM_FW_PLATFORM_INIT = 1,
	SIM_FW_PLATFORM_WORKING = 2,
};

enum sim_fw_guest_state {
	SIM_FW_GUEST_UNINIT = 0,
	SIM_FW_GUEST_LUPDATE = 1,
	SIM_FW_GUEST_LSECRET = 2,
	SIM_FW_GUEST_RUNNING = 3,
};

enum { SIM_FW_GUESTS_MAX = 1024, SIM_FW_REPORT_LEN = 208 };

/* What the firmware tells and asks outside. */
struct sim_fw_hooks {
	/* Make command @cmd fail? Then with *ret. NULL: never. */
	bool (*fault)(void *arg, enum sim_fw_cmd cmd, uint32_t *ret);
	/* The keys have changed: keep them. Negative errno: cannot. */
	int (*save)(void *arg, const struct sim_keys *k);
	void *arg;
};

struct sim_fw_config {
	struct sim_api api;
	bool has_es;
	/* ASIDs 1..asids; those below min_sev_asid are for SEV-ES only. */
	uint32_t asids, min_sev_asid;
	uint32_t guests; /* contexts that it has room for */
};

/*
 * Starts INIT, as a host does whose driver has initialised it at boot.
 * @keys is taken. -ENOMEM.
 */
int sim_fw_create(const struct sim_fw_config *c, struct sim_keys *keys,
		  const struct sim_fw_hooks *hooks, struct sim_fw **ret,
		  struct err *err);
void sim_fw_destroy(struct sim_fw *f);
DEFINE_CLEANUP(struct sim_fw, sim_fw_destroy)

const struct sim_fw_config *sim_fw_config(const struct sim_fw *f);
/* For files that AMD would publish; the firmware exports no signed CEK. */
const struct sim_keys *sim_fw_keys(const struct sim_fw *f);
/* Without a command: what the driver keeps in mind. */
enum sim_fw_platform_state sim_fw_state(const struct sim_fw *f);

/* --- platform ------------------------------------------------------------ */

struct sim_fw_status {
	struct sim_api api;
	enum sim_fw_platform_state state;
	bool is_external, has_es;
	uint32_t guests;
};

uint32_t sim_fw_init(struct sim_fw *f);
uint32_t sim_fw_shutdown(struct sim_fw *f);
uint32_t sim_fw_platform_reset(struct sim_fw *f);
uint32_t sim_fw_platform_status(struct sim_fw *f, struct sim_fw_status *ret);
uint32_t sim_fw_pek_gen(struct sim_fw *f);
uint32_t sim_fw_pdh_gen(struct sim_fw *f);
/* *len is what the caller has room for, and becomes what is needed. */
uint32_t sim_fw_pek_csr(struct sim_fw *f, uint8_t csr[static SEV_CERT_LEN],
			uint32_t *len);
uint32_t sim_fw_pek_cert_import(struct sim_fw *f, const void *pek,
				uint32_t pek_len, const void *oca,
				uint32_t oca_len);
enum { SIM_FW_CHAIN_LEN = 3 * SEV_CERT_LEN };
/* @chain: PEK, OCA, and the CEK without a usable signature. */
uint32_t sim_fw_pdh_cert_export(struct sim_fw *f,
				uint8_t pdh[static SEV_CERT_LEN],
				uint32_t *pdh_len,
				uint8_t chain[static SIM_FW_CHAIN_LEN],
				uint32_t *chain_len);
uint32_t sim_fw_get_id(struct sim_fw *f, uint8_t id[static SIM_CHIP_ID_LEN],
		       uint32_t *len);

/* --- guests -------------------------------------------------------------- */

struct sim_fw_guest_status {
	uint32_t asid, policy;
	enum sim_fw_guest_state state;
};

struct sim_fw_start {
	uint32_t handle; /* 0: a new guest */
	uint32_t policy;
	const void *godh, *session; /* both NULL: keys of the firmware's own */
	uint32_t godh_len, session_len;
};

uint32_t sim_fw_launch_start(struct sim_fw *f, const struct sim_fw_start *s,
			     uint32_t *ret_handle);
uint32_t sim_fw_activate(struct sim_fw *f, uint32_t handle, uint32_t asid);
uint32_t sim_fw_deactivate(struct sim_fw *f, uint32_t handle);
/* The guest is gone; the last one takes the platform back to INIT. */
uint32_t sim_fw_decommission(struct sim_fw *f, uint32_t handle);
uint32_t sim_fw_guest_status(struct sim_fw *f, uint32_t handle,
			     struct sim_fw_guest_status *ret);

/*
 * LAUNCH_UPDATE_DATA in two halves: may @len bytes at @addr be added, and then
 * the bytes, in pieces of any size.
 */
uint32_t sim_fw_update_data(struct sim_fw *f, uint32_t handle, uint64_t addr,
			    uint32_t len);
uint32_t sim_fw_update_bytes(struct sim_fw *f, uint32_t handle,
			     const void *data, size_t len);
uint32_t sim_fw_update_vmsa(struct sim_fw *f, uint32_t handle, const void *vmsa,
			    uint32_t len);
/* *len as for PEK_CSR; a measurement only when it suffices. */
uint32_t sim_fw_measure(struct sim_fw *f, uint32_t handle,
			uint8_t out[static SEV_MEASUREMENT_LEN], uint32_t *len);

/* The digest that was measured, as long as the guest lives; NULL: none was. */
const uint8_t *sim_fw_digest(struct sim_fw *f, uint32_t handle);

struct sim_fw_secret {
	const void *hdr, *data;
	uint32_t hdr_len, data_len;
	uint64_t guest_addr;
	uint32_t guest_len;
};

/* @plain: SEV_SECRET_MAX bytes; s->data_len of them are written. */
uint32_t sim_fw_secret(struct sim_fw *f, uint32_t handle,
		       const struct sim_fw_secret *s, uint8_t *plain);
uint32_t sim_fw_finish(struct sim_fw *f, uint32_t handle);
uint32_t sim_fw_attestation(struct sim_fw *f, uint32_t handle,
			    const uint8_t mnonce[static SEV_NONCE_LEN],
			    uint8_t report[static SIM_FW_REPORT_LEN],
			    uint32_t *len);
/* DBG_DECRYPT, DBG_ENCRYPT: may the host read or write the memory? */
uint32_t sim_fw_dbg(struct sim_fw *f, enum sim_fw_cmd cmd, uint32_t handle);

#endif
