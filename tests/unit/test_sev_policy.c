/* tests/unit/test_sev_policy.c - policies as numbers and as words. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "crypto/sev_policy.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

static void numbers_and_names_mean_the_same(void **state)
{
	static const struct {
		const char *text;
		uint32_t policy;
	} v[] = {
		{"0", 0},
		{"none", 0},
		{"1", 1},
		{"0x1", 1},
		{"55", 0x37},
		{"0x37", 0x37},
		{"0X37", 0x37},
		{"nodbg,noks,es,domain,sev", 0x37},
		{"nosend", 8},
		{"es,nodbg", 5},
		{"nodbg,nodbg", 1},
		{"nodbg,api=1.51", 0x33010001},
		{"api=1.51", 0x33010000},
		{"4278124544", 0xfeff0000}, /* all of the API bits but one */
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(v); i++) {
		uint32_t policy = 99;

		assert_int_equal(sev_policy_parse(v[i].text, &policy, NULL), 0);
		assert_int_equal(policy, v[i].policy);
	}
}

static void nonsense_is_refused_and_quoted(void **state)
{
	static const char *const bad[] = {
		"",
		"x",
		"0x",
		"-1",
		"+1",
		" 1",
		"1 ",
		"4294967296",
		"0x100000000",
		"nodbg,",
		",nodbg",
		"nodbg,,es",
		"nodbg es",
		"NODBG",
		"api=1",
		"api=1.",
		"api=.1",
		"api=256.1",
		"api=1.256",
		"api=1.2.3",
		"none,es",
		"0x37,es",
		"api=1.1,api=1.2",
		"18446744073709551617",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};
		uint32_t policy = 99;

		assert_int_equal(sev_policy_parse(bad[i], &policy, &err),
				 -EINVAL);
		assert_int_equal(policy, 99);
		assert_int_equal(err.kind, ERR_USAGE);
		assert_non_null(strstr(err.msg, bad[i]));
	}
}

static void reserved_bits_are_refused_and_named(void **state)
{
	struct err err = {0};
	uint32_t policy = 99;

	(void)state;
	assert_int_equal(sev_policy_parse("0x41", &policy, &err), -EINVAL);
	assert_int_equal(policy, 99);
	assert_non_null(strstr(err.msg, "0x40"));
	for (uint32_t bit = 0; bit < 32; bit++)
		assert_int_equal(sev_policy_check(UINT32_C(1) << bit, NULL),
				 bit >= 6 && bit <= 15 ? -EINVAL : 0);
}

static void what_is_printed_can_be_read_again(void **state)
{
	char buf[SEV_POLICY_TEXT_MAX];

	(void)state;
	for (uint32_t low = 0; low < 64; low++) {
		uint32_t policy = low | (low & 1 ? 0x33010000 : 0), back = 99;

		assert_int_equal(
			sev_policy_parse(sev_policy_format(policy, buf), &back,
					 NULL),
			0);
		assert_int_equal(back, policy);
	}
	assert_string_equal(sev_policy_format(0, buf), "none");
	assert_string_equal(sev_policy_format(0x37, buf),
			    "nodbg,noks,es,domain,sev");
	assert_string_equal(sev_policy_format(0x40, buf), "0x40");
	/* the longest there is */
	assert_string_equal(sev_policy_format(0xffffffff, buf),
			    "nodbg,noks,es,nosend,domain,sev,0xffc0,"
			    "api=255.255");
}

static void the_lowest_api_counts_major_then_minor(void **state)
{
	uint32_t policy = 0x33010000; /* 1.51 */

	(void)state;
	assert_true(sev_policy_admits_api(policy, 1, 51));
	assert_true(sev_policy_admits_api(policy, 1, 52));
	assert_true(sev_policy_admits_api(policy, 2, 0));
	assert_false(sev_policy_admits_api(policy, 1, 50));
	assert_false(sev_policy_admits_api(policy, 0, 99));
	assert_true(sev_policy_admits_api(0, 0, 0));
}

static void an_open_debug_bit_is_said_loudly(void **state)
{
	(void)state;
	assert_non_null(strstr(sev_policy_explain(0, 0), "DEBUG"));
	assert_null(strstr(sev_policy_explain(1, 0), "DEBUG"));
	for (unsigned int i = 0; i < 6; i++)
		assert_string_not_equal(sev_policy_explain(0, i),
					sev_policy_explain(0x3f, i));
	assert_null(sev_policy_explain(0, 6));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_names_mean_the_same),
		cmocka_unit_test(nonsense_is_refused_and_quoted),
		cmocka_unit_test(reserved_bits_are_refused_and_named),
		cmocka_unit_test(what_is_printed_can_be_read_again),
		cmocka_unit_test(the_lowest_api_counts_major_then_minor),
		cmocka_unit_test(an_open_debug_bit_is_said_loudly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
