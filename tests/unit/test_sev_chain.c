/*
 * tests/unit/test_sev_chain.c - platforms whose chain holds, and chains with
 * one thing wrong.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "crypto/hash256_openssl.h"
#include "tests/unit/sev_fixture.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

struct fixture {
	struct hash256 *h;
	struct sev_platform plat; /* not to be changed */
	struct sev_chain c;	  /* a copy, for this */
};

static int setup_group(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->h = hash256_openssl_create();
	sev_platform_create(&f->plat, 2048, AMD_CERT_SIMULATED_ID);
	*state = f;
	return 0;
}

static int teardown_group(void **state)
{
	struct fixture *f = *state;

	sev_platform_destroy(&f->plat);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

static int setup(void **state)
{
	struct fixture *f = *state;

	f->c = f->plat.chain;
	return 0;
}

static void refused(struct fixture *f, int code, const char *says)
{
	struct sev_chain_root root = {.generation = "untouched"};
	struct err err = {0};

	assert_int_equal(sev_chain_verify(&f->c, f->h, &root, &err), code);
	if (!strstr(err.msg, says))
		fail_msg("'%s' lacks '%s'", err.msg, says);
	assert_string_equal(root.generation, "untouched");
}

static void a_simulated_platform_verifies_and_says_so(void **state)
{
	struct fixture *f = *state;
	struct sev_chain_root root = {.generation = "x"};

	assert_int_equal(sev_chain_verify(&f->c, f->h, &root, NULL), 0);
	assert_null(root.generation);
	assert_true(root.is_simulated);
}

static void keys_of_4096_bits_and_an_rsa_owner_verify(void **state)
{
	struct fixture *f = *state;
	AUTO(sev_platform_destroy) struct sev_platform p;
	struct sev_cert *oca = &p.chain.sev[SEV_CHAIN_OCA];
	struct sev_chain_root root;

	sev_platform_create(&p, 4096, "somebody's root.");
	assert_int_equal(p.chain.sev[SEV_CHAIN_CEK].sig[0].algo,
			 SEV_ALGO_RSA_SHA384);
	sev_cert_init(oca, SEV_USAGE_OCA, SEV_ALGO_RSA_SHA256);
	sev_key_destroy(p.key[SEV_CHAIN_OCA]);
	assert_int_equal(sev_key_generate_rsa(2048, &p.key[SEV_CHAIN_OCA]), 0);
	assert_int_equal(sev_key_to_cert(p.key[SEV_CHAIN_OCA], oca), 0);
	sev_platform_sign(&p);
	assert_int_equal(sev_chain_verify(&p.chain, f->h, &root, NULL), 0);
	assert_null(root.generation);
	assert_false(root.is_simulated);
}

static void every_certificate_is_bound_by_the_one_above(void **state)
{
	static const struct {
		enum sev_chain_member m;
		const char *says;
	} v[] = {
		{SEV_CHAIN_PDH, "the PDH is not signed by the PEK"},
		{SEV_CHAIN_PEK, "the PDH is not signed by the PEK"},
		{SEV_CHAIN_OCA, "the PEK is not signed by the OCA"},
		{SEV_CHAIN_CEK, "the PEK is not signed by the CEK"},
	};
	struct fixture *f = *state;

	/* another key under the old signatures */
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		AUTO(sev_key_destroyp) struct sev_key *k = NULL;

		setup(state);
		assert_int_equal(sev_key_generate_ec(SEV_CURVE_P384, &k), 0);
		assert_int_equal(sev_key_to_cert(k, &f->c.sev[v[i].m]), 0);
		refused(f, -EKEYREJECTED, v[i].says);
	}
}

static void each_signature_counts(void **state)
{
	static const struct {
		enum sev_chain_member m;
		unsigned int slot;
		const char *says;
	} v[] = {
		{SEV_CHAIN_PDH, 0, "the PDH is not signed by the PEK"},
		{SEV_CHAIN_PEK, 1, "the PEK is not signed by the OCA"},
		{SEV_CHAIN_PEK, 0, "the PEK is not signed by the CEK"},
		{SEV_CHAIN_OCA, 0, "the OCA is not signed by the OCA"},
		{SEV_CHAIN_CEK, 0, "the CEK is not signed by the ASK"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		setup(state);
		f->c.sev[v[i].m].sig[v[i].slot].data[0] ^= 1;
		refused(f, -EKEYREJECTED, v[i].says);
	}
	setup(state);
	f->c.ask.raw[amd_cert_body_len(&f->c.ask)] ^= 1;
	refused(f, -EKEYREJECTED, "the ASK is not signed by the ARK");
	setup(state);
	f->c.ark.raw[amd_cert_body_len(&f->c.ark)] ^= 1;
	refused(f, -EKEYREJECTED, "the ARK is not signed by the ARK");
	setup(state);
	f->c.ark.is_signed = false;
	refused(f, -EKEYREJECTED, "the ARK is not signed by the ARK");
}

static void an_exported_cek_is_told_from_a_forged_one(void **state)
{
	struct fixture *f = *state;

	f->c.sev[SEV_CHAIN_CEK].sig[0].usage = SEV_USAGE_INVALID;
	refused(f, -EKEYREJECTED, "kdsintf.amd.com");
}

/* Published CEKs had nonsense in the slot that is not used. */
static void nonsense_in_an_unused_slot_is_tolerated(void **state)
{
	struct fixture *f = *state;
	struct sev_chain_root root;

	f->c.sev[SEV_CHAIN_CEK].sig[1].usage = 0x0010;
	f->c.sev[SEV_CHAIN_CEK].sig[1].algo = 0x1234;
	memset(f->c.sev[SEV_CHAIN_CEK].sig[1].data, 0x5a, SEV_SIG_LEN);
	assert_int_equal(sev_chain_verify(&f->c, f->h, &root, NULL), 0);
}

/* Signed well, but it names another root: a chain glued from two. */
static void an_ask_of_another_root_is_refused(void **state)
{
	struct fixture *f = *state;
	struct sev_key **k = f->plat.key;

	assert_int_equal(amd_cert_make(&f->c.ask, SEV_USAGE_ASK,
				       "a signing key id", "somebody's root.",
				       k[SEV_CHAIN_ASK], k[SEV_CHAIN_ARK]),
			 0);
	refused(f, -EKEYREJECTED, "the ASK is not signed by the ARK");
	assert_int_equal(amd_cert_make(&f->c.ask, SEV_USAGE_ASK,
				       "a signing key id",
				       AMD_CERT_SIMULATED_ID, k[SEV_CHAIN_ASK],
				       k[SEV_CHAIN_ARK]),
			 0);
	assert_int_equal(sev_chain_verify_links(&f->c, f->h, NULL), 0);
}

static void what_is_missing_is_named(void **state)
{
	struct fixture *f = *state;

	f->c.have[SEV_CHAIN_ASK] = f->c.have[SEV_CHAIN_ARK] = false;
	refused(f, -ENOENT, "lacks ASK, ARK: give AMD's file");
	f->c.have[SEV_CHAIN_PEK] = false;
	refused(f, -ENOENT, "lacks PEK, ASK, ARK: ask the host");
}

static void assert_is_whole(const struct fixture *f, const struct sev_chain *c)
{
	uint8_t want[SEV_CHAIN_MAX], got[SEV_CHAIN_MAX];
	struct sev_platform copy = {.chain = *c};

	for (size_t i = 0; i < SEV_CHAIN_COUNT; i++)
		assert_true(c->have[i]);
	assert_int_equal(sev_platform_export(&f->plat, 6, want),
			 sev_platform_export(&copy, 6, got));
	assert_memory_equal(want, got, 10000);
}

static void files_of_all_tools_are_read(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[SEV_CHAIN_MAX];
	size_t full = sev_platform_export(&f->plat, 6, buf);
	struct sev_chain c = {0};

	assert_int_equal(full, 10000);
	assert_int_equal(sev_chain_add(&c, buf, full, NULL), 0);
	assert_is_whole(f, &c);
	/* a chain without PDH, then the PDH; then ASK and ARK */
	c = (struct sev_chain){0};
	assert_int_equal(sev_chain_add(&c, buf + 2084, 6252, NULL), 0);
	assert_false(c.have[SEV_CHAIN_PDH]);
	assert_int_equal(sev_chain_add(&c, buf, 2084, NULL), 0);
	assert_true(c.have[SEV_CHAIN_PDH]);
	assert_false(c.have[SEV_CHAIN_ASK]);
	assert_int_equal(sev_chain_add(&c, buf + 8336, 1664, NULL), 0);
	assert_is_whole(f, &c);
}

static void a_root_without_signature_is_read(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[SEV_CHAIN_MAX];
	size_t full = sev_platform_export(&f->plat, 6, buf);
	struct sev_chain c = {0};

	assert_int_equal(sev_chain_add(&c, buf, full - 256, NULL), 0);
	assert_true(c.have[SEV_CHAIN_ARK]);
	assert_false(c.ark.is_signed);
	assert_int_equal(amd_cert_len(&c.ark), 576);
}

static void a_later_file_replaces_certificates(void **state)
{
	struct fixture *f = *state;
	uint8_t bytes[SEV_CERT_LEN];
	struct sev_cert cek = f->c.sev[SEV_CHAIN_CEK];
	struct sev_chain_root root;

	f->c.sev[SEV_CHAIN_CEK].sig[0].usage = SEV_USAGE_INVALID;
	sev_cert_serialise(&cek, bytes);
	assert_int_equal(sev_chain_add(&f->c, bytes, sizeof(bytes), NULL), 0);
	assert_int_equal(sev_chain_verify(&f->c, f->h, &root, NULL), 0);
}

static void chain_refused(const uint8_t *data, size_t len, const char *says)
{
	struct sev_chain c = {0};
	struct err err = {0};

	assert_int_equal(sev_chain_add(&c, data, len, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!strstr(err.msg, says))
		fail_msg("'%s' lacks '%s'", err.msg, says);
}

static void broken_files_are_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t buf[SEV_CHAIN_MAX + 1];
	size_t full = sev_platform_export(&f->plat, 6, buf);

	chain_refused(buf, 0, "0 bytes");
	chain_refused(buf, 2083, "2083 bytes");
	chain_refused(buf, 2085, "at byte 2084");
	chain_refused(buf, full - 1, "at byte 9168");
	chain_refused(buf, full - 257, "at byte 9168");
	buf[full] = 0;
	chain_refused(buf, full + 1, "at byte 10000");
	memcpy(buf + 2084, buf, 2084);
	chain_refused(buf, 4168, "two PDH");
}

static void broken_amd_certificates_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t v;
	} v[] = {
		{0x00, 2},     {0x24, 1},	   {0x24, 0x1003},
		{0x38, 4096},  {0x3c, 4096},	   {0x3c, 1024},
		{0x3c, 2056},  {0x3c, UINT32_MAX}, {64 + 256, 2},
		{64 + 508, 0},
	};
	struct fixture *f = *state;
	struct amd_cert c;
	size_t used;

	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		uint8_t raw[832];
		struct err err = {0};

		memcpy(raw, f->c.ark.raw, sizeof(raw));
		store_le32(raw + v[i].at, v[i].v);
		assert_int_equal(
			amd_cert_parse(raw, sizeof(raw), &c, &used, &err),
			-EINVAL);
		assert_int_equal(err.kind, ERR_INPUT);
	}
	for (size_t len = 0; len < 832; len++)
		if (len != 576)
			assert_int_equal(amd_cert_parse(f->c.ark.raw, len, &c,
							&used, NULL),
					 -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
			a_simulated_platform_verifies_and_says_so, setup),
		cmocka_unit_test_setup(
			keys_of_4096_bits_and_an_rsa_owner_verify, setup),
		cmocka_unit_test_setup(
			every_certificate_is_bound_by_the_one_above, setup),
		cmocka_unit_test_setup(each_signature_counts, setup),
		cmocka_unit_test_setup(
			an_exported_cek_is_told_from_a_forged_one, setup),
		cmocka_unit_test_setup(nonsense_in_an_unused_slot_is_tolerated,
				       setup),
		cmocka_unit_test_setup(an_ask_of_another_root_is_refused,
				       setup),
		cmocka_unit_test_setup(what_is_missing_is_named, setup),
		cmocka_unit_test_setup(files_of_all_tools_are_read, setup),
		cmocka_unit_test_setup(a_root_without_signature_is_read, setup),
		cmocka_unit_test_setup(a_later_file_replaces_certificates,
				       setup),
		cmocka_unit_test_setup(broken_files_are_refused, setup),
		cmocka_unit_test_setup(broken_amd_certificates_are_refused,
				       setup),
	};

	return cmocka_run_group_tests(tests, setup_group, teardown_group);
}
