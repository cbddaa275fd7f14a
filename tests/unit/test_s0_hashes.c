/* tests/unit/test_s0_hashes.c - the table of hashes, read strictly. */
#include "tests/unit/unit.h"

#include <string.h>

#include "firmware/stage0/s0_hashes.h"
#include "vmm/base/bytes.h"

enum { HEADER = 18, ENTRY = 50, N = 3, TOTAL = HEADER + N * ENTRY };

static const uint8_t guids[4][16] = {
	{0x06, 0xd6, 0x38, 0x94, 0x22, 0x4f, 0xc9, 0x4c, 0xb4, 0x79, 0xa7, 0x93,
	 0xd4, 0x11, 0xfd, 0x21},
	{0xd8, 0x2d, 0xd0, 0x97, 0x20, 0xbd, 0x94, 0x4c, 0xaa, 0x78, 0xe7, 0x71,
	 0x4d, 0x36, 0xab, 0x2a}, /* cmdline */
	{0x31, 0xf7, 0xba, 0x44, 0x2f, 0x3a, 0xd7, 0x4b, 0x9a, 0xf1, 0x41, 0xe2,
	 0x91, 0x69, 0x78, 0x1d}, /* initrd */
	{0x37, 0x94, 0xe7, 0x4d, 0xd2, 0xab, 0x7f, 0x42, 0xb8, 0x35, 0xd5, 0xb1,
	 0x72, 0xd2, 0x04, 0x5b}, /* kernel */
};

struct table {
	uint8_t b[S0_HASHES_TABLE_LEN];
};

static uint8_t *entry(struct table *t, int i)
{
	return t->b + HEADER + i * ENTRY;
}

/* As QEMU lays it out; the hashes are 'c', 'i' and 'k'. */
static struct table good(void)
{
	struct table t = {0};

	memcpy(t.b, guids[0], 16);
	store_le16(t.b + 16, TOTAL);
	for (int i = 0; i < N; i++) {
		memcpy(entry(&t, i), guids[i + 1], 16);
		store_le16(entry(&t, i) + 16, ENTRY);
		memset(entry(&t, i) + HEADER, "cik"[i], S0_SHA256_LEN);
	}
	return t;
}

static void is(const struct table *t, enum stage0_reason want)
{
	struct s0_hashes h, before;

	memset(&h, 0x55, sizeof(h));
	before = h;
	assert_int_equal(s0_hashes_parse(t->b, &h), want);
	if (want != STAGE0_OK)
		assert_memory_equal(&h, &before, sizeof(h));
}

static void a_table_as_qemu_makes_it_is_taken(void **state)
{
	struct table t = good();
	struct s0_hashes h;

	(void)state;
	assert_int_equal(s0_hashes_parse(t.b, &h), STAGE0_OK);
	for (size_t i = 0; i < S0_SHA256_LEN; i++) {
		assert_int_equal(h.cmdline[i], 'c');
		assert_int_equal(h.initrd[i], 'i');
		assert_int_equal(h.kernel[i], 'k');
	}
}

static void the_order_of_entries_does_not_matter(void **state)
{
	struct table t = good(), u = t;

	(void)state;
	memcpy(entry(&u, 0), entry(&t, 2), ENTRY);
	memcpy(entry(&u, 2), entry(&t, 0), ENTRY);
	is(&u, STAGE0_OK);
}

static void zeros_or_noise_are_no_table(void **state)
{
	struct table t = {0};

	(void)state;
	is(&t, STAGE0_HASHES_MISSING);
	t = good();
	t.b[15] ^= 1;
	is(&t, STAGE0_HASHES_MISSING);
}

static void any_wrong_length_is_malformed(void **state)
{
	const uint16_t totals[] = {0,	      17,	 19,	     67,
				   TOTAL - 1, TOTAL + 1, TOTAL + 50, 0xffff};
	const uint16_t lengths[] = {0, 18, 49, 51, 0xffff};

	(void)state;
	for (size_t i = 0; i < sizeof(totals) / sizeof(totals[0]); i++) {
		struct table t = good();

		store_le16(t.b + 16, totals[i]);
		is(&t, STAGE0_HASHES_MALFORMED);
	}
	for (int e = 0; e < N; e++)
		for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]);
		     i++) {
			struct table t = good();

			store_le16(entry(&t, e) + 16, lengths[i]);
			is(&t, STAGE0_HASHES_MALFORMED);
		}
}

static void a_table_that_ends_early_is_incomplete(void **state)
{
	(void)state;
	for (int n = 0; n < N; n++) {
		struct table t = good();

		store_le16(t.b + 16, (uint16_t)(HEADER + n * ENTRY));
		memset(entry(&t, n), 0, (size_t)(N - n) * ENTRY);
		is(&t, STAGE0_HASHES_INCOMPLETE);
	}
}

static void each_of_the_three_is_needed(void **state)
{
	(void)state;
	for (int n = 0; n < N; n++) {
		struct table t = good();

		memmove(entry(&t, n), entry(&t, n + 1),
			(size_t)(N - 1 - n) * ENTRY);
		memset(entry(&t, N - 1), 0, ENTRY);
		store_le16(t.b + 16, TOTAL - ENTRY);
		is(&t, STAGE0_HASHES_INCOMPLETE);
	}
}

static void an_entry_twice_or_unknown_is_malformed(void **state)
{
	(void)state;
	for (int i = 0; i < N; i++) {
		struct table t = good();

		memcpy(entry(&t, i), entry(&t, (i + 1) % N), 16);
		is(&t, STAGE0_HASHES_MALFORMED);
		t = good();
		entry(&t, i)[3] ^= 0x40;
		is(&t, STAGE0_HASHES_MALFORMED);
	}
}

static void what_follows_the_table_is_zero(void **state)
{
	(void)state;
	for (int i = TOTAL; i < S0_HASHES_TABLE_LEN; i++) {
		struct table t = good();

		t.b[i] = 1;
		is(&t, STAGE0_HASHES_MALFORMED);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_as_qemu_makes_it_is_taken),
		cmocka_unit_test(the_order_of_entries_does_not_matter),
		cmocka_unit_test(zeros_or_noise_are_no_table),
		cmocka_unit_test(any_wrong_length_is_malformed),
		cmocka_unit_test(a_table_that_ends_early_is_incomplete),
		cmocka_unit_test(each_of_the_three_is_needed),
		cmocka_unit_test(an_entry_twice_or_unknown_is_malformed),
		cmocka_unit_test(what_follows_the_table_is_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
