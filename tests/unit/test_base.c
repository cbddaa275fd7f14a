/* tests/unit/test_base.c - errors, bytes, checked arithmetic. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

static void err_set_returns_the_code_and_keeps_the_message(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set(&e, -EINVAL, "tap '%s'", "a"), -EINVAL);
	assert_int_equal(e.code, -EINVAL);
	assert_int_equal(e.kind, ERR_UNSET);
	assert_string_equal(e.msg, "tap 'a'");
	assert_int_equal(err_set(NULL, -EINVAL, "nobody listens"), -EINVAL);
}

static void permission_errors_are_known_as_such(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, -EACCES, "x");
	err_default_kind(&e, ERR_INPUT);
	assert_int_equal(e.kind, ERR_PERM);
	err_set(&e, -ENOENT, "x");
	err_default_kind(&e, ERR_INPUT);
	assert_int_equal(e.kind, ERR_INPUT);
	err_default_kind(&e, ERR_HOST);
	assert_int_equal(e.kind, ERR_INPUT);
}

static void a_hostile_file_name_cannot_add_a_line(void **state)
{
	struct err e = {0};

	(void)state;
	err_set(&e, -ENOENT, "%s", "a\nb\033[2J");
	assert_string_equal(e.msg, "a?b?[2J");
}

static void a_long_message_is_cut_with_dots(void **state)
{
	struct err e = {0};
	char big[2 * ERR_MSG_MAX];

	(void)state;
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	err_set(&e, -EINVAL, "%s", big);
	assert_int_equal(strlen(e.msg), ERR_MSG_MAX - 1);
	assert_string_equal(e.msg + ERR_MSG_MAX - 4, "...");
	err_prefix(&e, "file '%s'", "k");
	assert_int_equal(strncmp(e.msg, "file 'k': aaa", 13), 0);
	assert_string_equal(e.msg + ERR_MSG_MAX - 4, "...");
	assert_int_equal(e.code, -EINVAL);
}

static void a_file_that_cannot_be_opened_is_told_by_its_cause(void **state)
{
	struct err e = {0};

	(void)state;
	assert_int_equal(err_set_open(&e, "initrd", "i.img", ENOENT), -ENOENT);
	assert_string_equal(e.msg, "initrd 'i.img' does not exist");
	assert_int_equal(e.kind, ERR_INPUT);
	assert_int_equal(err_set_open(&e, "initrd", "i.img", EPERM), -EPERM);
	assert_string_equal(e.msg, "initrd 'i.img': no permission to read it");
	assert_int_equal(e.kind, ERR_PERM);
	assert_int_equal(err_set_open(&e, "initrd", "i.img", EIO), -EIO);
	assert_string_equal(e.msg, "initrd 'i.img': Input/output error");
	assert_int_equal(err_set_open(NULL, "initrd", "i.img", EIO), -EIO);
}

static void bytes_have_a_stated_order(void **state)
{
	uint8_t b[9] = {0, 1, 2, 3, 4, 5, 6, 7, 8};

	(void)state;
	assert_int_equal(load_le16(b + 1), 0x0201);
	assert_int_equal(load_be32(b + 1), 0x01020304);
	assert_true(load_le64(b + 1) == UINT64_C(0x0807060504030201));
	store_be16(b, 0x1234);
	assert_int_equal(b[0], 0x12);
}

static void ranges_do_not_wrap(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_false(checked_add(UINT64_MAX, 1, &v));
	assert_int_equal(v, 7);
	assert_true(checked_add(UINT64_MAX - 1, 1, &v));
	assert_false(checked_mul(BIT64(33), BIT64(33), &v));
	assert_true(range_within(4096, 0, 4096));
	assert_false(range_within(4097, 0, 4096));
	assert_false(range_within(1, UINT64_MAX, 4096));
	assert_true(range_overlaps(0, 2, 1, 1));
	assert_false(range_overlaps(0, 1, 1, 1));
	assert_false(range_overlaps(0, 0, 0, 1));
	assert_true(range_overlaps(UINT64_MAX, 1, UINT64_MAX - 1, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			err_set_returns_the_code_and_keeps_the_message),
		cmocka_unit_test(permission_errors_are_known_as_such),
		cmocka_unit_test(a_hostile_file_name_cannot_add_a_line),
		cmocka_unit_test(a_long_message_is_cut_with_dots),
		cmocka_unit_test(
			a_file_that_cannot_be_opened_is_told_by_its_cause),
		cmocka_unit_test(bytes_have_a_stated_order),
		cmocka_unit_test(ranges_do_not_wrap),
	};

	return cmocka_run_group_tests_name("base", tests, NULL, NULL);
}
