/* tests/unit/test_subopt.c - commas and equal signs. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/subopt.h"

static void items_are_split_at_commas(void **state)
{
	struct subopt_list l;

	(void)state;
	assert_int_equal(subopt_split("512M,hugepages=2M,prefault", &l, NULL),
			 0);
	assert_int_equal(l.n, 3);
	assert_string_equal(l.item[0].key, "");
	assert_string_equal(l.item[0].value, "512M");
	assert_string_equal(l.item[1].key, "hugepages");
	assert_string_equal(l.item[1].value, "2M");
	assert_string_equal(l.item[2].key, "");
	assert_string_equal(l.item[2].value, "prefault");
	subopt_free(&l);
}

static void two_commas_are_one_of_the_value(void **state)
{
	struct subopt_list l;

	(void)state;
	assert_int_equal(subopt_split("path=a,,b,ro", &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.item[0].value, "a,b");
	assert_string_equal(l.item[1].value, "ro");
	subopt_free(&l);
	assert_int_equal(subopt_split("path=a,,,ro", &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.item[0].value, "a,");
	subopt_free(&l);
	assert_int_equal(subopt_split(",,,,x,,", &l, NULL), 0);
	assert_int_equal(l.n, 1);
	assert_string_equal(l.item[0].value, ",,x,");
	subopt_free(&l);
}

static void the_first_equal_sign_ends_the_key(void **state)
{
	struct subopt_list l;

	(void)state;
	assert_int_equal(subopt_split("append=a=b=c,x=", &l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_string_equal(l.item[0].key, "append");
	assert_string_equal(l.item[0].value, "a=b=c");
	assert_string_equal(l.item[1].key, "x");
	assert_string_equal(l.item[1].value, "");
	subopt_free(&l);
}

static void empty_items_and_keys_are_refused(void **state)
{
	static const char *const bad[] = {"",	",",	"a,",  ",a",
					  "=x", "a,=x", ",,,", "a,,,"};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct subopt_list l;
		struct err err = {0};

		assert_int_equal(subopt_split(bad[i], &l, &err), -EINVAL);
		assert_true(strlen(err.msg) > 0);
	}
}

static void the_number_of_items_is_bounded(void **state)
{
	char text[2 * (SUBOPT_ITEMS_MAX + 1)];
	struct subopt_list l;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof(text); i += 2)
		memcpy(&text[i], "a,", 2);
	text[sizeof(text) - 1] = 0;
	assert_int_equal(subopt_split(text, &l, NULL), -EINVAL);
	text[sizeof(text) - 3] = 0;
	assert_int_equal(subopt_split(text, &l, NULL), 0);
	assert_int_equal(l.n, SUBOPT_ITEMS_MAX);
	subopt_free(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(items_are_split_at_commas),
		cmocka_unit_test(two_commas_are_one_of_the_value),
		cmocka_unit_test(the_first_equal_sign_ends_the_key),
		cmocka_unit_test(empty_items_and_keys_are_refused),
		cmocka_unit_test(the_number_of_items_is_bounded),
	};

	return cmocka_run_group_tests_name("subopt", tests, NULL, NULL);
}
