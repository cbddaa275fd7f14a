/* crypto/sev_policy.c - policies as words and as numbers. */
#include "crypto/sev_policy.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { RESERVED = 0xffc0 }; /* bits 15:6 */

static const struct {
	const char *name;
	uint32_t bit;
	const char *set, *clear;
} bits[] = {
	{"nodbg", SEV_POLICY_NODBG, "the host cannot read or write memory",
	 "DEBUG IS OPEN: the host can read and write all memory"},
	{"noks", SEV_POLICY_NOKS, "the key is not shared with other guests",
	 "the key may be shared with other guests of this platform"},
	{"es", SEV_POLICY_ES, "SEV-ES: registers are encrypted",
	 "SEV: registers are visible to the host"},
	{"nosend", SEV_POLICY_NOSEND, "migration is refused",
	 "migration is allowed"},
	{"domain", SEV_POLICY_DOMAIN,
	 "migration only to platforms of the same owner",
	 "migration not bound to the platform's owner"},
	{"sev", SEV_POLICY_SEV, "migration only to SEV-capable platforms",
	 "migration not bound to SEV-capable platforms"},
};

static int bad(const char *text, struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "policy '%.64s': not a 32-bit number (37, 0x37), "
			    "nor names of nodbg,noks,es,nosend,domain,sev,"
			    "api=MAJOR.MINOR, nor none",
			    text);
}

/* All of @text, without sign or space. */
static bool parse_number(const char *text, int base, uint64_t max,
			 uint64_t *ret)
{
	const char *digits =
		base == 16 ? "0123456789abcdefABCDEF" : "0123456789";
	char *end;

	if (!*text || text[strspn(text, digits)])
		return false;
	errno = 0;
	*ret = strtoull(text, &end, base);
	return !errno && *ret <= max;
}

/* "1.51" */
static bool parse_api(char *text, uint32_t *policy)
{
	char *dot = strchr(text, '.');
	uint64_t major, minor;

	if (!dot)
		return false;
	*dot = 0;
	if (!parse_number(text, 10, 255, &major) ||
	    !parse_number(dot + 1, 10, 255, &minor))
		return false;
	*policy |= (uint32_t)major << 16 | (uint32_t)minor << 24;
	return true;
}

static bool parse_name(char *name, uint32_t *policy)
{
	if (!strncmp(name, "api=", 4))
		return !(*policy >> 16) && parse_api(name + 4, policy);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
		if (strcmp(name, bits[i].name) != 0)
			continue;
		*policy |= bits[i].bit;
		return true;
	}
	return false;
}

static bool parse_names(const char *text, uint32_t *ret)
{
	AUTO(freep) char *copy = strdup(text);
	char *next = copy, *name;

	while (next) {
		name = strsep(&next, ",");
		if (!parse_name(name, ret))
			return false;
	}
	return copy;
}

int sev_policy_parse(const char *text, uint32_t *ret, struct err *err)
{
	uint64_t number = 0;
	uint32_t policy = 0;
	bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

	if (hex ? parse_number(text + 2, 16, UINT32_MAX, &number)
		: parse_number(text, 10, UINT32_MAX, &number))
		policy = (uint32_t)number;
	else if (hex ||
		 (strcmp(text, "none") != 0 && !parse_names(text, &policy)))
		return bad(text, err);
	if (sev_policy_check(policy, err) < 0)
		return -EINVAL;
	*ret = policy;
	return 0;
}

int sev_policy_check(uint32_t policy, struct err *err)
{
	if (!(policy & RESERVED))
		return 0;
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "policy 0x%x: bits 0x%x are reserved and must be 0",
			    policy, policy & RESERVED);
}

const char *sev_policy_format(uint32_t policy,
			      char buf[static SEV_POLICY_TEXT_MAX])
{
	size_t n = 0, max = SEV_POLICY_TEXT_MAX;

	buf[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (policy & bits[i].bit)
			n += (size_t)snprintf(buf + n, max - n, "%s%s",
					      n ? "," : "", bits[i].name);
	if (policy & RESERVED)
		n += (size_t)snprintf(buf + n, max - n, "%s0x%x", n ? "," : "",
				      policy & RESERVED);
	if (policy >> 16)
		n += (size_t)snprintf(buf + n, max - n, "%sapi=%u.%u",
				      n ? "," : "",
				      sev_policy_api_major(policy),
				      sev_policy_api_minor(policy));
	if (!n)
		snprintf(buf, max, "none");
	return buf;
}

bool sev_policy_admits_api(uint32_t policy, uint8_t major, uint8_t minor)
{
	uint8_t least = sev_policy_api_major(policy);

	return major > least ||
	       (major == least && minor >= sev_policy_api_minor(policy));
}

const char *sev_policy_explain(uint32_t policy, unsigned int i)
{
	if (i >= ARRAY_SIZE(bits))
		return NULL;
	return policy & bits[i].bit ? bits[i].set : bits[i].clear;
}
