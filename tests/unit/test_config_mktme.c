/* tests/unit/test_config_mktme.c - --protect mktme and what it excludes. */
#include "tests/unit/config_fixture.h"

#include <string.h>

#include "crypto/mktme_key.h"

#define PARSE(...)                                                             \
	parse(WORDS("-k", "k", "--protect", "mktme"), WORDS(__VA_ARGS__))
#define MKTME(text) PARSE("--mktme", text)

static void a_key_of_the_cpu_is_the_default(void **state)
{
	(void)state;
	assert_int_equal(PARSE("-m", "64M"), 0);
	assert_int_equal(c.devices.protect, PROTECT_MKTME);
	assert_int_equal(c.devices.mktme.type, MKTME_TYPE_CPU);
	assert_int_equal(c.devices.mktme.syscall, 0);
	assert_int_equal(MKTME("type=cpu,syscall=1000"), 0);
	assert_int_equal(c.devices.mktme.type, MKTME_TYPE_CPU);
	assert_int_equal(c.devices.mktme.syscall, 1000);
}

static void all_of_it_is_understood(void **state)
{
	const struct mktme_config *m = &c.devices.mktme;

	(void)state;
	assert_int_equal(MKTME("type=user,id=web-1.a_B,algorithm=aes-xts-128,"
			       "key-file=/k,share"),
			 0);
	assert_int_equal(m->type, MKTME_TYPE_USER);
	assert_string_equal(m->id, "web-1.a_B");
	assert_string_equal(m->key_file, "/k");
	assert_true(m->share);
	assert_int_equal(MKTME("type=user,key-command=curl -s https://x"), 0);
	assert_string_equal(m->key_command, "curl -s https://x");
	assert_int_equal(MKTME("type=user,fd=0"), 0);
	assert_int_equal(m->fd, 0);
	assert_int_equal(MKTME("handle=4711,syscall=548"), 0);
	assert_int_equal(m->handle, 4711);
	assert_int_equal(MKTME("type=no-encrypt"), 0);
}

static void numbers_of_other_calls_are_refused_by_name(void **state)
{
	(void)state;
	refused(MKTME("syscall=436"), "close_range");
	refused(MKTME("syscall=335"), "uretprobe");
	refused(MKTME("syscall=428"), "open_tree");
	refused(MKTME("syscall=434"), "pidfd_open");
	refused(MKTME("syscall=0"), "every program");
	refused(MKTME("syscall=512"), "x32");
	refused(MKTME("handle=1,syscall=436"), "close_range");
	assert_int_not_equal(MKTME("syscall=-1"), 0);
	assert_int_not_equal(MKTME("syscall=4294967297"), 0);
}

static void handles_are_positive_and_alone(void **state)
{
	(void)state;
	assert_int_equal(MKTME("handle=-1"), -EINVAL);
	assert_int_equal(MKTME("handle=0"), -EINVAL);
	assert_int_equal(MKTME("handle=2147483648"), -EINVAL);
	refused(MKTME("handle=5,type=cpu"), "made already");
	refused(MKTME("handle=5,id=a"), "made already");
	refused(MKTME("handle=5,algorithm=aes-xts-128"), "made already");
	refused(MKTME("handle=5,fd=3"), "made already");
}

static void a_user_key_has_one_source_and_needs_it(void **state)
{
	(void)state;
	refused(MKTME("type=user"), "exactly one of");
	refused(MKTME("type=user,fd=3,key-file=k"), "exactly one of");
	refused(MKTME("type=cpu,key-file=k"), "key-file: only with type=user");
	refused(MKTME("key-command=x"), "key-command: only with type=user");
	refused(MKTME("fd=3"), "fd: only with type=user");
	refused(MKTME("type=no-encrypt,algorithm=aes-xts-128"),
		"not with type=no-encrypt");
}

static void names_are_names(void **state)
{
	(void)state;
	refused(MKTME("id="), "id");
	refused(MKTME("id=a:b"), "is not a name");
	refused(MKTME("id=a b"), "is not a name");
	refused(MKTME("id=../x"), "is not a name");
	refused(MKTME("id=\xc3\xa4"), "is not a name");
	refused(MKTME("share"), "needs id=NAME");
	assert_int_equal(MKTME("id=a,id=b"), -EINVAL);
}

static void memory_the_kernel_does_not_encrypt_is_refused(void **state)
{
	(void)state;
	refused(PARSE("-m", "64M,shared"), "not a memfd");
	refused(PARSE("-m", "64M,hugepages=2M"), "not hugetlbfs");
	assert_int_equal(PARSE("-m", "64M,prefault"), 0);
}

static void devices_of_the_kernel_and_direct_disks_go_on_working(void **state)
{
	(void)state;
	assert_int_equal(PARSE("--vsock", "cid=3,vhost", "-n", "tap=t0", "-d",
			       "a,direct"),
			 0);
}

static void what_a_key_cannot_do_is_refused(void **state)
{
	(void)state;
	refused(PARSE("--sev", "emulate-cbit"), "emulate-cbit");
	refused(PARSE("--on-reboot", "restart", "--mktme", "type=user,fd=3"),
		"can be read once");
	assert_int_equal(PARSE("--on-reboot", "restart"), 0);
	refused(PARSE("--paused"), "--paused");
}

static void without_protection_there_is_no_key(void **state)
{
	char *argv[] = {(char *)"run", (char *)"-k", (char *)"k",
			(char *)"--mktme", (char *)"type=cpu"};
	enum option_outcome o;

	(void)state;
	run_config_destroy(&c);
	assert_int_equal(
		option_parse_args(&run_option_table, 5, argv, &c, &o, &e), 0);
	refused(run_config_finish(&c, &e), "needs --protect mktme");
}

static void what_it_protects_from_is_said(void **state)
{
	struct mktme_config m = {.type = MKTME_TYPE_CPU};

	(void)state;
	assert_string_equal(mktme_protects(&m), "encrypted against physical "
						"attack; not protected from "
						"the host");
	m.type = MKTME_TYPE_NO_ENCRYPT;
	assert_non_null(strstr(mktme_protects(&m), "not encrypted"));
	/* and of a guest as it is in every state that is shown */
	assert_int_equal(PARSE("--mktme", "type=cpu"), 0);
	assert_string_equal(run_config_protection(&c), MKTME_PROTECTS);
	assert_int_equal(PARSE("--mktme", "type=no-encrypt"), 0);
	assert_non_null(strstr(run_config_protection(&c), "not encrypted"));
	c.devices.protect = PROTECT_SEV;
	assert_non_null(strstr(run_config_protection(&c), "registers not"));
	c.devices.protect = PROTECT_SEV_ES;
	assert_non_null(strstr(run_config_protection(&c), "and registers"));
	c.devices.protect = PROTECT_NONE;
	assert_non_null(strstr(run_config_protection(&c), "none"));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_key_of_the_cpu_is_the_default),
		CASE(all_of_it_is_understood),
		CASE(numbers_of_other_calls_are_refused_by_name),
		CASE(handles_are_positive_and_alone),
		CASE(a_user_key_has_one_source_and_needs_it),
		CASE(names_are_names),
		CASE(memory_the_kernel_does_not_encrypt_is_refused),
		CASE(devices_of_the_kernel_and_direct_disks_go_on_working),
		CASE(what_a_key_cannot_do_is_refused),
		CASE(without_protection_there_is_no_key),
		CASE(what_it_protects_from_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
