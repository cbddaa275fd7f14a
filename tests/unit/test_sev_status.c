/* tests/unit/test_sev_status.c - names of the firmware's status codes. */
#include "crypto/sev_status.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"

static void every_code_is_found_by_its_name(void **state)
{
	uint32_t code, back, last = 0;
	size_t i;

	(void)state;
	for (i = 0; sev_status_at(i, &code); i++) {
		assert_true(i == 0 || code > last);
		last = code;
		assert_non_null(sev_status_name(code));
		assert_int_equal(sev_status_parse(sev_status_name(code), &back),
				 0);
		assert_int_equal(back, code);
	}
	assert_true(i > 40);
}

static void names_are_the_specifications(void **state)
{
	uint32_t code;

	(void)state;
	assert_string_equal(sev_status_name(SEV_STATUS_BAD_MEASUREMENT),
			    "BAD_MEASUREMENT");
	assert_string_equal(sev_status_name(SEV_STATUS_RESOURCE_LIMIT),
			    "RESOURCE_LIMIT");
	assert_int_equal(sev_status_parse("invalid_len", &code), 0);
	assert_int_equal(code, SEV_STATUS_INVALID_LEN);
}

static void what_has_no_name_has_none(void **state)
{
	uint32_t code = 7;

	(void)state;
	assert_null(sev_status_name(0x1e));
	assert_int_equal(sev_status_parse("", &code), -EINVAL);
	assert_int_equal(sev_status_parse("INVALID", &code), -EINVAL);
	assert_int_equal(code, 7);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_code_is_found_by_its_name),
		cmocka_unit_test(names_are_the_specifications),
		cmocka_unit_test(what_has_no_name_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
