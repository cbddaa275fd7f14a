/* tests/unit/test_smbios.c - the tables as a parser in the guest sees them. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/smbios.h"
#include "mem/mem_map.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

struct built {
	uint8_t *data;
	size_t len;
};

static struct built build(const struct smbios_config *c)
{
	struct built b = {0};

	assert_int_equal(smbios_build(c, &b.data, &b.len, NULL), 0);
	return b;
}

/* A structure of @type, or NULL. Checks that the walk ends at type 127. */
static const uint8_t *find(const struct built *b, uint8_t type)
{
	const uint8_t *p = b->data + (load_le64(b->data + 0x10) - MEM_SMBIOS);
	const uint8_t *end = p + load_le32(b->data + 0x0c);
	const uint8_t *found = NULL;

	assert_ptr_equal(end, b->data + b->len);
	for (;;) {
		const uint8_t *s = p + p[1];

		if (p[0] == type)
			found = p;
		assert_true(p[1] >= 4 && s + 2 <= end);
		while (s[0] || s[1]) {
			s++;
			assert_true(s + 2 <= end);
		}
		if (p[0] == 127) {
			assert_ptr_equal(s + 2, end);
			return found;
		}
		p = s + 2;
	}
}

/* String @n (from 1) of structure @s. */
static const char *string(const uint8_t *s, unsigned int n)
{
	const char *p = (const char *)s + s[1];

	while (--n)
		p += strlen(p) + 1;
	return p;
}

static void the_entry_point_is_found_and_sums_to_zero(void **state)
{
	struct built b = build(&(struct smbios_config){0});
	uint8_t sum = 0;

	(void)state;
	assert_memory_equal(b.data, "_SM3_", 5);
	assert_int_equal(b.data[6], 0x18);
	assert_int_equal(b.data[7], 3);
	for (int i = 0; i < b.data[6]; i++)
		sum = (uint8_t)(sum + b.data[i]);
	assert_int_equal(sum, 0);
	/* Linux looks at multiples of 16 from 0xf0000 */
	assert_int_equal(MEM_SMBIOS % 16, 0);
	assert_in_range(MEM_SMBIOS, 0xf0000, 0xfffff);
	free(b.data);
}

static void the_firmware_says_it_is_a_virtual_machine(void **state)
{
	struct built b = build(&(struct smbios_config){0});
	const uint8_t *s = find(&b, 0);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s[1], 0x18);
	assert_string_equal(string(s, s[4]), "coffer");
	assert_string_equal(string(s, s[5]), "q35-coffer-1");
	assert_int_equal(strlen(string(s, s[8])), strlen("mm/dd/yyyy"));
	assert_true(strtol(string(s, s[8]) + 6, NULL, 10) >= 2023);
	assert_int_equal(s[0x13] & 0x10, 0x10);
	free(b.data);
}

static void the_uuid_starts_little_endian(void **state)
{
	const struct smbios_config c = {
		.uuid = {0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88,
			 0x99, 0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff},
		.serial = "s-1",
	};
	static const uint8_t want[16] = {0x33, 0x22, 0x11, 0x00, 0x55, 0x44,
					 0x77, 0x66, 0x88, 0x99, 0xaa, 0xbb,
					 0xcc, 0xdd, 0xee, 0xff};
	struct built b = build(&c);
	const uint8_t *s = find(&b, 1);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s[1], 0x1b);
	assert_memory_equal(s + 8, want, 16);
	assert_string_equal(string(s, s[4]), "coffer");
	assert_string_equal(string(s, s[5]), "q35-coffer-1");
	assert_string_equal(string(s, s[7]), "s-1");
	free(b.data);
}

static void without_a_serial_number_there_is_no_string(void **state)
{
	struct built b = build(&(struct smbios_config){0});
	const uint8_t *s = find(&b, 1);

	(void)state;
	assert_int_equal(s[7], 0);
	free(b.data);
}

static void oem_strings_keep_their_order(void **state)
{
	const char *const oem[] = {"io.systemd.credential:a=b", "second",
				   "caf\xc3\xa9"};
	struct built b = build(&(struct smbios_config){.oem = oem, .n_oem = 3});
	const uint8_t *s = find(&b, 11);

	(void)state;
	assert_non_null(s);
	assert_int_equal(s[4], 3);
	for (unsigned int i = 0; i < 3; i++)
		assert_string_equal(string(s, i + 1), oem[i]);
	free(b.data);
}

static void without_oem_strings_there_is_no_type_11(void **state)
{
	struct built b = build(&(struct smbios_config){0});

	(void)state;
	assert_null(find(&b, 11));
	free(b.data);
}

static void the_same_configuration_gives_the_same_bytes(void **state)
{
	const char *const oem[] = {"x"};
	const struct smbios_config c = {
		.uuid = {1}, .serial = "y", .oem = oem, .n_oem = 1};
	struct built a = build(&c), b = build(&c);

	(void)state;
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
	free(a.data);
	free(b.data);
}

/* Expect refusal with @code and a message that contains @text. */
static void refused(const struct smbios_config *c, int code, const char *text)
{
	struct err e = {0};
	uint8_t *data = NULL;
	size_t len = 7;

	assert_int_equal(smbios_build(c, &data, &len, &e), code);
	assert_null(data);
	assert_int_equal(len, 7);
	assert_int_equal(e.kind, ERR_USAGE);
	assert_non_null(strstr(e.msg, text));
}

static void empty_strings_and_control_characters_are_refused(void **state)
{
	const char *oem[] = {"fine", ""};
	struct smbios_config c = {.oem = oem, .n_oem = 2};

	(void)state;
	refused(&c, -EINVAL, "--oem-string: number 2 is empty");
	oem[1] = "a\nb";
	refused(&c, -EINVAL, "--oem-string: number 2 has a control character");
	oem[1] = "\x7f";
	refused(&c, -EINVAL, "--oem-string: number 2");
	c = (struct smbios_config){.serial = ""};
	refused(&c, -EINVAL, "serial number is empty");
	c.serial = "\t";
	refused(&c, -EINVAL, "serial number has a control character");
}

static void the_strings_fill_the_area_and_not_more(void **state)
{
	/* what is not string: entry point, structures, their ends */
	struct built small = build(&(struct smbios_config){0});
	size_t room = MEM_SMBIOS_SIZE - small.len - 5 - 2;
	char *big = malloc(room + 2);
	const char *oem[] = {big};
	struct smbios_config c = {.oem = oem, .n_oem = 1};
	struct built b;

	(void)state;
	assert_non_null(big);
	memset(big, 'x', room + 1);
	big[room] = 0;
	b = build(&c);
	assert_int_equal(b.len, MEM_SMBIOS_SIZE);
	assert_non_null(find(&b, 11));
	big[room] = 'x';
	big[room + 1] = 0;
	refused(&c, -E2BIG, "do not fit");
	free(small.data);
	free(b.data);
	free(big);
}

static void more_strings_than_the_count_can_say_are_refused(void **state)
{
	const char *oem[SMBIOS_OEM_MAX + 1];
	struct smbios_config c = {.oem = oem, .n_oem = SMBIOS_OEM_MAX};
	struct built b;

	(void)state;
	for (size_t i = 0; i < SMBIOS_OEM_MAX + 1; i++)
		oem[i] = "s";
	b = build(&c);
	assert_int_equal(find(&b, 11)[4], 255);
	free(b.data);
	c.n_oem++;
	refused(&c, -E2BIG, "256 are given");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_entry_point_is_found_and_sums_to_zero),
		cmocka_unit_test(the_firmware_says_it_is_a_virtual_machine),
		cmocka_unit_test(the_uuid_starts_little_endian),
		cmocka_unit_test(without_a_serial_number_there_is_no_string),
		cmocka_unit_test(oem_strings_keep_their_order),
		cmocka_unit_test(without_oem_strings_there_is_no_type_11),
		cmocka_unit_test(the_same_configuration_gives_the_same_bytes),
		cmocka_unit_test(
			empty_strings_and_control_characters_are_refused),
		cmocka_unit_test(the_strings_fill_the_area_and_not_more),
		cmocka_unit_test(
			more_strings_than_the_count_can_say_are_refused),
	};

	return cmocka_run_group_tests_name("smbios", tests, NULL, NULL);
}
