/* tests/unit/test_image_guess.c - names for files that are no kernels. */
#include "tests/unit/unit.h"

#include <string.h>

#include "firmware/image_guess.h"
#include "vmm/base/own.h"

/* What is said of a file with @magic at @off, and noise around it. */
static const char *guess_at(size_t off, const char *magic, size_t len)
{
	uint8_t head[IMAGE_GUESS_HEAD];

	memset(head, 0x01, sizeof(head));
	memcpy(head + off, magic, len);
	return image_guess(head, sizeof(head));
}

static void known_files_are_named(void **state)
{
	static const struct {
		size_t off;
		const char *magic;
		size_t len;
		const char *what;
	} cases[] = {
		{0, "\x1f\x8b", 2, "gzip"},
		{0, "\xfd\x37zXZ\0", 6, "xz"},
		{0, "\x28\xb5\x2f\xfd", 4, "zstd"},
		{0, "\x02\x21\x4c\x18", 4, "LZ4"},
		{0, "\x04\x22\x4d\x18", 4, "LZ4"},
		{0, "BZh9", 4, "bzip2"},
		{0, "\x5d\0\0", 3, "LZMA"},
		{0, "070701", 6, "cpio"},
		{0, "QFI\xfb", 4, "qcow2"},
		{0, "!<arch>\n", 8, ".deb"},
		{0, "#!/bin/sh\n", 10, "script"},
		{4, "zimg", 4, "zboot"},
		{56, "ARM\x64", 4, "ARM64"},
		{56, "RSC\x05", 4, "RISC-V"},
		{257, "ustar", 5, "tar"},
		{510, "\x55\xaa", 2, "boot sector"},
		{512, "EFI PART", 8, "disk image"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_non_null(strstr(
			guess_at(cases[i].off, cases[i].magic, cases[i].len),
			cases[i].what));
}

static void the_rest_is_described(void **state)
{
	static const uint8_t zeros[IMAGE_GUESS_HEAD];
	const char text[] = "vmlinuz goes here\n\tone day\r\n";

	(void)state;
	assert_string_equal(image_guess(NULL, 0), "an empty file");
	assert_string_equal(image_guess(zeros, sizeof(zeros)),
			    "data that starts with zeros");
	assert_string_equal(
		image_guess((const uint8_t *)text, sizeof(text) - 1),
		"a text file");
	assert_string_equal(image_guess((const uint8_t *)"a\001b", 3),
			    "data too short for a kernel");
	assert_string_equal(guess_at(0, "", 0), "unknown data");
}

static void a_magic_number_past_the_end_is_not_looked_for(void **state)
{
	/* exactly sized, so that a sanitizer sees a read past it */
	uint8_t *one = malloc(1);

	(void)state;
	one[0] = 0x1f;
	assert_string_equal(image_guess(one, 1), "data too short for a kernel");
	free(one);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_files_are_named),
		cmocka_unit_test(the_rest_is_described),
		cmocka_unit_test(a_magic_number_past_the_end_is_not_looked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
