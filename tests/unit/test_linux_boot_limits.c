/*
 * tests/unit/test_linux_boot_limits.c - where things go, and what is said when
 * they fit nowhere.
 */
#include "tests/unit/linux_boot_fixture.h"

#include <errno.h>

#include "firmware/bzimage.h"
#include "vmm/base/bytes.h"

static void the_command_line_may_be_missing_or_just_fit(void **state)
{
	struct fixture *f = *state;
	char line[FAKE_BZ_CMDLINE_SIZE + 2] = "";

	f->args.cmdline = NULL;
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_CMDLINE)->len, 1);
	memset(line, 'a', FAKE_BZ_CMDLINE_SIZE);
	f->args.cmdline = line;
	assert_int_equal(plan(f), 0);
	line[FAKE_BZ_CMDLINE_SIZE] = 'a';
	assert_int_equal(plan(f), -E2BIG);
	refused(f, -E2BIG, ERR_USAGE,
		"has 2048 characters; kernel 'a-kernel' takes at most 2047");
}

static void our_own_limit_bounds_a_generous_kernel(void **state)
{
	struct fixture *f = *state;
	char *line = calloc(1, LINUX_BOOT_CMDLINE_SIZE + 1);

	store_le32(f->image->data + 0x238, UINT32_MAX);
	memset(line, 'a', LINUX_BOOT_CMDLINE_SIZE - 1);
	f->args.cmdline = line;
	assert_int_equal(plan(f), 0);
	pieces_are_apart_and_in_ram(f);
	line[LINUX_BOOT_CMDLINE_SIZE - 1] = 'a';
	assert_int_equal(plan(f), -E2BIG);
	refused(f, -E2BIG, ERR_USAGE, "at most 65535");
	free(line);
}

static void a_ukis_own_command_line_too_long_is_the_files_fault(void **state)
{
	struct fixture *f = *state;
	char line[FAKE_BZ_CMDLINE_SIZE + 1];
	const struct fake_section s[] = {
		{".linux", f->image->data, f->image->len, 0},
		{".cmdline", line, sizeof(line), 0},
	};
	struct fake_image *bz = f->image;

	memset(line, 'a', sizeof(line));
	f->image = fake_pe_create(s, 2);
	fake_image_destroy(bz);
	f->args.cmdline = NULL;
	assert_int_equal(plan(f), -E2BIG);
	refused(f, -E2BIG, ERR_INPUT, "in the unified kernel image");
}

static void a_kernel_that_does_not_fit_says_what_it_needs(void **state)
{
	struct fixture *f = *state;

	/* 16 MiB + init_size of 3 MiB */
	assert_int_equal(plan_with_ram(f, MIB(19)), 0);
	assert_int_equal(plan_with_ram(f, MIB(19) - 4096), -ENOSPC);
	refused(f, -ENOSPC, ERR_USAGE,
		"needs at least 19 MiB of memory, and the guest has 18");
	assert_int_equal(plan_with_ram(f, MIB(8)), -ENOSPC);
	refused(f, -ENOSPC, ERR_USAGE,
		"needs at least 19 MiB of memory, and the guest has 8");
}

static void a_relocatable_kernel_moves_up_never_down(void **state)
{
	struct fixture *f = *state;

	/* below 1 MiB: where the next aligned address is */
	store_le64(f->image->data + 0x258, 0x10000);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa, MIB(2));
	/* however small and undemanding it is */
	store_le32(f->image->data + 0x230, 0x1000);
	store_le32(f->image->data + 0x260, FAKE_BZ_CODE_LEN);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa, MIB(1));
	store_le32(f->image->data + 0x230, MIB(2));
	store_le32(f->image->data + 0x260, FAKE_BZ_INIT_SIZE);
	/* no preference */
	store_le64(f->image->data + 0x258, 0);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa, MIB(2));
	/* misaligned */
	store_le64(f->image->data + 0x258, MIB(16) + 1);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa, MIB(18));
	/* something reserved in the way */
	store_le64(f->image->data + 0x258, MIB(16));
	e820_add(&f->e820, MIB(18), 4096, E820_RESERVED);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa, MIB(20));
	assert_int_equal(f->plan->entry.rip, MIB(20) + 0x200);
}

static void a_fixed_kernel_goes_exactly_where_it_says(void **state)
{
	struct fixture *f = *state;

	f->image->data[0x234] = 0;
	store_le64(f->image->data + 0x258, MIB(16) + 0x1000);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa,
			 MIB(16) + 0x1000);
	store_le64(f->image->data + 0x258, 0); /* boot.rst: 1 MiB */
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa, MIB(1));
	/* over our own structures, or over reserved memory */
	store_le64(f->image->data + 0x258, LINUX_BOOT_LOW_END);
	assert_int_equal(plan(f), -ENOSPC);
	store_le32(f->image->data + 0x260, FAKE_BZ_CODE_LEN);
	assert_int_equal(plan(f), 0);
	store_le64(f->image->data + 0x258, LINUX_BOOT_LOW_END - 1);
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "where no guest has that much RAM");
	store_le32(f->image->data + 0x260, FAKE_BZ_INIT_SIZE);
	store_le64(f->image->data + 0x258, MIB(16));
	e820_add(&f->e820, MIB(18), 4096, E820_RESERVED);
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "between the reserved areas");
}

static void wishes_no_machine_can_grant_are_the_kernels_fault(void **state)
{
	struct fixture *f = *state;
	static const uint64_t addresses[] = {
		GIB(2) - MIB(1), GIB(2),    GIB(4) - 1,
		GIB(4),		 BIT64(63), UINT64_MAX,
	};

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		store_le64(f->image->data + 0x258, addresses[i]);
		for (uint8_t relocatable = 0; relocatable < 2; relocatable++) {
			f->image->data[0x234] = relocatable;
			assert_int_equal(plan(f), -ENOSPC);
			refused(f, -ENOSPC, ERR_INPUT, "no guest has");
		}
	}
	store_le64(f->image->data + 0x258, MIB(16));
	store_le32(f->image->data + 0x260, UINT32_MAX); /* init_size */
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "no guest has");
	store_le32(f->image->data + 0x260, FAKE_BZ_INIT_SIZE);
	store_le32(f->image->data + 0x230, BIT32(31)); /* alignment */
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "no guest has");
}

static void the_initrd_goes_as_high_as_the_kernel_permits(void **state)
{
	struct fixture *f = *state;

	use_initrd(f, fake_sparse_file(MIB(1) + 1));
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->gpa,
			 MIB(63) - 4096);
	store_le32(f->image->data + 0x22c, MIB(32) - 1);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->gpa,
			 MIB(31) - 4096);
	/* what would overlap [16, 19) MiB goes below it */
	store_le32(f->image->data + 0x22c, MIB(20) - 1);
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->gpa,
			 MIB(15) - 4096);
}

static void an_initrd_that_does_not_fit_says_what_it_needs(void **state)
{
	struct fixture *f = *state;

	store_le16(f->image->data + 0x236, XLF_KERNEL_64); /* low only */
	use_initrd(f, fake_sparse_file(MIB(50) + 1));
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_USAGE,
		"initrd 'an-initrd' does not fit: it needs at least 70 MiB of "
		"memory, and the guest has 64");
	assert_int_equal(plan_with_ram(f, MIB(69)), -ENOSPC);
	assert_int_equal(plan_with_ram(f, MIB(70)), 0);
}

static void an_initrd_no_guest_can_hold_is_refused(void **state)
{
	struct fixture *f = *state;

	store_le16(f->image->data + 0x236, XLF_KERNEL_64);
	use_initrd(f, fake_sparse_file(GIB(2)));
	assert_int_equal(plan_with_ram(f, GIB(16)), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT,
		"has 2048 MiB; kernel 'a-kernel' takes at most 2029 MiB");
	store_le32(f->image->data + 0x22c, 0); /* initrd_addr_max */
	use_initrd(f, fake_file("a", 1));
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "takes at most 0 MiB");
}

static void a_large_initrd_goes_above_four_gib_if_allowed(void **state)
{
	struct fixture *f = *state;

	use_initrd(f, fake_sparse_file(GIB(2)));
	assert_int_equal(plan_with_ram(f, GIB(4) - 4096), -ENOSPC);
	refused(f, -ENOSPC, ERR_USAGE, "needs at least 4096 MiB");
	assert_int_equal(plan_with_ram(f, GIB(4)), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->gpa, GIB(4));
	use_initrd(f, fake_sparse_file(MEM_RAM_MAX));
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "takes at most 2029 MiB");
}

static void a_pvh_kernels_initrd_stays_below_four_gib(void **state)
{
	struct fixture *f = *state;

	/* the first segment where its address could pass for xloadflags */
	store_le64(phdr(f, 0, P_PADDR), 0x1020000);
	store_le64(f->image->data + FAKE_ELF_PVH_NOTE + 16, 0x1020000);
	use_initrd(f, fake_sparse_file(GIB(2)));
	assert_int_equal(plan_with_ram(f, GIB(16)), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "has 2048 MiB");
}

static void an_initrd_keeps_off_a_segments_bss(void **state)
{
	struct fixture *f = *state;

	use_initrd(f, fake_file("a", 1));
	assert_int_equal(plan_with_ram(f, FAKE_ELF_SEG1 + 0x3000), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->gpa,
			 FAKE_ELF_SEG1 - 0x1000);
	/* just what is between the segments */
	use_initrd(f, fake_sparse_file(MIB(4) - 0x3000));
	assert_int_equal(plan_with_ram(f, FAKE_ELF_SEG1 + 0x3000), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->gpa,
			 FAKE_ELF_SEG0 + 0x3000);
}

static void a_segment_over_boot_data_is_refused(void **state)
{
	struct fixture *f = *state;

	store_le64(phdr(f, 1, P_PADDR), LINUX_BOOT_LOW_END - 1);
	assert_int_equal(plan(f), -EBADMSG);
	refused(f, -EBADMSG, ERR_INPUT, "at 0x1ffff would overwrite boot data");
	store_le64(phdr(f, 1, P_PADDR), 0);
	assert_int_equal(plan(f), -EBADMSG);
	store_le64(phdr(f, 1, P_PADDR), LINUX_BOOT_LOW_END);
	assert_int_equal(plan(f), 0);
	pieces_are_apart_and_in_ram(f);
}

static void a_segment_outside_of_ram_is_refused(void **state)
{
	struct fixture *f = *state;

	store_le64(phdr(f, 1, P_PADDR), MIB(64) - 0x2fff);
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_USAGE, "needs at least 65 MiB");
	store_le64(phdr(f, 1, P_PADDR), MEM_BIOS_BASE);
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "no guest has");
	store_le64(phdr(f, 1, P_PADDR), MEM_ECAM_BASE);
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "no guest has");
	store_le64(phdr(f, 1, P_PADDR), BIT64(63));
	assert_int_equal(plan(f), -ENOSPC);
	refused(f, -ENOSPC, ERR_INPUT, "no guest has");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		BZ(the_command_line_may_be_missing_or_just_fit),
		BZ(our_own_limit_bounds_a_generous_kernel),
		BZ(a_ukis_own_command_line_too_long_is_the_files_fault),
		BZ(a_kernel_that_does_not_fit_says_what_it_needs),
		BZ(a_relocatable_kernel_moves_up_never_down),
		BZ(a_fixed_kernel_goes_exactly_where_it_says),
		BZ(wishes_no_machine_can_grant_are_the_kernels_fault),
		BZ(the_initrd_goes_as_high_as_the_kernel_permits),
		BZ(an_initrd_that_does_not_fit_says_what_it_needs),
		BZ(an_initrd_no_guest_can_hold_is_refused),
		BZ(a_large_initrd_goes_above_four_gib_if_allowed),
		ELF(a_pvh_kernels_initrd_stays_below_four_gib),
		ELF(an_initrd_keeps_off_a_segments_bss),
		ELF(a_segment_over_boot_data_is_refused),
		ELF(a_segment_outside_of_ram_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
