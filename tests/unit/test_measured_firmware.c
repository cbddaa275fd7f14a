/*
 * tests/unit/test_measured_firmware.c - what is in the plan of a guest with
 * firmware, and which firmware cannot be launched.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/hash256_nettle.h"
#include "crypto/sev_measure.h"
#include "firmware/flash_image.h"
#include "firmware/kernel_image.h"
#include "tests/fake/fake_flash.h"
#include "tests/fake/fake_image.h"
#include "tests/unit/hex.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/measured_boot.h"

enum { LEN = 2 * FLASH_BLOCK, MILAN = 0x00a00f11 };

struct fixture {
	uint8_t image[LEN];
	struct fake_flash flash;
	struct flash_image firmware;
	int fd, kernel_fd, initrd_fd;
	struct kernel_image *kernel;
	struct measured_boot_args args;
	struct measured_boot *boot;
	struct hash256 *h;
	struct err err;
};

static void open_firmware(struct fixture *f)
{
	fake_flash_end(&f->flash);
	fd_closep(&f->fd);
	f->fd = fake_file(f->image, LEN);
	assert_int_equal(
		flash_image_open(f->fd, "a-firmware", &f->firmware, NULL), 0);
	f->args.firmware = &f->firmware;
}

static void open_kernel(struct fixture *f, struct fake_image *i)
{
	kernel_image_destroy(f->kernel);
	f->kernel = NULL;
	fd_closep(&f->kernel_fd);
	f->kernel_fd = fake_image_fd(i);
	fake_image_destroy(i);
	assert_int_equal(
		kernel_image_open(f->kernel_fd, "a-kernel", &f->kernel, NULL),
		0);
	f->args.kernel = f->kernel;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->fd = f->kernel_fd = -1;
	f->h = hash256_nettle_create();
	fake_flash_begin(&f->flash, f->image, LEN);
	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0x31000, 0x400);
	fake_flash_area(&f->flash, FAKE_FLASH_SECRET, 0x30000, 0x1000);
	fake_flash_u32(&f->flash, FAKE_FLASH_RESET, 0xfffe0123);
	open_firmware(f);
	open_kernel(f, fake_bzimage_create());
	f->initrd_fd = fake_file("fake initrd\n", 12);
	f->args.ram_bytes = MIB(64);
	f->args.n_cpus = 3;
	f->args.cmdline = "foo bar baz fake kernel=cmdline";
	f->args.cpu_signature = MILAN;
	return image_file_open(f->initrd_fd, "initrd", "an-initrd",
			       &f->args.initrd, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	measured_boot_destroy(f->boot);
	kernel_image_destroy(f->kernel);
	hash256_destroy(f->h);
	fd_closep(&f->fd);
	fd_closep(&f->kernel_fd);
	fd_closep(&f->initrd_fd);
	free(f);
	return 0;
}

static int make(struct fixture *f)
{
	measured_boot_destroy(f->boot);
	f->boot = NULL;
	return measured_boot_create(&f->args, &f->boot, &f->err);
}

static void is_refused(struct fixture *f, int code, const char *who,
		       const char *why)
{
	assert_int_equal(make(f), code);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, who));
	assert_non_null(strstr(f->err.msg, why));
	/* and it is known before there is a plan */
	assert_int_equal(measured_boot_check(&f->args, NULL), code);
}

static const struct launch_entry *entry(const struct fixture *f, size_t i)
{
	assert_true(i < f->boot->plan->n);
	return &f->boot->plan->entry[i];
}

static void image_and_hashes_are_launched(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f), 0);
	assert_int_equal(f->boot->plan->n, 2);
	assert_string_equal(entry(f, 0)->name, "firmware");
	assert_int_equal(entry(f, 0)->gpa, 0x100000000 - LEN);
	assert_int_equal(entry(f, 0)->len, LEN);
	assert_string_equal(entry(f, 1)->name, "hashes");
	assert_int_equal(entry(f, 1)->gpa, 0x31000);
	assert_int_equal(entry(f, 1)->len, 176);
	assert_int_equal(launch_plan_bytes(f->boot->plan), LEN + 176);
	assert_int_equal(f->boot->plan->secret_format, SEV_SECRET_TABLE);
	assert_int_equal(f->boot->plan->secret_gpa, 0x30000);
	assert_int_equal(f->boot->plan->secret_len, 0x1000);
	assert_string_equal(f->boot->cmdline, f->args.cmdline);
}

/* The table that QEMU makes of these three, as published with its test. */
static void the_table_is_that_of_qemu(void **state)
{
	struct fixture *f = *state;
	uint8_t kernel[HASH256_LEN], initrd[HASH256_LEN], digest[HASH256_LEN];

	hash256_of(f->h, "fake vmlinuz\n", 13, kernel);
	hash256_of(f->h, "fake initrd\n", 12, initrd);
	f->args.kernel_sha256 = kernel;
	f->args.initrd_sha256 = initrd;
	assert_int_equal(make(f), 0);
	assert_int_equal(
		launch_entry_digest(entry(f, 1), NULL, f->h, digest, NULL), 0);
	assert_hex(digest,
		   "bd485904c57ecbfa615c56afd8d0aa864121fbb987a78492cc4a417b"
		   "108991fc");
}

static void hashes_are_those_of_whole_files(void **state)
{
	struct fixture *f = *state;
	AUTO(fake_image_destroyp) struct fake_image *i = fake_bzimage_create();
	const struct image_file *kernel = &f->args.kernel->file;
	uint8_t want[HASH256_LEN], got[HASH256_LEN];

	assert_int_equal(measured_boot_hash(kernel, got, NULL), 0);
	hash256_of(f->h, i->data, i->len, want);
	assert_memory_equal(got, want, HASH256_LEN);
	assert_int_equal(measured_boot_hash(&f->args.initrd, got, NULL), 0);
	hash256_of(f->h, "fake initrd\n", 12, want);
	assert_memory_equal(got, want, HASH256_LEN);
	f->args.initrd.len = 0;
	assert_int_equal(measured_boot_hash(&f->args.initrd, got, NULL), 0);
	hash256_of(f->h, "", 0, want);
	assert_memory_equal(got, want, HASH256_LEN);
}

/* Stage0 and OVMF get the parts from fw_cfg, and hash what they get. */
static void a_unified_image_is_its_parts(void **state)
{
	struct fixture *f = *state;
	AUTO(fake_image_destroyp) struct fake_image *bz = fake_bzimage_create();
	uint8_t cmdline[HASH256_LEN], initrd[HASH256_LEN], kernel[HASH256_LEN];
	uint8_t table[SEV_KERNEL_HASHES_LEN], want[HASH256_LEN];
	uint8_t got[HASH256_LEN];

	open_kernel(f, fake_uki_create(bz->data, bz->len));
	f->args.initrd.len = 0;
	f->args.cmdline = NULL;
	hash256_of(f->h, "quiet", 6, cmdline);
	hash256_of(f->h, "initrd", 6, initrd);
	hash256_of(f->h, bz->data, bz->len, kernel);
	sev_kernel_hashes(cmdline, initrd, kernel, table);
	hash256_of(f->h, table, sizeof(table), want);
	assert_int_equal(make(f), 0);
	assert_int_equal(
		launch_entry_digest(entry(f, 1), NULL, f->h, got, NULL), 0);
	assert_memory_equal(got, want, HASH256_LEN);
	assert_string_equal(f->boot->cmdline, "quiet");
	f->args.cmdline = "given";
	assert_int_equal(make(f), 0);
	assert_string_equal(f->boot->cmdline, "given");
}

/* The command line is measured as it is: nothing can be added to it. */
static void a_small_guest_should_say_swiotlb(void **state)
{
	struct fixture *f = *state;

	f->args.ram_bytes = MIB(128);
	assert_true(measured_boot_lacks_swiotlb(&f->args));
	f->args.cmdline = "quiet swiotlb=8192";
	assert_false(measured_boot_lacks_swiotlb(&f->args));
	f->args.cmdline = NULL;
	f->args.ram_bytes = MIB(192);
	assert_false(measured_boot_lacks_swiotlb(&f->args));
	f->args.ram_bytes = MIB(6); /* no Linux */
	assert_false(measured_boot_lacks_swiotlb(&f->args));
	f->args.ram_bytes = MIB(128);
	f->args.firmware = NULL; /* a direct boot adds it */
	assert_false(measured_boot_lacks_swiotlb(&f->args));
}

static void without_a_kernel_there_are_no_hashes(void **state)
{
	struct fixture *f = *state;

	f->args.kernel = NULL;
	f->args.initrd.len = 0;
	f->args.cmdline = NULL;
	assert_int_equal(make(f), 0);
	assert_int_equal(f->boot->plan->n, 1);
	assert_false(f->boot->plan->covered & BIT64(LAUNCH_FACT_KERNEL));
}

/* Offsets are those of struct sev_es_save_area (Linux, asm/svm.h). */
static void every_cpu_has_its_registers(void **state)
{
	struct fixture *f = *state;

	f->args.is_es = true;
	assert_int_equal(make(f), 0);
	assert_int_equal(f->boot->plan->n, 2 + 3);
	for (size_t i = 0; i < 3; i++) {
		const uint8_t *page = entry(f, 2 + i)->data;

		assert_int_equal(load_le64(page + 0x18),
				 i ? 0xfffe0000 : 0xffff0000);
		assert_int_equal(load_le64(page + 0x178), i ? 0x123 : 0xfff0);
		assert_int_equal(load_le64(page + 0x310), MILAN);
		assert_int_equal(load_le16(page + 0x92), 0x8b); /* TR */
		assert_int_equal(load_le64(page + 0x158), 0x10);
		assert_int_equal(load_le32(page + 0x408), 0);
	}
	assert_int_equal(f->boot->entry.mode, BOOT_RESET);
	assert_int_equal(f->boot->entry.cs_base, 0xffff0000);
	assert_int_equal(f->boot->entry.rdx, MILAN);
}

static void firmware_without_a_place_for_hashes(void **state)
{
	struct fixture *f = *state;

	fake_flash_begin(&f->flash, f->image, LEN);
	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0, 0); /* Debian's */
	open_firmware(f);
	is_refused(f, -ENOTSUP, "a-firmware", "hashes of a kernel");
	f->args.kernel = NULL;
	assert_int_equal(make(f), 0);
	assert_int_equal(f->boot->plan->secret_len, 0);
}

static void firmware_without_a_start_for_other_cpus(void **state)
{
	struct fixture *f = *state;

	fake_flash_begin(&f->flash, f->image, LEN);
	fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0x31000, 0x400);
	open_firmware(f);
	f->args.is_es = true;
	is_refused(f, -ENOTSUP, "a-firmware", "SEV-ES");
	f->args.n_cpus = 1;
	assert_int_equal(make(f), 0);
	f->args.n_cpus = 3;
	f->args.is_es = false;
	assert_int_equal(make(f), 0);
}

static void areas_outside_of_ram_are_refused(void **state)
{
	static const uint32_t bases[] = {0x4000000, 0x3fffd00, 0x80000000,
					 0xffff0000};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(bases); i++) {
		fake_flash_begin(&f->flash, f->image, LEN);
		fake_flash_area(&f->flash, FAKE_FLASH_HASHES, bases[i], 0x400);
		open_firmware(f);
		is_refused(f, -ERANGE, "a-firmware", "hashes at");
		fake_flash_begin(&f->flash, f->image, LEN);
		fake_flash_area(&f->flash, FAKE_FLASH_HASHES, 0x31000, 0x400);
		fake_flash_area(&f->flash, FAKE_FLASH_SECRET, bases[i], 0x400);
		open_firmware(f);
		is_refused(f, -ERANGE, "a-firmware", "secrets at");
	}
}

static void kernels_that_are_no_bzimage_are_refused(void **state)
{
	struct fixture *f = *state;

	open_kernel(f, fake_vmlinux_create());
	is_refused(f, -ENOTSUP, "a-kernel", "bzImage");
}

static void a_kernel_that_shrank_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ftruncate(f->kernel_fd, 2048), 0);
	assert_int_equal(make(f), -ENODATA);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(image_and_hashes_are_launched),
		CASE(the_table_is_that_of_qemu),
		CASE(hashes_are_those_of_whole_files),
		CASE(a_unified_image_is_its_parts),
		CASE(a_small_guest_should_say_swiotlb),
		CASE(without_a_kernel_there_are_no_hashes),
		CASE(every_cpu_has_its_registers),
		CASE(firmware_without_a_place_for_hashes),
		CASE(firmware_without_a_start_for_other_cpus),
		CASE(areas_outside_of_ram_are_refused),
		CASE(kernels_that_are_no_bzimage_are_refused),
		CASE(a_kernel_that_shrank_is_an_error),
	};

	return cmocka_run_group_tests_name("measured_firmware", tests, NULL,
					   NULL);
}
