/* tests/unit/test_boot_order.c - the text that firmware parses. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/boot_order.h"

static void expect(unsigned int devfn, const unsigned int *luns, size_t n,
		   const char *want)
{
	char *text = NULL;
	size_t len = 0;

	assert_int_equal(boot_order_build(devfn, luns, n, &text, &len, NULL),
			 0);
	assert_string_equal(text, want);
	assert_int_equal(len, strlen(want) + 1);
	free(text);
}

static void one_disk_is_one_line_that_ends_with_a_zero(void **state)
{
	static const unsigned int luns[] = {0};

	(void)state;
	expect(0x10, luns, 1, "/pci@i0cf8/scsi@2/channel@0/disk@0,0");
}

static void disks_come_in_the_order_that_was_given(void **state)
{
	static const unsigned int luns[] = {5, 0, 10};

	(void)state;
	expect(0x10, luns, 3,
	       "/pci@i0cf8/scsi@2/channel@0/disk@0,5\n"
	       "/pci@i0cf8/scsi@2/channel@0/disk@0,0\n"
	       "/pci@i0cf8/scsi@2/channel@0/disk@0,a");
}

static void a_function_behind_the_first_is_named(void **state)
{
	static const unsigned int luns[] = {16383};

	(void)state;
	expect(0x1f << 3 | 7, luns, 1,
	       "/pci@i0cf8/scsi@1f,7/channel@0/disk@0,3fff");
}

static void the_longest_paths_fit(void **state)
{
	unsigned int luns[64];
	char *text = NULL;
	size_t len = 0;

	(void)state;
	for (size_t i = 0; i < 64; i++)
		luns[i] = ~0U - (unsigned int)i;
	assert_int_equal(boot_order_build(0xff, luns, 64, &text, &len, NULL),
			 0);
	assert_int_equal(len, strlen(text) + 1);
	assert_non_null(strstr(text, "disk@0,ffffffff\n"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_disk_is_one_line_that_ends_with_a_zero),
		cmocka_unit_test(disks_come_in_the_order_that_was_given),
		cmocka_unit_test(a_function_behind_the_first_is_named),
		cmocka_unit_test(the_longest_paths_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
