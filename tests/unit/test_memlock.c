/* tests/unit/test_memlock.c - limits of locked memory, in a child each. */
#include "vmm/memlock.h"

#include <errno.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "crypto/sev_launch.h"
#include "tests/unit/unit.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

static void drop_capabilities(void)
{
	struct __user_cap_header_struct h = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {{0}};

	syscall(SYS_capset, &h, none);
}

/* In a child without capabilities: 0, or a bit for each thing that is wrong. */
static int run(uint64_t soft, uint64_t hard, uint64_t need, int want,
	       uint64_t want_soft)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		struct rlimit l = {.rlim_cur = soft, .rlim_max = hard};
		struct err e = {0};
		int bad = 0;

		bad |= setrlimit(RLIMIT_MEMLOCK, &l) ? 1 : 0;
		drop_capabilities();
		bad |= memlock_raise(need, &e) != want ? 2 : 0;
		getrlimit(RLIMIT_MEMLOCK, &l);
		bad |= l.rlim_cur != want_soft || l.rlim_max != hard ? 4 : 0;
		if (want)
			bad |= e.kind != ERR_HOST ||
					       !strstr(e.msg,
						       "3145728 bytes") ||
					       !strstr(e.msg,
						       "1048576 bytes") ||
					       !strstr(e.msg, "user namespace")
				       ? 8
				       : 0;
		_exit(bad);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void all_memory_and_one_command_are_needed(void **state)
{
	(void)state;
	assert_int_equal(memlock_need(MIB(512), MIB(2)),
			 MIB(514) + SEV_LAUNCH_CHUNK);
}

static void a_soft_limit_is_raised_as_far_as_needed(void **state)
{
	(void)state;
	assert_int_equal(run(MIB(1), MIB(8), MIB(3), 0, MIB(3)), 0);
	assert_int_equal(run(MIB(4), MIB(8), MIB(3), 0, MIB(4)), 0);
}

static void a_hard_limit_that_is_too_low_is_told_in_bytes(void **state)
{
	(void)state;
	assert_int_equal(run(MIB(1), MIB(1), MIB(3), -ENOMEM, MIB(1)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_memory_and_one_command_are_needed),
		cmocka_unit_test(a_soft_limit_is_raised_as_far_as_needed),
		cmocka_unit_test(a_hard_limit_that_is_too_low_is_told_in_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
