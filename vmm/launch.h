/*
 * vmm/launch.h - the launch of one protected guest: carries a launch plan out
 * by way of crypto/sev_launch, keeps what is shown of it, and decides where
 * secrets may go. One thread at a time.
 */
#ifndef VMM_LAUNCH_H
#define VMM_LAUNCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sev_abi.h"
#include "mem/mem_map.h"
#include "vmm/base/own.h"
#include "vmm/launch_info.h"

struct err;
struct guest_mem;
struct launch; /* opaque */
struct launch_plan;
struct sev_fw;

struct launch_params {
	enum launch_kind kind; /* LAUNCH_SEV or LAUNCH_SEV_ES */
	uint32_t policy;
	/* As in struct sev_launch_params; copied. */
	const void *dh_cert, *session;
	uint8_t api_major, api_minor, build; /* of the platform */
	enum launch_origin origin;
	enum launch_firmware firmware;
	bool init2, emulated; /* all three as in struct launch_info */
	/* The digest that the plan must have, SEV_DIGEST_LEN bytes, or NULL. */
	const void *expect;
};

/* @fw is borrowed and outlives the launch. Errors of sev_launch_create(). */
int launch_create(const struct launch_params *p, struct sev_fw *fw,
		  struct launch **ret, struct err *err);
/* Unpins. NULL is fine. */
void launch_destroy(struct launch *l);
DEFINE_CLEANUP(struct launch, launch_destroy)

/* The VM becomes a protected guest. Before its first vCPU. */
int launch_init(struct launch *l, struct err *err);

/*
 * From LAUNCH_START to LAUNCH_MEASURE: compare the digest of @plan with what
 * was expected, pin every region of @mem, and launch the plan, which was loaded
 * into @mem; with SEV-ES the registers, too, which must be set.
 * -EKEYREJECTED (ERR_INPUT): another digest was expected; both are named
 * and the errors of crypto/sev_launch.h
 */
int launch_measure(struct launch *l, const struct launch_plan *plan,
		   struct guest_mem *mem, struct err *err);

/*
 * Inject the owner's packet at @gpa, or for 0 behind earlier ones in the
 * plan's own area. A refused packet changes nothing.
 * -EBUSY       not measured yet, or finished
 * -EINVAL      an address that is unaligned, not RAM, or holds what was
 *              measured or an earlier secret; a length that is no packet's
 * -EEXIST      the same packet a second time; or another one in the area of
 *              firmware, which looks for one
 * -ENOSPC      the area is too small for it
 * -ENOTSUP     @gpa 0 and the plan has no area
 */
int launch_secret(struct launch *l, gpa_t gpa,
		  const uint8_t hdr[static SEV_SECRET_HDR_LEN],
		  const void *payload, size_t len, struct err *err);

/* The guest may run from here on. -EBUSY: not measured, or finished. */
int launch_finish(struct launch *l, struct err *err);

/*
 * The security processor's report over @nonce, of a guest that runs; see
 * crypto/sev_report.h. -EBUSY: not finished.
 */
int launch_attest(struct launch *l, const uint8_t nonce[static SEV_NONCE_LEN],
		  uint8_t report[static SEV_REPORT_LEN], struct err *err);

void launch_info(const struct launch *l, struct launch_info *ret);

#endif
