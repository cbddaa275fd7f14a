/* tests/unit/sev_fixture.c - makes and signs a platform's certificates. */
#include "tests/unit/sev_fixture.h"

#include <string.h>

#include "tests/unit/unit.h"

static const struct {
	enum sev_usage usage;
	enum sev_algo algo;
} kinds[] = {
	{SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256},
	{SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256},
	{SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256},
	{SEV_USAGE_CEK, SEV_ALGO_ECDSA_SHA256},
};

static void sign(struct sev_platform *p, enum sev_chain_member child,
		 unsigned int slot, enum sev_chain_member parent)
{
	uint32_t usage = SEV_USAGE_ASK, algo = amd_cert_algo(&p->chain.ask);

	if (parent != SEV_CHAIN_ASK) {
		usage = p->chain.sev[parent].usage;
		algo = p->chain.sev[parent].algo;
	}
	assert_int_equal(sev_cert_sign(&p->chain.sev[child], slot, usage, algo,
				       p->key[parent]),
			 0);
}

void sev_platform_sign(struct sev_platform *p)
{
	sign(p, SEV_CHAIN_PDH, 0, SEV_CHAIN_PEK);
	/* as real ones: the owner's signature may be in either slot */
	sign(p, SEV_CHAIN_PEK, 1, SEV_CHAIN_OCA);
	sign(p, SEV_CHAIN_PEK, 0, SEV_CHAIN_CEK);
	sign(p, SEV_CHAIN_OCA, 0, SEV_CHAIN_OCA);
	sign(p, SEV_CHAIN_CEK, 0, SEV_CHAIN_ASK);
}

void sev_platform_create(struct sev_platform *p, unsigned int bits,
			 const char *root_id)
{
	struct sev_key **k = p->key;
	struct sev_chain *c = &p->chain;

	*p = (struct sev_platform){0};
	for (size_t i = SEV_CHAIN_ASK; i <= SEV_CHAIN_ARK; i++)
		assert_int_equal(sev_key_generate_rsa(bits, &k[i]), 0);
	for (size_t i = 0; i < SEV_CHAIN_ASK; i++) {
		sev_cert_init(&c->sev[i], kinds[i].usage, kinds[i].algo);
		assert_int_equal(sev_key_generate_ec(SEV_CURVE_P384, &k[i]), 0);
		assert_int_equal(sev_key_to_cert(k[i], &c->sev[i]), 0);
	}
	assert_int_equal(amd_cert_make(&c->ark, SEV_USAGE_ARK, root_id, root_id,
				       k[SEV_CHAIN_ARK], NULL),
			 0);
	assert_int_equal(amd_cert_make(&c->ask, SEV_USAGE_ASK,
				       "a signing key id", root_id,
				       k[SEV_CHAIN_ASK], k[SEV_CHAIN_ARK]),
			 0);
	for (size_t i = 0; i < SEV_CHAIN_COUNT; i++)
		c->have[i] = true;
	sev_platform_sign(p);
}

void sev_platform_destroy(struct sev_platform *p)
{
	for (size_t i = 0; i < SEV_CHAIN_COUNT; i++)
		sev_key_destroy(p->key[i]);
}

size_t sev_platform_export(const struct sev_platform *p, size_t n, uint8_t *buf)
{
	size_t len = 0;

	for (size_t i = 0; i < n && i < SEV_CHAIN_ASK; i++, len += SEV_CERT_LEN)
		sev_cert_serialise(&p->chain.sev[i], buf + len);
	for (size_t i = SEV_CHAIN_ASK; i < n; i++) {
		const struct amd_cert *a =
			i == SEV_CHAIN_ASK ? &p->chain.ask : &p->chain.ark;

		memcpy(buf + len, a->raw, amd_cert_len(a));
		len += amd_cert_len(a);
	}
	return len;
}
