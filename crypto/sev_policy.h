/*
 * crypto/sev_policy.h - the guest policy of SEV and SEV-ES: what the owner
 * allows the host to do (AMD SEV API 0.24, Guest Policy Structure).
 */
#ifndef CRYPTO_SEV_POLICY_H
#define CRYPTO_SEV_POLICY_H

#include <stdbool.h>
#include <stdint.h>

struct err;

enum sev_policy_bit {
	SEV_POLICY_NODBG = 1 << 0,  /* the host may not read memory */
	SEV_POLICY_NOKS = 1 << 1,   /* no key sharing with other guests */
	SEV_POLICY_ES = 1 << 2,	    /* registers are encrypted too */
	SEV_POLICY_NOSEND = 1 << 3, /* no migration */
	SEV_POLICY_DOMAIN = 1 << 4, /* migrate only under the same OCA */
	SEV_POLICY_SEV = 1 << 5,    /* migrate only to SEV platforms */
};

enum { SEV_POLICY_TEXT_MAX = 80 }; /* bytes of sev_policy_format() */

/*
 * A number (decimal, or hexadecimal after 0x), or names of bits with commas:
 * nodbg, noks, es, nosend, domain, sev, and api=MAJOR.MINOR for the lowest
 * firmware API; "none" alone is 0. Reserved bits are refused.
 * -EINVAL with a message that quotes @text
 */
int sev_policy_parse(const char *text, uint32_t *ret, struct err *err);

/* -EINVAL: @policy has reserved bits, which are named. */
int sev_policy_check(uint32_t policy, struct err *err);

/* "nodbg,es,api=1.51": sev_policy_parse() reads it. Reserved bits: "0x40". */
const char *sev_policy_format(uint32_t policy,
			      char buf[static SEV_POLICY_TEXT_MAX]);

static inline uint8_t sev_policy_api_major(uint32_t policy)
{
	return (uint8_t)(policy >> 16);
}

static inline uint8_t sev_policy_api_minor(uint32_t policy)
{
	return (uint8_t)(policy >> 24);
}

/* Is @major.@minor at least the policy's lowest API? */
bool sev_policy_admits_api(uint32_t policy, uint8_t major, uint8_t minor);

/*
 * The sentence that belongs to a bit, whether it is set or not, and the bits
 * themselves in order; NULL past the last @i.
 */
const char *sev_policy_explain(uint32_t policy, unsigned int i);

#endif
