/* tests/unit/test_flash_image.c - what is no firmware is said to be none. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "firmware/flash_image.h"
#include "tests/fake/fake_flash.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/err.h"

enum { LEN = 3 * FLASH_BLOCK };

struct fixture {
	uint8_t image[LEN];
	struct fake_flash flash;
	struct flash_image got;
	struct err err;
	int fd;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->fd = -1;
	fake_flash_begin(&f->flash, f->image, LEN);
	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0x31000, 0x400);
	fake_flash_end(&f->flash);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fd_closep(&f->fd);
	free(f);
	return 0;
}

static int open_file(struct fixture *f, int fd)
{
	fd_closep(&f->fd);
	f->fd = fd;
	return flash_image_open(fd, "a-firmware", &f->got, &f->err);
}

static int open_image(struct fixture *f)
{
	return open_file(f, fake_file(f->image, LEN));
}

static void is_refused(struct fixture *f, int r, int code, const char *why)
{
	assert_int_equal(r, code);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "a-firmware"));
	assert_non_null(strstr(f->err.msg, why));
}

static void an_image_ends_at_4_gib(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_image(f), 0);
	assert_int_equal(f->got.base, 0x100000000 - LEN);
	assert_int_equal(f->got.file.len, LEN);
	assert_int_equal(f->got.footer.hashes.base, 0x31000);
}

static void the_table_is_found_in_an_image_of_any_size(void **state)
{
	struct fixture *f = *state;
	int fd = fake_sparse_file(MEM_FLASH_MAX);

	assert_int_equal(
		pwrite(fd, f->image, LEN, (off_t)(MEM_FLASH_MAX - LEN)), LEN);
	assert_int_equal(open_file(f, fd), 0);
	assert_int_equal(f->got.base, 0x100000000 - MEM_FLASH_MAX);
	assert_int_equal(f->got.footer.hashes.base, 0x31000);
}

static void sizes_that_cannot_be_are_refused(void **state)
{
	struct fixture *f = *state;

	is_refused(f, open_file(f, fake_file("", 0)), -ENODATA, "empty");
	is_refused(f, open_file(f, fake_file(f->image, LEN - 1)), -EINVAL,
		   "multiple of 4096");
	is_refused(f,
		   open_file(f, fake_sparse_file(MEM_FLASH_MAX + FLASH_BLOCK)),
		   -EFBIG, "8196 KiB");
}

static void a_blank_reset_vector_is_no_firmware(void **state)
{
	struct fixture *f = *state;

	memset(f->image + LEN - 16, 0, 16);
	is_refused(f, open_image(f), -ENOEXEC, "--nvram");
	memset(f->image + LEN - 16, 0xff, 16);
	is_refused(f, open_image(f), -ENOEXEC, "where a CPU starts");
	f->image[LEN - 1] = 0;
	assert_int_equal(open_image(f), 0);
}

static void a_table_that_lies_is_refused_by_name(void **state)
{
	struct fixture *f = *state;

	store_le16(f->image + LEN - 50, 3);
	is_refused(f, open_image(f), -EBADMSG, "table of GUIDs");
}

static int open_vars(struct fixture *f, uint64_t len, struct image_file *ret)
{
	int fd = fake_sparse_file(len);
	int r = flash_vars_open(fd, "a-firmware's vars", &f->got, ret, &f->err);

	close(fd);
	return r;
}

static void variables_and_image_fit_into_flash_together(void **state)
{
	struct fixture *f = *state;
	struct image_file v = {0};

	assert_int_equal(open_image(f), 0);
	assert_int_equal(open_vars(f, MEM_FLASH_MAX - LEN, &v), 0);
	assert_int_equal(v.len, MEM_FLASH_MAX - LEN);
	is_refused(f, open_vars(f, MEM_FLASH_MAX - LEN + FLASH_BLOCK, &v),
		   -EFBIG, "room for");
	is_refused(f, open_vars(f, 4095, &v), -EINVAL, "multiple");
	is_refused(f, open_vars(f, 0, &v), -ENODATA, "empty");
}

/* A store of edk2, @len bytes, whose header says @says. */
static int open_volume(struct fixture *f, size_t len, uint64_t says)
{
	uint8_t store[2 * FLASH_BLOCK] = {0};
	struct image_file v = {0};
	int fd, r;

	memcpy(store + 40, "_FVH", sizeof("_FVH"));
	store_le64(store + 32, says);
	fd = fake_file(store, len);
	r = flash_vars_open(fd, "a-firmware's vars", &f->got, &v, &f->err);
	close(fd);
	return r;
}

static void a_store_is_as_long_as_its_header_says(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_image(f), 0);
	assert_int_equal(open_volume(f, FLASH_BLOCK, FLASH_BLOCK), 0);
	is_refused(f, open_volume(f, FLASH_BLOCK, FLASH_BLOCK * 3), -EMSGSIZE,
		   "header says 12288");
}

static void a_store_of_another_edition_is_refused(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(open_image(f), 0);
	is_refused(f, open_volume(f, 2 * FLASH_BLOCK, 2 * FLASH_BLOCK),
		   -EMSGSIZE, "together they have 20 KiB");
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_image_ends_at_4_gib),
		CASE(the_table_is_found_in_an_image_of_any_size),
		CASE(sizes_that_cannot_be_are_refused),
		CASE(a_blank_reset_vector_is_no_firmware),
		CASE(a_table_that_lies_is_refused_by_name),
		CASE(variables_and_image_fit_into_flash_together),
		CASE(a_store_is_as_long_as_its_header_says),
		CASE(a_store_of_another_edition_is_refused),
	};

	return cmocka_run_group_tests_name("flash_image", tests, NULL, NULL);
}
