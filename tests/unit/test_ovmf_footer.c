/* tests/unit/test_ovmf_footer.c - tables of GUIDs, true ones and lies. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/ovmf_footer.h"
#include "tests/fake/fake_flash.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

enum { LEN = 4096 };

struct fixture {
	uint8_t image[LEN];
	struct fake_flash flash;
	struct ovmf_footer got;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	fake_flash_begin(&f->flash, f->image, LEN);
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static int parse(struct fixture *f)
{
	fake_flash_end(&f->flash);
	return ovmf_footer_parse(f->image, LEN, &f->got, &f->err);
}

static void all_three_blocks_are_found(void **state)
{
	struct fixture *f = *state;

	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0x31000, 0x400);
	fake_flash_u32(&f->flash, FAKE_FLASH_RESET, 0xfffff123);
	fake_flash_area(&f->flash, FAKE_FLASH_SECRET, 0x30000, 0x1000);
	assert_int_equal(parse(f), 0);
	assert_true(f->got.has_reset);
	assert_int_equal(f->got.reset, 0xfffff123);
	assert_int_equal(f->got.hashes.base, 0x31000);
	assert_int_equal(f->got.hashes.size, 0x400);
	assert_int_equal(f->got.secret.base, 0x30000);
	assert_int_equal(f->got.secret.size, 0x1000);
}

static void an_image_without_a_table_has_nothing(void **state)
{
	struct fixture *f = *state;

	memset(f->image, 0x90, LEN);
	assert_int_equal(ovmf_footer_parse(f->image, LEN, &f->got, NULL), 0);
	assert_false(f->got.has_reset);
	assert_int_equal(f->got.hashes.size, 0);
	assert_int_equal(ovmf_footer_parse(f->image, 40, &f->got, NULL), 0);
}

static void base_and_size_of_zero_mean_none(void **state)
{
	struct fixture *f = *state;

	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0, 0);
	fake_flash_area(&f->flash, FAKE_FLASH_SECRET, 0, 0x1000);
	assert_int_equal(parse(f), 0);
	assert_int_equal(f->got.hashes.size, 0);
	assert_int_equal(f->got.secret.size, 0);
}

static void what_is_not_known_is_passed_over(void **state)
{
	struct fixture *f = *state;

	fake_flash_u32(&f->flash, FAKE_FLASH_RESET, 7);
	fake_flash_u32(&f->flash, FAKE_FLASH_OTHER, 9);
	assert_int_equal(parse(f), 0);
	assert_int_equal(f->got.reset, 7);
}

static void a_reset_block_of_its_own_is_an_old_image(void **state)
{
	struct fixture *f = *state;

	fake_flash_old(f->image, LEN, 0x12345678);
	assert_int_equal(ovmf_footer_parse(f->image, LEN, &f->got, NULL), 0);
	assert_true(f->got.has_reset);
	assert_int_equal(f->got.reset, 0x12345678);
	/* and its length may lie as well */
	store_le16(f->image + LEN - 50, 21);
	assert_int_equal(ovmf_footer_parse(f->image, LEN, &f->got, &f->err),
			 -EBADMSG);
}

static void lies(struct fixture *f, const char *why)
{
	struct ovmf_footer before;

	memset(&f->got, 0x5a, sizeof(f->got));
	before = f->got;
	assert_int_equal(ovmf_footer_parse(f->image, LEN, &f->got, &f->err),
			 -EBADMSG);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, why));
	assert_memory_equal(&f->got, &before, sizeof(before));
}

/* The total length is at LEN - 50, the first entry's below it at LEN - 68. */
static void lengths_that_lie_are_refused(void **state)
{
	struct fixture *f = *state;

	fake_flash_u32(&f->flash, FAKE_FLASH_RESET, 7);
	fake_flash_end(&f->flash);
	store_le16(f->image + LEN - 50, 17);
	lies(f, "its length");
	store_le16(f->image + LEN - 50, 0xffff);
	lies(f, "its length");
	store_le16(f->image + LEN - 50, 18 + 22 + 5);
	lies(f, "cut off");
	store_le16(f->image + LEN - 50, 18 + 22);
	store_le16(f->image + LEN - 68, 17);
	lies(f, "length of an entry");
	store_le16(f->image + LEN - 68, 0);
	lies(f, "length of an entry");
	store_le16(f->image + LEN - 68, 23);
	lies(f, "length of an entry");
	store_le16(f->image + LEN - 68, 21);
	lies(f, "reset block");
}

static void an_area_is_eight_bytes(void **state)
{
	struct fixture *f = *state;

	fake_flash_u32(&f->flash, FAKE_FLASH_HASHES, 0x31000);
	fake_flash_end(&f->flash);
	lies(f, "no base and size");
}

static void an_area_does_not_wrap(void **state)
{
	struct fixture *f = *state;

	fake_flash_area(&f->flash, FAKE_FLASH_SECRET, 0xfffff000, 0x2000);
	fake_flash_end(&f->flash);
	lies(f, "wraps");
}

static void an_area_has_room_for_what_goes_there(void **state)
{
	struct fixture *f = *state;

	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0x31000, 175);
	fake_flash_end(&f->flash);
	lies(f, "too small");
}

static void an_area_is_where_a_launch_can_write(void **state)
{
	struct fixture *f = *state;

	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0x31008, 0x400);
	fake_flash_end(&f->flash);
	lies(f, "unaligned");
}

/* Which of the two would count is nobody's guess. */
static void a_block_is_there_once(void **state)
{
	struct fixture *f = *state;

	fake_flash_u32(&f->flash, FAKE_FLASH_RESET, 7);
	fake_flash_u32(&f->flash, FAKE_FLASH_RESET, 7);
	fake_flash_end(&f->flash);
	lies(f, "twice");
	fake_flash_begin(&f->flash, f->image, LEN);
	fake_flash_area(&f->flash, FAKE_FLASH_SECRET, 0, 0);
	fake_flash_area(&f->flash, FAKE_FLASH_SECRET, 0x30000, 0x1000);
	fake_flash_end(&f->flash);
	lies(f, "twice");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(all_three_blocks_are_found),
		CASE(an_image_without_a_table_has_nothing),
		CASE(base_and_size_of_zero_mean_none),
		CASE(what_is_not_known_is_passed_over),
		CASE(a_reset_block_of_its_own_is_an_old_image),
		CASE(lengths_that_lie_are_refused),
		CASE(an_area_is_eight_bytes),
		CASE(an_area_does_not_wrap),
		CASE(an_area_has_room_for_what_goes_there),
		CASE(an_area_is_where_a_launch_can_write),
		CASE(a_block_is_there_once),
	};

	return cmocka_run_group_tests_name("ovmf_footer", tests, NULL, NULL);
}
