/*
 * tests/unit/test_sev_cert.c - SEV certificates of all kinds as bytes, and
 * their signatures.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "crypto/sev_key.h"
#include "tests/unit/hex.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

static void make(uint8_t bytes[static SEV_CERT_LEN], enum sev_usage usage,
		 enum sev_algo algo, const struct sev_key *k)
{
	struct sev_cert c;

	sev_cert_init(&c, usage, algo);
	assert_int_equal(sev_key_to_cert(k, &c), 0);
	sev_cert_serialise(&c, bytes);
}

static void make_pdh(uint8_t bytes[static SEV_CERT_LEN])
{
	AUTO(sev_key_destroyp) struct sev_key *k = NULL;
	uint8_t d[48];

	count_up(d, sizeof(d), 1);
	assert_int_equal(sev_key_of_scalar(SEV_CURVE_P384, d, &k), 0);
	make(bytes, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256, k);
}

static void refused(const uint8_t *bytes, size_t len, const char *says)
{
	struct sev_cert c = {.usage = 7};
	struct err err = {0};

	assert_int_equal(sev_cert_parse(bytes, len, &c, &err), -EINVAL);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!strstr(err.msg, says))
		fail_msg("'%s' lacks '%s'", err.msg, says);
	assert_int_equal(c.usage, 7);
}

static void the_layout_is_the_specified_one(void **state)
{
	uint8_t b[SEV_CERT_LEN];
	struct sev_cert c;

	(void)state;
	make_pdh(b);
	assert_int_equal(load_le32(b), 1);
	assert_int_equal(load_le32(b + 0x008), 0x1003);
	assert_int_equal(load_le32(b + 0x00c), 3);
	assert_int_equal(load_le32(b + 0x010), 2); /* P-384 */
	assert_int_equal(b[0x014], 0x28);	   /* x, little-endian */
	assert_int_equal(b[0x05c], 0xa1);	   /* y */
	assert_int_equal(load_le32(b + 0x414), 0x1000);
	assert_int_equal(load_le32(b + 0x418), 0);
	assert_int_equal(load_le32(b + 0x61c), 0x1000);
	store_le32(b + 0x414, 0x1002);
	store_le32(b + 0x620, 0x102);
	b[0x41c] = 0x5a;
	b[SEV_CERT_LEN - 1] = 0xa5;
	b[4] = 1;
	b[5] = 55;
	assert_int_equal(sev_cert_parse(b, sizeof(b), &c, NULL), 0);
	assert_int_equal(c.usage, SEV_USAGE_PDH);
	assert_int_equal(c.algo, SEV_ALGO_ECDH_SHA256);
	assert_int_equal(c.api_major, 1);
	assert_int_equal(c.api_minor, 55);
	assert_int_equal(c.sig[0].usage, SEV_USAGE_PEK);
	assert_int_equal(c.sig[0].data[0], 0x5a);
	assert_int_equal(c.sig[1].algo, SEV_ALGO_ECDSA_SHA384);
	assert_int_equal(c.sig[1].data[511], 0xa5);
}

static void bytes_survive_parsing_unchanged(void **state)
{
	uint8_t b[SEV_CERT_LEN], back[SEV_CERT_LEN];
	struct sev_cert c;

	(void)state;
	make_pdh(b);
	for (size_t i = 0x414; i < SEV_CERT_LEN; i++)
		b[i] = (uint8_t)i;
	assert_int_equal(sev_cert_parse(b, sizeof(b), &c, NULL), 0);
	sev_cert_serialise(&c, back);
	assert_memory_equal(b, back, sizeof(b));
}

static void other_lengths_are_refused(void **state)
{
	uint8_t b[SEV_CERT_LEN + 1] = {0};

	(void)state;
	make_pdh(b);
	refused(b, 0, "0 bytes");
	refused(b, SEV_CERT_LEN - 1, "2083 bytes");
	refused(b, SEV_CERT_LEN + 1, "2085 bytes");
}

static void wrong_headers_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t v;
		const char *says;
	} v[] = {
		{0x000, 2, "version"},
		{0x000, 0, "version"},
		{0x004, 0x00010000, "reserved"},
		{0x004, 0x01000000, "reserved"},
		{0x008, SEV_USAGE_INVALID, "usage"},
		{0x008, SEV_USAGE_ASK, "usage"},
		{0x008, SEV_USAGE_ARK, "usage"},
		{0x008, SEV_USAGE_CEK + 1, "usage"},
		{0x008, 0x0310, "usage"}, /* big-endian */
		{0x00c, 0, "algorithm"},
		{0x00c, 4, "algorithm"},
		{0x00c, 0x103 + 1, "algorithm"},
		{0x00c, SEV_ALGO_RSA_SHA256, "RSA"},
		{0x010, 0, "curve"},
		{0x010, 3, "curve"},
		{0x010, SEV_CURVE_P256, "zeros"},
		{0x014 + 48, 1, "zeros"},
		{0x05c + 48, 1, "zeros"},
		{0x05c + 72, 1, "zeros"},
		{0x410, 0x01000000, "zeros"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		uint8_t b[SEV_CERT_LEN];

		make_pdh(b);
		store_le32(b + v[i].at, v[i].v);
		refused(b, sizeof(b), v[i].says);
	}
}

static void wrong_rsa_keys_are_refused(void **state)
{
	AUTO(sev_key_destroyp) struct sev_key *k = NULL;
	uint8_t good[SEV_CERT_LEN], b[SEV_CERT_LEN];

	(void)state;
	assert_int_equal(sev_key_generate_rsa(2048, &k), 0);
	make(good, SEV_USAGE_OCA, SEV_ALGO_RSA_SHA256, k);
	memcpy(b, good, sizeof(b));
	for (uint32_t bits = 0; bits < 3; bits++) {
		static const uint32_t bad[] = {1024, 4104, 2049};

		store_le32(b + 0x010, bad[bits]);
		refused(b, sizeof(b), "2048 to 4096");
	}
	store_le32(b + 0x010, 0xffffffff);
	refused(b, sizeof(b), "2048 to 4096");
	store_le32(b + 0x010, 4096);
	refused(b, sizeof(b), "size it claims");
	memcpy(b, good, sizeof(b));
	b[0x010 + 516 + 256] = 1;
	refused(b, sizeof(b), "size it claims");
	memcpy(b, good, sizeof(b));
	b[0x010 + 516] &= 0xfe;
	refused(b, sizeof(b), "size it claims");
}

static void a_point_beside_its_curve_is_no_key(void **state)
{
	struct sev_key *k = NULL;
	uint8_t b[SEV_CERT_LEN];
	struct err err = {0};
	struct sev_cert c;

	(void)state;
	make_pdh(b);
	b[0x014] ^= 1;
	assert_int_equal(sev_cert_parse(b, sizeof(b), &c, NULL), 0);
	assert_int_equal(sev_key_of_cert(&c, &k, &err), -EINVAL);
	assert_non_null(strstr(err.msg, "curve"));
	memset(b + 0x014, 0, 144); /* not even the point at infinity */
	assert_int_equal(sev_cert_parse(b, sizeof(b), &c, NULL), 0);
	assert_int_equal(sev_key_of_cert(&c, &k, NULL), -EINVAL);
	assert_null(k);
}

/* An exponent of 1 would make everybody's signatures. */
static void degenerate_rsa_exponents_are_no_keys(void **state)
{
	AUTO(sev_key_destroyp) struct sev_key *k = NULL;
	struct sev_key *bad = NULL;
	struct sev_cert c;

	(void)state;
	assert_int_equal(sev_key_generate_rsa(2048, &k), 0);
	sev_cert_init(&c, SEV_USAGE_OCA, SEV_ALGO_RSA_SHA256);
	assert_int_equal(sev_key_to_cert(k, &c), 0);
	memset(c.key + 4, 0, 512);
	assert_int_equal(sev_key_of_cert(&c, &bad, NULL), -EINVAL);
	c.key[4] = 1;
	assert_int_equal(sev_key_of_cert(&c, &bad, NULL), -EINVAL);
	c.key[4] = 4;
	assert_int_equal(sev_key_of_cert(&c, &bad, NULL), -EINVAL);
	memset(c.key + 4, 0xff, 256);
	assert_int_equal(sev_key_of_cert(&c, &bad, NULL), -EINVAL);
	assert_null(bad);
}

static void check_signing(const struct sev_key *k, enum sev_algo algo)
{
	struct sev_cert pek;

	sev_cert_init(&pek, SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256);
	for (unsigned int slot = 0; slot < SEV_CERT_SIGS; slot++) {
		sev_cert_init(&pek, SEV_USAGE_PEK, SEV_ALGO_ECDSA_SHA256);
		assert_int_equal(sev_cert_verify(&pek, SEV_USAGE_OCA, algo, k),
				 -ENOKEY);
		assert_int_equal(
			sev_cert_sign(&pek, slot, SEV_USAGE_OCA, algo, k), 0);
		assert_int_equal(sev_cert_verify(&pek, SEV_USAGE_OCA, algo, k),
				 0);
		assert_int_equal(sev_cert_verify(&pek, SEV_USAGE_CEK, algo, k),
				 -ENOKEY);
		pek.api_major ^= 1;
		assert_int_equal(sev_cert_verify(&pek, SEV_USAGE_OCA, algo, k),
				 -EKEYREJECTED);
		pek.api_major ^= 1;
		pek.sig[slot].data[5] ^= 1;
		assert_int_equal(sev_cert_verify(&pek, SEV_USAGE_OCA, algo, k),
				 -EKEYREJECTED);
		memset(pek.sig[slot].data, 0, SEV_SIG_LEN);
		assert_int_equal(sev_cert_verify(&pek, SEV_USAGE_OCA, algo, k),
				 -EKEYREJECTED);
		memset(pek.sig[slot].data, 0xff, SEV_SIG_LEN);
		assert_int_equal(sev_cert_verify(&pek, SEV_USAGE_OCA, algo, k),
				 -EKEYREJECTED);
	}
}

static void check_kind(const struct sev_key *pair, enum sev_algo algo)
{
	AUTO(sev_key_destroyp) struct sev_key *pub = NULL;
	uint8_t b[SEV_CERT_LEN], sig[SEV_SIG_LEN];
	struct sev_cert c;

	make(b, SEV_USAGE_OCA, algo, pair);
	assert_int_equal(sev_cert_parse(b, sizeof(b), &c, NULL), 0);
	assert_int_equal(sev_key_of_cert(&c, &pub, NULL), 0);
	if (algo == SEV_ALGO_ECDH_SHA256 || algo == SEV_ALGO_ECDH_SHA384) {
		assert_int_equal(sev_key_sign(pair, algo, b, 9, sig), -EINVAL);
		return;
	}
	check_signing(pair, algo);
	/* what the pair signed, its public half verifies */
	assert_int_equal(sev_key_sign(pair, algo, b, 9, sig), 0);
	assert_int_equal(sev_key_verify(pub, algo, b, 9, sig), 0);
	assert_int_equal(sev_key_verify(pub, algo, b, 8, sig), -EKEYREJECTED);
	assert_int_equal(sev_key_verify(pub, algo ^ 0x100, b, 9, sig),
			 -EKEYREJECTED);
}

static void every_algorithm_signs_and_verifies(void **state)
{
	AUTO(sev_key_destroyp) struct sev_key *p256 = NULL;
	AUTO(sev_key_destroyp) struct sev_key *p384 = NULL;
	AUTO(sev_key_destroyp) struct sev_key *rsa = NULL;

	(void)state;
	assert_int_equal(sev_key_generate_ec(SEV_CURVE_P256, &p256), 0);
	assert_int_equal(sev_key_generate_ec(SEV_CURVE_P384, &p384), 0);
	assert_int_equal(sev_key_generate_rsa(2048, &rsa), 0);
	check_kind(p256, SEV_ALGO_ECDSA_SHA256);
	check_kind(p384, SEV_ALGO_ECDSA_SHA256);
	check_kind(p384, SEV_ALGO_ECDSA_SHA384);
	check_kind(p256, SEV_ALGO_ECDH_SHA256);
	check_kind(p384, SEV_ALGO_ECDH_SHA384);
	check_kind(rsa, SEV_ALGO_RSA_SHA256);
	check_kind(rsa, SEV_ALGO_RSA_SHA384);
}

static void keys_fit_only_their_kind_of_certificate(void **state)
{
	AUTO(sev_key_destroyp) struct sev_key *ec = NULL;
	AUTO(sev_key_destroyp) struct sev_key *rsa = NULL;
	uint8_t sig[SEV_SIG_LEN] = {0};
	struct sev_cert c;

	(void)state;
	assert_int_equal(sev_key_generate_ec(SEV_CURVE_P384, &ec), 0);
	assert_int_equal(sev_key_generate_rsa(2048, &rsa), 0);
	sev_cert_init(&c, SEV_USAGE_OCA, SEV_ALGO_RSA_SHA256);
	assert_int_equal(sev_key_to_cert(ec, &c), -EINVAL);
	sev_cert_init(&c, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256);
	assert_int_equal(sev_key_to_cert(rsa, &c), -EINVAL);
	assert_int_equal(sev_key_verify(ec, SEV_ALGO_RSA_SHA256, "x", 1, sig),
			 -EKEYREJECTED);
	assert_int_equal(
		sev_key_verify(rsa, SEV_ALGO_ECDSA_SHA256, "x", 1, sig),
		-EKEYREJECTED);
}

static void names_are_words_also_for_nonsense(void **state)
{
	(void)state;
	assert_string_equal(sev_usage_name(SEV_USAGE_CEK), "CEK");
	assert_string_equal(sev_usage_name(0x77), "unknown usage");
	assert_string_equal(sev_algo_name(SEV_ALGO_RSA_SHA384), "RSA-SHA384");
	assert_string_equal(sev_algo_name(0x77), "unknown algorithm");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_layout_is_the_specified_one),
		cmocka_unit_test(bytes_survive_parsing_unchanged),
		cmocka_unit_test(other_lengths_are_refused),
		cmocka_unit_test(wrong_headers_are_refused),
		cmocka_unit_test(wrong_rsa_keys_are_refused),
		cmocka_unit_test(a_point_beside_its_curve_is_no_key),
		cmocka_unit_test(degenerate_rsa_exponents_are_no_keys),
		cmocka_unit_test(every_algorithm_signs_and_verifies),
		cmocka_unit_test(keys_fit_only_their_kind_of_certificate),
		cmocka_unit_test(names_are_words_also_for_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
