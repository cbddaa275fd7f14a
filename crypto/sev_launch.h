/*
 * crypto/sev_launch.h - the launch of one SEV or SEV-ES guest: which command
 * may come after which, and what the firmware must say to it.
 *
 *   NEW -init-> INIT -start-> UPDATE -measure-> SECRET -finish-> RUNNING
 *                             pin, update,      secret
 *                             vmsa
 *
 * After start, measure and finish the firmware is asked for the guest's state
 * (GUEST_STATUS), and a launch whose firmware disagrees ends. After a command
 * that failed nothing but destroying is possible, except that a refused secret
 * may be followed by another.
 *
 * An operation in the wrong state is -EBUSY (a "conflict") and changes nothing.
 * One thread at a time.
 */
#ifndef CRYPTO_SEV_LAUNCH_H
#define CRYPTO_SEV_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sev_abi.h"
#include "crypto/sev_fw.h"
#include "vmm/base/own.h"

struct err;
struct sev_launch; /* opaque */

enum sev_launch_state {
	SEV_LAUNCH_NEW,	    /* nothing was asked of the firmware yet */
	SEV_LAUNCH_INIT,    /* the VM is a SEV guest */
	SEV_LAUNCH_UPDATE,  /* memory is being encrypted and measured */
	SEV_LAUNCH_SECRET,  /* measured: the owner decides */
	SEV_LAUNCH_RUNNING, /* finished: the guest may run, or runs */
	SEV_LAUNCH_FAILED,
	SEV_LAUNCH_STATE_COUNT,
};

/* "new", "init", "update", "secret", "running", "failed". */
const char *sev_launch_state_name(enum sev_launch_state s);

enum sev_launch_op {
	SEV_LAUNCH_OP_INIT,
	SEV_LAUNCH_OP_START,
	SEV_LAUNCH_OP_PIN,
	SEV_LAUNCH_OP_UPDATE,
	SEV_LAUNCH_OP_VMSA,
	SEV_LAUNCH_OP_MEASURE,
	SEV_LAUNCH_OP_SECRET,
	SEV_LAUNCH_OP_FINISH,
	SEV_LAUNCH_OP_ATTEST,
	SEV_LAUNCH_OP_COUNT,
};

enum {
	/*
	 * Bytes of one LAUNCH_UPDATE_DATA: the kernel pins them a second time
	 * while the command runs, so this much locked memory is needed beyond
	 * what is pinned for good.
	 */
	SEV_LAUNCH_CHUNK = 1 << 20,
	SEV_LAUNCH_PINS_MAX = 32,
};

struct sev_launch_params {
	struct sev_fw *fw; /* borrowed; outlives the launch */
	bool es;
	uint32_t policy; /* its ES bit agrees with @es */
	/* SEV_CERT_LEN and SEV_SESSION_LEN bytes, copied; or both NULL. */
	const void *dh_cert, *session;
	/* What the platform said, for messages and the measurement. */
	uint8_t api_major, api_minor, build;
};

/*
 * -EINVAL with ERR_USAGE: a policy with reserved bits, one that contradicts
 * @es, or one that wants a newer firmware; only one of certificate and session
 */
int sev_launch_create(const struct sev_launch_params *p,
		      struct sev_launch **ret, struct err *err);
/* Unpins in reverse order. NULL is fine. Before the VM is destroyed. */
void sev_launch_destroy(struct sev_launch *l);
DEFINE_CLEANUP(struct sev_launch, sev_launch_destroy)

/*
 * The operations. Every failure names the command, the errno, the firmware's
 * status, the likely cause and what to do (crypto/sev_error.h).
 */
/* Before the first vCPU exists. */
int sev_launch_init(struct sev_launch *l, struct err *err);
int sev_launch_start(struct sev_launch *l, struct err *err);
/* Keep [hva, hva + len) in place until sev_launch_destroy(); pages. */
int sev_launch_pin(struct sev_launch *l, void *hva, uint64_t len,
		   struct err *err);
/*
 * Encrypt and measure [hva, hva + len), in chunks. @what names it in messages.
 * @hva and @len are multiples of 16.
 */
int sev_launch_update(struct sev_launch *l, void *hva, uint64_t len,
		      const char *what, struct err *err);
/* SEV-ES only, once, when the registers of all vCPUs are set. */
int sev_launch_vmsa(struct sev_launch *l, struct err *err);
int sev_launch_measure(struct sev_launch *l, struct err *err);
/*
 * Decrypt the owner's packet into guest memory at @hva. A packet that firmware
 * refuses leaves the state as it is.
 * -EINVAL with ERR_INPUT: a length that is no packet's
 */
int sev_launch_secret(struct sev_launch *l,
		      const uint8_t hdr[static SEV_SECRET_HDR_LEN],
		      const void *payload, size_t len, void *hva,
		      struct err *err);
int sev_launch_finish(struct sev_launch *l, struct err *err);
/* The report over @mnonce, signed by the PEK. */
int sev_launch_attest(struct sev_launch *l,
		      const uint8_t mnonce[static SEV_NONCE_LEN],
		      uint8_t report[static SEV_REPORT_LEN], struct err *err);

enum sev_launch_state sev_launch_state(const struct sev_launch *l);
/* May @op be called now? */
bool sev_launch_may(const struct sev_launch *l, enum sev_launch_op op);
/* Has the owner given a session, so that the measurement means something? */
bool sev_launch_attested(const struct sev_launch *l);
uint32_t sev_launch_handle(const struct sev_launch *l);
uint32_t sev_launch_policy(const struct sev_launch *l);
/* Bytes measured, and packets accepted. */
uint64_t sev_launch_updated(const struct sev_launch *l);
unsigned int sev_launch_secrets(const struct sev_launch *l);
/* MEASURE and MNONCE; NULL before sev_launch_measure(). */
const uint8_t *sev_launch_measurement(const struct sev_launch *l);

#endif
