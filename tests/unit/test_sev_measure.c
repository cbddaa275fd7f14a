/*
 * tests/unit/test_sev_measure.c - HMAC, launch measurement and kernel hashes
 * against vectors of other implementations.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/hmac256.h"
#include "crypto/sev_measure.h"
#include "tests/unit/hex.h"

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

static void a_hash_begins_anew_after_each_digest(void **state)
{
	struct hash256 *h = *state;
	uint8_t d[HASH256_LEN];

	/* FIPS 180-4, examples */
	hash256_update(h, "a", 1);
	hash256_update(h, "bc", 2);
	assert_int_equal(hash256_finish(h, d), 0);
	assert_hex(d, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff6"
		      "1f20015ad");
	assert_int_equal(hash256_finish(h, d), 0);
	assert_hex(d, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991"
		      "b7852b855");
}

/* RFC 4231: test cases 1, 2 and 6, the last with a key longer than a block. */
static void vectors_of_the_hmac_rfc_hold(void **state)
{
	struct hash256 *h = *state;
	uint8_t key[131], mac[HASH256_LEN];
	const char *text =
		"Test Using Larger Than Block-Size Key - Hash Key First";

	memset(key, 0x0b, 20);
	assert_int_equal(hmac256_of(h, key, 20, "Hi There", 8, mac), 0);
	assert_hex(mac, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e937"
			"6c2e32cff7");
	assert_int_equal(hmac256_of(h, "Jefe", 4,
				    "what do ya want for nothing?", 28, mac),
			 0);
	assert_hex(mac, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58"
			"b964ec3843");
	memset(key, 0xaa, 131);
	assert_int_equal(hmac256_of(h, key, 131, text, strlen(text), mac), 0);
	assert_hex(mac,
		   "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040"
		   "f0ee37f54");
	memset(key, 0, 16);
	assert_int_equal(hmac256_of(h, key, 16, "\0\0\0\0", 4, mac), 0);
	assert_hex(mac, "aa7855e13839dd767cd5da7c1ff5036540c9264b7a803029315e55"
			"375287b4af");
}

static void comparison_looks_at_every_byte(void **state)
{
	uint8_t a[48] = {0}, b[48] = {0};

	(void)state;
	assert_true(equal_constant_time(a, b, sizeof(a)));
	for (size_t i = 0; i < sizeof(a); i++) {
		b[i] = 0x80;
		assert_false(equal_constant_time(a, b, sizeof(a)));
		b[i] = 0;
	}
	assert_true(equal_constant_time(a, "x", 0));
}

static void one_update_is_measured_as_firmware_does(void **state)
{
	struct hash256 *h = *state;
	struct sev_measure_input in = {
		.api_minor = 24, .build = 15, .policy = 0x37};
	uint8_t page[4096], tik[16], measure[32];

	memset(page, 'A', sizeof(page));
	assert_int_equal(hash256_of(h, page, sizeof(page), in.digest), 0);
	assert_hex(in.digest, "6896d9ea3f73a4434f5832bc65714e7d066f177373f36f34"
			      "dc8a6f735daa41b1");
	count_up(in.mnonce, 16, 0x50);
	count_up(tik, 16, 0xb0);
	assert_int_equal(sev_measure(h, tik, &in, measure), 0);
	assert_hex(measure, "1728ff67ab247f7c6d9274d3fe3fa4ea3a546762d04755333a"
			    "c84d0b3bc0edc7");
}

/* What sevctl's own test expects of `sevctl measurement build`. */
static void the_measurement_is_that_of_sevctl(void **state)
{
	struct hash256 *h = *state;
	struct sev_measure_input in = {
		.api_major = 1, .api_minor = 40, .build = 40, .policy = 3};
	const char *digest = "xkvRAfyaSizgonxAjZIAkR8TmolUabBKQKb6KJCDDSM=";
	const char *nonce = "wxP6tRHCFrFQWxsuqZA8QA==";
	uint8_t tik[16], out[48];
	char text[BASE64_TEXT_LEN(48)];
	size_t n;

	unhex("3569cf61a32a602b87185ac6e0f55913", tik, 16);
	assert_int_equal(
		base64_decode(digest, strlen(digest), in.digest, 32, &n), 0);
	assert_int_equal(base64_decode(nonce, strlen(nonce), in.mnonce, 16, &n),
			 0);
	assert_int_equal(sev_measure(h, tik, &in, out), 0);
	memcpy(out + 32, in.mnonce, 16);
	base64_encode(out, 48, text);
	assert_string_equal(text, "lswbxWxI9gckya16JQvdFtpYmNO4b+3inAPpqsgoBI7D"
				  "E/q1EcIWsVBbGy6pkDxA");
}

/* Every input must change the result, or a host could choose it. */
static void each_input_is_bound(void **state)
{
	struct hash256 *h = *state;
	struct sev_measure_input in = {.api_major = 1}, other[7];
	uint8_t tik[16] = {0}, first[32], now[32];

	assert_int_equal(sev_measure(h, tik, &in, first), 0);
	for (int i = 0; i < 7; i++)
		other[i] = in;
	other[0].api_major = 2;
	other[1].api_minor = 1;
	other[2].build = 1;
	other[3].policy = 1;
	other[4].policy = 0x01000000;
	other[5].digest[31] = 1;
	other[6].mnonce[15] = 1;
	for (int i = 0; i < 7; i++) {
		assert_int_equal(sev_measure(h, tik, &other[i], now), 0);
		assert_memory_not_equal(first, now, 32);
	}
	tik[15] = 1;
	assert_int_equal(sev_measure(h, tik, &in, now), 0);
	assert_memory_not_equal(first, now, 32);
}

static void kernel_hashes_are_those_of_qemu(void **state)
{
	struct hash256 *h = *state;
	const char cmdline[] = "foo bar baz fake kernel=cmdline";
	uint8_t c[32], i[32], k[32], table[SEV_KERNEL_HASHES_LEN], d[32];

	hash256_of(h, cmdline, sizeof(cmdline), c);
	hash256_of(h, "fake initrd\n", 12, i);
	hash256_of(h, "fake vmlinuz\n", 13, k);
	memset(table, 0xee, sizeof(table));
	sev_kernel_hashes(c, i, k, table);
	assert_hex(table, "06d63894224fc94cb479a793d411fd21a800d82dd09720bd944"
			  "caa78e7714d36ab2a3200");
	assert_int_equal(hash256_of(h, table, sizeof(table), d), 0);
	assert_hex(d, "bd485904c57ecbfa615c56afd8d0aa864121fbb987a78492cc4a417"
		      "b108991fc");
}

static void fail_update(struct hash256 *h, const void *data, size_t len)
{
	(void)h;
	(void)data;
	(void)len;
}

static int fail_finish(struct hash256 *h, uint8_t digest[static HASH256_LEN])
{
	(void)h;
	(void)digest;
	return -EIO;
}

static void a_failing_hash_is_reported(void **state)
{
	static const struct hash256_ops ops = {fail_update, fail_finish, NULL};
	struct hash256 bad = {&ops};
	struct sev_measure_input in = {0};
	uint8_t key[100] = {0}, mac[32];

	(void)state;
	assert_int_equal(sev_measure(&bad, key, &in, mac), -EIO);
	assert_int_equal(hmac256_of(&bad, key, 100, "x", 1, mac), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_hash_begins_anew_after_each_digest),
		cmocka_unit_test(vectors_of_the_hmac_rfc_hold),
		cmocka_unit_test(comparison_looks_at_every_byte),
		cmocka_unit_test(one_update_is_measured_as_firmware_does),
		cmocka_unit_test(the_measurement_is_that_of_sevctl),
		cmocka_unit_test(each_input_is_bound),
		cmocka_unit_test(kernel_hashes_are_those_of_qemu),
		cmocka_unit_test(a_failing_hash_is_reported),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
