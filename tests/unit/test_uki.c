/* tests/unit/test_uki.c - unified kernel images, good and damaged. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/uki.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

static const struct fake_section usual[] = {
	{".text", "stub", 4, 0},
	{".cmdline", "  quiet\tsplash \n\0junk", 21, 0},
	{".linux", "the kernel", 10, 0x100000}, /* as ukify(1) does */
	{".initrd", "the initrd", 10, 0},
};

enum { N_USUAL = 4, HEADER = FAKE_PE_SECTIONS };

static int parse(const struct fake_image *i, struct uki *ret, struct err *err)
{
	AUTO(fd_closep) int fd = fake_image_fd(i);
	struct image_file f = {.fd = fd, .name = "k", .len = i->len};

	return uki_parse(&f, ret, err);
}

static void refused(const struct fake_image *i, int code, const char *words)
{
	struct err err = {0};
	struct uki u;

	assert_int_equal(parse(i, &u, &err), code);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in: %s", words, err.msg);
}

static int setup(void **state)
{
	*state = fake_pe_create(usual, N_USUAL);
	return 0;
}

static int teardown(void **state)
{
	fake_image_destroy(*state);
	return 0;
}

/* The window @f of @i holds @text, and perhaps padding. */
static void window_is(const struct fake_image *i, const struct image_file *f,
		      const char *text)
{
	assert_true(f->len >= strlen(text));
	assert_memory_equal(i->data + f->off, text, strlen(text));
}

static void the_sections_are_found(void **state)
{
	const struct fake_image *i = *state;
	struct uki u;

	assert_int_equal(parse(i, &u, NULL), 0);
	window_is(i, &u.linux_file, "the kernel");
	assert_int_equal(u.linux_file.len, 512); /* not the virtual size */
	window_is(i, &u.initrd, "the initrd");
	assert_int_equal(u.initrd.len, 10); /* not the padded size */
	assert_int_equal(u.cmdline.len, 21);
}

static void initrd_and_cmdline_may_be_missing(void **state)
{
	AUTO(fake_image_destroyp)
	struct fake_image *i = fake_pe_create(&usual[2], 1);
	struct uki u;

	(void)state;
	assert_int_equal(parse(i, &u, NULL), 0);
	assert_int_equal(u.initrd.len, 0);
	assert_int_equal(u.cmdline.len, 0);
}

static void the_first_profile_is_taken(void **state)
{
	static const struct fake_section s[] = {
		{".linux", "the kernel", 10, 0},
		{".cmdline", "base", 4, 0},
		{".initrd", "shared", 6, 0},
		{".profile", "ID=main", 7, 0},
		{".cmdline", "main", 4, 0},
		{".profile", "ID=rescue", 9, 0},
		{".cmdline", "rescue", 6, 0},
		{".initrd", "rescue", 6, 0},
	};
	AUTO(fake_image_destroyp) struct fake_image *i = fake_pe_create(s, 8);
	struct uki u;

	(void)state;
	assert_int_equal(parse(i, &u, NULL), 0);
	window_is(i, &u.cmdline, "main");
	window_is(i, &u.initrd, "shared");
	window_is(i, &u.linux_file, "the kernel");
}

static void a_section_twice_is_refused(void **state)
{
	static const struct fake_section s[] = {
		{".linux", "a", 1, 0},
		{".linux", "b", 1, 0},
	};
	AUTO(fake_image_destroyp) struct fake_image *i = fake_pe_create(s, 2);

	(void)state;
	refused(i, -EBADMSG, "two sections .linux");
}

static void a_program_that_is_no_uki_is_refused(void **state)
{
	AUTO(fake_image_destroyp)
	struct fake_image *plain = fake_pe_create(usual, 2);
	AUTO(fake_image_destroyp) struct fake_image *dos = NULL;
	struct fake_image *i = *state;

	refused(plain, -ENOEXEC, "without a .linux section");
	store_le16(i->data + 0x44, 0xaa64);
	refused(i, -ENOEXEC, "0xaa64");
	store_le16(i->data + 0x44, 0x8664);
	store_le16(i->data + 0x58, 0x10b); /* PE32 */
	refused(i, -ENOEXEC, "not x86-64");
	dos = fake_image_create("MZ", 2);
	refused(dos, -ENODATA, "it was cut");
	i->data[0x40] = 0;
	refused(i, -ENOEXEC, "DOS program");
}

static void a_pe_header_past_the_end_is_refused(void **state)
{
	struct fake_image *i = *state;

	store_le32(i->data + 0x3c, (uint32_t)i->len - 25);
	refused(i, -ENOEXEC, "DOS program");
	store_le32(i->data + 0x3c, UINT32_MAX);
	refused(i, -ENOEXEC, "DOS program");
}

static void nonsense_section_counts_are_refused(void **state)
{
	struct fake_image *i = *state;

	store_le16(i->data + 0x46, 0);
	refused(i, -EBADMSG, "0 sections");
	store_le16(i->data + 0x46, UKI_MAX_SECTIONS + 1);
	refused(i, -EBADMSG, "97 sections");
	store_le16(i->data + 0x46, UKI_MAX_SECTIONS); /* more than the file */
	refused(i, -ENODATA, "it was cut");
	store_le16(i->data + 0x46, N_USUAL);
	store_le16(i->data + 0x54, 0xffff); /* optional header */
	refused(i, -ENODATA, "it was cut");
}

static void a_section_past_the_end_is_refused(void **state)
{
	struct fake_image *i = *state;
	uint8_t *initrd = i->data + HEADER + (size_t)3 * FAKE_PE_SECTION_LEN;

	store_le32(initrd + 20, (uint32_t)i->len - 9);
	refused(i, -EBADMSG, ".initrd lies past the end");
	store_le32(initrd + 20, UINT32_MAX);
	refused(i, -EBADMSG, ".initrd lies past the end");
	store_le32(initrd + 20, (uint32_t)i->len - 10);
	assert_int_equal(parse(i, &(struct uki){0}, NULL), 0);
	store_le32(initrd + 8, UINT32_MAX); /* both sizes */
	store_le32(initrd + 16, UINT32_MAX);
	refused(i, -EBADMSG, ".initrd lies past the end");
}

static void an_empty_linux_section_is_refused(void **state)
{
	static const struct fake_section s[] = {{".linux", "", 0, 0}};
	AUTO(fake_image_destroyp) struct fake_image *i = fake_pe_create(s, 1);

	(void)state;
	refused(i, -EBADMSG, "is empty");
}

static int cmdline_of(const char *text, size_t len, char **ret, struct err *err)
{
	AUTO(fd_closep) int fd = fake_file(text, len);
	struct uki u = {.cmdline = {.fd = fd, .name = "k", .len = len}};

	return uki_read_cmdline(&u, ret, err);
}

static void the_command_line_is_trimmed(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *want;
	} cases[] = {
		{"quiet", 5, "quiet"},
		{"  quiet\tsplash \n\0junk", 21, "quiet splash"},
		{"a\nb\n", 4, "a b"},
		{" \n\t", 3, ""},
		{"\0junk", 5, ""},
		{"\xc3\xa4=1", 4, "\xc3\xa4=1"}, /* UTF-8 is no control */
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		AUTO(freep) char *got = NULL;

		assert_int_equal(
			cmdline_of(cases[i].text, cases[i].len, &got, NULL), 0);
		assert_string_equal(got, cases[i].want);
	}
}

static void a_huge_command_line_is_refused(void **state)
{
	AUTO(fd_closep) int fd = fake_sparse_file(UKI_CMDLINE_MAX + 1);
	struct uki u = {.cmdline = {.fd = fd, .name = "k"}};
	struct err err = {0};
	char *s = NULL;

	(void)state;
	u.cmdline.len = UKI_CMDLINE_MAX + 1;
	assert_int_equal(uki_read_cmdline(&u, &s, &err), -EBADMSG);
	assert_null(s);
	u.cmdline.len = UKI_CMDLINE_MAX;
	assert_int_equal(uki_read_cmdline(&u, &s, &err), 0);
	free(s);
	u.cmdline.off = 2; /* the file ends before the section does */
	assert_int_equal(uki_read_cmdline(&u, &s, &err), -ENODATA);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_sections_are_found),
		CASE(initrd_and_cmdline_may_be_missing),
		CASE(the_first_profile_is_taken),
		CASE(a_section_twice_is_refused),
		CASE(a_program_that_is_no_uki_is_refused),
		CASE(a_pe_header_past_the_end_is_refused),
		CASE(nonsense_section_counts_are_refused),
		CASE(a_section_past_the_end_is_refused),
		CASE(an_empty_linux_section_is_refused),
		CASE(the_command_line_is_trimmed),
		CASE(a_huge_command_line_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
