/* tests/unit/test_linux_boot.c - plans, and what is in memory after them. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/bzimage.h"
#include "firmware/kernel_image.h"
#include "firmware/linux_boot.h"
#include "mem/guest_mem.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
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

static int setup_with(void **state, struct fake_image *image)
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

static int setup_bzimage(void **state)
{
	return setup_with(state, fake_bzimage_create());
}

static int setup_elf(void **state)
{
	return setup_with(state, fake_vmlinux_create());
}

static int teardown(void **state)
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

static void use_initrd(struct fixture *f, int fd)
{
	fd_closep(&f->initrd_fd);
	f->initrd_fd = fd;
	assert_int_equal(
		image_file_open(fd, "initrd", "an-initrd", &f->initrd, NULL),
		0);
	f->args.initrd = &f->initrd;
}

/* Plan with what the fixture says now. */
static int plan(struct fixture *f)
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

static int plan_with_ram(struct fixture *f, uint64_t ram)
{
	f->e820.n = 0;
	f->ram = ram;
	return plan(f);
}

static void refused(struct fixture *f, int code, enum err_kind kind,
		    const char *words)
{
	assert_int_equal(f->err.code, code);
	assert_int_equal(f->err.kind, kind);
	assert_null(f->plan);
	if (!strstr(f->err.msg, words))
		fail_msg("'%s' is not in: %s", words, f->err.msg);
}

/* The only piece of kind @what, or NULL. */
static const struct linux_boot_piece *piece(const struct fixture *f,
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

static void pieces_are_apart_and_in_ram(const struct fixture *f)
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

static struct guest_mem *load(struct fixture *f)
{
	struct guest_mem_opts opts = {0};
	struct guest_mem *mem = NULL;

	assert_int_equal(guest_mem_create(&opts, &mem, NULL), 0);
	assert_int_equal(guest_mem_add_machine_ram(mem, f->ram, NULL), 0);
	assert_int_equal(linux_boot_load(f->plan, mem, &f->err), 0);
	return mem;
}

static void memory_is(struct guest_mem *mem, gpa_t gpa, const void *want,
		      size_t len)
{
	uint8_t *buf = malloc(len);

	assert_int_equal(guest_mem_read(mem, gpa, buf, len), 0);
	assert_memory_equal(buf, want, len);
	free(buf);
}

static uint64_t memory_le64(struct guest_mem *mem, gpa_t gpa)
{
	uint8_t buf[8];

	assert_int_equal(guest_mem_read(mem, gpa, buf, 8), 0);
	return load_le64(buf);
}

static void a_bzimage_is_loaded_for_its_64_bit_entry(void **state)
{
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	struct fixture *f = *state;
	const struct boot_entry *e;

	use_initrd(f, fake_file("initrd", 6));
	assert_int_equal(plan(f), 0);
	pieces_are_apart_and_in_ram(f);
	mem = load(f);
	e = &f->plan->entry;
	assert_int_equal(e->mode, BOOT_LONG64);
	assert_int_equal(e->rip, FAKE_BZ_PREF + 0x200);
	assert_int_equal(e->rsi, LINUX_BOOT_PARAMS);
	assert_int_equal(e->rbx, 0);
	assert_int_equal(e->rsp, LINUX_BOOT_STACK_TOP);
	assert_int_equal(e->cr3, LINUX_BOOT_PAGE_TABLES);
	assert_int_equal(e->gdt_base, LINUX_BOOT_GDT);
	assert_int_equal(e->gdt_limit, 0x2f);
	memory_is(mem, FAKE_BZ_PREF, f->image->data + FAKE_BZ_CODE_OFF,
		  FAKE_BZ_CODE_LEN);
	memory_is(mem, MIB(64) - 4096, "initrd\0", 7);
	memory_is(mem, LINUX_BOOT_CMDLINE, "console=ttyS0", 14);
	memory_is(mem, LINUX_BOOT_PARAMS + 0x202, "HdrS", 4);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_PARAMS + 0x70), 0xe0000);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_PARAMS + 0x218),
			 6ull << 32 | (MIB(64) - 4096));
	assert_int_equal(memory_le64(mem, LINUX_BOOT_PARAMS + 0x250), 0);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_PAGE_TABLES),
			 LINUX_BOOT_PAGE_TABLES + 0x1003);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_GDT + BOOT_CS),
			 0x00af9b000000ffff);
}

static void the_32_bit_entry_has_no_page_tables(void **state)
{
	struct fixture *f = *state;

	f->args.entry32 = true;
	assert_int_equal(plan(f), 0);
	assert_int_equal(f->plan->entry.mode, BOOT_PROT32);
	assert_int_equal(f->plan->entry.rip, FAKE_BZ_PREF);
	assert_int_equal(f->plan->entry.rsi, LINUX_BOOT_PARAMS);
	assert_int_equal(f->plan->entry.cr3, 0);
	assert_null(piece(f, LINUX_BOOT_PIECE_PAGE_TABLES));
	assert_int_equal(
		load_le64(
			(const uint8_t *)piece(f, LINUX_BOOT_PIECE_GDT)->data +
			BOOT_CS),
		0x00cf9b000000ffff);
}

static void the_seed_is_passed_only_when_given(void **state)
{
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	struct fixture *f = *state;
	uint8_t seed[LINUX_BOOT_RNG_SEED];

	memset(seed, 0x77, sizeof(seed));
	assert_int_equal(plan(f), 0);
	assert_null(piece(f, LINUX_BOOT_PIECE_SETUP_DATA));
	f->args.rng_seed = seed;
	assert_int_equal(plan(f), 0);
	mem = load(f);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_PARAMS + 0x250),
			 LINUX_BOOT_SETUP_DATA);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_SETUP_DATA), 0);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_SETUP_DATA + 8),
			 32ull << 32 | 9);
	memory_is(mem, LINUX_BOOT_SETUP_DATA + 16, seed, sizeof(seed));
}

static void an_elf_kernel_is_loaded_for_its_pvh_entry(void **state)
{
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	struct fixture *f = *state;
	const struct boot_entry *e;

	use_initrd(f, fake_file("initrd", 6));
	assert_int_equal(plan(f), 0);
	pieces_are_apart_and_in_ram(f);
	mem = load(f);
	e = &f->plan->entry;
	assert_int_equal(e->mode, BOOT_PROT32);
	assert_int_equal(e->rip, FAKE_ELF_ENTRY);
	assert_int_equal(e->rbx, LINUX_BOOT_START_INFO);
	assert_int_equal(e->rsi, 0);
	assert_int_equal(e->cr3, 0);
	memory_is(mem, FAKE_ELF_SEG0, f->image->data + 0x1000,
		  FAKE_ELF_FILE_LEN);
	memory_is(mem, FAKE_ELF_SEG1, f->image->data + 0x2000,
		  FAKE_ELF_FILE_LEN);
	memory_is(mem, MIB(64) - 4096, "initrd\0", 7);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_START_INFO),
			 1ull << 32 | 0x336ec578);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_START_INFO + 24),
			 LINUX_BOOT_CMDLINE);
	assert_int_equal(memory_le64(mem, LINUX_BOOT_START_INFO + 0x40),
			 MIB(64) - 4096);
	assert_null(piece(f, LINUX_BOOT_PIECE_BOOT_PARAMS));
}

static void the_users_initrd_and_command_line_replace_a_ukis(void **state)
{
	struct fixture *f = *state;
	const struct fake_section s[] = {
		{".linux", f->image->data, f->image->len, 0},
		{".initrd", "built in", 8, 0},
		{".cmdline", "from the image\n", 15, 0},
	};
	struct fake_image *bz = f->image;

	f->image = fake_pe_create(s, 3);
	fake_image_destroy(bz);
	f->args.cmdline = "";
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->len, 8);
	assert_string_equal(piece(f, LINUX_BOOT_PIECE_CMDLINE)->data,
			    "from the image");
	f->args.cmdline = "from the user";
	use_initrd(f, fake_file("mine", 4));
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->len, 4);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_INITRD)->file.fd,
			 f->initrd_fd);
	assert_string_equal(piece(f, LINUX_BOOT_PIECE_CMDLINE)->data,
			    "from the user");
}

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

static uint8_t *phdr(struct fixture *f, size_t n, size_t off)
{
	return f->image->data + FAKE_ELF_PHDR + n * 56 + off;
}

enum { P_PADDR = 24, P_MEMSZ = 40 };

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

static void a_segment_that_is_all_zero_has_no_piece(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan(f), 0);
	store_le64(phdr(f, 1, 32), 0); /* p_filesz */
	assert_int_equal(plan(f), 0);
	assert_int_equal(piece(f, LINUX_BOOT_PIECE_KERNEL)->gpa, FAKE_ELF_SEG0);
}

static void a_file_that_shrinks_after_planning_is_noticed(void **state)
{
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	struct guest_mem_opts opts = {0};
	struct fixture *f = *state;

	use_initrd(f, fake_sparse_file(MIB(1)));
	assert_int_equal(plan(f), 0);
	assert_int_equal(ftruncate(f->initrd_fd, 4096), 0);
	assert_int_equal(guest_mem_create(&opts, &mem, NULL), 0);
	assert_int_equal(guest_mem_add_machine_ram(mem, f->ram, NULL), 0);
	assert_int_equal(linux_boot_load(f->plan, mem, &f->err), -ENODATA);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_string_equal(f->err.msg,
			    "'an-initrd' became shorter while it was loaded");
}

static void a_read_error_names_the_file(void **state)
{
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	struct guest_mem_opts opts = {0};
	struct fixture *f = *state;

	use_initrd(f, fake_sparse_file(MIB(1)));
	f->initrd.fd = -1;
	assert_int_equal(plan(f), 0);
	assert_int_equal(guest_mem_create(&opts, &mem, NULL), 0);
	assert_int_equal(guest_mem_add_machine_ram(mem, f->ram, NULL), 0);
	assert_int_equal(linux_boot_load(f->plan, mem, &f->err), -EBADF);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "cannot read 'an-initrd'"));
}

static void memory_unlike_the_map_is_our_own_mistake(void **state)
{
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	struct guest_mem_opts opts = {0};
	struct fixture *f = *state;

	assert_int_equal(plan(f), 0);
	assert_int_equal(guest_mem_create(&opts, &mem, NULL), 0);
	assert_int_equal(guest_mem_add_machine_ram(mem, MIB(8), NULL), 0);
	assert_int_equal(linux_boot_load(f->plan, mem, &f->err), -EFAULT);
	assert_int_equal(f->err.kind, ERR_INTERNAL);
}

#define BZ(f) cmocka_unit_test_setup_teardown(f, setup_bzimage, teardown)
#define ELF(f) cmocka_unit_test_setup_teardown(f, setup_elf, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		BZ(a_bzimage_is_loaded_for_its_64_bit_entry),
		BZ(the_32_bit_entry_has_no_page_tables),
		BZ(the_seed_is_passed_only_when_given),
		ELF(an_elf_kernel_is_loaded_for_its_pvh_entry),
		BZ(the_users_initrd_and_command_line_replace_a_ukis),
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
		ELF(a_segment_that_is_all_zero_has_no_piece),
		BZ(a_file_that_shrinks_after_planning_is_noticed),
		BZ(a_read_error_names_the_file),
		BZ(memory_unlike_the_map_is_our_own_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
