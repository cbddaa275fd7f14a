/* tests/unit/test_s0_fw_cfg.c - stage0's side of fw_cfg. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/stage0/s0_fw_cfg.h"
#include "firmware/stage0/s0_sha256.h"
#include "tests/fake/fake_s0_io.h"
#include "vmm/base/bytes.h"

enum { KEY = 0x30, DIR_LEN = 4 + 300 * S0_FW_CFG_FILE_LEN };

struct fixture {
	struct fake_s0_io dev;
	struct s0_fw_cfg f;
	uint8_t *window;
	uint8_t dir[DIR_LEN];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->window = aligned_alloc(4096, 65 * 4096);
	assert_non_null(f->window);
	memset(f->window, 0xee, 65 * 4096);
	fake_s0_io_init(&f->dev);
	assert_int_equal(s0_fw_cfg_init(&f->f, &f->dev.io, f->window, true),
			 STAGE0_OK);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->window);
	free(f);
	return 0;
}

static void a_machine_without_fw_cfg_is_refused(void **state)
{
	struct fixture *f = *state;

	f->dev.no_fw_cfg = true;
	assert_int_equal(s0_fw_cfg_init(&f->f, &f->dev.io, f->window, true),
			 STAGE0_NO_FW_CFG);
}

static void fw_cfg_without_dma_is_refused(void **state)
{
	struct fixture *f = *state;

	f->dev.no_dma = true;
	assert_int_equal(s0_fw_cfg_init(&f->f, &f->dev.io, f->window, true),
			 STAGE0_NO_FW_CFG);
}

static void an_item_is_read_from_its_begin_every_time(void **state)
{
	struct fixture *f = *state;
	uint32_t v = 0;

	fake_s0_io_item(&f->dev, KEY, "\x78\x56\x34\x12zz", 6);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(s0_fw_cfg_read_le32(&f->f, KEY, &v),
				 STAGE0_OK);
		assert_int_equal(v, 0x12345678);
	}
}

static void a_short_item_is_filled_with_zeros(void **state)
{
	struct fixture *f = *state;
	char v[6] = "xxxxx";

	fake_s0_io_item(&f->dev, KEY, "ab", 2);
	assert_int_equal(s0_fw_cfg_read(&f->f, KEY, v, 5), STAGE0_OK);
	assert_memory_equal(v, "ab\0\0\0", 6);
}

static void more_than_the_window_is_our_mistake(void **state)
{
	struct fixture *f = *state;
	uint8_t v;

	assert_int_equal(s0_fw_cfg_read(&f->f, KEY, &v, S0_FW_CFG_CHUNK + 1),
			 STAGE0_INTERNAL);
}

static void an_error_of_the_device_is_ours(void **state)
{
	struct fixture *f = *state;
	uint8_t v = 7;

	f->dev.fail_dma = 1;
	assert_int_equal(s0_fw_cfg_read(&f->f, KEY, &v, 1),
			 STAGE0_FW_CFG_ERROR);
	assert_int_equal(v, 7);
}

static void a_device_that_never_answers_is_an_error(void **state)
{
	struct fixture *f = *state;
	uint8_t v;

	f->dev.never_done = true;
	assert_int_equal(s0_fw_cfg_read(&f->f, KEY, &v, 1),
			 STAGE0_FW_CFG_ERROR);
}

/* The content of a large item, and its hash by the code tested elsewhere. */
static uint8_t *large(size_t len, uint8_t hash[static S0_SHA256_LEN])
{
	uint8_t *data = malloc(len), *copy = malloc(len);
	struct s0_sha256 h;

	assert_true(data && copy);
	for (size_t i = 0; i < len; i++)
		data[i] = (uint8_t)(i * 7 + (i >> 8));
	s0_sha256_start(&h, s0_sha256_blocks_sse2);
	s0_sha256_copy(&h, copy, data, len);
	s0_sha256_finish(&h, hash);
	free(copy);
	return data;
}

static void private_memory_is_never_given_to_the_device(void **state)
{
	enum { LEN = 2 * S0_FW_CFG_CHUNK + 777 };
	struct fixture *f = *state;
	uint8_t want[S0_SHA256_LEN], is[S0_SHA256_LEN];
	uint8_t *data = large(LEN, want), *to = malloc(LEN);
	struct s0_sha256 h;

	assert_non_null(to);
	fake_s0_io_item(&f->dev, KEY, data, LEN);
	s0_sha256_start(&h, s0_sha256_blocks_sse2);
	assert_int_equal(s0_fw_cfg_load(&f->f, KEY, to, LEN, &h), STAGE0_OK);
	s0_sha256_finish(&h, is);
	assert_memory_equal(to, data, LEN);
	assert_memory_equal(is, want, sizeof(want));
	assert_int_equal(f->dev.dma, 3);
	assert_true(f->dev.dma_lowest >= (uintptr_t)f->window);
	assert_true(f->dev.dma_highest <=
		    (uintptr_t)f->window + S0_FW_CFG_WINDOW_MIN);

	memset(to, 0, LEN);
	assert_int_equal(s0_fw_cfg_load(&f->f, KEY, to, LEN, NULL), STAGE0_OK);
	assert_memory_equal(to, data, LEN);
	assert_true(f->dev.dma_highest <=
		    (uintptr_t)f->window + S0_FW_CFG_WINDOW_MIN);
	free(data);
	free(to);
}

/* Without encryption, but with a table of hashes. */
static void what_is_hashed_comes_through_the_window(void **state)
{
	enum { LEN = S0_FW_CFG_CHUNK + 777 };
	struct fixture *f = *state;
	uint8_t want[S0_SHA256_LEN], is[S0_SHA256_LEN];
	uint8_t *data = large(LEN, want), *to = malloc(LEN);
	struct s0_sha256 h;

	assert_non_null(to);
	f->f.bounce = false;
	fake_s0_io_item(&f->dev, KEY, data, LEN);
	s0_sha256_start(&h, s0_sha256_blocks_sse2);
	assert_int_equal(s0_fw_cfg_load(&f->f, KEY, to, LEN, &h), STAGE0_OK);
	s0_sha256_finish(&h, is);
	assert_memory_equal(to, data, LEN);
	assert_memory_equal(is, want, sizeof(want));
	assert_true(f->dev.dma_highest <=
		    (uintptr_t)f->window + S0_FW_CFG_WINDOW_MIN);
	free(data);
	free(to);
}

static void without_encryption_and_hash_one_transfer_does_it(void **state)
{
	enum { LEN = 2 * S0_FW_CFG_CHUNK + 777 };
	struct fixture *f = *state;
	uint8_t hash[S0_SHA256_LEN];
	uint8_t *data = large(LEN, hash), *to = malloc(LEN);

	assert_non_null(to);
	f->f.bounce = false;
	fake_s0_io_item(&f->dev, KEY, data, LEN);
	assert_int_equal(s0_fw_cfg_load(&f->f, KEY, to, LEN, NULL), STAGE0_OK);
	assert_memory_equal(to, data, LEN);
	assert_int_equal(f->dev.dma, 1);
	free(data);
	free(to);
}

static void a_large_transfer_that_fails_midway_is_an_error(void **state)
{
	enum { LEN = 2 * S0_FW_CFG_CHUNK };
	struct fixture *f = *state;
	uint8_t hash[S0_SHA256_LEN];
	uint8_t *data = large(LEN, hash), *to = malloc(LEN);

	assert_non_null(to);
	fake_s0_io_item(&f->dev, KEY, data, LEN);
	f->dev.fail_dma = 2;
	assert_int_equal(s0_fw_cfg_load(&f->f, KEY, to, LEN, NULL),
			 STAGE0_FW_CFG_ERROR);
	free(data);
	free(to);
}

static void put_file(struct fixture *f, uint32_t i, const char *name,
		     uint16_t key, uint32_t len)
{
	uint8_t *e = f->dir + 4 + (size_t)i * S0_FW_CFG_FILE_LEN;

	store_be32(e, len);
	store_be16(e + 4, key);
	memcpy(e + 8, name, strlen(name) + 1);
}

static void offer_dir(struct fixture *f, uint32_t n)
{
	store_be32(f->dir, n);
	fake_s0_io_item(&f->dev, S0_FW_CFG_FILE_DIR, f->dir, sizeof(f->dir));
}

static void a_file_is_found_by_its_whole_name(void **state)
{
	struct fixture *f = *state;
	uint32_t len = 0;
	uint16_t key = 0;

	put_file(f, 0, "etc/e820-other", 0x21, 1);
	put_file(f, 1, "etc/e8", 0x22, 2);
	put_file(f, 2, "etc/e820", 0x23, 1234);
	offer_dir(f, 3);
	assert_int_equal(s0_fw_cfg_find(&f->f, "etc/e820", &key, &len),
			 STAGE0_OK);
	assert_int_equal(key, 0x23);
	assert_int_equal(len, 1234);
}

static void a_file_that_is_not_there_is_fine(void **state)
{
	struct fixture *f = *state;
	uint16_t key = 1;
	uint32_t len;

	put_file(f, 0, "etc/other", 0x21, 1);
	put_file(f, 1, "etc/e820", 0x22, 1); /* behind the last one */
	offer_dir(f, 1);
	assert_int_equal(s0_fw_cfg_find(&f->f, "etc/e820", &key, &len),
			 STAGE0_OK);
	assert_int_equal(key, 0);
}

static void a_directory_without_end_is_malformed(void **state)
{
	struct fixture *f = *state;
	uint16_t key;
	uint32_t len;

	offer_dir(f, S0_FW_CFG_FILES_MAX + 1);
	assert_int_equal(s0_fw_cfg_find(&f->f, "etc/e820", &key, &len),
			 STAGE0_FW_CFG_FILES);
	store_be32(f->dir, UINT32_MAX);
	assert_int_equal(s0_fw_cfg_find(&f->f, "etc/e820", &key, &len),
			 STAGE0_FW_CFG_FILES);
}

static void a_name_without_end_is_malformed(void **state)
{
	struct fixture *f = *state;
	uint16_t key;
	uint32_t len;

	memset(f->dir + 4 + 8, 'a', 56);
	offer_dir(f, 1);
	assert_int_equal(s0_fw_cfg_find(&f->f, "etc/e820", &key, &len),
			 STAGE0_FW_CFG_FILES);
}

static void errors_while_looking_are_passed_on(void **state)
{
	struct fixture *f = *state;
	uint16_t key;
	uint32_t len;

	offer_dir(f, 1);
	for (unsigned int i = 1; i <= 2; i++) {
		f->dev.dma = 0;
		f->dev.fail_dma = i;
		assert_int_equal(s0_fw_cfg_find(&f->f, "etc/e820", &key, &len),
				 STAGE0_FW_CFG_ERROR);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_machine_without_fw_cfg_is_refused),
		TEST(fw_cfg_without_dma_is_refused),
		TEST(an_item_is_read_from_its_begin_every_time),
		TEST(a_short_item_is_filled_with_zeros),
		TEST(more_than_the_window_is_our_mistake),
		TEST(an_error_of_the_device_is_ours),
		TEST(a_device_that_never_answers_is_an_error),
		TEST(private_memory_is_never_given_to_the_device),
		TEST(what_is_hashed_comes_through_the_window),
		TEST(without_encryption_and_hash_one_transfer_does_it),
		TEST(a_large_transfer_that_fails_midway_is_an_error),
		TEST(a_file_is_found_by_its_whole_name),
		TEST(a_file_that_is_not_there_is_fine),
		TEST(a_directory_without_end_is_malformed),
		TEST(a_name_without_end_is_malformed),
		TEST(errors_while_looking_are_passed_on),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
