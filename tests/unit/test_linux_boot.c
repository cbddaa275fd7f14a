/* tests/unit/test_linux_boot.c - plans, and what is in memory after them. */
#include "tests/unit/linux_boot_fixture.h"

#include <errno.h>

#include "mem/guest_mem.h"
#include "vmm/base/bytes.h"

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

static void a_segment_that_is_all_zero_has_no_piece(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(plan(f), 0);
	store_le64(phdr(f, 1, P_FILESZ), 0);
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		BZ(a_bzimage_is_loaded_for_its_64_bit_entry),
		BZ(the_32_bit_entry_has_no_page_tables),
		BZ(the_seed_is_passed_only_when_given),
		ELF(an_elf_kernel_is_loaded_for_its_pvh_entry),
		BZ(the_users_initrd_and_command_line_replace_a_ukis),
		ELF(a_segment_that_is_all_zero_has_no_piece),
		BZ(a_file_that_shrinks_after_planning_is_noticed),
		BZ(a_read_error_names_the_file),
		BZ(memory_unlike_the_map_is_our_own_mistake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
