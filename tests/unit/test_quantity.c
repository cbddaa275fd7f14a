/* tests/unit/test_quantity.c - numbers, sizes and durations. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "vmm/base/bits.h"
#include "vmm/base/own.h"
#include "vmm/quantity.h"

static void sizes_take_binary_suffixes(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{"0", 0},
		{"4096", 4096},
		{"4K", 4096},
		{"4k", 4096},
		{"4KiB", 4096},
		{"512M", MIB(512)},
		{"1GiB", GIB(1)},
		{"3t", GIB(3072)},
		{"007", 7},
		{"18446744073709551615", UINT64_MAX},
		{"16777215T", UINT64_C(16777215) << 40},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		uint64_t v = 1;

		assert_int_equal(quantity_parse_size(good[i].text, &v), 0);
		assert_true(v == good[i].bytes);
	}
}

static void what_is_not_a_size_is_refused(void **state)
{
	static const char *const bad[] = {
		"",	"M",	 "1X",	"1KB", "1Kib", "1B",
		"1.5G", "-1",	 "+1",	" 1",  "1 ",   "1MM",
		"0x10", "1MiBx", "1iB", "1Ki", "12M,", "1e3",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint64_t v = 7;

		assert_int_equal(quantity_parse_size(bad[i], &v), -EINVAL);
		assert_int_equal(v, 7);
	}
}

static void sizes_beyond_64_bits_are_refused(void **state)
{
	static const char *const big[] = {"18446744073709551616",
					  "18446744073709551615K", "16777216T",
					  "99999999999999999999999999999999M"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(big); i++) {
		uint64_t v = 7;

		assert_int_equal(quantity_parse_size(big[i], &v), -ERANGE);
		assert_int_equal(v, 7);
	}
}

static void numbers_are_decimal_or_hexadecimal(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(quantity_parse_number("0x1F", &v), 0);
	assert_int_equal(v, 31);
	assert_int_equal(quantity_parse_number("010", &v), 0);
	assert_int_equal(v, 10);
	assert_int_equal(quantity_parse_number("0xffffffffffffffff", &v), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(quantity_parse_number("0x", &v), -EINVAL);
	assert_int_equal(quantity_parse_number("f", &v), -EINVAL);
	assert_int_equal(quantity_parse_number("1K", &v), -EINVAL);
	assert_int_equal(quantity_parse_number("0x10000000000000000", &v),
			 -ERANGE);
	assert_true(v == UINT64_MAX);
}

static void seconds_have_up_to_three_decimals(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(quantity_parse_seconds("90", &v), 0);
	assert_int_equal(v, 90000);
	assert_int_equal(quantity_parse_seconds("0.5", &v), 0);
	assert_int_equal(v, 500);
	assert_int_equal(quantity_parse_seconds("1.025", &v), 0);
	assert_int_equal(v, 1025);
	assert_int_equal(quantity_parse_seconds("1.", &v), -EINVAL);
	assert_int_equal(quantity_parse_seconds(".5", &v), -EINVAL);
	assert_int_equal(quantity_parse_seconds("1.0000", &v), -EINVAL);
	assert_int_equal(quantity_parse_seconds("1s", &v), -EINVAL);
	assert_int_equal(quantity_parse_seconds("1.5.", &v), -EINVAL);
	assert_int_equal(quantity_parse_seconds("18446744073709552", &v),
			 -ERANGE);
	assert_int_equal(v, 1025);
}

static void formats_can_be_read_back(void **state)
{
	char buf[QUANTITY_TEXT_MAX];

	(void)state;
	assert_string_equal(quantity_format_size(0, buf), "0");
	assert_string_equal(quantity_format_size(MIB(512), buf), "512M");
	assert_string_equal(quantity_format_size(4097, buf), "4097");
	assert_string_equal(quantity_format_size(UINT64_MAX, buf),
			    "18446744073709551615");
	assert_string_equal(quantity_format_seconds(0, buf), "0");
	assert_string_equal(quantity_format_seconds(100000, buf), "100");
	assert_string_equal(quantity_format_seconds(1050, buf), "1.05");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_take_binary_suffixes),
		cmocka_unit_test(what_is_not_a_size_is_refused),
		cmocka_unit_test(sizes_beyond_64_bits_are_refused),
		cmocka_unit_test(numbers_are_decimal_or_hexadecimal),
		cmocka_unit_test(seconds_have_up_to_three_decimals),
		cmocka_unit_test(formats_can_be_read_back),
	};

	return cmocka_run_group_tests_name("quantity", tests, NULL, NULL);
}
