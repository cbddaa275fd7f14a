/*
 * tests/unit/test_guest_cgroup.c - over a directory that behaves as cgroup v2
 * does where that is not what every directory does.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/supervisor/guest_cgroup.h"

static const char *const files[] = {"memory.max", "pids.max", "cpu.weight",
				    "cgroup.procs"};

/* The tree: @dir is the delegated cgroup. What the kernel knows is here. */
static struct {
	char dir[64];
	bool v2;
	bool others;	     /* it has processes besides us */
	char ours[64];	     /* the child that we are in; "": the parent */
	unsigned int n_busy; /* removals that are refused first */
} k;

static struct guest_cgroup *g;
static struct err err;

static const char *at(const char *dir, const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return path;
}

static void put(const char *path, const char *text)
{
	AUTO(fd_closep)
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static const char *get(const char *path)
{
	static char text[256];
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	return text;
}

/* Its path, as the kernel would know it. */
static const char *path_of(int fd)
{
	static char path[128];
	char link[32];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	assert_true(n > 0);
	path[n] = 0;
	return path;
}

static bool fake_is_v2(int dir)
{
	(void)dir;
	return k.v2;
}

static int fake_make(int dir, const char *name)
{
	char path[192];

	if (mkdirat(dir, name, 0755) < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/%s", path_of(dir), name);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		put(at(path, files[i]), "max\n");
	return 0;
}

static int fake_remove(int dir, const char *name)
{
	char path[192];

	if (k.n_busy) {
		k.n_busy--;
		return -EBUSY;
	}
	if (!strcmp(name, k.ours))
		return -EBUSY;
	snprintf(path, sizeof(path), "%s/%s", path_of(dir), name);
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlink(at(path, files[i]));
	return rmdir(path) < 0 ? -errno : 0;
}

/* Controllers for children, and processes of its own, exclude each other. */
static int subtree_control(const char *text)
{
	static char on[128];
	bool add = text[0] == '+';

	if (add && (k.others || !k.ours[0]))
		return -EBUSY;
	snprintf(on, sizeof(on), "%s",
		 !add		       ? ""
		 : strstr(text, "cpu") ? "memory pids cpu\n"
				       : "memory pids\n");
	put(at(k.dir, "cgroup.subtree_control"), on);
	return 0;
}

static int fake_write(int dir, const char *name, const char *text)
{
	const char *path = path_of(dir);

	if (!strcmp(name, "cgroup.subtree_control"))
		return subtree_control(text);
	if (!strcmp(name, "cgroup.procs")) {
		assert_string_equal(text, "0");
		if (!strcmp(path, k.dir) &&
		    get(at(k.dir, "cgroup.subtree_control"))[0])
			return -EBUSY;
		snprintf(k.ours, sizeof(k.ours), "%s",
			 strcmp(path, k.dir) != 0 ? strrchr(path, '/') + 1
						  : "");
		return 0;
	}
	if (access(at(path, name), F_OK) < 0)
		return -ENOENT;
	put(at(path, name), text);
	return 0;
}

static int fake_own(char *ret, size_t size, struct err *e)
{
	(void)e;
	snprintf(ret, size, "%s", k.dir);
	return 0;
}

static const struct guest_cgroup_ops fake = {
	.is_v2 = fake_is_v2,
	.make = fake_make,
	.remove = fake_remove,
	.write = fake_write,
	.own = fake_own,
};

static int setup(void **state)
{
	(void)state;
	memset(&k, 0, sizeof(k));
	k.v2 = true;
	strcpy(k.dir, "/tmp/guest_cgroup.XXXXXX");
	assert_non_null(mkdtemp(k.dir));
	put(at(k.dir, "cgroup.controllers"), "cpuset cpu io memory pids\n");
	put(at(k.dir, "cgroup.subtree_control"), "memory pids\n");
	err = (struct err){0};
	g = NULL;
	return 0;
}

/* Nothing may be left. */
static int teardown(void **state)
{
	(void)state;
	guest_cgroup_destroy(g);
	unlink(at(k.dir, "cgroup.controllers"));
	unlink(at(k.dir, "cgroup.subtree_control"));
	return rmdir(k.dir);
}

static const char *leaf(unsigned int n)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/coffer-%d-%u", k.dir, (int)getpid(),
		 n);
	return path;
}

static int create(const char *where, uint64_t weight)
{
	const struct guest_cgroup_params p = {
		.where = where,
		.memory_max = 123456,
		.pids_max = 65,
		.cpu_weight = weight,
	};

	return guest_cgroup_create(&p, &fake, &g, &err);
}

static void the_limits_are_set_and_it_goes_at_the_end(void **state)
{
	struct stat there, held;

	(void)state;
	assert_int_equal(create(k.dir, 0), 0);
	assert_string_equal(get(at(leaf(0), "memory.max")), "123456");
	assert_string_equal(get(at(leaf(0), "pids.max")), "65");
	assert_string_equal(get(at(leaf(0), "cpu.weight")), "max\n");
	assert_int_equal(stat(leaf(0), &there), 0);
	assert_int_equal(fstat(guest_cgroup_fd(g), &held), 0);
	assert_int_equal(there.st_ino, held.st_ino);
	guest_cgroup_destroy(g);
	g = NULL;
	assert_int_equal(access(leaf(0), F_OK), -1);
}

static void a_weight_needs_its_controller(void **state)
{
	(void)state;
	strcpy(k.ours, "elsewhere");
	assert_int_equal(create(k.dir, 300), 0);
	assert_string_equal(get(at(k.dir, "cgroup.subtree_control")),
			    "memory pids cpu\n");
	assert_string_equal(get(at(leaf(0), "cpu.weight")), "300");
}

static void a_controller_that_was_not_delegated(void **state)
{
	(void)state;
	put(at(k.dir, "cgroup.controllers"), "cpu memory_other pids\n");
	assert_int_equal(create(k.dir, 0), -ENODEV);
	assert_non_null(strstr(err.msg, "'memory'"));
	assert_non_null(strstr(err.msg, k.dir));
	assert_int_equal(err.kind, ERR_HOST);
}

static void a_directory_of_something_else(void **state)
{
	(void)state;
	k.v2 = false;
	assert_int_equal(create(k.dir, 0), -ENODEV);
	assert_non_null(strstr(err.msg, "no directory of cgroup v2"));
}

static void a_directory_that_is_not_there(void **state)
{
	(void)state;
	assert_int_equal(create("/nonexistent/x", 0), -ENOENT);
	assert_non_null(strstr(err.msg, "/nonexistent/x"));
}

static void auto_moves_us_out_of_the_way_and_back(void **state)
{
	(void)state;
	put(at(k.dir, "cgroup.subtree_control"), "");
	assert_int_equal(create("auto", 0), 0);
	assert_string_equal(k.ours, strrchr(leaf(0), '/') + 1);
	assert_string_equal(get(at(leaf(1), "memory.max")), "123456");
	guest_cgroup_destroy(g);
	g = NULL;
	assert_string_equal(k.ours, "");
	assert_string_equal(get(at(k.dir, "cgroup.subtree_control")), "");
	assert_int_equal(access(leaf(0), F_OK), -1);
}

static void auto_among_other_processes_is_refused(void **state)
{
	(void)state;
	k.others = true;
	put(at(k.dir, "cgroup.subtree_control"), "");
	assert_int_equal(create("auto", 0), -EBUSY);
	assert_non_null(strstr(err.msg, "systemd-run"));
	assert_string_equal(k.ours, "");
}

static void a_named_one_with_processes_is_refused(void **state)
{
	(void)state;
	put(at(k.dir, "cgroup.subtree_control"), "");
	assert_int_equal(create(k.dir, 0), -EBUSY);
	assert_int_equal(access(leaf(0), F_OK), -1);
}

static void what_a_killed_one_left_is_removed(void **state)
{
	AUTO(fd_closep) int dir = open(k.dir, O_RDONLY | O_CLOEXEC);

	(void)state;
	assert_int_equal(fake_make(dir, "coffer-1-0"), 0);
	assert_int_equal(create(k.dir, 0), 0);
	assert_int_equal(access(at(k.dir, "coffer-1-0"), F_OK), -1);
}

static void what_another_one_holds_stays(void **state)
{
	AUTO(fd_closep) int dir = open(k.dir, O_RDONLY | O_CLOEXEC);
	AUTO(fd_closep) int lock = -1;

	(void)state;
	assert_int_equal(fake_make(dir, "coffer-1-0"), 0);
	lock = openat(dir, "coffer-1-0", O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(create(k.dir, 0), 0);
	assert_int_equal(access(at(k.dir, "coffer-1-0"), F_OK), 0);
	assert_int_equal(fake_remove(dir, "coffer-1-0"), 0);
}

static void what_is_not_ours_stays(void **state)
{
	static const char *const names[] = {"coffer-1",	   "coffer-1-0.scope",
					    "coffer--0",   "coffer-1-",
					    "xcoffer-1-0", "guests.slice"};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(mkdir(at(k.dir, names[i]), 0700), 0);
	assert_int_equal(create(k.dir, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_int_equal(rmdir(at(k.dir, names[i])), 0);
}

static void the_kernel_lets_go_of_it_a_moment_later(void **state)
{
	(void)state;
	assert_int_equal(create(k.dir, 0), 0);
	k.n_busy = 3;
	guest_cgroup_destroy(g);
	g = NULL;
	assert_int_equal(k.n_busy, 0);
	assert_int_equal(access(leaf(0), F_OK), -1);
}

static void a_name_that_is_taken(void **state)
{
	AUTO(fd_closep) int dir = open(k.dir, O_RDONLY | O_CLOEXEC);
	AUTO(fd_closep) int lock = -1;
	char name[64];

	(void)state;
	snprintf(name, sizeof(name), "coffer-%d-0", (int)getpid());
	assert_int_equal(fake_make(dir, name), 0);
	lock = openat(dir, name, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(lock, LOCK_EX | LOCK_NB), 0);
	assert_int_equal(create(k.dir, 0), 0);
	assert_string_equal(get(at(leaf(1), "memory.max")), "123456");
	assert_int_equal(fake_remove(dir, name), 0);
}

static bool out_of_memory(const char *events)
{
	AUTO(fd_closep) int dir = open(k.dir, O_RDONLY | O_CLOEXEC);
	bool is;

	put(at(k.dir, "memory.events"), events);
	is = guest_cgroup_out_of_memory(dir);
	unlink(at(k.dir, "memory.events"));
	return is;
}

static void what_was_killed_for_memory_is_known(void **state)
{
	(void)state;
	assert_true(out_of_memory("low 0\nmax 9\noom 1\noom_kill 1\n"
				  "oom_group_kill 0\n"));
	assert_false(out_of_memory("low 0\nmax 9\noom 1\noom_kill 0\n"
				   "oom_group_kill 1\n"));
	assert_false(out_of_memory(""));
	assert_false(guest_cgroup_out_of_memory(-1));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_limits_are_set_and_it_goes_at_the_end),
		TEST(a_weight_needs_its_controller),
		TEST(a_controller_that_was_not_delegated),
		TEST(a_directory_of_something_else),
		TEST(a_directory_that_is_not_there),
		TEST(auto_moves_us_out_of_the_way_and_back),
		TEST(auto_among_other_processes_is_refused),
		TEST(a_named_one_with_processes_is_refused),
		TEST(what_a_killed_one_left_is_removed),
		TEST(what_another_one_holds_stays),
		TEST(what_is_not_ours_stays),
		TEST(the_kernel_lets_go_of_it_a_moment_later),
		TEST(a_name_that_is_taken),
		TEST(what_was_killed_for_memory_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
