/* tests/unit/test_bundle.c - bundles as files: what is read, what is refused.
 */
#include "tests/unit/unit.h"

#include <errno.h>

#include "tests/unit/bundle_fixture.h"
#include "vmm/base/bytes.h"

struct fixture {
	void *file;
	size_t len;
	struct bundle b;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct bundle b = good_bundle();

	assert_non_null(f);
	f->file = file_of(&b, &f->len);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	free(f->file);
	free(f);
	return 0;
}

static int parse(struct fixture *f)
{
	f->err = (struct err){0};
	return bundle_parse(f->file, f->len, &f->b, &f->err);
}

static void refuses(struct fixture *f, int code, const char *says)
{
	assert_int_equal(parse(f), code);
	assert_int_equal(f->err.kind, ERR_INPUT);
	if (!strstr(f->err.msg, says))
		fail_msg("'%s' does not say '%s'", f->err.msg, says);
}

/* Let @change spoil a copy of the good tree, which must then be refused. */
static void spoilt(struct fixture *f, void (*change)(void *fdt),
		   const char *says)
{
	void *good = f->file;
	size_t len = f->len;

	f->file = opened(good, &f->len);
	change(f->file);
	f->len = packed(f->file);
	refuses(f, -EBADMSG, says);
	free(f->file);
	f->file = good;
	f->len = len;
}

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

static int image(void *fdt)
{
	return fdt_path_offset(fdt, "/images/kernel");
}

static int conf(void *fdt)
{
	return fdt_path_offset(fdt, "/configurations/conf-1");
}

static void lose_kernel(void *fdt)
{
	assert_int_equal(fdt_del_node(fdt, image(fdt)), 0);
}

static void lose_kernel_name(void *fdt)
{
	assert_int_equal(fdt_delprop(fdt, conf(fdt), "kernel"), 0);
}

static void add_image(void *fdt)
{
	int images = fdt_path_offset(fdt, "/images");

	assert_true(fdt_add_subnode(fdt, images, "another") >= 0);
}

static void kernel_is_ramdisk(void *fdt)
{
	assert_int_equal(
		fdt_setprop_string(fdt, conf(fdt), "kernel", "ramdisk"), 0);
}

static void images_that_are_missing_or_unused_are_refused(void **state)
{
	struct fixture *f = *state;

	spoilt(f, lose_kernel, "the image 'kernel' is missing in /images");
	spoilt(f, lose_kernel_name, "'kernel' is missing");
	spoilt(f, add_image, "does not use all of /images");
	spoilt(f, kernel_is_ramdisk, "'type' is 'ramdisk', not 'kernel'");
}

static void lose_hash(void *fdt)
{
	int h = fdt_path_offset(fdt, "/images/kernel/hash-1");

	assert_int_equal(fdt_del_node(fdt, h), 0);
}

static void weak_hash(void *fdt)
{
	int h = fdt_path_offset(fdt, "/images/kernel/hash-1");

	assert_int_equal(fdt_setprop_string(fdt, h, "algo", "crc32"), 0);
}

static void short_hash(void *fdt)
{
	int h = fdt_path_offset(fdt, "/images/kernel/hash-1");

	assert_int_equal(fdt_setprop_u32(fdt, h, "value", 1), 0);
}

static void second_hash(void *fdt)
{
	assert_true(fdt_add_subnode(fdt, image(fdt), "hash-2") >= 0);
}

static void no_data(void *fdt)
{
	assert_int_equal(fdt_delprop(fdt, image(fdt), "data"), 0);
}

static void external_data(void *fdt)
{
	assert_int_equal(fdt_setprop_u32(fdt, image(fdt), "data-offset", 0), 0);
}

static void gzipped(void *fdt)
{
	assert_int_equal(
		fdt_setprop_string(fdt, image(fdt), "compression", "gzip"), 0);
}

static void other_arch(void *fdt)
{
	assert_int_equal(fdt_setprop_string(fdt, image(fdt), "arch", "arm64"),
			 0);
}

static void images_must_be_whole_and_hashed_by_sha256(void **state)
{
	struct fixture *f = *state;

	spoilt(f, lose_hash, "/images/kernel: a hash is missing");
	spoilt(f, weak_hash, "'algo' is 'crc32', not 'sha256'");
	spoilt(f, short_hash, "not of 32 bytes");
	spoilt(f, second_hash, "more than 1 nodes");
	spoilt(f, no_data, "'data' is missing");
	spoilt(f, external_data, "'data-offset' is unknown");
	spoilt(f, gzipped, "'compression' is 'gzip'");
	spoilt(f, other_arch, "'arch' is 'arm64'");
}

static void unknown_property(void *fdt)
{
	assert_int_equal(fdt_setprop_u32(fdt, conf(fdt), "coffer,debug", 1), 0);
}

static void loadables(void *fdt)
{
	assert_int_equal(fdt_setprop_string(fdt, conf(fdt), "loadables", "x"),
			 0);
}

static void second_conf(void *fdt)
{
	int c = fdt_path_offset(fdt, "/configurations");

	assert_true(fdt_add_subnode(fdt, c, "conf-2") >= 0);
}

static void other_default(void *fdt)
{
	int c = fdt_path_offset(fdt, "/configurations");

	assert_int_equal(fdt_setprop_string(fdt, c, "default", "conf-2"), 0);
}

static void second_part_of_root(void *fdt)
{
	assert_true(fdt_add_subnode(fdt, 0, "more") >= 0);
}

static void reserved(void *fdt)
{
	assert_int_equal(fdt_add_mem_rsv(fdt, 0, 4096), 0);
}

static void what_is_unknown_is_not_ignored(void **state)
{
	struct fixture *f = *state;

	spoilt(f, unknown_property, "'coffer,debug' is unknown");
	spoilt(f, loadables, "'loadables' is unknown");
	spoilt(f, second_conf, "more than 1 nodes");
	spoilt(f, other_default, "'default' is 'conf-2', not 'conf-1'");
	spoilt(f, second_part_of_root, "more than 2 nodes");
	spoilt(f, reserved, "reserves memory");
}

static void lose_machine(void *fdt)
{
	assert_int_equal(fdt_delprop(fdt, conf(fdt), "coffer,machine"), 0);
}

static void no_cpus(void *fdt)
{
	assert_int_equal(fdt_setprop_u32(fdt, conf(fdt), "coffer,cpus", 0), 0);
}

static void many_cpus(void *fdt)
{
	assert_int_equal(
		fdt_setprop_u64(fdt, conf(fdt), "coffer,cpus", UINT64_MAX), 0);
}

static void no_memory(void *fdt)
{
	assert_int_equal(fdt_setprop_u64(fdt, conf(fdt), "coffer,memory", 0),
			 0);
}

/* JSON would show a negative number. */
static void huge_memory(void *fdt)
{
	assert_int_equal(fdt_setprop_u64(fdt, conf(fdt), "coffer,memory",
					 UINT64_C(1) << 63),
			 0);
}

static void odd_memory(void *fdt)
{
	assert_int_equal(fdt_setprop(fdt, conf(fdt), "coffer,memory", "abc", 3),
			 0);
}

static void two_lines(void *fdt)
{
	assert_int_equal(fdt_setprop_string(fdt, conf(fdt), "coffer,machine",
					    "x\ncpus 1"),
			 0);
}

/* The begin of a terminal's commands, in UTF-8 and as one byte. */
static void terminal_command(void *fdt)
{
	assert_int_equal(fdt_setprop_string(fdt, conf(fdt), "coffer,machine",
					    "x\xc2\x9b\x33m"),
			 0);
}

static void terminal_command_in_a_byte(void *fdt)
{
	assert_int_equal(fdt_setprop_string(fdt, conf(fdt), "coffer,machine",
					    "x\x9b\x33m"),
			 0);
}

static void text_in_two_parts(void *fdt)
{
	assert_int_equal(
		fdt_setprop(fdt, conf(fdt), "coffer,cmdline", "a\0b", 4), 0);
}

static void text_without_end(void *fdt)
{
	assert_int_equal(
		fdt_setprop(fdt, conf(fdt), "coffer,cmdline", "abcd", 4), 0);
}

static void values_must_have_their_form(void **state)
{
	struct fixture *f = *state;

	spoilt(f, lose_machine, "'coffer,machine' is missing");
	spoilt(f, no_cpus, "'coffer,cpus' is 0");
	spoilt(f, many_cpus, "'coffer,cpus' is larger than");
	spoilt(f, no_memory, "'coffer,memory' is 0");
	spoilt(f, huge_memory, "'coffer,memory' is larger than");
	spoilt(f, odd_memory, "'coffer,memory' is not a number");
	spoilt(f, two_lines, "'coffer,machine' has a control character");
	spoilt(f, terminal_command, "'coffer,machine' has a control character");
	spoilt(f, terminal_command_in_a_byte, "has a control character");
	spoilt(f, text_in_two_parts, "'coffer,cmdline' is not a text");
	spoilt(f, text_without_end, "'coffer,cmdline' is not a text");
}

static void bad_algo(void *fdt)
{
	int s = fdt_add_subnode(fdt, conf(fdt), "signature-1");

	assert_int_equal(fdt_setprop_string(fdt, s, "algo", "sha256,rsa2048"),
			 0);
}

static void short_signature(void *fdt)
{
	int s = fdt_add_subnode(fdt, conf(fdt), "signature-1");

	assert_int_equal(fdt_setprop_string(fdt, s, "algo", "coffer-1,ed25519"),
			 0);
	assert_int_equal(fdt_setprop(fdt, s, "value", "0123", 4), 0);
}

static void other_child(void *fdt)
{
	assert_true(fdt_add_subnode(fdt, conf(fdt), "other") >= 0);
}

static void signatures_of_others_are_refused(void **state)
{
	struct fixture *f = *state;

	spoilt(f, bad_algo, "'algo' is 'sha256,rsa2048', which is unknown");
	spoilt(f, short_signature, "not of 64 bytes");
	spoilt(f, other_child, "'other' in it is not expected");
}

/* Rename @from to @to, of the same length, in the raw bytes. */
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
		CASE(images_that_are_missing_or_unused_are_refused),
		CASE(images_must_be_whole_and_hashed_by_sha256),
		CASE(what_is_unknown_is_not_ignored),
		CASE(values_must_have_their_form),
		CASE(signatures_of_others_are_refused),
		CASE(letters_of_other_alphabets_are_fine),
		CASE(long_texts_are_refused),
		CASE(names_that_are_there_twice_are_refused),
		CASE(names_that_could_write_to_a_terminal_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
