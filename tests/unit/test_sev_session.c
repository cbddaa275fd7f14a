/*
 * tests/unit/test_sev_session.c - key agreement, key derivation and session
 * blobs: the owner's side, the firmware's side, and fixed vectors.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "crypto/aes128.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_key.h"
#include "crypto/sev_session.h"
#include "tests/unit/hex.h"

#define Z_HEX                                                                  \
	"4506b6844fec66eacaafa353f344ef68e64416f9ab4051a4c54c7c13c7d3f92d"     \
	"f2449d0783dce977257e1029e3b0bcc7"

static int setup(void **state)
{
	*state = hash256_openssl_create();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	hash256_destroy(*state);
	return 0;
}

static struct sev_key *key_from(uint8_t first)
{
	struct sev_key *k = NULL;
	uint8_t d[48];

	count_up(d, sizeof(d), first);
	assert_int_equal(sev_key_of_scalar(SEV_CURVE_P384, d, &k), 0);
	return k;
}

/* A certificate as the vectors have it, and its key read back from it. */
static struct sev_key *public_of(const struct sev_key *k, struct sev_cert *c)
{
	struct sev_key *ret = NULL;

	sev_cert_init(c, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256);
	assert_int_equal(sev_key_to_cert(k, c), 0);
	assert_int_equal(sev_key_of_cert(c, &ret, NULL), 0);
	return ret;
}

static void big_endian(const uint8_t *le, uint8_t *be)
{
	for (size_t i = 0; i < 48; i++)
		be[i] = le[47 - i];
}

static void certificates_of_known_scalars_are_known(void **state)
{
	struct hash256 *h = *state;
	AUTO(sev_key_destroyp) struct sev_key *pdh = key_from(0x01);
	AUTO(sev_key_destroyp) struct sev_key *godh = key_from(0x41);
	AUTO(sev_key_destroyp) struct sev_key *pub = NULL;
	AUTO(sev_key_destroyp) struct sev_key *pub2 = NULL;
	uint8_t be[48], bytes[SEV_CERT_LEN], d[32];
	struct sev_cert c;

	pub = public_of(pdh, &c);
	assert_non_null(pub);
	big_endian(sev_cert_ec_x(&c), be);
	assert_hex(be, "c76f2283dda95cd49b0ed9e733d2904474e37216f124e13d2c9ab4c"
		       "f01021c49ad9cabb3d0b97499aef2f0ab313fa028");
	big_endian(sev_cert_ec_y(&c), be);
	assert_hex(be, "26bc1f83451b5c8962a75caff73588d4400a6296436154fb343c393"
		       "e91048a6c7bcbadc83cd8a5f26feae883156f92a1");
	sev_cert_serialise(&c, bytes);
	assert_int_equal(hash256_of(h, bytes, SEV_CERT_BODY_LEN, d), 0);
	assert_hex(d, "ac02e41533532b82dedaa7d0c4a1f8a5aaed1232e88d195eac6d708c"
		      "eeed6a74");
	pub2 = public_of(godh, &c);
	assert_non_null(pub2);
	big_endian(sev_cert_ec_x(&c), be);
	assert_hex(be, "dcd1d3e36f25e675bda55b28b3cfbe3d284287e1f9d16ac575b76c3"
		       "c7036df30fe2a8f9be472194323e98b7441fd8eab");
	big_endian(sev_cert_ec_y(&c), be);
	assert_hex(be, "4f8c2842a047ff97feeb592f6c00f252d07c5089eff7b3dd4749817"
		       "8e64989c5fa1257dc00dbc644bbc864ba5616aae4");
	sev_cert_serialise(&c, bytes);
	assert_int_equal(hash256_of(h, bytes, SEV_CERT_BODY_LEN, d), 0);
	assert_hex(d, "ae9a1b63d327003a48ba5dd14379e18c08feb184dd16a5329160fd21"
		      "79f48576");
}

static void both_sides_agree_on_the_known_secret(void **state)
{
	AUTO(sev_key_destroyp) struct sev_key *pdh = key_from(0x01);
	AUTO(sev_key_destroyp) struct sev_key *godh = key_from(0x41);
	AUTO(sev_key_destroyp) struct sev_key *pdh_pub = NULL;
	AUTO(sev_key_destroyp) struct sev_key *godh_pub = NULL;
	uint8_t z[SEV_SHARED_MAX];
	struct sev_cert c;
	size_t len = 0;

	(void)state;
	pdh_pub = public_of(pdh, &c);
	godh_pub = public_of(godh, &c);
	assert_int_equal(sev_key_agree(godh, pdh_pub, z, &len), 0);
	assert_int_equal(len, 48);
	assert_hex(z, Z_HEX);
	assert_int_equal(sev_key_agree(pdh, godh_pub, z, &len), 0);
	assert_hex(z, Z_HEX);
}

static void keys_of_different_kinds_do_not_agree(void **state)
{
	AUTO(sev_key_destroyp) struct sev_key *p384 = key_from(0x01);
	AUTO(sev_key_destroyp) struct sev_key *p256 = NULL;
	AUTO(sev_key_destroyp) struct sev_key *rsa = NULL;
	uint8_t z[SEV_SHARED_MAX];
	size_t len;

	(void)state;
	assert_int_equal(sev_key_generate_ec(SEV_CURVE_P256, &p256), 0);
	assert_int_equal(sev_key_generate_rsa(2048, &rsa), 0);
	assert_int_equal(sev_key_agree(p384, p256, z, &len), -EINVAL);
	assert_int_equal(sev_key_agree(p384, rsa, z, &len), -EINVAL);
	assert_int_equal(sev_key_agree(rsa, p384, z, &len), -EINVAL);
	assert_int_equal(sev_key_agree(p256, p256, z, &len), 0);
	assert_int_equal(len, 32);
}

static void scalars_out_of_range_are_refused(void **state)
{
	struct sev_key *k = NULL;
	uint8_t d[48] = {0};

	(void)state;
	assert_int_equal(sev_key_of_scalar(SEV_CURVE_P384, d, &k), -EINVAL);
	memset(d, 0xff, sizeof(d));
	assert_int_equal(sev_key_of_scalar(SEV_CURVE_P384, d, &k), -EINVAL);
	assert_null(k);
}

static void keys_are_derived_as_firmware_does(void **state)
{
	struct hash256 *h = *state;
	uint8_t zero[16] = {0}, nonce[16], z[48], m[16], out[16];

	assert_int_equal(
		sev_kdf(h, zero, 16, "sev-master-secret", zero, 16, out, 16),
		0);
	assert_hex(out, "ab4d269fcc62bedb4511d56c386ce706");
	unhex(Z_HEX, z, 48);
	count_up(nonce, 16, 0x10);
	assert_int_equal(
		sev_kdf(h, z, 48, "sev-master-secret", nonce, 16, m, 16), 0);
	assert_hex(m, "ec2e695d6f43b20b14910058b7805860");
	assert_int_equal(sev_kdf(h, m, 16, "sev-kek", "", 0, out, 16), 0);
	assert_hex(out, "474a55e14e207273a777827f5f54a5e6");
	assert_int_equal(sev_kdf(h, m, 16, "sev-kik", "", 0, out, 16), 0);
	assert_hex(out, "e2422c04a9bfddb2d7b1e63fc106c908");
}

static void the_counter_carries_over_all_bytes(void **state)
{
	uint8_t key[16] = {0}, iv[16], zero[32] = {0}, two[32], next[16];

	(void)state;
	memset(iv, 0xff, sizeof(iv));
	assert_int_equal(aes128_ctr(key, iv, zero, 32, two), 0);
	memset(iv, 0, sizeof(iv));
	assert_int_equal(aes128_ctr(key, iv, zero, 16, next), 0);
	assert_memory_equal(two + 16, next, 16);
	assert_int_equal(aes128_ctr(key, iv, next, 16, next), 0);
	assert_memory_equal(next, zero, 16);
}

struct session {
	uint8_t z[48];
	struct sev_session_keys keys;
	struct sev_session_fresh fresh;
	uint8_t blob[SEV_SESSION_LEN];
};

static void seal_vector(struct hash256 *h, struct session *s)
{
	unhex(Z_HEX, s->z, 48);
	count_up(s->fresh.nonce, 16, 0x10);
	count_up(s->fresh.iv, 16, 0x20);
	count_up(s->keys.tek, 16, 0xa0);
	count_up(s->keys.tik, 16, 0xb0);
	assert_int_equal(sev_session_seal(h, s->z, 48, 0x37, &s->keys,
					  &s->fresh, s->blob),
			 0);
}

static void a_session_is_sealed_to_the_known_bytes(void **state)
{
	struct hash256 *h = *state;
	struct session s;
	uint8_t d[32];

	seal_vector(h, &s);
	assert_hex(s.blob + SEV_SESSION_WRAP_TK,
		   "f32c95f2b04fca69f0d51080d9b8a6072257674659a066a5d463db2b916"
		   "74da5");
	assert_hex(s.blob + SEV_SESSION_WRAP_MAC,
		   "b5be7fca6ee2853ae9f78c37158e57efd0108684d94edf933b57554459b"
		   "a445c");
	assert_hex(s.blob + SEV_SESSION_POLICY_MAC,
		   "e86128f160e078e1fdd2153655bba8e397b99e4019bb88778a5891ccb22"
		   "5f9b4");
	assert_int_equal(hash256_of(h, s.blob, sizeof(s.blob), d), 0);
	assert_hex(d, "7c41595f4b55f84a56877cf1fc1588df87bb88d38f16ee1afb14241b"
		      "be61de87");
}

static void firmware_opens_what_the_owner_sealed(void **state)
{
	struct hash256 *h = *state;
	struct sev_session_keys keys = {0};
	struct session s;

	seal_vector(h, &s);
	assert_int_equal(sev_session_open(h, s.z, 48, 0x37, s.blob, &keys), 0);
	assert_memory_equal(&keys, &s.keys, sizeof(keys));
	assert_int_equal(sev_session_check_policy(h, keys.tik, s.blob, 0x37),
			 0);
}

static void another_policy_is_refused(void **state)
{
	struct hash256 *h = *state;
	struct sev_session_keys keys = {0}, untouched = {0};
	struct session s;

	seal_vector(h, &s);
	assert_int_equal(sev_session_open(h, s.z, 48, 0x33, s.blob, &keys),
			 -EKEYREJECTED);
	assert_memory_equal(&keys, &untouched, sizeof(keys));
	assert_int_equal(sev_session_check_policy(h, s.keys.tik, s.blob, 0x36),
			 -EKEYREJECTED);
}

/* Whatever is changed, the blob is refused, or it was never a blob. */
static void every_damaged_byte_is_noticed(void **state)
{
	struct hash256 *h = *state;
	struct sev_session_keys keys;
	struct session s;

	seal_vector(h, &s);
	for (size_t i = 0; i < SEV_SESSION_LEN; i++) {
		int r;

		s.blob[i] ^= 1;
		r = sev_session_open(h, s.z, 48, 0x37, s.blob, &keys);
		/* the IV is under no MAC of its own, but changes TIK */
		if (i < SEV_SESSION_WRAP_IV ||
		    (i >= SEV_SESSION_WRAP_MAC && i < SEV_SESSION_POLICY_MAC))
			assert_int_equal(r, -EBADMSG);
		else
			assert_int_equal(r, -EKEYREJECTED);
		s.blob[i] ^= 1;
	}
}

static void another_platform_is_refused(void **state)
{
	struct hash256 *h = *state;
	struct sev_session_keys keys;
	struct session s;

	seal_vector(h, &s);
	s.z[47] ^= 1;
	assert_int_equal(sev_session_open(h, s.z, 48, 0x37, s.blob, &keys),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(certificates_of_known_scalars_are_known),
		cmocka_unit_test(both_sides_agree_on_the_known_secret),
		cmocka_unit_test(keys_of_different_kinds_do_not_agree),
		cmocka_unit_test(scalars_out_of_range_are_refused),
		cmocka_unit_test(keys_are_derived_as_firmware_does),
		cmocka_unit_test(the_counter_carries_over_all_bytes),
		cmocka_unit_test(a_session_is_sealed_to_the_known_bytes),
		cmocka_unit_test(firmware_opens_what_the_owner_sealed),
		cmocka_unit_test(another_policy_is_refused),
		cmocka_unit_test(every_damaged_byte_is_noticed),
		cmocka_unit_test(another_platform_is_refused),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
