/* tests/unit/test_mktme_key.c - payloads of add_key, and key files. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "crypto/mktme_key.h"
#include "vmm/base/err.h"

#define KEY "00112233445566778899aabbccddeeff"
#define TWEAK "f0e1d2c3b4a5968778695a4b3c2d1e0f"

static int parse(const char *text, struct mktme_secret *s, struct err *e)
{
	return mktme_secret_parse(text, strlen(text), s, e);
}

static void payloads_are_the_portable_ones(void **state)
{
	char buf[MKTME_PAYLOAD_MAX + 1] = {0};
	size_t n;

	(void)state;
	n = mktme_payload(MKTME_TYPE_CPU, NULL, buf);
	assert_int_equal(n, strlen(buf));
	assert_string_equal(buf, "type=cpu algorithm=aes-xts-128");
	memset(buf, 0, sizeof(buf));
	mktme_payload(MKTME_TYPE_NO_ENCRYPT, NULL, buf);
	assert_string_equal(buf, "type=no-encrypt");
}

static void a_user_key_goes_into_its_payload(void **state)
{
	char buf[MKTME_PAYLOAD_MAX + 1] = {0};
	struct mktme_secret s;

	(void)state;
	assert_int_equal(parse(KEY "\n" TWEAK "\n", &s, NULL), 0);
	mktme_payload(MKTME_TYPE_USER, &s, buf);
	assert_string_equal(buf, "type=user algorithm=aes-xts-128 key=" KEY
				 " tweak=" TWEAK);
}

static void names_digits_and_raw_bytes_are_read(void **state)
{
	struct mktme_secret a, b;
	uint8_t raw[MKTME_SECRET_LEN];

	(void)state;
	assert_int_equal(parse(KEY " " TWEAK, &a, NULL), 0);
	assert_int_equal(parse("key=" KEY "\ttweak=" TWEAK "\r\n", &b, NULL),
			 0);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(
		parse("00112233445566778899AABBCCDDEEFF " TWEAK, &b, NULL), 0);
	assert_memory_equal(&a, &b, sizeof(a));
	memcpy(raw, a.key, sizeof(a.key));
	memcpy(raw + sizeof(a.key), a.tweak, sizeof(a.tweak));
	assert_int_equal(mktme_secret_parse(raw, sizeof(raw), &b, NULL), 0);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void what_is_no_key_is_refused_and_not_repeated(void **state)
{
	static const char *const bad[] = {
		"",
		"   ",
		KEY,
		(KEY TWEAK),
		KEY " " TWEAK "00",
		KEY " " TWEAK " x",
		KEY " f0e1d2c3b4a5968778695a4b3c2d1e0",
		KEY " g0e1d2c3b4a5968778695a4b3c2d1e0f",
		"tweak=" KEY " key=" TWEAK,
		KEY " " KEY,
		KEY " 00000000000000000000000000000000",
		"00000000000000000000000000000000 " TWEAK,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		static const struct mktme_secret wiped;
		struct mktme_secret s;
		struct err e = {0};

		assert_int_equal(parse(bad[i], &s, &e), -EINVAL);
		assert_int_equal(e.kind, ERR_INPUT);
		assert_null(strstr(e.msg, "0011"));
		assert_null(strstr(e.msg, "e1d2"));
		assert_memory_equal(&s, &wiped, sizeof(s));
	}
}

static void the_reason_of_a_weak_key_is_said(void **state)
{
	struct mktme_secret s;
	struct err e = {0};

	(void)state;
	parse(KEY " " KEY, &s, &e);
	assert_non_null(strstr(e.msg, "are equal"));
	parse(KEY " 00000000000000000000000000000000", &s, &e);
	assert_non_null(strstr(e.msg, "all zeroes"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(payloads_are_the_portable_ones),
		cmocka_unit_test(a_user_key_goes_into_its_payload),
		cmocka_unit_test(names_digits_and_raw_bytes_are_read),
		cmocka_unit_test(what_is_no_key_is_refused_and_not_repeated),
		cmocka_unit_test(the_reason_of_a_weak_key_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
