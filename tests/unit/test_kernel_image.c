/* tests/unit/test_kernel_image.c - kernels are recognised by content. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "firmware/kernel_image.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

/* Opening @fd (closed here) fails with @code; the message has @words. */
static void refused(int fd, int code, const char *words)
{
	AUTO(fd_closep) int owned = fd;
	struct kernel_image *k = NULL;
	struct err err = {0};

	assert_int_equal(kernel_image_open(owned, "dir/file", &k, &err), code);
	assert_null(k);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!strstr(err.msg, words) || !strstr(err.msg, "kernel 'dir/file'"))
		fail_msg("'%s' is not in: %s", words, err.msg);
}

static void a_bzimage_is_one_although_it_starts_like_a_pe_file(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *i = fake_bzimage_create();
	AUTO(kernel_image_destroyp) struct kernel_image *k = NULL;
	AUTO(fd_closep) int fd = fake_image_fd(i);

	(void)state;
	assert_int_equal(kernel_image_open(fd, "k", &k, NULL), 0);
	assert_int_equal(k->kind, KERNEL_IMAGE_BZIMAGE);
	assert_int_equal(k->bz.code_len, FAKE_BZ_CODE_LEN);
	assert_int_equal(k->file.len, i->len);
	assert_int_equal(k->cmdline_max, FAKE_BZ_CMDLINE_SIZE);
	assert_false(k->unified);
	assert_null(k->cmdline);
	assert_int_equal(k->initrd.len, 0);
}

static void an_elf_kernel_is_recognised(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *i = fake_vmlinux_create();
	AUTO(kernel_image_destroyp) struct kernel_image *k = NULL;
	AUTO(fd_closep) int fd = fake_image_fd(i);

	(void)state;
	assert_int_equal(kernel_image_open(fd, "k", &k, NULL), 0);
	assert_int_equal(k->kind, KERNEL_IMAGE_ELF_PVH);
	assert_int_equal(k->elf.pvh_entry, FAKE_ELF_ENTRY);
	assert_int_equal(k->cmdline_max, 2047);
}

static void a_unified_image_is_taken_apart(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *bz = fake_bzimage_create();
	AUTO(fake_image_destroyp)
	struct fake_image *i = fake_uki_create(bz->data, bz->len);
	AUTO(kernel_image_destroyp) struct kernel_image *k = NULL;
	AUTO(fd_closep) int fd = fake_image_fd(i);

	(void)state;
	assert_int_equal(kernel_image_open(fd, "k", &k, NULL), 0);
	assert_int_equal(k->kind, KERNEL_IMAGE_BZIMAGE);
	assert_true(k->unified);
	assert_string_equal(k->cmdline, "quiet");
	assert_int_equal(k->initrd.len, 6);
	assert_memory_equal(i->data + k->initrd.off, "initrd", 6);
	assert_memory_equal(i->data + k->file.off, bz->data, bz->len);
}

static void what_is_given_comes_before_an_images_own(void **state)
{
	struct image_file none = {.fd = -1}, given = {.fd = -1, .len = 5};
	struct kernel_image k = {.cmdline = (char *)"own",
				 .initrd = {.fd = -1, .len = 6}};

	(void)state;
	assert_string_equal(kernel_image_cmdline(&k, "given"), "given");
	assert_string_equal(kernel_image_cmdline(&k, ""), "own");
	assert_string_equal(kernel_image_cmdline(&k, NULL), "own");
	assert_ptr_equal(kernel_image_initrd(&k, &given), &given);
	assert_ptr_equal(kernel_image_initrd(&k, &none), &k.initrd);
	k.cmdline = NULL;
	assert_string_equal(kernel_image_cmdline(&k, NULL), "");
	k.initrd.len = 0;
	assert_int_equal(kernel_image_initrd(&k, &none)->len, 0);
}

static void a_unified_image_needs_a_bzimage_inside(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *gz = NULL;
	AUTO(fake_image_destroyp) struct fake_image *cut = NULL;
	AUTO(fake_image_destroyp) struct fake_image *bz = fake_bzimage_create();

	(void)state;
	gz = fake_uki_create("\x1f\x8b\x08", 3);
	refused(fake_image_fd(gz), -ENOEXEC,
		".linux section is not a bzImage; it looks like gzip");
	cut = fake_uki_create(bz->data, bz->len - 1);
	refused(fake_image_fd(cut), -EBADMSG, "it was cut");
}

static void what_is_no_kernel_is_described(void **state)
{
	(void)state;
	refused(fake_file("hello\n", 6), -ENOEXEC, "a text file");
	refused(fake_file("\x1f\x8b\x08\0", 4), -ENOEXEC, "gunzip");
	refused(fake_file("a\001", 2), -ENOEXEC, "too short");
	refused(fake_sparse_file(1 << 20), -ENOEXEC, "zeros");
	refused(fake_sparse_file(0), -ENODATA, "is empty");
	refused(open("/", O_RDONLY | O_CLOEXEC), -EISDIR, "is a directory");
	refused(fake_file("MZ\x90", 3), -ENODATA, "it was cut");
	refused(fake_file("\x7f"
			  "ELF",
			  4),
		-ENODATA, "it was cut");
}

static void parsers_errors_come_with_the_name(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *bz = fake_bzimage_create();
	AUTO(fake_image_destroyp) struct fake_image *elf = NULL;

	(void)state;
	store_le16(bz->data + 0x206, 0x200);
	refused(fake_image_fd(bz), -ENOEXEC, "boot protocol 2.00");
	elf = fake_vmlinux_create();
	elf->data[4] = 1;
	refused(fake_image_fd(elf), -ENOEXEC, "32-bit ELF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_bzimage_is_one_although_it_starts_like_a_pe_file),
		cmocka_unit_test(an_elf_kernel_is_recognised),
		cmocka_unit_test(a_unified_image_is_taken_apart),
		cmocka_unit_test(what_is_given_comes_before_an_images_own),
		cmocka_unit_test(a_unified_image_needs_a_bzimage_inside),
		cmocka_unit_test(what_is_no_kernel_is_described),
		cmocka_unit_test(parsers_errors_come_with_the_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
