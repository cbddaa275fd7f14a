/*
 * tests/unit/test_s0_secret.c - tables of secrets, made by the owner's code and
 * broken by hand, and the archives they become.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "crypto/sev_secret_area.h"
#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_secret.h"
#include "vmm/base/bytes.h"

struct fixture {
	uint8_t area[S0_SECRETS_LEN];
	uint8_t out[S0_SECRET_CPIO_MAX + 1];
	size_t len;
	struct sev_secret_entry e[SEV_SECRETS_MAX];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	for (int i = 0; i < SEV_SECRETS_MAX; i++) {
		memset(f->e[i].guid, 0x10 + i, GUID_LEN);
		f->e[i].data = "secret";
		f->e[i].len = 6;
	}
	assert_true(guid_parse("736869e5-84f0-4973-92ec-06879ce3da0b",
			       f->e[0].guid));
	f->out[S0_SECRET_CPIO_MAX] = 0x77;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(f->out[S0_SECRET_CPIO_MAX], 0x77);
	free(f);
	return 0;
}

static void make_table(struct fixture *f, size_t n)
{
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, f->e, n,
					       f->area, sizeof(f->area),
					       &f->len, NULL),
			 0);
}

static enum stage0_reason convert(struct fixture *f)
{
	return s0_secret_to_cpio(f->area, sizeof(f->area), f->out, &f->len);
}

/* The owner's own archive, without its padding, is the same. */
static void check_against_the_owners_archive(struct fixture *f, size_t n)
{
	uint8_t want[SEV_SECRET_MAX];
	size_t len;

	assert_int_equal(sev_secret_area_build(SEV_SECRET_CPIO, f->e, n, want,
					       sizeof(want), &len, NULL),
			 0);
	assert_true(f->len <= len && len - f->len < SEV_SECRET_ALIGN);
	assert_memory_equal(f->out, want, f->len);
}

static void a_table_becomes_the_archive_of_a_direct_boot(void **state)
{
	struct fixture *f = *state;

	for (size_t n = 1; n <= SEV_SECRETS_MAX; n += 9) {
		make_table(f, n);
		assert_int_equal(convert(f), STAGE0_OK);
		check_against_the_owners_archive(f, n);
	}
	assert_true(strstr((char *)f->out + 110, ".coffer") != NULL);
}

static void secrets_of_any_length_are_padded(void **state)
{
	struct fixture *f = *state;

	for (size_t len = 0; len < 9; len++) {
		f->e[0].data = "12345678";
		f->e[0].len = len;
		make_table(f, 2);
		assert_int_equal(convert(f), STAGE0_OK);
		check_against_the_owners_archive(f, 2);
	}
}

static void a_full_page_in_64_entries_fits(void **state)
{
	static uint8_t big[S0_SECRETS_LEN];
	struct fixture *f = *state;

	/* 64 heads and the table's own are 1300 bytes */
	f->e[63].data = big;
	f->e[63].len = S0_SECRETS_LEN - 1300 - 63 * 6;
	make_table(f, SEV_SECRETS_MAX);
	assert_int_equal(f->len, 4096);
	assert_int_equal(convert(f), STAGE0_OK);
	assert_true(f->len > 10000);
}

static void no_table_is_fine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(convert(f), STAGE0_OK);
	assert_int_equal(f->len, 0);
	memset(f->area, 0x5a, sizeof(f->area));
	f->len = 1;
	assert_int_equal(convert(f), STAGE0_OK);
	assert_int_equal(f->len, 0);
}

static void refused(struct fixture *f)
{
	assert_int_equal(convert(f), STAGE0_SECRETS);
	assert_int_equal(f->len, 0);
}

static void lengths_that_lie_are_refused(void **state)
{
	const uint32_t totals[] = {0, 19, 21, 39, 4097, UINT32_MAX};
	const uint32_t entries[] = {0, 19, 4096, UINT32_MAX};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		make_table(f, 1);
		store_le32(f->area + 16, totals[i]);
		refused(f);
	}
	for (size_t i = 0; i < sizeof(entries) / sizeof(entries[0]); i++) {
		make_table(f, 2);
		store_le32(f->area + 20 + 16, entries[i]);
		refused(f);
	}
	/* Both agree, and lead behind the area. */
	make_table(f, 1);
	store_le32(f->area + 16, S0_SECRETS_LEN + 4);
	store_le32(f->area + 20 + 16, S0_SECRETS_LEN + 4 - 20);
	refused(f);
}

static void too_many_entries_are_refused(void **state)
{
	struct fixture *f = *state;
	uint32_t n = SEV_SECRETS_MAX + 1;

	make_table(f, 1);
	for (uint32_t i = 0; i < n; i++) {
		memset(f->area + 20 + i * 20, (int)i, 16);
		store_le32(f->area + 20 + i * 20 + 16, 20);
	}
	store_le32(f->area + 16, 20 + n * 20);
	refused(f);
	store_le32(f->area + 16, 20 + (n - 1) * 20);
	assert_int_equal(convert(f), STAGE0_OK);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_table_becomes_the_archive_of_a_direct_boot),
		TEST(secrets_of_any_length_are_padded),
		TEST(a_full_page_in_64_entries_fits),
		TEST(no_table_is_fine),
		TEST(lengths_that_lie_are_refused),
		TEST(too_many_entries_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
