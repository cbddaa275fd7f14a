/* tests/unit/test_stage0_reason.c - numbers and words of stage0's end. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "firmware/stage0_reason.h"

static void every_reason_has_words_of_its_own(void **state)
{
	const char *seen[0x100];
	unsigned int n = 0;

	(void)state;
	for (uint32_t i = 0; i < 0x10000; i++) {
		const char *words = stage0_reason_words(i);

		if (!words)
			continue;
		assert_true(strlen(words) > 10 && n < 0x100);
		for (unsigned int j = 0; j < n; j++)
			assert_string_not_equal(words, seen[j]);
		seen[n++] = words;
	}
	assert_true(n > 25);
	assert_null(stage0_reason_words(STAGE0_OK));
	assert_non_null(strstr(stage0_reason_words(STAGE0_KERNEL_HASH),
			       "kernel is not the one"));
}

/* docs/firmware.md has a row for each, with these words, and no other. */
static void the_manual_has_every_reason(void **state)
{
	FILE *in = fopen(FIRMWARE_MD, "r");
	char line[256], want[256];
	unsigned int in_header = 0, in_manual = 0, number;

	(void)state;
	assert_non_null(in);
	for (uint32_t i = 0; i < 0x10000; i++)
		in_header += stage0_reason_words(i) != NULL;
	while (fgets(line, sizeof(line), in)) {
		int end = 0; /* addresses begin with a number, too */

		sscanf(line, "| %u |%n", &number, &end);
		if (!end)
			continue;
		assert_non_null(stage0_reason_words(number));
		snprintf(want, sizeof(want), "| %u | %s |\n", number,
			 stage0_reason_words(number));
		assert_string_equal(line, want);
		in_manual++;
	}
	fclose(in);
	assert_int_equal(in_manual, in_header);
}

static void reasons_fit_a_termination_request(void **state)
{
	(void)state;
	/* 8 bits of the GHCB's MSR, and one exit status with isa-debug-exit */
	for (uint32_t i = 128; i < 0x10000; i++)
		assert_null(stage0_reason_words(i));
}

static void only_the_magic_is_a_stop(void **state)
{
	uint32_t reason = 77;

	(void)state;
	assert_false(stage0_stop_parse(0, &reason));
	assert_false(stage0_stop_parse(UINT32_MAX, &reason));
	assert_false(stage0_stop_parse(STAGE0_STOP_MAGIC + 0x10000, &reason));
	assert_int_equal(reason, 77);
	assert_true(stage0_stop_parse(STAGE0_STOP_MAGIC | 40, &reason));
	assert_int_equal(reason, STAGE0_KERNEL_HASH);
	assert_true(stage0_stop_parse(STAGE0_STOP_MAGIC | 0xffff, &reason));
	assert_int_equal(reason, 0xffff);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_has_words_of_its_own),
		cmocka_unit_test(the_manual_has_every_reason),
		cmocka_unit_test(reasons_fit_a_termination_request),
		cmocka_unit_test(only_the_magic_is_a_stop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
