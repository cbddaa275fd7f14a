/* tests/unit/test_mktme_syscall.c - numbers that may be called, and others. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "crypto/mktme_syscall.h"
#include "vmm/base/err.h"

static void refused(uint64_t nr, const char *word)
{
	struct err e = {0};

	assert_int_equal(mktme_syscall_check(nr, &e), -EINVAL);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, word));
}

static void numbers_of_the_patches_are_refused_by_name(void **state)
{
	(void)state;
	refused(335, "uretprobe in today's Linux, which kills its caller");
	refused(428, "open_tree");
	refused(434, "pidfd_open");
	refused(436, "close_range in today's Linux, which can close every");
}

static void every_number_that_linux_uses_is_refused(void **state)
{
	(void)state;
	for (uint64_t nr = 0; nr <= 334; nr++)
		refused(nr, "every program makes");
	for (uint64_t nr = 424; nr <= 469; nr++) {
		assert_non_null(mktme_syscall_name(nr));
		assert_int_equal(mktme_syscall_check(nr, NULL), -EINVAL);
	}
}

static void the_headers_of_this_host_agree(void **state)
{
	(void)state;
	assert_string_equal(mktme_syscall_name(SYS_close_range), "close_range");
	assert_string_equal(mktme_syscall_name(SYS_pidfd_open), "pidfd_open");
	assert_string_equal(mktme_syscall_name(SYS_open_tree), "open_tree");
	assert_string_equal(mktme_syscall_name(SYS_process_madvise),
			    "process_madvise");
	assert_string_equal(mktme_syscall_name(SYS_memfd_secret),
			    "memfd_secret");
	assert_string_equal(mktme_syscall_name(SYS_futex_waitv), "futex_waitv");
}

static void numbers_that_linux_will_use_are_refused(void **state)
{
	(void)state;
	refused(470, "later Linux");
	refused(511, "later Linux");
	refused(337, "may become");
	refused(386, "may become");
	refused(512, "x32");
	refused(547, "x32");
	refused(65536, "above all");
	refused(1000 | UINT64_C(1) << 30, "above all");
	refused(UINT64_MAX, "above all");
}

static void free_numbers_are_accepted(void **state)
{
	static const uint64_t fine[] = {387, 423, 548, 1000, 65535};

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(*fine); i++) {
		assert_int_equal(mktme_syscall_check(fine[i], NULL), 0);
		assert_null(mktme_syscall_name(fine[i]));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_of_the_patches_are_refused_by_name),
		cmocka_unit_test(every_number_that_linux_uses_is_refused),
		cmocka_unit_test(the_headers_of_this_host_agree),
		cmocka_unit_test(numbers_that_linux_will_use_are_refused),
		cmocka_unit_test(free_numbers_are_accepted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
