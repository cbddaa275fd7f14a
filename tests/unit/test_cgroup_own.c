/* tests/unit/test_cgroup_own.c - texts of /proc, of several kinds of host. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/supervisor/cgroup_own.h"

#define V2(root, at)                                                           \
	"24 31 0:21 / /proc rw - proc proc rw\n"                               \
	"35 24 0:30 " root " " at " rw,nosuid shared:4 - cgroup2 cgroup2 rw\n"
static const char v1[] =
	"36 24 0:31 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n";

static void expect(const char *cgroup, const char *mounts, const char *path)
{
	char text[128] = "";

	assert_int_equal(
		cgroup_own_path(cgroup, mounts, text, sizeof(text), NULL), 0);
	assert_string_equal(text, path);
}

static void the_unified_tree(void **state)
{
	(void)state;
	expect("0::/user.slice/run-1.scope\n", V2("/", "/sys/fs/cgroup"),
	       "/sys/fs/cgroup/user.slice/run-1.scope");
}

static void its_root(void **state)
{
	(void)state;
	expect("0::/\n", V2("/", "/sys/fs/cgroup"), "/sys/fs/cgroup");
}

static void beside_version_1(void **state)
{
	(void)state;
	expect("8:memory:/a\n1:name=systemd:/b\n0::/c\n",
	       V2("/", "/sys/fs/cgroup/unified"), "/sys/fs/cgroup/unified/c");
}

static void only_a_part_is_mounted(void **state)
{
	(void)state;
	expect("0::/box/a\n", V2("/box", "/cg"), "/cg/a");
	expect("0::/box\n", V2("/box", "/cg"), "/cg");
}

static void another_part_is_mounted(void **state)
{
	char text[128];
	struct err err = {0};

	(void)state;
	assert_int_equal(cgroup_own_path("0::/boxes/a\n", V2("/box", "/cg"),
					 text, sizeof(text), &err),
			 -ENODEV);
	assert_non_null(strstr(err.msg, "/boxes/a"));
}

static void a_host_of_version_1(void **state)
{
	char text[128];
	struct err err = {0};

	(void)state;
	assert_int_equal(
		cgroup_own_path("8:memory:/a\n", v1, text, sizeof(text), &err),
		-ENODEV);
	assert_non_null(strstr(err.msg, "no cgroup v2"));
	assert_int_equal(err.kind, ERR_HOST);
	assert_int_equal(
		cgroup_own_path("0::/a\n", v1, text, sizeof(text), NULL),
		-ENODEV);
}

static void a_name_that_does_not_fit(void **state)
{
	char text[8];

	(void)state;
	assert_int_equal(cgroup_own_path("0::/abcdefgh\n", V2("/", "/c"), text,
					 sizeof(text), NULL),
			 -ENAMETOOLONG);
}

static void lines_that_end_too_early(void **state)
{
	char text[16];

	(void)state;
	assert_int_equal(cgroup_own_path("0::/", "1 2 - cgroup2 ", text,
					 sizeof(text), NULL),
			 -ENODEV);
	assert_int_equal(cgroup_own_path("0::", "", text, sizeof(text), NULL),
			 -ENODEV);
	assert_int_equal(cgroup_own_path("", "", text, sizeof(text), NULL),
			 -ENODEV);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_unified_tree),
		cmocka_unit_test(its_root),
		cmocka_unit_test(beside_version_1),
		cmocka_unit_test(only_a_part_is_mounted),
		cmocka_unit_test(another_part_is_mounted),
		cmocka_unit_test(a_host_of_version_1),
		cmocka_unit_test(a_name_that_does_not_fit),
		cmocka_unit_test(lines_that_end_too_early),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
