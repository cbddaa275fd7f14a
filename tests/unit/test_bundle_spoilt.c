/* tests/unit/test_bundle_spoilt.c - trees that are whole, and say what no
 * bundle of ours says. */
#include "tests/unit/unit.h"

#include "tests/unit/bundle_parse_fixture.h"
#include "vmm/base/bytes.h"

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

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(images_that_are_missing_or_unused_are_refused),
		CASE(images_must_be_whole_and_hashed_by_sha256),
		CASE(what_is_unknown_is_not_ignored),
		CASE(values_must_have_their_form),
		CASE(signatures_of_others_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
