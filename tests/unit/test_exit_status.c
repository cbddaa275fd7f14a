/* tests/unit/test_exit_status.c - every end of a run has its number. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "vmm/exit_status.h"

static int status_of(enum run_how how, uint64_t value)
{
	struct run_result res = {.how = how, .value = value};

	return exit_status_of_result(&res, NULL);
}

static void ends_of_a_guest_have_their_status(void **state)
{
	(void)state;
	assert_int_equal(status_of(RUN_POWEROFF, 0), 0);
	assert_int_equal(status_of(RUN_REBOOT, 0), 0);
	assert_int_equal(status_of(RUN_STOPPED, 0), 0);
	assert_int_equal(status_of(RUN_PANIC, 0), 80);
	assert_int_equal(status_of(RUN_TRIPLE_FAULT, 0), 80);
	assert_int_equal(status_of(RUN_NOT_EMULATED, 0), 80);
	assert_int_equal(status_of(RUN_TIMEOUT, 0), 124);
}

static void debug_exit_passes_0_to_63_on(void **state)
{
	(void)state;
	assert_int_equal(status_of(RUN_DEBUG_EXIT, 0), 0);
	assert_int_equal(status_of(RUN_DEBUG_EXIT, 1), 1);
	assert_int_equal(status_of(RUN_DEBUG_EXIT, 63), 63);
	assert_int_equal(status_of(RUN_DEBUG_EXIT, 64), 63);
	assert_int_equal(status_of(RUN_DEBUG_EXIT, 256), 63);
	assert_int_equal(status_of(RUN_DEBUG_EXIT, UINT64_MAX), 63);
}

static void errors_have_the_status_of_their_kind(void **state)
{
	static const struct {
		enum err_kind kind;
		int status;
	} kinds[] = {{ERR_USAGE, 64}, {ERR_INPUT, 66}, {ERR_HOST, 69},
		     {ERR_PERM, 77},  {ERR_BUSY, 75},  {ERR_INTERNAL, 70},
		     {ERR_UNSET, 70}};

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct run_result res = {.how = RUN_ERROR};
		struct err e = {.kind = kinds[i].kind};

		assert_int_equal(exit_status_of_result(&res, &e),
				 kinds[i].status);
	}
	assert_int_equal(status_of(RUN_ERROR, 0), 70);
}

static void every_end_has_a_word(void **state)
{
	(void)state;
	for (int i = 0; i < RUN_HOW_COUNT; i++)
		assert_non_null(run_how_name((enum run_how)i));
	assert_string_equal(run_how_name(RUN_DEBUG_EXIT), "debug-exit");
	assert_string_equal(run_how_name(RUN_TRIPLE_FAULT), "triple-fault");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends_of_a_guest_have_their_status),
		cmocka_unit_test(debug_exit_passes_0_to_63_on),
		cmocka_unit_test(errors_have_the_status_of_their_kind),
		cmocka_unit_test(every_end_has_a_word),
	};

	return cmocka_run_group_tests_name("exit_status", tests, NULL, NULL);
}
