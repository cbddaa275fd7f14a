/* tests/unit/test_s0_console.c - stage0's words. */
#include "tests/unit/unit.h"

#include "firmware/stage0/s0_console.h"
#include "tests/fake/fake_s0_io.h"

static void text_goes_to_both_consoles(void **state)
{
	struct fake_s0_io f;

	(void)state;
	fake_s0_io_init(&f);
	s0_console_puts(&f.io, "a\nb");
	assert_string_equal(f.debugcon, "a\r\nb");
	assert_string_equal(f.serial, "a\r\nb");
}

static void numbers_have_no_leading_zeros(void **state)
{
	struct fake_s0_io f;

	(void)state;
	fake_s0_io_init(&f);
	s0_console_decimal(&f.io, 0);
	s0_console_puts(&f.io, " ");
	s0_console_decimal(&f.io, UINT32_MAX);
	s0_console_puts(&f.io, " ");
	s0_console_hex(&f.io, 0);
	s0_console_puts(&f.io, " ");
	s0_console_hex(&f.io, 0xfedcba9876543210);
	s0_console_puts(&f.io, " ");
	s0_console_hex(&f.io, 0x100);
	assert_string_equal(f.serial,
			    "0 4294967295 0x0 0xfedcba9876543210 0x100");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(text_goes_to_both_consoles),
		cmocka_unit_test(numbers_have_no_leading_zeros),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
