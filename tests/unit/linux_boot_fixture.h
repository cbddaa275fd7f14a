/*
 * tests/unit/linux_boot_fixture.h - a kernel, a machine, and the plan to boot
 * one on the other, for test_linux_boot.c and test_linux_boot_limits.c.
 */
#ifndef TESTS_UNIT_LINUX_BOOT_FIXTURE_H
#define TESTS_UNIT_LINUX_BOOT_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/kernel_image.h"
#include "firmware/linux_boot.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

/* A kernel, a machine and the arguments that go with them. */
struct fixture {
	struct fake_image *image;
	int fd;
	struct kernel_image *kernel;
	int initrd_fd;
	struct image_file initrd;
	uint64_t ram;
	struct e820_map e820;
	struct linux_boot_args args;
	struct linux_boot_plan *plan;
	struct err err;
};

static inline int setup_with(void **state, struct fake_image *image)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->image = image;
	f->fd = -1;
	f->initrd_fd = -1;
	f->ram = MIB(64);
	f->args.rsdp = 0xe0000;
	f->args.cmdline = "console=ttyS0";
	*state = f;
	return 0;
}

static inline int setup_bzimage(void **state)
{
	return setup_with(state, fake_bzimage_create());
}

static inline int setup_elf(void **state)
{
	return setup_with(state, fake_vmlinux_create());
}

static inline int teardown(void **state)
{
	struct fixture *f = *state;

	linux_boot_plan_destroy(f->plan);
	kernel_image_destroy(f->kernel);
	fake_image_destroy(f->image);
	fd_closep(&f->fd);
	fd_closep(&f->initrd_fd);
	free(f);
	return 0;
}

static inline void use_initrd(struct fixture *f, int fd)
{
	fd_closep(&f->initrd_fd);
	f->initrd_fd = fd;
	assert_int_equal(
		image_file_open(fd, "initrd", "an-initrd", &f->initrd, NULL),
		0);
	f->args.initrd = &f->initrd;
}

/* Plan with what the fixture says now. */
static inline int plan(struct fixture *f)
{
	kernel_image_destroy(f->kernel);
	linux_boot_plan_destroy(f->plan);
	f->kernel = NULL;
	f->plan = NULL;
	fd_closep(&f->fd);
	f->fd = fake_image_fd(f->image);
	assert_int_equal(kernel_image_open(f->fd, "a-kernel", &f->kernel, NULL),
			 0);
	if (!f->e820.n)
		e820_machine(f->ram, &f->e820);
	f->args.kernel = f->kernel;
	f->args.e820 = &f->e820;
	f->err = (struct err){0};
	return linux_boot_plan_create(&f->args, &f->plan, &f->err);
}

static inline int plan_with_ram(struct fixture *f, uint64_t ram)
{
	f->e820.n = 0;
	f->ram = ram;
	return plan(f);
}

static inline void refused(struct fixture *f, int code, enum err_kind kind,
			   const char *words)
{
	assert_int_equal(f->err.code, code);
	assert_int_equal(f->err.kind, kind);
	assert_null(f->plan);
	if (!strstr(f->err.msg, words))
		fail_msg("'%s' is not in: %s", words, f->err.msg);
}

/* The only piece of kind @what, or NULL. */
static inline const struct linux_boot_piece *piece(const struct fixture *f,
						   enum linux_boot_what what)
{
	const struct linux_boot_piece *found = NULL;

	for (size_t i = 0; i < f->plan->n; i++) {
		if (f->plan->piece[i].what != what)
			continue;
		assert_null(found);
		found = &f->plan->piece[i];
	}
	return found;
}

static inline void pieces_are_apart_and_in_ram(const struct fixture *f)
{
	for (size_t i = 0; i < f->plan->n; i++) {
		const struct linux_boot_piece *a = &f->plan->piece[i];

		assert_true(a->len > 0);
		for (size_t k = 0; k < i; k++) {
			const struct linux_boot_piece *b = &f->plan->piece[k];

			assert_false(
				range_overlaps(a->gpa, a->len, b->gpa, b->len));
		}
	}
}

enum { P_PADDR = 24, P_FILESZ = 32 }; /* in a program header */

static inline uint8_t *phdr(struct fixture *f, size_t n, size_t off)
{
	return f->image->data + FAKE_ELF_PHDR + n * 56 + off;
}

#define BZ(f) cmocka_unit_test_setup_teardown(f, setup_bzimage, teardown)
#define ELF(f) cmocka_unit_test_setup_teardown(f, setup_elf, teardown)

#endif
