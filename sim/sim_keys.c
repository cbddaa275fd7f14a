/* sim/sim_keys.c - makes and signs what a simulated platform is made of. */
#include "sim/sim_keys.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "vmm/base/err.h"

static const struct {
	enum sev_usage usage;
	enum sev_algo algo;
} kinds[SEV_CHAIN_SEV_COUNT] = {
	[SEV_CHAIN_PDH] = {SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256},
	[SEV_CHAIN_PEK] = {SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256},
	[SEV_CHAIN_OCA] = {SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256},
	[SEV_CHAIN_CEK] = {SEV_USAGE_CEK, SEV_ALGO_ECDSA_SHA256},
};

static void mark(struct sev_cert *c)
{
	memcpy(c->sig[0].data + SIM_MARK_OFF, SIM_MARK, sizeof(SIM_MARK));
}

bool sim_keys_is_marked(const struct sev_cert *c)
{
	return !memcmp(c->sig[0].data + SIM_MARK_OFF, SIM_MARK,
		       sizeof(SIM_MARK));
}

/* A new pair and its certificate, not yet signed. */
static int renew(struct sim_keys *k, enum sev_chain_member m)
{
	struct sev_cert *c = &k->chain.sev[m];

	sev_key_destroy(k->pair[m]);
	k->pair[m] = NULL;
	sev_cert_init(c, kinds[m].usage, kinds[m].algo);
	if (sev_key_generate_ec(SEV_CURVE_P384, &k->pair[m]) < 0 ||
	    sev_key_to_cert(k->pair[m], c) < 0)
		return -EIO;
	k->chain.have[m] = true;
	return 0;
}

/* @parent's key signs @child. */
static int sign(struct sim_keys *k, enum sev_chain_member child,
		unsigned int slot, enum sev_chain_member parent)
{
	struct sev_cert *c = &k->chain.sev[child];
	int r = sev_cert_sign(c, slot, kinds[parent].usage, kinds[parent].algo,
			      k->pair[parent]);

	mark(c);
	return r;
}

int sim_keys_renew_pdh(struct sim_keys *k)
{
	int r = renew(k, SEV_CHAIN_PDH);

	return r < 0 ? r : sign(k, SEV_CHAIN_PDH, 0, SEV_CHAIN_PEK);
}

int sim_keys_renew(struct sim_keys *k, const struct sim_api *api)
{
	int r = renew(k, SEV_CHAIN_OCA);

	k->is_external = false;
	if (r >= 0)
		r = sign(k, SEV_CHAIN_OCA, 0, SEV_CHAIN_OCA);
	if (r >= 0)
		r = renew(k, SEV_CHAIN_PEK);
	if (r < 0)
		return r;
	k->chain.sev[SEV_CHAIN_PEK].api_major = api->major;
	k->chain.sev[SEV_CHAIN_PEK].api_minor = api->minor;
	r = sign(k, SEV_CHAIN_PEK, 0, SEV_CHAIN_OCA);
	if (r >= 0)
		r = sign(k, SEV_CHAIN_PEK, 1, SEV_CHAIN_CEK);
	return r < 0 ? r : sim_keys_renew_pdh(k);
}

/* The root, the signing key, and the chip's key under it. */
static int make_root(struct sim_keys *k)
{
	AUTO(sev_key_destroyp) struct sev_key *ark = NULL;
	AUTO(sev_key_destroyp) struct sev_key *ask = NULL;
	struct sev_chain *c = &k->chain;
	int r;

	if (sev_key_generate_rsa(SIM_RSA_BITS, &ark) < 0 ||
	    sev_key_generate_rsa(SIM_RSA_BITS, &ask) < 0)
		return -EIO;
	r = amd_cert_make(&c->ark, SEV_USAGE_ARK, AMD_CERT_SIMULATED_ID,
			  AMD_CERT_SIMULATED_ID, ark, NULL);
	if (r >= 0)
		r = amd_cert_make(&c->ask, SEV_USAGE_ASK, "ASK, SIMULATED..",
				  AMD_CERT_SIMULATED_ID, ask, ark);
	if (r >= 0)
		r = renew(k, SEV_CHAIN_CEK);
	if (r >= 0)
		r = sev_cert_sign(&c->sev[SEV_CHAIN_CEK], 0, SEV_USAGE_ASK,
				  amd_cert_algo(&c->ask), ask);
	mark(&c->sev[SEV_CHAIN_CEK]);
	c->have[SEV_CHAIN_ASK] = c->have[SEV_CHAIN_ARK] = r >= 0;
	return r;
}

int sim_keys_create(const struct sim_api *api, struct sim_keys *ret,
		    struct err *err)
{
	AUTO(sim_keys_destroy) struct sim_keys k = {0};
	int r = getrandom(k.chip_id, SIM_CHIP_ID_LEN, 0) == SIM_CHIP_ID_LEN
			? make_root(&k)
			: -EIO;

	if (r >= 0)
		r = sim_keys_renew(&k, api);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "cannot make the keys of a simulated "
				    "platform: libcrypto failed");
	*ret = k;
	k = (struct sim_keys){0};
	return 0;
}

void sim_keys_destroy(struct sim_keys *k)
{
	for (size_t i = 0; i < SEV_CHAIN_SEV_COUNT; i++)
		sev_key_destroy(k->pair[i]);
	explicit_bzero(k, sizeof(*k));
}

void sim_keys_csr(const struct sim_keys *k, uint8_t csr[static SEV_CERT_LEN])
{
	struct sev_cert c = k->chain.sev[SEV_CHAIN_PEK];

	for (size_t i = 0; i < SEV_CERT_SIGS; i++)
		c.sig[i] = (struct sev_sig){.usage = SEV_USAGE_INVALID};
	sev_cert_serialise(&c, csr);
}

/* Is what was signed of @a and @b the same? */
static bool same_body(const struct sev_cert *a, const struct sev_cert *b)
{
	uint8_t x[SEV_CERT_LEN], y[SEV_CERT_LEN];

	sev_cert_serialise(a, x);
	sev_cert_serialise(b, y);
	return !memcmp(x, y, SEV_CERT_BODY_LEN);
}

static int check_owner(const struct sim_keys *k, const struct sev_cert *pek,
		       const struct sev_cert *oca)
{
	AUTO(sev_key_destroyp) struct sev_key *key = NULL;
	int r;

	if (oca->usage != SEV_USAGE_OCA ||
	    !same_body(pek, &k->chain.sev[SEV_CHAIN_PEK]) ||
	    sev_key_of_cert(oca, &key, NULL) < 0)
		return -EINVAL;
	r = sev_cert_verify(oca, oca->usage, oca->algo, key);
	if (r >= 0)
		r = sev_cert_verify(pek, oca->usage, oca->algo, key);
	return r == -ENOKEY ? -EKEYREJECTED : r;
}

int sim_keys_import(struct sim_keys *k, const struct sev_cert *pek,
		    const struct sev_cert *oca)
{
	struct sev_cert signed_pek = *pek;
	unsigned int slot = 0;
	int r = check_owner(k, pek, oca);

	if (r < 0)
		return r;
	/* The chip's signature goes where the owner's is not. */
	if (pek->sig[0].usage == SEV_USAGE_OCA)
		slot = 1;
	r = sev_cert_sign(&signed_pek, slot, SEV_USAGE_CEK,
			  kinds[SEV_CHAIN_CEK].algo, k->pair[SEV_CHAIN_CEK]);
	if (r < 0)
		return r;
	k->chain.sev[SEV_CHAIN_PEK] = signed_pek;
	k->chain.sev[SEV_CHAIN_OCA] = *oca;
	sev_key_destroy(k->pair[SEV_CHAIN_OCA]);
	k->pair[SEV_CHAIN_OCA] = NULL;
	k->is_external = true;
	return 0;
}
