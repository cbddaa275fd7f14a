/*
 * tests/unit/test_jail_plan.c - users and limits. Which user root may name is
 * tested as root only, and skipped otherwise.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/config.h"
#include "vmm/memlock.h"
#include "vmm/supervisor/jail_plan.h"

struct fixture {
	struct run_config c;
	struct jail_plan p;
	struct err err;
};

static int setup(void **state)
{
	static struct fixture f;

	f = (struct fixture){0};
	run_config_init(&f.c);
	jail_plan_init(&f.p);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	f->c.user = NULL; /* the tests' are constants */
	jail_plan_release(&f->p);
	run_config_destroy(&f->c);
	return 0;
}

static int make(struct fixture *f, const char *user)
{
	f->c.user = (char *)(uintptr_t)user;
	return jail_plan_make(&f->c, &f->p, &f->err);
}

/* Locks of one file: each description is a supervisor. */
static int lock_file(int fds[3])
{
	char path[32];

	fds[0] = memfd_create("uids", MFD_CLOEXEC);
	assert_true(fds[0] >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
	for (int i = 1; i < 3; i++) {
		fds[i] = open(path, O_RDWR | O_CLOEXEC);
		assert_true(fds[i] >= 0);
	}
	return 0;
}

static void close_all(const int fds[3])
{
	for (int i = 0; i < 3; i++)
		close(fds[i]);
}

static void each_gets_a_number_of_its_own(void **state)
{
	int fds[3];

	(void)state;
	lock_file(fds);
	assert_int_equal(jail_plan_lock(fds[0], 5, 10), 5);
	assert_int_equal(jail_plan_lock(fds[1], 5, 10), 6);
	assert_int_equal(jail_plan_lock(fds[2], 4, 10), 4);
	close_all(fds);
}

static void the_search_goes_around_the_end(void **state)
{
	int fds[3];

	(void)state;
	lock_file(fds);
	assert_int_equal(jail_plan_lock(fds[0], 1, 2), 1);
	assert_int_equal(jail_plan_lock(fds[1], 1, 2), 0);
	assert_int_equal(jail_plan_lock(fds[2], 1, 2), -EUSERS);
	close_all(fds);
}

static void a_number_is_free_when_its_owner_has_gone(void **state)
{
	int fds[3];

	(void)state;
	lock_file(fds);
	assert_int_equal(jail_plan_lock(fds[0], 0, 1), 0);
	assert_int_equal(jail_plan_lock(fds[1], 0, 1), -EUSERS);
	close(fds[0]);
	assert_int_equal(jail_plan_lock(fds[1], 0, 1), 0);
	fds[0] = fds[1];
	close(fds[2]);
	close(fds[0]);
}

static void something_that_cannot_be_locked(void **state)
{
	(void)state;
	assert_int_equal(jail_plan_lock(-1, 0, 4), -EBADF);
}

static void without_a_jail_there_is_no_user(void **state)
{
	struct fixture *f = *state;

	f->c.jail = JAIL_CHOICE_OFF;
	assert_int_equal(make(f, NULL), 0);
	assert_int_equal(f->p.msg.flags, 0);
	assert_int_equal(f->p.lock_fd, -1);
	assert_int_equal(make(f, "nobody"), -EINVAL);
	assert_int_equal(f->err.kind, ERR_USAGE);
}

static void limits_follow_the_machine(void **state)
{
	struct fixture *f = *state;
	struct disk_config disk = {0};

	f->c.jail = JAIL_CHOICE_OFF;
	f->c.cpus = 8;
	assert_int_equal(make(f, NULL), 0);
	assert_int_equal(f->p.msg.n_procs, jail_plan_threads(&f->c));
	assert_true(f->p.msg.n_procs > 8);
	assert_int_equal(f->p.msg.locked_bytes, 0);
	f->c.devices.disks = (struct group_list){&disk, 1};
	assert_int_equal(make(f, NULL), 0);
	assert_true(f->p.msg.locked_bytes > 0);
	f->c.devices.disks = (struct group_list){0};
}

/* All that KVM pins may be locked, and no more. */
static void a_protected_guest_may_be_pinned(void **state)
{
	struct fixture *f = *state;

	f->c.jail = JAIL_CHOICE_OFF;
	f->c.devices.protect = PROTECT_SEV;
	f->c.memory.size = MIB(256);
	assert_int_equal(make(f, NULL), 0);
	assert_int_equal(f->p.msg.locked_bytes, memlock_need(MIB(256), 0));
	f->c.firmware_file.size = MIB(4);
	f->c.nvram_file.size = KIB(512);
	assert_int_equal(make(f, NULL), 0);
	assert_int_equal(f->p.msg.locked_bytes,
			 memlock_need(MIB(256), MIB(4) + KIB(512)));
}

static void vsock_wants_more_descriptors(void **state)
{
	struct fixture *f = *state;
	struct rlimit old, l;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
	l = old;
	l.rlim_cur = 64;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &l), 0);
	f->c.jail = JAIL_CHOICE_OFF;
	f->c.devices.vsock.path = (char *)(uintptr_t) "/x";
	assert_int_equal(make(f, NULL), 0);
	f->c.devices.vsock.path = NULL;
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &l), 0);
	assert_true(f->p.msg.n_files >= 1024 || f->p.msg.n_files == l.rlim_max);
	assert_true(l.rlim_cur >= f->p.msg.n_files); /* ours, too */
	setrlimit(RLIMIT_NOFILE, &old);
}

static void root_never_runs_a_guest(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"root", "0", "0:5", "5:0",
					    "root:5"};

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(make(f, names[i]), -EINVAL);
		assert_int_equal(f->err.kind, ERR_USAGE);
		assert_non_null(strstr(f->err.msg, "root"));
	}
}

static void users_by_number_and_name(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(make(f, "1234"), 0);
	assert_int_equal(f->p.msg.uid, 1234);
	assert_int_equal(f->p.msg.gid, 1234);
	assert_int_equal(make(f, "1234:77"), 0);
	assert_int_equal(f->p.msg.gid, 77);
	assert_int_equal(make(f, "nobody"), 0);
	assert_int_equal(f->p.msg.uid, 65534);
	assert_int_equal(f->p.msg.flags, MONITOR_JAIL_ON | MONITOR_JAIL_USER);
}

static void users_that_are_none(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"nobody-of-that-name",
					    "nobody:no-such-group",
					    "",
					    "4294967295",
					    "-1",
					    "12x",
					    ":5"};

	if (geteuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		assert_int_equal(make(f, names[i]), -EINVAL);
		assert_int_equal(f->err.kind, ERR_USAGE);
	}
}

/* Root is somebody else for a moment. */
static void only_root_chooses_users(void **state)
{
	struct fixture *f = *state;

	if (geteuid() == 0)
		assert_int_equal(seteuid(65534), 0);
	assert_int_equal(make(f, NULL), 0);
	assert_int_equal(f->p.msg.flags, MONITOR_JAIL_ON);
	assert_int_equal(make(f, "nobody"), -EINVAL);
	assert_non_null(strstr(f->err.msg, "only root"));
	if (getuid() == 0)
		assert_int_equal(seteuid(0), 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_gets_a_number_of_its_own),
		TEST(the_search_goes_around_the_end),
		TEST(a_number_is_free_when_its_owner_has_gone),
		TEST(something_that_cannot_be_locked),
		TEST(without_a_jail_there_is_no_user),
		TEST(limits_follow_the_machine),
		TEST(a_protected_guest_may_be_pinned),
		TEST(vsock_wants_more_descriptors),
		TEST(root_never_runs_a_guest),
		TEST(users_by_number_and_name),
		TEST(users_that_are_none),
		TEST(only_root_chooses_users),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
