/*
 * tests/unit/test_launch_hashes.c - which digests go into a launch, and which
 * of them are computed.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "firmware/kernel_image.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/err.h"
#include "vmm/config.h"
#include "vmm/config_boot.h"
#include "vmm/launch_hashes.h"

static const char initrd[] = "an initrd";

struct fixture {
	struct run_config c;
	struct config_images images;
	struct fake_image *kernel; /* what is in the kernel's file */
	struct launch_hashes is;
	struct hash256 *h;
	struct err err;
};

static void open_kernel(struct fixture *f, struct fake_image *i)
{
	struct input_file *file = &f->c.kernel_file;

	kernel_image_destroy(f->images.kernel);
	f->images.kernel = NULL;
	fake_image_destroy(f->kernel);
	input_file_close(file);
	f->kernel = i;
	*file = (struct input_file){.fd = fake_image_fd(i), .size = i->len};
	assert_int_equal(kernel_image_open(file->fd, "a-kernel",
					   &f->images.kernel, NULL),
			 0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct input_file *file;

	*state = f;
	f->h = hash256_nettle_create();
	run_config_init(&f->c);
	f->c.hash_cache = strdup("none");
	f->images.firmware.file.len = 1; /* there is one */
	open_kernel(f, fake_bzimage_create());
	file = &f->c.initrd_file;
	*file = (struct input_file){
		.fd = fake_file(initrd, sizeof(initrd)),
		.size = sizeof(initrd),
	};
	return image_file_open(file->fd, "initrd", "an-initrd",
			       &f->images.initrd, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_image_destroy(f->kernel);
	kernel_image_destroy(f->images.kernel);
	run_config_destroy(&f->c);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

static int find(struct fixture *f)
{
	return launch_hashes_find(&f->c, &f->images, &f->is, &f->err);
}

static void assert_digest(struct fixture *f, const uint8_t *is,
			  const void *data, size_t len)
{
	uint8_t want[HASH256_LEN];

	hash256_of(f->h, data, len, want);
	assert_memory_equal(is, want, sizeof(want));
}

static void whole_files_are_hashed(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(find(f), 0);
	assert_true(f->is.found);
	assert_digest(f, f->is.kernel, f->kernel->data, f->kernel->len);
	assert_digest(f, f->is.initrd, initrd, sizeof(initrd));
	assert_int_equal(f->is.read, f->kernel->len + sizeof(initrd));
	assert_int_equal(f->is.known, 0);
	assert_true(f->is.ns > 0);
}

static void without_an_initrd_there_is_the_hash_of_nothing(void **state)
{
	struct fixture *f = *state;

	f->images.initrd.len = 0;
	input_file_close(&f->c.initrd_file);
	assert_int_equal(find(f), 0);
	assert_digest(f, f->is.initrd, "", 0);
	assert_int_equal(f->is.read, f->kernel->len);
}

static void images_of_a_bundle_are_known(void **state)
{
	struct fixture *f = *state;

	f->c.kernel_file.hashed = true;
	memset(f->c.kernel_file.sha256, 7, HASH256_LEN);
	assert_int_equal(find(f), 0);
	assert_memory_equal(f->is.kernel, f->c.kernel_file.sha256, HASH256_LEN);
	assert_digest(f, f->is.initrd, initrd, sizeof(initrd));
	assert_int_equal(f->is.known, f->kernel->len);
	assert_int_equal(f->is.read, sizeof(initrd));
}

/* What is known of its file is not what is known of them. */
static void parts_of_a_unified_image_are_hashed(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *bz = fake_bzimage_create();
	struct fixture *f = *state;

	open_kernel(f, fake_uki_create(bz->data, bz->len));
	f->c.kernel_file.hashed = true;
	f->images.initrd.len = 0; /* it has one of its own */
	assert_int_equal(find(f), 0);
	assert_digest(f, f->is.kernel, bz->data, bz->len);
	assert_digest(f, f->is.initrd, "initrd", 6);
	assert_int_equal(f->is.known, 0);
}

static void a_direct_boot_or_a_disk_has_none(void **state)
{
	struct fixture *f = *state;
	struct kernel_image *k = f->images.kernel;

	f->images.firmware.file.len = 0;
	assert_int_equal(find(f), 0);
	assert_false(f->is.found);
	f->images.firmware.file.len = 1;
	f->images.kernel = NULL;
	assert_int_equal(find(f), 0);
	assert_false(f->is.found);
	f->images.kernel = k;
}

static void what_cannot_be_read_is_an_error(void **state)
{
	struct fixture *f = *state;

	f->images.initrd.len = sizeof(initrd) + 1; /* it became shorter */
	assert_int_equal(find(f), -ENODATA);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_false(f->is.found);
	free(f->c.hash_cache);
	f->c.hash_cache = strdup("/nonexistent/cache");
	assert_int_equal(find(f), -ENOENT);
	assert_non_null(strstr(f->err.msg, "--hash-cache"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		CASE(whole_files_are_hashed),
		CASE(without_an_initrd_there_is_the_hash_of_nothing),
		CASE(images_of_a_bundle_are_known),
		CASE(parts_of_a_unified_image_are_hashed),
		CASE(a_direct_boot_or_a_disk_has_none),
		CASE(what_cannot_be_read_is_an_error),
	};

	return cmocka_run_group_tests_name("launch_hashes", tests, NULL, NULL);
}
