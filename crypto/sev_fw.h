/*
 * crypto/sev_fw.h - one command to the security processor on behalf of one
 * guest, whoever carries it there: KVM (vmm/kvm/kvm_sev), or a fake in tests.
 * The order of commands is the caller's business: crypto/sev_launch.
 *
 * AMD SEV API 0.24, chapter 6; Linux,
 * Documentation/virt/kvm/x86/amd-memory-encryption.rst.
 */
#ifndef CRYPTO_SEV_FW_H
#define CRYPTO_SEV_FW_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/sev_abi.h"

enum sev_fw_cmd {
	SEV_FW_INIT,	    /* the VM becomes a SEV guest and gets an ASID */
	SEV_FW_START,	    /* LAUNCH_START */
	SEV_FW_PIN,	    /* KVM's REG_REGION: memory stays where it is */
	SEV_FW_UNPIN,	    /* UNREG_REGION of exactly what was pinned */
	SEV_FW_UPDATE_DATA, /* LAUNCH_UPDATE_DATA */
	SEV_FW_UPDATE_VMSA, /* LAUNCH_UPDATE_VMSA: all vCPUs */
	SEV_FW_MEASURE,	    /* LAUNCH_MEASURE */
	SEV_FW_SECRET,	    /* LAUNCH_SECRET */
	SEV_FW_FINISH,	    /* LAUNCH_FINISH */
	SEV_FW_GUEST_STATUS,
	SEV_FW_ATTESTATION,
	SEV_FW_CMD_COUNT,
};

/* GUEST_STATUS (AMD SEV API 0.24, Table 42 "Guest State"). */
enum sev_guest_state {
	SEV_GUEST_UNINIT = 0,
	SEV_GUEST_LUPDATE = 1,
	SEV_GUEST_LSECRET = 2,
	SEV_GUEST_RUNNING = 3,
	SEV_GUEST_SUPDATE = 4,
	SEV_GUEST_RUPDATE = 5,
	SEV_GUEST_SENT = 6,
};

/* Arguments by command; buffers are the caller's. */
struct sev_fw_call {
	enum sev_fw_cmd cmd;
	uint32_t status; /* out: crypto/sev_status.h; 0 when not asked */
	union {
		struct {
			uint32_t policy;
			const void *dh_cert, *session; /* both or neither */
			uint32_t dh_cert_len, session_len;
			uint32_t handle; /* out */
		} start;
		/* PIN, UNPIN, UPDATE_DATA: memory of this process. */
		struct {
			void *hva;
			uint64_t len;
		} mem;
		struct {
			uint8_t out[SEV_MEASUREMENT_LEN];
		} measure;
		struct {
			const void *hdr; /* SEV_SECRET_HDR_LEN bytes */
			const void *payload;
			void *hva; /* where in guest memory */
			uint32_t len;
		} secret;
		struct {
			uint32_t handle, policy, state; /* out */
		} guest;
		struct {
			uint8_t mnonce[SEV_NONCE_LEN];
			uint8_t out[SEV_REPORT_LEN];
		} attestation;
	};
};

struct sev_fw;

struct sev_fw_ops {
	/*
	 * Carry out @call. 0, or a negative errno; call->status says what the
	 * firmware answered when it is not 0. A length query that a command
	 * needs is made inside. One thread at a time.
	 */
	int (*issue)(struct sev_fw *fw, struct sev_fw_call *call);
};

/* Embedded in whoever implements it. */
struct sev_fw {
	const struct sev_fw_ops *ops;
};

static inline int sev_fw_issue(struct sev_fw *fw, struct sev_fw_call *call)
{
	call->status = 0;
	return fw->ops->issue(fw, call);
}

#endif
