/* tests/unit/test_sim_mktme.c - payloads of three kernels, and KeyIDs. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "sim/sim_mktme.h"

#define H32 "00112233445566778899aabbccddeeff"

static struct sim_mktme *m;

static int setup(void **state)
{
	(void)state;
	m = sim_mktme_create(3);
	return !m;
}

static int teardown(void **state)
{
	(void)state;
	sim_mktme_destroy(m);
	return 0;
}

static bool takes(enum sim_mktme_profile p, const char *text)
{
	return !sim_mktme_payload(p, text, strlen(text));
}

static void each_kernel_takes_what_its_patches_say(void **state)
{
	static const struct {
		const char *text;
		bool dec, may, jul; /* 2018-12, 2019-05, 2019-07 */
	} cases[] = {
		{"type=cpu algorithm=aes-xts-128", true, true, true},
		{"algorithm=aes-xts-128\ttype=cpu", true, true, true},
		{"type=no-encrypt", true, true, true},
		{"type=clear", true, false, false},
		{"type=user algorithm=aes-xts-128 key=" H32 " tweak=" H32, true,
		 true, false},
		{"type=cpu algorithm=aes-xts-128 key=" H32, true, true, false},
		{"type=user algorithm=aes-xts-128 key=" H32, false, false,
		 false},
		{"type=user key=" H32 " tweak=" H32, false, false, false},
		{"type=cpu", false, false, false},
		{"type=?", false, false, false},
		{"algorithm=aes-xts-128", false, false, false},
		{"no-encrypt", false, false, false},
		{"type=cpu algorithm=aes-xts-256", false, false, false},
		{"type=cpu type=cpu algorithm=aes-xts-128", false, false,
		 false},
		{"type=cpu algorithm=aes-xts-128 x=y", false, false, false},
		{"TYPE=cpu algorithm=aes-xts-128", false, false, false},
		{"type=user algorithm=aes-xts-128 key=0011 tweak=" H32, false,
		 false, false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *t = cases[i].text;

		assert_int_equal(takes(SIM_MKTME_2018_12, t), cases[i].dec);
		assert_int_equal(takes(SIM_MKTME_2019_05, t), cases[i].may);
		assert_int_equal(takes(SIM_MKTME_2019_07, t), cases[i].jul);
	}
}

static void lengths_of_payloads_are_checked(void **state)
{
	char text[1025];

	(void)state;
	memset(text, ' ', sizeof(text));
	memcpy(text, "type=no-encrypt", 15);
	assert_int_equal(sim_mktme_payload(SIM_MKTME_2019_07, text, 1024), 0);
	assert_int_equal(sim_mktme_payload(SIM_MKTME_2019_07, text, 1025),
			 -EINVAL);
	assert_int_equal(sim_mktme_payload(SIM_MKTME_2019_07, text, 0),
			 -EINVAL);
}

static void the_lowest_keyid_is_given_until_there_is_none(void **state)
{
	(void)state;
	assert_int_equal(sim_mktme_assign(m, 100), 1);
	assert_int_equal(sim_mktme_assign(m, 101), 2);
	assert_int_equal(sim_mktme_assign(m, 102), 3);
	assert_int_equal(sim_mktme_assign(m, 103), -ENOKEY);
	assert_int_equal(sim_mktme_keyid(m, 101), 2);
	sim_mktme_kill_key(m, 101);
	assert_int_equal(sim_mktme_keyid(m, 101), 0);
	assert_int_equal(sim_mktme_used(m), 2);
	assert_int_equal(sim_mktme_assign(m, 103), 2);
}

static void a_keyid_stays_while_memory_has_it(void **state)
{
	(void)state;
	sim_mktme_assign(m, 100);
	assert_int_equal(sim_mktme_cover(m, 1, 0x1000, 0x3000, 1, 3), 0);
	sim_mktme_kill_key(m, 100);
	assert_int_equal(sim_mktme_used(m), 1);
	assert_int_equal(sim_mktme_assign(m, 101), 2);
	sim_mktme_forget(m, 2);
	assert_int_equal(sim_mktme_used(m), 2);
	sim_mktme_forget(m, 1);
	assert_int_equal(sim_mktme_used(m), 1);
	assert_int_equal(sim_mktme_assign(m, 102), 1);
}

static void two_processes_hold_one_keyid(void **state)
{
	(void)state;
	sim_mktme_assign(m, 100);
	sim_mktme_cover(m, 1, 0x1000, 0x3000, 1, 3);
	sim_mktme_cover(m, 2, 0x1000, 0x3000, 1, 3);
	sim_mktme_kill_key(m, 100);
	sim_mktme_forget(m, 1);
	assert_int_equal(sim_mktme_used(m), 1);
	sim_mktme_forget(m, 2);
	assert_int_equal(sim_mktme_used(m), 0);
}

static void a_part_may_get_another_key(void **state)
{
	(void)state;
	sim_mktme_assign(m, 100);
	sim_mktme_assign(m, 101);
	sim_mktme_cover(m, 1, 0x1000, 0x9000, 1, 3);
	sim_mktme_cover(m, 1, 0x3000, 0x5000, 2, 3);
	assert_true(sim_mktme_keeps(m, 1, 0x1000, 0x3000, 1, 3));
	assert_true(sim_mktme_keeps(m, 1, 0x3000, 0x5000, 2, 3));
	assert_true(sim_mktme_keeps(m, 1, 0x5000, 0x9000, 1, 3));
	assert_false(sim_mktme_keeps(m, 1, 0x1000, 0x5000, 1, 3));
	/* the whole again: nothing of the second is left */
	sim_mktme_cover(m, 1, 0x1000, 0x9000, 1, 3);
	sim_mktme_kill_key(m, 101);
	assert_int_equal(sim_mktme_used(m), 1);
}

static void contents_stay_only_under_one_key_and_protection(void **state)
{
	(void)state;
	sim_mktme_assign(m, 100);
	assert_false(sim_mktme_keeps(m, 1, 0x1000, 0x3000, 1, 3));
	sim_mktme_cover(m, 1, 0x1000, 0x3000, 1, 3);
	assert_true(sim_mktme_keeps(m, 1, 0x1000, 0x3000, 1, 3));
	assert_true(sim_mktme_keeps(m, 1, 0x2000, 0x3000, 1, 3));
	assert_false(sim_mktme_keeps(m, 1, 0x1000, 0x3000, 1, 1));
	assert_false(sim_mktme_keeps(m, 1, 0x1000, 0x3000, 2, 3));
	assert_false(sim_mktme_keeps(m, 2, 0x1000, 0x3000, 1, 3));
}

static void the_table_of_memory_is_bounded(void **state)
{
	int r = 0;

	(void)state;
	sim_mktme_assign(m, 100);
	for (uint64_t i = 0; i < SIM_MKTME_RANGES_MAX; i++)
		r |= sim_mktme_cover(m, 1, i * 0x2000, i * 0x2000 + 0x1000, 1,
				     3);
	assert_int_equal(r, 0);
	assert_int_equal(sim_mktme_cover(m, 2, 0, 0x1000, 1, 3), -ENOMEM);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(each_kernel_takes_what_its_patches_say),
		CASE(lengths_of_payloads_are_checked),
		CASE(the_lowest_keyid_is_given_until_there_is_none),
		CASE(a_keyid_stays_while_memory_has_it),
		CASE(two_processes_hold_one_keyid),
		CASE(a_part_may_get_another_key),
		CASE(contents_stay_only_under_one_key_and_protection),
		CASE(the_table_of_memory_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
