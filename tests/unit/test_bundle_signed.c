/* tests/unit/test_bundle_signed.c - the text that a bundle's signature is of.
 */
#include "tests/unit/unit.h"

#include "tests/unit/bundle_fixture.h"

static void signed_text(const struct bundle *b, struct bundle_signed *s)
{
	struct hash256 *h = hash256_nettle_create();

	assert_int_equal(bundle_signed_text(b, h, s), 0);
	hash256_destroy(h);
}

static void what_is_signed_is_as_documented(void **state)
{
	struct bundle b = good_bundle();
	struct bundle_signed s;

	(void)state;
	memset(b.image[BUNDLE_KERNEL].sha256, 0xab, HASH256_LEN);
	memset(b.image[BUNDLE_RAMDISK].sha256, 0x01, HASH256_LEN);
	b.cmdline = "abc"; /* its hash: FIPS 180-2, B.1 */
	b.description = NULL;
	signed_text(&b, &s);
	assert_string_equal(s.text,
			    "coffer-1\n"
			    "kernel 23 abababababababababababababababab"
			    "abababababababababababababababab\n"
			    "ramdisk 30 01010101010101010101010101010101"
			    "01010101010101010101010101010101\n"
			    "cmdline 3 ba7816bf8f01cfea414140de5dae2223"
			    "b00361a396177a9cb410ff61f20015ad\n"
			    "machine q35-coffer-1\n"
			    "protect sev\n"
			    "cpus 2\n"
			    "memory 6442450944\n"
			    "policy 0x00000001\n");
	assert_int_equal(s.len, strlen(s.text));
}

static void everything_that_is_used_is_signed(void **state)
{
	enum { CHANGES = 12 };
	struct bundle_signed first, s;
	struct bundle good = good_bundle();

	(void)state;
	signed_text(&good, &first);
	for (int i = 0; i < CHANGES; i++) {
		struct bundle b = good;

		switch (i) {
		case 0:
			b.image[BUNDLE_KERNEL].sha256[31] ^= 1;
			break;
		case 1:
			b.image[BUNDLE_RAMDISK].sha256[0] ^= 1;
			break;
		case 2:
			b.image[BUNDLE_RAMDISK].len = 0;
			break;
		case 3:
			b.image[BUNDLE_FIRMWARE] = b.image[0];
			break;
		case 4:
			b.image[BUNDLE_KERNEL].len++;
			break;
		case 5:
			b.cmdline = NULL;
			break;
		case 6:
			b.cmdline = "console=ttyS0 quieT";
			break;
		case 7:
			b.machine = "q35-coffer-2";
			break;
		case 8:
			b.protect = "none";
			break;
		case 9:
			b.memory++;
			break;
		case 10:
			b.cpus = 0;
			break;
		default:
			b.policy = 0;
			break;
		}
		signed_text(&b, &s);
		assert_string_not_equal(first.text, s.text);
	}
}

static void the_longest_texts_fit(void **state)
{
	char text[BUNDLE_TEXT_MAX + 1];
	struct bundle b = good_bundle();
	struct bundle_signed s;

	(void)state;
	memset(text, 'x', BUNDLE_TEXT_MAX);
	text[BUNDLE_TEXT_MAX] = 0;
	b.machine = b.protect = b.description = text;
	b.memory = UINT64_MAX;
	b.cpus = UINT32_MAX;
	b.policy = UINT32_MAX;
	for (size_t i = 0; i < BUNDLE_PARTS; i++)
		b.image[i].len = UINT64_MAX;
	signed_text(&b, &s);
	assert_true(s.len < BUNDLE_SIGNED_MAX - 1); /* not cut */
	assert_non_null(strstr(s.text, "policy 0xffffffff\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_signed_is_as_documented),
		cmocka_unit_test(everything_that_is_used_is_signed),
		cmocka_unit_test(the_longest_texts_fit),
	};

	return cmocka_run_group_tests_name("bundle_signed", tests, NULL, NULL);
}
