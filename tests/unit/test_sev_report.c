/* tests/unit/test_sev_report.c - a report's fields, and nonces as typed. */
#include "crypto/sev_report.h"

#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "tests/unit/hex.h"
#include "tests/unit/unit.h"
#include "vmm/base/err.h"

static void fields_are_where_the_firmware_puts_them(void **state)
{
	uint8_t raw[SEV_REPORT_LEN];
	struct sev_report r;

	(void)state;
	count_up(raw, sizeof(raw), 0);
	sev_report_parse(raw, &r);
	assert_memory_equal(r.nonce, raw, 16);
	assert_memory_equal(r.digest, raw + 16, 32);
	assert_int_equal(r.policy, 0x33323130);
	assert_int_equal(r.usage, 0x37363534);
	assert_int_equal(r.algo, 0x3b3a3938);
	assert_memory_equal(r.sig, raw + 64, 144);
	for (size_t i = 144; i < sizeof(r.sig); i++)
		assert_int_equal(r.sig[i], 0);
}

static void a_nonce_is_hexadecimal_or_base64(void **state)
{
	uint8_t want[SEV_NONCE_LEN], got[SEV_NONCE_LEN];
	char text[BASE64_TEXT_LEN(SEV_NONCE_LEN)];

	(void)state;
	count_up(want, sizeof(want), 0xa0);
	base64_encode(want, sizeof(want), text);
	assert_int_equal(
		sev_nonce_parse("a0a1a2a3a4a5a6a7A8A9AAABACADAEAF", got, NULL),
		0);
	assert_memory_equal(got, want, sizeof(want));
	memset(got, 0, sizeof(got));
	assert_int_equal(sev_nonce_parse(text, got, NULL), 0);
	assert_memory_equal(got, want, sizeof(want));
}

static void what_is_no_nonce_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"0",
		"a0a1a2a3a4a5a6a7a8a9aaabacadae",
		"a0a1a2a3a4a5a6a7a8a9aaabacadaeafb0",
		"a0a1a2a3a4a5a6a7a8a9aaabacadaeag",
		"oKGio6SlpqeoqaqrrK2u",	    /* 15 bytes */
		"oKGio6SlpqeoqaqrrK2ur7A=", /* 17 */
	};
	uint8_t got[SEV_NONCE_LEN];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};

		assert_int_equal(sev_nonce_parse(bad[i], got, &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_where_the_firmware_puts_them),
		cmocka_unit_test(a_nonce_is_hexadecimal_or_base64),
		cmocka_unit_test(what_is_no_nonce_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
