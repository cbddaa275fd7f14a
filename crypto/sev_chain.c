/* crypto/sev_chain.c - collects a platform's certificates and verifies them. */
#include "crypto/sev_chain.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sev_key.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

static const char *const names[SEV_CHAIN_COUNT] = {"PDH", "PEK", "OCA",
						   "CEK", "ASK", "ARK"};

/* Which certificate vouches for which (AMD SEV API 0.24, 2.1 "Keys"). */
static const struct {
	enum sev_chain_member child, parent;
} links[] = {
	{SEV_CHAIN_PDH, SEV_CHAIN_PEK}, {SEV_CHAIN_PEK, SEV_CHAIN_OCA},
	{SEV_CHAIN_OCA, SEV_CHAIN_OCA}, {SEV_CHAIN_PEK, SEV_CHAIN_CEK},
	{SEV_CHAIN_CEK, SEV_CHAIN_ASK}, {SEV_CHAIN_ASK, SEV_CHAIN_ARK},
	{SEV_CHAIN_ARK, SEV_CHAIN_ARK},
};

const char *sev_chain_member_name(enum sev_chain_member m)
{
	return (unsigned int)m < SEV_CHAIN_COUNT ? names[m] : "?";
}

static enum sev_chain_member member_of_usage(uint32_t usage)
{
	switch (usage) {
	case SEV_USAGE_PDH:
		return SEV_CHAIN_PDH;
	case SEV_USAGE_PEK:
		return SEV_CHAIN_PEK;
	case SEV_USAGE_OCA:
		return SEV_CHAIN_OCA;
	case SEV_USAGE_CEK:
		return SEV_CHAIN_CEK;
	case SEV_USAGE_ASK:
		return SEV_CHAIN_ASK;
	default:
		return SEV_CHAIN_ARK;
	}
}

/* The certificate at the beginning of @p, whichever kind it is. */
static int add_one(struct sev_chain *c, const uint8_t *p, size_t len,
		   enum sev_chain_member *ret_which, size_t *ret_used,
		   struct err *err)
{
	struct sev_cert sev;
	struct amd_cert amd;
	enum sev_chain_member m;
	int r;

	if (amd_cert_looks_like(p, len)) {
		r = amd_cert_parse(p, len, &amd, ret_used, err);
		if (r < 0)
			return r;
		m = member_of_usage(amd.usage);
		*(m == SEV_CHAIN_ASK ? &c->ask : &c->ark) = amd;
	} else {
		*ret_used = SEV_CERT_LEN;
		r = sev_cert_parse(p, len < SEV_CERT_LEN ? len : SEV_CERT_LEN,
				   &sev, err);
		if (r < 0)
			return r;
		m = member_of_usage(sev.usage);
		c->sev[m] = sev;
	}
	*ret_which = m;
	return 0;
}

int sev_chain_add(struct sev_chain *c, const void *data, size_t len,
		  struct err *err)
{
	const uint8_t *p = data;
	bool seen[SEV_CHAIN_COUNT] = {false};
	size_t at = 0, used = 0;

	do {
		enum sev_chain_member m;
		int r = add_one(c, p + at, len - at, &m, &used, err);

		if (r < 0 && at)
			err_prefix(err, "at byte %zu", at);
		if (r < 0)
			return r;
		if (seen[m])
			return err_set_kind(err, ERR_INPUT, -EINVAL,
					    "it has two %s certificates",
					    sev_chain_member_name(m));
		seen[m] = c->have[m] = true;
		at += used;
	} while (at < len);
	return 0;
}

static int check_complete(const struct sev_chain *c, struct err *err)
{
	char missing[64] = "";
	size_t n = 0;

	for (size_t i = 0; i < SEV_CHAIN_COUNT; i++)
		if (!c->have[i])
			n += (size_t)snprintf(missing + n, sizeof(missing) - n,
					      "%s%s", n ? ", " : "", names[i]);
	if (!n)
		return 0;
	if (c->have[SEV_CHAIN_PDH] && c->have[SEV_CHAIN_PEK] &&
	    c->have[SEV_CHAIN_OCA] && c->have[SEV_CHAIN_CEK])
		return err_set_kind(err, ERR_INPUT, -ENOENT,
				    "lacks %s: give AMD's file of this "
				    "processor generation (ask_ark_*.cert)",
				    missing);
	return err_set_kind(err, ERR_INPUT, -ENOENT,
			    "lacks %s: ask the host for its full chain",
			    missing);
}

/* How a member names itself in the signatures it makes. */
static void signer_name(const struct sev_chain *c, enum sev_chain_member m,
			uint32_t *usage, uint32_t *algo)
{
	const struct amd_cert *amd = m == SEV_CHAIN_ASK ? &c->ask : &c->ark;
	bool is_amd = m >= SEV_CHAIN_ASK;

	*usage = is_amd ? amd->usage : c->sev[m].usage;
	*algo = is_amd ? amd_cert_algo(amd) : c->sev[m].algo;
}

static int key_of(const struct sev_chain *c, enum sev_chain_member m,
		  struct sev_key **ret, struct err *err)
{
	int r;

	if (m < SEV_CHAIN_ASK)
		r = sev_key_of_cert(&c->sev[m], ret, err);
	else
		r = sev_key_of_amd_cert(m == SEV_CHAIN_ASK ? &c->ask : &c->ark,
					ret, err);
	if (r < 0)
		err_prefix(err, "%s", names[m]);
	return r;
}

static int verify_link(const struct sev_chain *c, enum sev_chain_member child,
		       enum sev_chain_member parent, const struct sev_key *key)
{
	uint32_t usage, algo;

	if (child == SEV_CHAIN_ASK)
		return amd_cert_verify(&c->ask, &c->ark, key);
	if (child == SEV_CHAIN_ARK)
		return amd_cert_verify(&c->ark, &c->ark, key);
	signer_name(c, parent, &usage, &algo);
	return sev_cert_verify(&c->sev[child], usage, algo, key);
}

static int broken(int r, enum sev_chain_member child,
		  enum sev_chain_member parent, struct err *err)
{
	if (r == -EIO || r == -ENOMEM)
		return err_set_kind(err, ERR_HOST, r,
				    "libcrypto cannot verify a signature");
	/* What firmware exports is like that; AMD has the signed one. */
	if (r == -ENOKEY && child == SEV_CHAIN_CEK)
		return err_set_kind(
			err, ERR_INPUT, -EKEYREJECTED,
			"the CEK carries no signature of the ASK: give the "
			"signed one, from https://kdsintf.amd.com/cek/id/ and "
			"the platform's id");
	if (r == -ENOKEY)
		return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
				    "the chain breaks: the %s carries no "
				    "signature of the %s",
				    names[child], names[parent]);
	return err_set_kind(err, ERR_INPUT, -EKEYREJECTED,
			    "the chain breaks: the %s is not signed by the %s",
			    names[child], names[parent]);
}

/* One published root has no signature; its fingerprint says more anyway. */
static bool is_excused(const struct sev_chain *c, enum sev_chain_member child,
		       const char *generation)
{
	return child == SEV_CHAIN_ARK && generation && !c->ark.is_signed;
}

static int verify_links(const struct sev_chain *c, const char *generation,
			struct err *err)
{
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		enum sev_chain_member child = links[i].child;
		enum sev_chain_member parent = links[i].parent;
		AUTO(sev_key_destroyp) struct sev_key *key = NULL;
		int r;

		if (!c->have[child] || !c->have[parent] ||
		    is_excused(c, child, generation))
			continue;
		r = key_of(c, parent, &key, err);
		if (r < 0)
			return r;
		r = verify_link(c, child, parent, key);
		if (r < 0)
			return broken(r, child, parent, err);
	}
	return 0;
}

/* NULL where there is no ARK, or another one. */
static int find_generation(const struct sev_chain *c, struct hash256 *h,
			   const char **ret, struct err *err)
{
	*ret = NULL;
	if (c->have[SEV_CHAIN_ARK] && amd_cert_generation(h, &c->ark, ret) < 0)
		return err_set_kind(err, ERR_HOST, -EIO, "cannot hash the ARK");
	return 0;
}

int sev_chain_verify_links(const struct sev_chain *c, struct hash256 *h,
			   struct err *err)
{
	const char *generation;
	int r = find_generation(c, h, &generation, err);

	return r < 0 ? r : verify_links(c, generation, err);
}

int sev_chain_verify(const struct sev_chain *c, struct hash256 *h,
		     struct sev_chain_root *ret, struct err *err)
{
	struct sev_chain_root root = {0};
	int r = check_complete(c, err);

	if (r < 0)
		return r;
	r = find_generation(c, h, &root.generation, err);
	if (r >= 0)
		r = verify_links(c, root.generation, err);
	if (r < 0)
		return r;
	root.is_simulated = !root.generation && amd_cert_is_simulated(&c->ark);
	*ret = root;
	return 0;
}
