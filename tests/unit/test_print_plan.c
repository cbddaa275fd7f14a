/*
 * tests/unit/test_print_plan.c - the plan as JSON says what is launched, and
 * comes from options of which devices are no part.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "tests/fake/fake_image.h"
#include "tests/unit/owner_fixture.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/print_plan.h"
#include "vmm/config.h"

struct fixture {
	struct owner_dir d;
	struct run_config c;
	json_t *j;
};

static int setup(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *i = fake_bzimage_create();
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	owner_dir_create(&f->d);
	owner_put(&f->d, "kernel", i->data, i->len);
	owner_put_text(&f->d, "initrd", "the initrd");
	run_config_init(&f->c);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	json_decref(f->j);
	run_config_destroy(&f->c);
	owner_dir_destroy(&f->d);
	free(f);
	return 0;
}

/* `coffer run` with kernel, initrd and @more (ends with NULL). */
static int print(struct fixture *f, const char *const *more)
{
	char *argv[32] = {(char *)"run", (char *)"--kernel",
			  (char *)owner_path(&f->d, "kernel"),
			  (char *)"--initrd",
			  (char *)owner_path(&f->d, "initrd")};
	enum option_outcome outcome;
	int argc = 5, r;

	while (*more)
		argv[argc++] = (char *)*more++;
	run_config_destroy(&f->c);
	r = option_parse_args(&run_option_table, argc, argv, &f->c, &outcome,
			      &f->d.err);
	if (r >= 0)
		r = run_config_finish(&f->c, &f->d.err);
	owner_output_clear(&f->d);
	return r < 0 ? r : print_plan(&f->c, f->d.out, &f->d.err);
}

static const char *text(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));

	if (!s)
		fail_msg("no text %s", key);
	return s;
}

static void printed(struct fixture *f, const char *const *more)
{
	if (print(f, more) < 0)
		fail_msg("%s", f->d.err.msg);
	json_decref(f->j);
	f->j = json_loads(owner_output(&f->d), 0, NULL);
	assert_non_null(f->j);
}

#define PRINTED(f, ...)                                                        \
	printed(f, (const char *const[]){"--firmware", "none", "--protect",    \
					 __VA_ARGS__, NULL})

static void the_lengths_of_the_entries_are_what_is_measured(void **state)
{
	struct fixture *f = *state;
	json_int_t sum = 0;
	json_t *e;
	size_t i;

	PRINTED(f, "sev");
	json_array_foreach(json_object_get(f->j, "entries"), i, e) sum +=
		json_integer_value(json_object_get(e, "length"));
	assert_int_equal(i, 11);
	assert_int_equal(sum,
			 json_integer_value(json_object_get(f->j, "bytes")));
	assert_string_equal(text(f->j, "machine"), "q35-coffer-1");
	assert_string_equal(text(f->j, "cmdline"), "swiotlb=16384");
}

/* SHA-256 of a page of zeros; of the initrd, padded to a page. */
static void entries_have_digests_of_their_own(void **state)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_nettle_create();
	struct fixture *f = *state;
	char page[4096] = "the initrd", want[65];
	uint8_t d[HASH256_LEN];
	json_t *entries;

	PRINTED(f, "sev");
	entries = json_object_get(f->j, "entries");
	assert_string_equal(text(json_array_get(entries, 0), "sha256"),
			    "ad7facb2586fc6e966c004d7d1d16b024f5805ff7cb47c7a85"
			    "dabd8b48892ca7");
	assert_int_equal(hash256_of(h, page, sizeof(page), d), 0);
	for (int i = 0; i < HASH256_LEN; i++)
		snprintf(want + 2 * i, 3, "%02x", d[i]);
	assert_string_equal(text(json_array_get(entries, 9), "name"), "initrd");
	assert_string_equal(text(json_array_get(entries, 9), "sha256"), want);
}

static void devices_are_not_in_the_plan(void **state)
{
	struct fixture *f = *state;
	char with[65];

	PRINTED(f, "sev", "-d", "path=a", "-d", "path=b", "-d", "path=c",
		"--net", "tap=t0", "--net", "tap=t1", "--vsock",
		"cid=3,path=vs", "--rng");
	snprintf(with, sizeof(with), "%s", text(f->j, "plan_digest"));
	PRINTED(f, "sev");
	assert_string_equal(text(f->j, "plan_digest"), with);
	PRINTED(f, "sev", "-m", "513M");
	assert_string_not_equal(text(f->j, "plan_digest"), with);
}

static void sev_es_has_a_digest_for_each_form_of_registers(void **state)
{
	struct fixture *f = *state;
	const json_t *all;

	PRINTED(f, "sev-es");
	all = json_object_get(f->j, "plan_digests");
	assert_string_equal(text(all, "legacy"), text(f->j, "plan_digest"));
	assert_string_not_equal(text(all, "init2"), text(all, "legacy"));
	assert_string_equal(text(f->j, "vmsa_profile"), "legacy");
}

static void a_guest_without_protection_has_no_plan(void **state)
{
	struct fixture *f = *state;

	owner_assert_err(&f->d, print(f, (const char *const[]){NULL}), -EINVAL,
			 ERR_USAGE, "--protect");
	assert_string_equal(owner_output(&f->d), "");
}

static void a_file_that_is_no_kernel_is_named(void **state)
{
	struct fixture *f = *state;
	const char *const args[] = {"--protect", "sev", "--firmware", "none",
				    NULL};

	owner_put_text(&f->d, "kernel", "no kernel");
	owner_assert_err(&f->d, print(f, args), -ENOEXEC, ERR_INPUT, "kernel");
	assert_string_equal(owner_output(&f->d), "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		CASE(the_lengths_of_the_entries_are_what_is_measured),
		CASE(entries_have_digests_of_their_own),
		CASE(devices_are_not_in_the_plan),
		CASE(sev_es_has_a_digest_for_each_form_of_registers),
		CASE(a_guest_without_protection_has_no_plan),
		CASE(a_file_that_is_no_kernel_is_named),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
