/* tests/unit/test_nearest.c - which word a mistyped one is taken for. */
#include "tests/unit/unit.h"

#include <string.h>

#include "vmm/nearest.h"

static const char *nearest_of(const char *word)
{
	static const char *const known[] = {"kernel", "memory",	 "console",
					    "cpus",   "timeout", "stop-timeout",
					    NULL};
	struct nearest n;

	nearest_start(&n, word);
	for (int i = 0; known[i]; i++)
		nearest_offer(&n, known[i]);
	return n.best;
}

static void small_mistakes_are_recognised(void **state)
{
	(void)state;
	assert_string_equal(nearest_of("memroy"), "memory");
	assert_string_equal(nearest_of("kernle"), "kernel");
	assert_string_equal(nearest_of("cpu"), "cpus");
	assert_string_equal(nearest_of("consoles"), "console");
	assert_string_equal(nearest_of("time-out"), "timeout");
	assert_string_equal(nearest_of("stop_timeout"), "stop-timeout");
}

static void other_words_are_not_guessed_at(void **state)
{
	char longer[3 * NEAREST_WORD_MAX];

	(void)state;
	assert_null(nearest_of(""));
	assert_null(nearest_of("x"));
	assert_null(nearest_of("disk"));
	assert_null(nearest_of("kernel-of-another-project"));
	memset(longer, 'k', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_null(nearest_of(longer));
}

static void swapped_letters_are_one_mistake(void **state)
{
	struct nearest n;

	(void)state;
	nearest_start(&n, "memroy");
	nearest_offer(&n, "memory");
	assert_int_equal(n.distance, 1);
	nearest_start(&n, "kernel");
	nearest_offer(&n, "kernel");
	assert_int_equal(n.distance, 0);
}

static void long_candidates_are_passed_over(void **state)
{
	char longer[3 * NEAREST_WORD_MAX];
	struct nearest n;

	(void)state;
	memset(longer, 'k', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	nearest_start(&n, "kkk");
	nearest_offer(&n, longer);
	assert_null(n.best);
}

static void a_word_of_the_greatest_length_is_measured(void **state)
{
	char word[NEAREST_WORD_MAX + 1], other[NEAREST_WORD_MAX + 1];
	struct nearest n;

	(void)state;
	memset(word, 'a', NEAREST_WORD_MAX);
	word[NEAREST_WORD_MAX] = 0;
	memcpy(other, word, sizeof(word));
	other[NEAREST_WORD_MAX - 1] = 'b';
	nearest_start(&n, word);
	nearest_offer(&n, other);
	assert_ptr_equal(n.best, other);
	assert_int_equal(n.distance, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(small_mistakes_are_recognised),
		cmocka_unit_test(other_words_are_not_guessed_at),
		cmocka_unit_test(swapped_letters_are_one_mistake),
		cmocka_unit_test(long_candidates_are_passed_over),
		cmocka_unit_test(a_word_of_the_greatest_length_is_measured),
	};

	return cmocka_run_group_tests_name("nearest", tests, NULL, NULL);
}
