/* tests/unit/test_base64.c - base64, both ways, and what is none. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "vmm/base/own.h"

/* RFC 4648, section 10. */
static const char *const vectors[][2] = {
	{"", ""},
	{"f", "Zg=="},
	{"fo", "Zm8="},
	{"foo", "Zm9v"},
	{"foob", "Zm9vYg=="},
	{"fooba", "Zm9vYmE="},
	{"foobar", "Zm9vYmFy"},
};

static void vectors_of_the_rfc_hold_both_ways(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		const char *plain = vectors[i][0];
		char text[BASE64_TEXT_LEN(6)], back[6];
		size_t n = 99;

		base64_encode(plain, strlen(plain), text);
		assert_string_equal(text, vectors[i][1]);
		assert_int_equal(base64_decode(text, strlen(text), back, 6, &n),
				 0);
		assert_int_equal(n, strlen(plain));
		assert_memory_equal(back, plain, n);
	}
}

static void every_byte_survives(void **state)
{
	uint8_t in[256], out[256];
	char text[BASE64_TEXT_LEN(256)];
	size_t n;

	(void)state;
	for (size_t i = 0; i < 256; i++)
		in[i] = (uint8_t)i;
	base64_encode(in, sizeof(in), text);
	assert_non_null(strchr(text, '+'));
	assert_non_null(strchr(text, '/'));
	assert_int_equal(base64_decode(text, strlen(text), out, 256, &n), 0);
	assert_int_equal(n, 256);
	assert_memory_equal(in, out, 256);
}

static void white_space_is_skipped(void **state)
{
	const char *text = " Zm9v\r\n\tYg=\n=\n";
	char out[4];
	size_t n;

	(void)state;
	assert_int_equal(base64_decode(text, strlen(text), out, 4, &n), 0);
	assert_int_equal(n, 4);
	assert_memory_equal(out, "foob", 4);
}

static void what_is_no_base64_is_refused(void **state)
{
	static const char *const bad[] = {
		"Z",	    "Zg",      "Zg=",	"Zm9",	"=",
		"Zg===",    "Z===",    "Zh==",	"Zm9=", "Zg==Zg==",
		"Zm9v-_==", "Zm\x01v", "Zm9v=",
	};
	char out[16];
	size_t n = 99;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(
			base64_decode(bad[i], strlen(bad[i]), out, 16, &n),
			-EINVAL);
		assert_int_equal(n, 99);
	}
	assert_int_equal(base64_decode("Zm\0v", 4, out, 16, &n), -EINVAL);
}

static void more_than_fits_is_refused(void **state)
{
	char out[4] = "abc";
	size_t n = 99;

	(void)state;
	assert_int_equal(base64_decode("Zm9v", 4, out, 2, &n), -ENOSPC);
	assert_int_equal(n, 99);
	assert_int_equal(out[2], 'c');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vectors_of_the_rfc_hold_both_ways),
		cmocka_unit_test(every_byte_survives),
		cmocka_unit_test(white_space_is_skipped),
		cmocka_unit_test(what_is_no_base64_is_refused),
		cmocka_unit_test(more_than_fits_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
