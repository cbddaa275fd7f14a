/* tests/unit/test_elf_image.c - ELF kernels, good and damaged. */
#include "tests/unit/unit.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "firmware/elf_image.h"
#include "firmware/image_file.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

static int setup(void **state)
{
	*state = fake_vmlinux_create();
	return 0;
}

static int teardown(void **state)
{
	fake_image_destroy(*state);
	return 0;
}

static int parse(const struct fake_image *i, struct elf_image *ret,
		 struct err *err)
{
	AUTO(fd_closep) int fd = fake_image_fd(i);
	struct image_file f = {.fd = fd, .name = "k", .len = i->len};

	return elf_image_parse(&f, ret, err);
}

static void refused(const struct fake_image *i, int code, const char *words)
{
	struct err err = {0};
	struct elf_image elf = {.pvh_entry = 0xbeef};

	assert_int_equal(parse(i, &elf, &err), code);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in: %s", words, err.msg);
	assert_int_equal(elf.pvh_entry, 0xbeef); /* untouched */
}

static uint8_t *ehdr(struct fake_image *i, size_t field)
{
	return i->data + field;
}

static uint8_t *phdr(struct fake_image *i, size_t n, size_t field)
{
	return i->data + FAKE_ELF_PHDR + n * sizeof(Elf64_Phdr) + field;
}

#define EHDR(i, f) ehdr(i, offsetof(Elf64_Ehdr, f))
#define PHDR(i, n, f) phdr(i, n, offsetof(Elf64_Phdr, f))

static void segments_and_entry_are_found(void **state)
{
	struct elf_image elf;

	assert_int_equal(parse(*state, &elf, NULL), 0);
	assert_int_equal(elf.pvh_entry, FAKE_ELF_ENTRY);
	assert_int_equal(elf.n_segments, 2);
	assert_int_equal(elf.segments[0].gpa, FAKE_ELF_SEG0);
	assert_int_equal(elf.segments[0].file_off, 0x1000);
	assert_int_equal(elf.segments[0].file_len, FAKE_ELF_FILE_LEN);
	assert_int_equal(elf.segments[0].mem_len, FAKE_ELF_MEM_LEN);
	assert_int_equal(elf.segments[1].gpa, FAKE_ELF_SEG1);
}

static void segments_are_sorted_and_empty_ones_dropped(void **state)
{
	struct fake_image *i = *state;
	struct elf_image elf;

	store_le64(PHDR(i, 0, p_paddr), FAKE_ELF_SEG1);
	store_le64(PHDR(i, 1, p_paddr), FAKE_ELF_SEG0);
	assert_int_equal(parse(i, &elf, NULL), 0);
	assert_int_equal(elf.segments[0].gpa, FAKE_ELF_SEG0);
	assert_int_equal(elf.segments[0].file_off, 0x2000);
	store_le64(PHDR(i, 0, p_filesz), 0);
	store_le64(PHDR(i, 0, p_memsz), 0);
	assert_int_equal(parse(i, &elf, NULL), 0);
	assert_int_equal(elf.n_segments, 1);
}

static void an_entry_of_four_bytes_is_taken_too(void **state)
{
	struct fake_image *i = *state;
	struct elf_image elf;

	store_le32(i->data + FAKE_ELF_PVH_NOTE + 4, 4);
	memset(i->data + FAKE_ELF_PVH_NOTE + 20, 0xff, 4);
	assert_int_equal(parse(i, &elf, NULL), 0);
	assert_int_equal(elf.pvh_entry, FAKE_ELF_ENTRY);
}

static void notes_aligned_to_eight_are_walked(void **state)
{
	struct fake_image *i = *state;
	struct elf_image elf;

	/*
	 * The decoy: 12 + 4 bytes, a description of 4, then padding to 24
	 * instead of 20.
	 */
	store_le64(PHDR(i, 2, p_align), 8);
	store_le32(i->data + FAKE_ELF_NOTES + 4, 4);
	assert_int_equal(parse(i, &elf, NULL), 0);
	assert_int_equal(elf.pvh_entry, FAKE_ELF_ENTRY);
	store_le64(PHDR(i, 2, p_align), 4);
	assert_int_not_equal(parse(i, &elf, NULL), 0);
}

static void other_kinds_of_elf_are_named(void **state)
{
	struct fake_image *i = *state;

	store_le16(EHDR(i, e_machine), EM_AARCH64);
	refused(i, -ENOEXEC, "ARM64");
	store_le16(EHDR(i, e_machine), EM_ARM);
	refused(i, -ENOEXEC, "for ARM;");
	store_le16(EHDR(i, e_machine), EM_386);
	refused(i, -ENOEXEC, "32-bit x86");
	store_le16(EHDR(i, e_machine), 0x7777);
	refused(i, -ENOEXEC, "another machine");
	store_le16(EHDR(i, e_machine), EM_X86_64);
	i->data[EI_CLASS] = ELFCLASS32; /* x32 */
	refused(i, -ENOEXEC, "32-bit ELF");
	i->data[EI_CLASS] = ELFCLASS64;
	i->data[EI_DATA] = ELFDATA2MSB;
	refused(i, -ENOEXEC, "big-endian");
	i->data[EI_DATA] = ELFDATA2LSB;
	store_le16(EHDR(i, e_type), ET_DYN);
	refused(i, -ENOEXEC, "library");
	store_le16(EHDR(i, e_type), ET_REL);
	refused(i, -ENOEXEC, "module");
	store_le16(EHDR(i, e_type), ET_CORE);
	refused(i, -ENOEXEC, "core dump");
	i->data[0] = 0;
	refused(i, -ENOEXEC, "not an ELF");
}

static void a_kernel_without_a_pvh_note_is_refused(void **state)
{
	struct fake_image *i = *state;
	uint8_t *note = i->data + FAKE_ELF_PVH_NOTE;

	store_le32(note + 8, 17); /* another note of Xen's */
	refused(i, -ENOEXEC, "CONFIG_PVH");
	store_le32(note + 8, 18);
	note[12] = 'Y'; /* somebody else's */
	refused(i, -ENOEXEC, "CONFIG_PVH");
	note[12] = 'X';
	store_le32(note + 4, 5); /* not an address */
	refused(i, -ENOEXEC, "CONFIG_PVH");
	store_le32(note + 4, 8);
	store_le32(PHDR(i, 2, p_type), PT_NULL);
	refused(i, -ENOEXEC, "CONFIG_PVH");
}

static void nonsense_program_headers_are_refused(void **state)
{
	struct fake_image *i = *state;

	store_le16(EHDR(i, e_phnum), 0);
	refused(i, -EBADMSG, "0 program headers");
	store_le16(EHDR(i, e_phnum), 65);
	refused(i, -EBADMSG, "65 program headers");
	store_le16(EHDR(i, e_phnum), 0xffff);
	refused(i, -EBADMSG, "program headers");
	store_le16(EHDR(i, e_phnum), FAKE_ELF_PHDRS);
	store_le16(EHDR(i, e_phentsize), 32);
	refused(i, -EBADMSG, "of 32 bytes");
	store_le16(EHDR(i, e_phentsize), sizeof(Elf64_Phdr));
	store_le64(EHDR(i, e_phoff), i->len);
	refused(i, -ENODATA, "it was cut");
	store_le64(EHDR(i, e_phoff), UINT64_MAX - 8);
	refused(i, -ENODATA, "it was cut");
}

static void segments_that_lie_are_refused(void **state)
{
	struct fake_image *i = *state;

	store_le64(PHDR(i, 0, p_memsz), FAKE_ELF_FILE_LEN - 1);
	refused(i, -EBADMSG, "larger in the file");
	store_le64(PHDR(i, 0, p_memsz), 0);
	refused(i, -EBADMSG, "larger in the file");
	store_le64(PHDR(i, 0, p_memsz), UINT64_MAX - FAKE_ELF_SEG0 + 1);
	refused(i, -EBADMSG, "address space");
	store_le64(PHDR(i, 0, p_memsz), FAKE_ELF_MEM_LEN);
	store_le64(PHDR(i, 0, p_offset), i->len - FAKE_ELF_FILE_LEN + 1);
	refused(i, -EBADMSG, "end of the file");
	store_le64(PHDR(i, 0, p_offset), UINT64_MAX);
	refused(i, -EBADMSG, "end of the file");
}

static void overlapping_segments_are_refused(void **state)
{
	struct fake_image *i = *state;
	struct elf_image elf;

	store_le64(PHDR(i, 1, p_paddr), FAKE_ELF_SEG0 + FAKE_ELF_MEM_LEN);
	assert_int_equal(parse(i, &elf, NULL), 0); /* adjacent */
	store_le64(PHDR(i, 1, p_paddr), FAKE_ELF_SEG0 + FAKE_ELF_MEM_LEN - 1);
	refused(i, -EBADMSG, "overlap");
	store_le64(PHDR(i, 1, p_paddr), FAKE_ELF_SEG0);
	refused(i, -EBADMSG, "overlap");
}

static void nothing_to_load_is_refused(void **state)
{
	struct fake_image *i = *state;

	store_le32(PHDR(i, 0, p_type), PT_NULL);
	store_le32(PHDR(i, 1, p_type), PT_NULL);
	refused(i, -EBADMSG, "nothing to load");
}

static void more_segments_than_we_keep_are_refused(void **state)
{
	AUTO(fake_image_destroyp) struct fake_image *many = NULL;
	struct fake_image *i = *state;

	/* the table moves behind the file and grows */
	many = fake_image_create(NULL, i->len + 64 * sizeof(Elf64_Phdr));
	memcpy(many->data, i->data, i->len);
	store_le64(EHDR(many, e_phoff), i->len);
	store_le16(EHDR(many, e_phnum), ELF_IMAGE_MAX_SEGMENTS + 1);
	for (size_t n = 0; n <= ELF_IMAGE_MAX_SEGMENTS; n++) {
		uint8_t *p = many->data + i->len + n * sizeof(Elf64_Phdr);

		memcpy(p, PHDR(i, 0, p_type), sizeof(Elf64_Phdr));
		store_le64(p + offsetof(Elf64_Phdr, p_paddr),
			   FAKE_ELF_SEG0 + n * 0x100000);
	}
	refused(many, -EBADMSG, "more than 16 segments");
}

static void an_entry_outside_of_the_code_is_refused(void **state)
{
	struct fake_image *i = *state;
	uint8_t *entry = i->data + FAKE_ELF_PVH_NOTE + 16;

	store_le64(entry, FAKE_ELF_SEG0 - 1);
	refused(i, -EBADMSG, "PVH entry");
	store_le64(entry, FAKE_ELF_SEG0 + FAKE_ELF_FILE_LEN); /* its bss */
	refused(i, -EBADMSG, "PVH entry");
	store_le64(entry, FAKE_ELF_ENTRY | 1ull << 32);
	refused(i, -EBADMSG, "PVH entry");
	store_le64(PHDR(i, 0, p_paddr), 1ull << 32); /* 64-bit code there */
	store_le64(entry, (1ull << 32) + 0x40);
	refused(i, -EBADMSG, "PVH entry");
}

static void damaged_notes_are_refused(void **state)
{
	struct fake_image *i = *state;
	uint8_t *decoy = i->data + FAKE_ELF_NOTES;

	store_le32(decoy, UINT32_MAX); /* name length */
	refused(i, -EBADMSG, "a note");
	store_le32(decoy, 4);
	store_le32(decoy + 4, UINT32_MAX); /* description length */
	refused(i, -EBADMSG, "a note");
	store_le32(decoy + 4, 8);
	store_le64(PHDR(i, 2, p_filesz), FAKE_ELF_NOTES_LEN - 1);
	refused(i, -EBADMSG, "a note");
	store_le64(PHDR(i, 2, p_filesz), FAKE_ELF_NOTES_LEN + 1);
	refused(i, -EBADMSG, "its notes");
	store_le64(PHDR(i, 2, p_offset), UINT64_MAX);
	refused(i, -EBADMSG, "its notes");
}

static void endless_notes_are_refused(void **state)
{
	struct fake_image *i = *state;

	/* all zero: each note has 12 bytes, 1024 of them fit */
	memset(i->data + 0x1000, 0, 0x3000);
	store_le64(PHDR(i, 2, p_offset), 0x1000);
	store_le64(PHDR(i, 2, p_filesz), 0x3000);
	refused(i, -EBADMSG, "more than 256 notes");
}

static void a_cut_file_is_refused(void **state)
{
	struct fake_image *i = *state;

	i->len = FAKE_ELF_NOTES;
	refused(i, -EBADMSG, "its notes");
	i->len = 0x1fff;
	refused(i, -EBADMSG, "end of the file");
	i->len = FAKE_ELF_PHDR + 8;
	refused(i, -ENODATA, "it was cut");
	i->len = 20;
	refused(i, -ENODATA, "it was cut");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(segments_and_entry_are_found),
		CASE(segments_are_sorted_and_empty_ones_dropped),
		CASE(an_entry_of_four_bytes_is_taken_too),
		CASE(notes_aligned_to_eight_are_walked),
		CASE(other_kinds_of_elf_are_named),
		CASE(a_kernel_without_a_pvh_note_is_refused),
		CASE(nonsense_program_headers_are_refused),
		CASE(segments_that_lie_are_refused),
		CASE(overlapping_segments_are_refused),
		CASE(nothing_to_load_is_refused),
		CASE(more_segments_than_we_keep_are_refused),
		CASE(an_entry_outside_of_the_code_is_refused),
		CASE(damaged_notes_are_refused),
		CASE(endless_notes_are_refused),
		CASE(a_cut_file_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
