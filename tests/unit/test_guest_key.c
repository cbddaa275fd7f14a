/* tests/unit/test_guest_key.c - options, host and secret become a key. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake/fake_keys.h"
#include "vmm/base/err.h"
#include "vmm/config.h"
#include "vmm/supervisor/guest_key.h"

#define KEY "00112233445566778899aabbccddeeff"
#define TWEAK "f0e1d2c3b4a5968778695a4b3c2d1e0f"

struct fixture {
	struct fake_keys keys;
	struct run_config c;
	struct guest_key key;
	struct err err;
	char path[32]; /* of a coffer.conf */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	int fd;

	fake_keys_init(&f->keys, 3);
	run_config_init(&f->c);
	config_mktme_init(&f->c.devices.mktme);
	config_mktme_check(&f->c.devices.mktme, NULL);
	f->c.devices.protect = PROTECT_MKTME;
	snprintf(f->path, sizeof(f->path), "/tmp/coffer-test-XXXXXX");
	fd = mkstemp(f->path);
	*state = f;
	return fd < 0 || write(fd, "mktme-syscall = 600\n", 20) != 20 ||
	       close(fd) < 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_key_destroy(&f->key);
	unlink(f->path);
	free(f);
	return 0;
}

static int create(struct fixture *f)
{
	return guest_key_create(&f->c, f->path, (gid_t)-1, &f->keys.service,
				&f->key, &f->err);
}

static void a_plain_guest_asks_nobody(void **state)
{
	struct fixture *f = *state;

	f->c.devices.protect = PROTECT_NONE;
	assert_int_equal(create(f), 0);
	assert_null(f->key.broker);
	assert_int_equal(f->keys.n_calls, 0);
}

static void the_number_is_the_options_or_the_hosts(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create(f), 0);
	assert_int_equal(f->key.syscall, 600);
	assert_int_equal(f->keys.called, 600);
	guest_key_destroy(&f->key);
	f->c.devices.mktme.syscall = 1000;
	assert_int_equal(create(f), 0);
	assert_int_equal(f->key.syscall, 1000);
	guest_key_destroy(&f->key);
	assert_int_equal(fake_keys_used(&f->keys), 0);
}

static void without_a_number_nothing_is_called(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(create(f), -EINVAL);
	assert_non_null(strstr(f->err.msg, "/etc/coffer.conf"));
	assert_int_equal(f->keys.called, 0);
}

static void a_bad_host_file_is_named(void **state)
{
	struct fixture *f = *state;
	FILE *file = fopen(f->path, "we");

	fputs("mktme-syscall = 436\n", file);
	fclose(file);
	assert_int_equal(create(f), -EINVAL);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, f->path));
	assert_int_equal(f->keys.n_calls, 0);
}

static void a_users_key_reaches_the_service_and_no_message(void **state)
{
	static char command[] = "echo " KEY " " TWEAK;
	struct fixture *f = *state;

	f->c.devices.mktme.type = MKTME_TYPE_USER;
	f->c.devices.mktme.key_command = command;
	assert_int_equal(create(f), 0);
	assert_non_null(strstr(f->keys.key[0].payload, "key=" KEY));
	assert_null(strstr(f->keys.key[0].info.description, "0011"));
}

static void a_users_key_is_not_fetched_for_nobody(void **state)
{
	static char command[] = "touch /tmp/coffer-test-fetched";
	struct fixture *f = *state;

	f->keys.type_answer = -ENODEV;
	f->c.devices.mktme.type = MKTME_TYPE_USER;
	f->c.devices.mktme.key_command = command;
	assert_int_equal(create(f), -ENODEV);
	assert_int_not_equal(access("/tmp/coffer-test-fetched", F_OK), 0);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_plain_guest_asks_nobody),
		CASE(the_number_is_the_options_or_the_hosts),
		CASE(without_a_number_nothing_is_called),
		CASE(a_bad_host_file_is_named),
		CASE(a_users_key_reaches_the_service_and_no_message),
		CASE(a_users_key_is_not_fetched_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
