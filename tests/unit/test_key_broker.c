/* tests/unit/test_key_broker.c - the life of a key, and every way it ends. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <keyutils.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/fake/fake_keys.h"
#include "vmm/base/err.h"
#include "vmm/supervisor/key_broker.h"

enum { NUMBER = 1000, MONITOR_GID = 4242 };

struct fixture {
	struct fake_keys keys;
	struct key_broker *b;
	struct key_request req;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	fake_keys_init(&f->keys, 3);
	f->req = (struct key_request){
		.syscall = NUMBER,
		.viewers = (gid_t)-1,
	};
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	key_broker_destroy(f->b);
	free(f);
	return 0;
}

static int create(struct fixture *f)
{
	f->err = (struct err){0};
	return key_broker_create(&f->keys.service, &f->req, &f->b, &f->err);
}

static void refused(struct fixture *f, int code, enum err_kind kind,
		    const char *word)
{
	assert_int_equal(create(f), code);
	assert_int_equal(f->err.kind, kind);
	assert_non_null(strstr(f->err.msg, word));
	assert_null(f->b);
}

static struct fake_key *made(struct fixture *f)
{
	return fake_keys_get(&f->keys, key_broker_serial(f->b));
}

/* --- the host ------------------------------------------------------------ */

static void a_kernel_without_the_type_is_never_called(void **state)
{
	struct fixture *f = *state;

	f->keys.type_answer = -ENODEV;
	refused(f, -ENODEV, ERR_HOST, "has no MKTME");
	assert_int_equal(f->keys.called, 0);
	assert_int_equal(f->keys.n_calls, 1); /* the one that costs nothing */
	f->req.syscall = 436;
	refused(f, -ENODEV, ERR_HOST, "has no MKTME");
	assert_int_equal(f->keys.called, 0);
}

static void a_missing_capability_is_named(void **state)
{
	struct fixture *f = *state;

	f->keys.type_answer = -EACCES;
	refused(f, -EACCES, ERR_PERM, "CAP_SYS_RESOURCE");
	assert_int_equal(f->keys.called, 0);
}

static void the_number_is_not_guessed(void **state)
{
	struct fixture *f = *state;

	f->req.syscall = 0;
	refused(f, -EINVAL, ERR_USAGE, "is not set");
	assert_int_equal(f->keys.called, 0);
}

static void a_dangerous_number_is_never_called(void **state)
{
	struct fixture *f = *state;

	f->req.syscall = 436;
	refused(f, -EINVAL, ERR_USAGE, "close_range");
	assert_int_equal(f->keys.called, 0);
	assert_int_equal(fake_keys_count(&f->keys, "add"), 0);
}

static void a_wrong_number_is_found_out_before_a_key_is_made(void **state)
{
	struct fixture *f = *state;

	f->keys.call_answer = -ENOSYS;
	refused(f, -ENOSYS, ERR_HOST, "no call at that number");
	f->keys.call_answer = 0;
	refused(f, -EPROTO, ERR_HOST, "is not encrypt_mprotect");
	f->keys.call_answer = -EINVAL;
	refused(f, -EPROTO, ERR_HOST, "is not encrypt_mprotect");
	assert_int_equal(fake_keys_count(&f->keys, "add"), 0);
	assert_int_equal(f->keys.called, NUMBER);
}

/* --- our own key --------------------------------------------------------- */

static void a_key_is_timed_before_anything_else(void **state)
{
	struct fixture *f = *state;
	static const char *const order[] = {"probe_type", "probe_call", "add",
					    "timeout", "perm"};

	assert_int_equal(create(f), 0);
	for (size_t i = 0; i < sizeof(order) / sizeof(*order); i++)
		assert_string_equal(f->keys.call[i], order[i]);
	assert_int_equal(f->keys.n_calls, 5);
	assert_int_equal(made(f)->timeout, KEY_START_SECONDS);
	assert_string_equal(made(f)->payload, "type=cpu algorithm=aes-xts-128");
}

static void others_of_this_user_may_look_and_no_more(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(create(f), 0);
	assert_int_equal(made(f)->info.perm, KEY_POS_ALL | KEY_USR_VIEW);
}

static void a_monitor_of_another_user_sees_it_by_its_group(void **state)
{
	struct fixture *f = *state;

	f->req.viewers = MONITOR_GID;
	assert_int_equal(create(f), 0);
	assert_int_equal(made(f)->info.gid, MONITOR_GID);
	assert_int_equal(made(f)->info.perm,
			 KEY_POS_ALL | KEY_USR_VIEW | KEY_GRP_VIEW);
}

static void an_unshared_key_is_invalidated_once_memory_is_encrypted(void **s)
{
	struct fixture *f = *s;

	assert_int_equal(create(f), 0);
	assert_int_equal(fake_keys_used(&f->keys), 1);
	key_broker_encrypted(f->b);
	assert_int_equal(fake_keys_used(&f->keys), 0);
	key_broker_encrypted(f->b);
	key_broker_destroy(f->b);
	f->b = NULL;
	assert_int_equal(fake_keys_count(&f->keys, "invalidate"), 1);
}

static void a_failed_start_gives_the_key_back(void **state)
{
	static const char *const calls[] = {"timeout", "group", "perm"};
	struct fixture *f = *state;

	f->req.viewers = MONITOR_GID;
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		f->keys.fail_call = calls[i];
		f->keys.fail = -EPERM;
		refused(f, -EPERM, ERR_HOST, "keyctl");
		assert_int_equal(fake_keys_used(&f->keys), 0);
	}
	assert_int_equal(create(f), 0);
	key_broker_destroy(f->b);
	f->b = NULL;
	assert_int_equal(fake_keys_used(&f->keys), 0);
}

static void names_are_unique_and_tell_whose_they_are(void **state)
{
	struct fixture *f = *state;
	char first[KEY_DESCRIPTION_MAX];
	struct key_name n;

	f->req.id = "web-1";
	assert_int_equal(create(f), 0);
	memcpy(first, made(f)->info.description, sizeof(first));
	assert_true(key_name_parse(first, &n));
	assert_string_equal(n.id, "web-1");
	assert_int_equal(n.pid, getpid());
	assert_false(n.share);
	key_broker_encrypted(f->b);
	key_broker_destroy(f->b);
	assert_int_equal(create(f), 0);
	assert_string_not_equal(first, made(f)->info.description);
}

static void what_is_not_our_name_is_not_taken_for_it(void **state)
{
	static const char *const other[] = {
		"",	  "coffer:",	   "coffer:12",	   "coffer:x:y:z",
		"k1",	  "coffer:-1:a:b", "coffer:0:a:b", "coffer:share:",
		"share:", "coffer:probe",  "coffer:12:",
	};
	struct key_name n;

	(void)state;
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		assert_false(key_name_parse(other[i], &n));
}

static void errors_of_add_key_have_their_words(void **state)
{
	static const struct {
		int code, out;
		enum err_kind kind;
		const char *word;
	} errors[] = {
		{-ENOKEY, -ENOKEY, ERR_BUSY, "all MKTME KeyIDs"},
		{-EINVAL, -EINVAL, ERR_HOST, "HMAT"},
		{-EACCES, -EACCES, ERR_PERM, "CAP_SYS_RESOURCE"},
		{-EDQUOT, -EDQUOT, ERR_BUSY, "quota"},
		{-ENODEV, -ENODEV, ERR_HOST, "no MKTME"},
		{-ENOMEM, -ENOMEM, ERR_HOST, "add_key"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		f->keys.fail_call = "add";
		f->keys.fail = errors[i].code;
		refused(f, errors[i].out, errors[i].kind, errors[i].word);
	}
}

static void a_pool_that_is_used_up_says_so_and_recovers(void **state)
{
	struct fixture *f = *state;
	struct key_broker *held[3];

	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(create(f), 0);
		held[i] = f->b;
		f->b = NULL;
	}
	refused(f, -ENOKEY, ERR_BUSY, "id=NAME,share");
	key_broker_destroy(held[1]);
	assert_int_equal(create(f), 0);
	key_broker_destroy(held[0]);
	key_broker_destroy(held[2]);
}

static void user_keys_go_to_kernels_that_take_them(void **state)
{
	static const struct mktme_secret secret = {
		.key = {1, 2, 3},
		.tweak = {4, 5, 6},
	};
	struct fixture *f = *state;

	f->req.type = MKTME_TYPE_USER;
	f->req.secret = &secret;
	assert_int_equal(create(f), 0);
	assert_non_null(strstr(made(f)->payload, "type=user"));
	assert_non_null(strstr(made(f)->payload, "key=010203"));
	key_broker_destroy(f->b);
	f->b = NULL;
	f->keys.fail_call = "add";
	f->keys.fail = -EINVAL;
	refused(f, -EOPNOTSUPP, ERR_HOST, "takes no user keys");
	assert_null(strstr(f->err.msg, "010203"));
}

/* --- shared -------------------------------------------------------------- */

static void guests_of_one_id_share_one_key(void **state)
{
	struct fixture *f = *state;
	struct key_broker *first;
	int32_t serial;

	f->req.id = "tenant";
	f->req.share = true;
	assert_int_equal(create(f), 0);
	first = f->b;
	serial = key_broker_serial(first);
	assert_int_equal(made(f)->info.perm & KEY_USR_LINK, KEY_USR_LINK);
	key_broker_encrypted(first);
	assert_int_equal(made(f)->timeout, 0);
	assert_true(made(f)->alive);
	f->b = NULL;
	assert_int_equal(create(f), 0);
	assert_int_equal(key_broker_serial(f->b), serial);
	assert_int_equal(fake_keys_count(&f->keys, "add"), 1);
	assert_int_equal(fake_keys_used(&f->keys), 1);
	key_broker_destroy(first);
}

static void the_kernel_counts_the_guests_of_a_shared_key(void **state)
{
	struct fixture *f = *state;
	int32_t other;

	/* another process has it linked, too */
	other = fake_keys_put(&f->keys, "mktme", geteuid(), 0x3f1b0000,
			      "coffer:share:tenant:0011223344556677");
	f->req.id = "tenant";
	f->req.share = true;
	assert_int_equal(create(f), 0);
	assert_int_equal(key_broker_serial(f->b), other);
	key_broker_encrypted(f->b);
	key_broker_destroy(f->b);
	assert_true(fake_keys_get(&f->keys, other)->alive);
	/* the other one ends */
	fake_keys_get(&f->keys, other)->n_links = 0;
	f->b = NULL;
	assert_int_equal(create(f), 0);
	key_broker_destroy(f->b);
	f->b = NULL;
	assert_int_equal(fake_keys_used(&f->keys), 0);
}

static void a_shared_key_that_has_just_gone_is_made_anew(void **state)
{
	struct fixture *f = *state;

	fake_keys_put(&f->keys, "mktme", geteuid(), 0x3f1b0000,
		      "coffer:share:tenant:0011223344556677");
	f->req.id = "tenant";
	f->req.share = true;
	f->keys.fail_call = "link";
	f->keys.fail = -EKEYREVOKED;
	assert_int_equal(create(f), 0);
	assert_int_equal(fake_keys_count(&f->keys, "add"), 1);
}

static void keys_of_others_are_not_shared(void **state)
{
	struct fixture *f = *state;

	fake_keys_put(&f->keys, "mktme", geteuid() + 1, 0x3f1b0000,
		      "coffer:share:tenant:0011223344556677");
	fake_keys_put(&f->keys, "user", geteuid(), 0x3f1b0000,
		      "coffer:share:tenant:0011223344556677");
	fake_keys_put(&f->keys, "mktme", geteuid(), 0x3f1b0000,
		      "coffer:share:tenant2:0011223344556677");
	f->req.id = "tenant";
	f->req.share = true;
	assert_int_equal(create(f), 0);
	assert_int_equal(fake_keys_count(&f->keys, "add"), 1);
}

static void one_id_is_not_given_twice(void **state)
{
	struct fixture *f = *state;
	struct key_broker *first;

	f->req.id = "web";
	assert_int_equal(create(f), 0);
	first = f->b;
	f->b = NULL;
	refused(f, -EEXIST, ERR_BUSY, "id=web is in use");
	f->req.share = true;
	refused(f, -EEXIST, ERR_BUSY, "is being started");
	key_broker_encrypted(first);
	f->req.share = false;
	assert_int_equal(create(f), 0);
	key_broker_destroy(first);
}

static void without_a_lock_there_are_no_names(void **state)
{
	struct fixture *f = *state;

	f->req.id = "web";
	f->keys.fail_call = "lock";
	f->keys.fail = -ENOENT;
	refused(f, -ENOENT, ERR_HOST, "XDG_RUNTIME_DIR");
	assert_int_equal(fake_keys_count(&f->keys, "add"), 0);
}

/* --- handle= ------------------------------------------------------------- */

static void a_handle_is_used_and_left_alone(void **state)
{
	struct fixture *f = *state;
	int32_t serial =
		fake_keys_put(&f->keys, "mktme", geteuid(), 0x39010000, "k1");

	f->req.handle = serial;
	assert_int_equal(create(f), 0);
	assert_int_equal(key_broker_serial(f->b), serial);
	key_broker_encrypted(f->b);
	key_broker_destroy(f->b);
	f->b = NULL;
	assert_true(fake_keys_get(&f->keys, serial)->alive);
	assert_int_equal(fake_keys_get(&f->keys, serial)->info.perm,
			 0x39010000);
	assert_int_equal(fake_keys_count(&f->keys, "perm"), 0);
}

static void a_handle_is_shown_to_the_monitor_for_the_start_only(void **state)
{
	struct fixture *f = *state;
	int32_t serial =
		fake_keys_put(&f->keys, "mktme", geteuid(), 0x39010000, "k1");

	f->req.handle = serial;
	f->req.viewers = MONITOR_GID;
	assert_int_equal(create(f), 0);
	assert_int_equal(made(f)->info.perm, 0x39010000 | KEY_OTH_VIEW);
	key_broker_encrypted(f->b);
	assert_int_equal(made(f)->info.perm, 0x39010000);
	key_broker_destroy(f->b);
	f->b = NULL;
	assert_int_equal(create(f), 0); /* and a start that fails */
	key_broker_destroy(f->b);
	f->b = NULL;
	assert_int_equal(fake_keys_get(&f->keys, serial)->info.perm,
			 0x39010000);
}

static void handles_that_are_no_key_of_ours_are_refused(void **state)
{
	static const struct {
		int code;
		enum err_kind kind;
		const char *word;
	} errors[] = {
		{-ENOKEY, ERR_INPUT, "no such key"},
		{-EKEYREVOKED, ERR_INPUT, "was revoked"},
		{-EKEYEXPIRED, ERR_INPUT, "has expired"},
		{-EACCES, ERR_PERM, "no permission"},
	};
	struct fixture *f = *state;

	f->req.handle = 99;
	refused(f, -ENOKEY, ERR_INPUT, "no such key");
	f->req.handle =
		fake_keys_put(&f->keys, "logon", geteuid(), 0x3f1b0000, "x:y");
	refused(f, -EINVAL, ERR_INPUT, "of type 'logon'");
	f->req.handle = fake_keys_put(&f->keys, "mktme", geteuid() + 1,
				      0x3f1b0000, "k");
	refused(f, -EACCES, ERR_PERM, "belongs to user");
	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		f->keys.fail_call = "describe";
		f->keys.fail = errors[i].code;
		refused(f, errors[i].code, errors[i].kind, errors[i].word);
	}
}

/* --- texts of the kernel ------------------------------------------------- */

static void lines_of_proc_keys_are_read(void **state)
{
	struct key_info k;

	(void)state;
	assert_int_equal(
		key_info_parse_line("29d32113 I--Q---     1 perm 3f190000     "
				    "0     7 mktme     coffer:12:a:b\n",
				    &k),
		1);
	assert_int_equal(k.serial, 0x29d32113);
	assert_int_equal(k.usage, 1);
	assert_string_equal(k.expiry, "perm");
	assert_int_equal(k.perm, 0x3f190000);
	assert_int_equal(k.uid, 0);
	assert_int_equal(k.gid, 7);
	assert_string_equal(k.type, "mktme");
	assert_string_equal(k.description, "coffer:12:a:b");
	assert_int_equal(
		key_info_parse_line("2c2839b8 I--Q---     2 57s 1f3f0000     0 "
				    "65534 keyring   _uid.0: empty\n",
				    &k),
		1);
	assert_string_equal(k.description, "_uid.0");
	assert_string_equal(k.expiry, "57s");
	assert_int_equal(key_info_parse_line("\n", &k), 0);
	assert_int_equal(key_info_parse_line("29d32113 I--Q---", &k), 0);
	assert_int_equal(key_info_parse_line("zz", &k), 0);
}

static void descriptions_of_keyctl_are_read(void **state)
{
	struct key_info k;

	(void)state;
	assert_int_equal(
		key_info_parse_describe("mktme;0;100;39010000;a;b: c", &k), 1);
	assert_string_equal(k.type, "mktme");
	assert_int_equal(k.gid, 100);
	assert_int_equal(k.perm, 0x39010000);
	assert_string_equal(k.description, "a;b: c");
	assert_int_equal(key_info_parse_describe("mktme;0;100", &k), 0);
	assert_int_equal(key_info_parse_describe("", &k), 0);
}

static void this_kernel_has_no_mktme_and_is_left_unchanged(void **state)
{
	struct key_service *s = key_service_kernel();
	struct key_broker *b = NULL;
	struct key_request req = {.syscall = NUMBER, .viewers = (gid_t)-1};
	struct err e = {0};
	int r = s->ops->probe_type(s);

	(void)state;
	if (r != -ENODEV) /* a kernel with MKTME, or a container */
		skip();
	assert_int_equal(key_broker_create(s, &req, &b, &e), -ENODEV);
	assert_null(b);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_kernel_without_the_type_is_never_called),
		CASE(a_missing_capability_is_named),
		CASE(the_number_is_not_guessed),
		CASE(a_dangerous_number_is_never_called),
		CASE(a_wrong_number_is_found_out_before_a_key_is_made),
		CASE(a_key_is_timed_before_anything_else),
		CASE(others_of_this_user_may_look_and_no_more),
		CASE(a_monitor_of_another_user_sees_it_by_its_group),
		CASE(an_unshared_key_is_invalidated_once_memory_is_encrypted),
		CASE(a_failed_start_gives_the_key_back),
		CASE(names_are_unique_and_tell_whose_they_are),
		CASE(what_is_not_our_name_is_not_taken_for_it),
		CASE(errors_of_add_key_have_their_words),
		CASE(a_pool_that_is_used_up_says_so_and_recovers),
		CASE(user_keys_go_to_kernels_that_take_them),
		CASE(guests_of_one_id_share_one_key),
		CASE(the_kernel_counts_the_guests_of_a_shared_key),
		CASE(a_shared_key_that_has_just_gone_is_made_anew),
		CASE(keys_of_others_are_not_shared),
		CASE(one_id_is_not_given_twice),
		CASE(without_a_lock_there_are_no_names),
		CASE(a_handle_is_used_and_left_alone),
		CASE(a_handle_is_shown_to_the_monitor_for_the_start_only),
		CASE(handles_that_are_no_key_of_ours_are_refused),
		CASE(lines_of_proc_keys_are_read),
		CASE(descriptions_of_keyctl_are_read),
		CASE(this_kernel_has_no_mktme_and_is_left_unchanged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
