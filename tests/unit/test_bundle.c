/* tests/unit/test_bundle.c - bundles as files: what is read, what is refused.
 */
#include "tests/unit/unit.h"

#include "tests/unit/bundle_parse_fixture.h"
#include "vmm/base/bytes.h"

static void what_was_written_is_read(void **state)
{
	struct fixture *f = *state;
	const struct bundle want = good_bundle(), *b = &f->b;

	assert_int_equal(parse(f), 0);
	for (size_t i = 0; i < BUNDLE_PARTS; i++) {
		assert_int_equal(b->image[i].len, want.image[i].len);
		if (b->image[i].len)
			assert_memory_equal(b->image[i].data,
					    want.image[i].data,
					    b->image[i].len);
		assert_memory_equal(b->image[i].sha256, want.image[i].sha256,
				    HASH256_LEN);
	}
	assert_string_equal(b->description, want.description);
	assert_string_equal(b->machine, want.machine);
	assert_string_equal(b->cmdline, want.cmdline);
	assert_string_equal(b->protect, want.protect);
	assert_true(b->memory == want.memory);
	assert_int_equal(b->cpus, want.cpus);
	assert_true(b->have_policy);
	assert_int_equal(b->policy, want.policy);
	assert_int_equal(b->signature.algo, BUNDLE_UNSIGNED);
}

static void what_is_not_said_is_not_there(void **state)
{
	struct fixture *f = *state;
	struct bundle b = {.machine = "q35-coffer-1"};

	b.image[BUNDLE_KERNEL] = good_bundle().image[BUNDLE_KERNEL];
	free(f->file);
	f->file = file_of(&b, &f->len);
	assert_int_equal(parse(f), 0);
	assert_null(f->b.cmdline);
	assert_null(f->b.protect);
	assert_null(f->b.description);
	assert_int_equal(f->b.cpus, 0);
	assert_true(f->b.memory == 0);
	assert_false(f->b.have_policy);
	assert_null(f->b.image[BUNDLE_RAMDISK].data);
}

static void signatures_are_read_whole(void **state)
{
	struct fixture *f = *state;

	for (enum bundle_algo a = BUNDLE_ED25519; a < BUNDLE_ALGOS; a++) {
		struct bundle b = good_bundle();

		b.signature.algo = a;
		b.signature.key = "a key";
		memset(b.signature.value, (int)a, bundle_algo_len(a));
		free(f->file);
		f->file = file_of(&b, &f->len);
		assert_int_equal(parse(f), 0);
		assert_int_equal(f->b.signature.algo, a);
		assert_string_equal(f->b.signature.key, "a key");
		assert_memory_equal(f->b.signature.value, b.signature.value,
				    bundle_algo_len(a));
	}
}

static void the_same_bundle_is_the_same_file(void **state)
{
	struct fixture *f = *state;
	struct bundle b = good_bundle();
	size_t len;
	void *again = file_of(&b, &len);

	assert_int_equal(len, f->len);
	assert_memory_equal(again, f->file, len);
	free(again);
}

static void a_bundle_that_was_cut_anywhere_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t *whole = f->file;
	size_t len = f->len;

	for (f->len = 0; f->len < len; f->len++) {
		f->file = malloc(f->len ? f->len : 1);
		assert_non_null(f->file);
		memcpy(f->file, whole, f->len);
		assert_true(parse(f) < 0);
		assert_int_equal(f->err.kind, ERR_INPUT);
		free(f->file);
	}
	f->file = whole;
	f->len = len - 1;
	refuses(f, -EBADMSG, "it was cut");
	f->len = len;
	assert_int_equal(parse(f), 0);
}

static void bytes_behind_the_tree_are_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t *longer = calloc(1, f->len + 4);

	assert_non_null(longer);
	memcpy(longer, f->file, f->len);
	free(f->file);
	f->file = longer;
	f->len += 4;
	refuses(f, -EBADMSG, "4 bytes follow its tree");
}

static void another_file_is_named(void **state)
{
	struct fixture *f = *state;

	memcpy(f->file, "QFI\xfb", 4);
	refuses(f, -ENOEXEC, "looks like a qcow2 disk image");
}

/* Offsets of the header: Devicetree Specification 0.4, 5.2. */
enum {
	OFF_STRUCT = 8,
	OFF_STRINGS = 12,
	OFF_RSVMAP = 16,
	VERSION = 20,
	SIZE_STRUCT = 36,
};

static void an_old_tree_is_refused(void **state)
{
	struct fixture *f = *state;

	store_be32((uint8_t *)f->file + VERSION, 16);
	refuses(f, -EBADMSG, "a version before 17");
}

static void blocks_that_overlap_are_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t *h = f->file;
	uint32_t strings = load_be32(h + OFF_STRINGS);

	store_be32(h + OFF_STRINGS, strings - 8);
	refuses(f, -EBADMSG, "overlap");
	store_be32(h + OFF_STRINGS, strings);
	store_be32(h + OFF_RSVMAP, load_be32(h + OFF_STRUCT));
	refuses(f, -EBADMSG, "overlap");
}

static void a_structure_that_ends_early_is_refused(void **state)
{
	struct fixture *f = *state;
	uint8_t *h = f->file;

	store_be32(h + SIZE_STRUCT, load_be32(h + SIZE_STRUCT) - 4);
	refuses(f, -EBADMSG, "its tree is broken");
}

/* A property whose length reaches into the nodes behind it. */
static void nodes_that_overlap_are_refused(void **state)
{
	struct fixture *f = *state;
	int len, conf = fdt_path_offset(f->file, "/configurations/conf-1");
	const struct fdt_property *p =
		fdt_get_property(f->file, conf, "coffer,policy", &len);
	uint8_t *at = (uint8_t *)(uintptr_t)p + 4;

	for (uint32_t more = 8; more < 4096; more += 4) {
		store_be32(at, more);
		assert_int_equal(parse(f), -EBADMSG);
	}
	for (uint32_t bit = 12; bit < 32; bit++) {
		store_be32(at, UINT32_C(1) << bit);
		assert_int_equal(parse(f), -EBADMSG);
	}
	store_be32(at, (uint32_t)len);
	assert_int_equal(parse(f), 0);
}
static void rename_all(struct fixture *f, const char *from, const char *to)
{
	size_t n = strlen(from) + 1;
	uint8_t *p = f->file;

	for (size_t i = 0; i + n <= f->len; i++)
		if (!memcmp(p + i, from, n))
			memcpy(p + i, to, n);
}

static void letters_of_other_alphabets_are_fine(void **state)
{
	struct fixture *f = *state;
	struct bundle b = good_bundle();

	b.cmdline = "\xc3\x9f \xd0\x9f \xe2\x82\x80 \xf0\x9f\x9a\x80";
	free(f->file);
	f->file = file_of(&b, &f->len);
	assert_int_equal(parse(f), 0);
}

/* The text that is signed has room for short ones only. */
static void long_texts_are_refused(void **state)
{
	struct fixture *f = *state;
	char text[BUNDLE_TEXT_MAX + 2];
	struct bundle b = good_bundle();

	memset(text, 'a', sizeof(text));
	text[BUNDLE_TEXT_MAX + 1] = 0;
	b.machine = b.protect = text + 1;
	free(f->file);
	f->file = file_of(&b, &f->len);
	assert_int_equal(parse(f), 0);
	b.protect = text;
	free(f->file);
	f->file = file_of(&b, &f->len);
	refuses(f, -EBADMSG, "'coffer,protect' is longer than 255 bytes");
}

static void names_that_are_there_twice_are_refused(void **state)
{
	struct fixture *f = *state;
	struct bundle b = good_bundle();

	b.image[BUNDLE_FIRMWARE] = b.image[BUNDLE_KERNEL];
	free(f->file);
	f->file = file_of(&b, &f->len);
	assert_int_equal(parse(f), 0);
	rename_all(f, "arch", "type");
	refuses(f, -EBADMSG, "'type' is there twice");
	free(f->file);
	f->file = file_of(&b, &f->len);
	/* Nodes, and what names them; types and properties, too. */
	rename_all(f, "ramdisk", "r2mdisk");
	rename_all(f, "r2mdisk", "kernel\0");
	refuses(f, -EBADMSG, "twice");
}

static void names_that_could_write_to_a_terminal_are_refused(void **state)
{
	struct fixture *f = *state;

	rename_all(f, "coffer,cpus", "coffer,\x1b[m ");
	refuses(f, -EBADMSG, "a property without a good name");
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_written_is_read),
		CASE(what_is_not_said_is_not_there),
		CASE(signatures_are_read_whole),
		CASE(the_same_bundle_is_the_same_file),
		CASE(a_bundle_that_was_cut_anywhere_is_refused),
		CASE(bytes_behind_the_tree_are_refused),
		CASE(another_file_is_named),
		CASE(an_old_tree_is_refused),
		CASE(blocks_that_overlap_are_refused),
		CASE(a_structure_that_ends_early_is_refused),
		CASE(nodes_that_overlap_are_refused),
		CASE(letters_of_other_alphabets_are_fine),
		CASE(long_texts_are_refused),
		CASE(names_that_are_there_twice_are_refused),
		CASE(names_that_could_write_to_a_terminal_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
