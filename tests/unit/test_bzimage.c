/* tests/unit/test_bzimage.c - headers of bzImages, good and lying. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "firmware/bzimage.h"
#include "firmware/image_file.h"
#include "tests/fake/fake_image.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

static int setup(void **state)
{
	*state = fake_bzimage_create();
	return 0;
}

static int teardown(void **state)
{
	fake_image_destroy(*state);
	return 0;
}

static int parse(const struct fake_image *i, struct bzimage *ret,
		 struct err *err)
{
	AUTO(fd_closep) int fd = fake_image_fd(i);
	struct image_file f = {.fd = fd, .name = "k", .len = i->len};

	return bzimage_parse(&f, ret, err);
}

/* Parsing @i fails with @code, and the message has @words. */
static void refused(const struct fake_image *i, int code, const char *words)
{
	struct err err = {0};
	struct bzimage bz = {.version = 0xbeef};

	assert_int_equal(parse(i, &bz, &err), code);
	assert_int_equal(err.kind, ERR_INPUT);
	if (!strstr(err.msg, words))
		fail_msg("'%s' is not in: %s", words, err.msg);
	assert_int_equal(bz.version, 0xbeef); /* untouched */
}

static void the_header_is_understood(void **state)
{
	const struct fake_image *i = *state;
	struct bzimage bz;

	assert_int_equal(parse(i, &bz, NULL), 0);
	assert_int_equal(bz.version, 0x20f);
	assert_int_equal(bz.xloadflags, 3);
	assert_true(bz.relocatable);
	assert_int_equal(bz.pref_address, FAKE_BZ_PREF);
	assert_int_equal(bz.alignment, 0x200000);
	assert_int_equal(bz.init_size, FAKE_BZ_INIT_SIZE);
	assert_int_equal(bz.code_off, FAKE_BZ_CODE_OFF);
	assert_int_equal(bz.code_len, FAKE_BZ_CODE_LEN);
	assert_int_equal(bz.payload_off, 0x100);
	assert_int_equal(bz.payload_len, FAKE_BZ_CODE_LEN - 0x100);
	assert_int_equal(bz.cmdline_size, FAKE_BZ_CMDLINE_SIZE);
	assert_int_equal(bz.initrd_addr_max, FAKE_BZ_INITRD_MAX);
	assert_int_equal(bz.hdr_len, 0x202 + 0x6a - 0x1f1);
	assert_memory_equal(bz.hdr, i->data + 0x1f1, bz.hdr_len);
}

static void setup_sects_of_zero_means_four(void **state)
{
	AUTO(fake_image_destroyp)
	struct fake_image *big = fake_image_create(NULL, 5 * 512 + 0x2000);
	const struct fake_image *i = *state;
	struct bzimage bz;

	memcpy(big->data, i->data, i->len);
	big->data[0x1f1] = 0;
	assert_int_equal(parse(big, &bz, NULL), 0);
	assert_int_equal(bz.code_off, 5 * 512);
}

static void bytes_behind_the_code_are_not_part_of_it(void **state)
{
	/* a signature, for example */
	AUTO(fake_image_destroyp) struct fake_image *big = NULL;
	const struct fake_image *i = *state;
	struct bzimage bz;

	big = fake_image_create(NULL, i->len + 1000);
	memcpy(big->data, i->data, i->len);
	assert_int_equal(parse(big, &bz, NULL), 0);
	assert_int_equal(bz.code_len, FAKE_BZ_CODE_LEN);
}

static void kernels_we_cannot_start_are_refused(void **state)
{
	struct fake_image *i = *state;

	store_le16(i->data + 0x206, 0x20b);
	refused(i, -ENOEXEC, "boot protocol 2.11");
	store_le16(i->data + 0x206, 0x20c);
	i->data[0x211] = 0;
	refused(i, -ENOEXEC, "zImage");
	i->data[0x211] = 1;
	store_le16(i->data + 0x236, 2);
	refused(i, -ENOEXEC, "32-bit kernel");
	store_le16(i->data + 0x236, 1);
	assert_int_equal(parse(i, &(struct bzimage){0}, NULL), 0);
	i->data[0x202] = 'h';
	refused(i, -ENOEXEC, "not a bzImage");
}

static void a_missing_boot_signature_is_damage(void **state)
{
	struct fake_image *i = *state;

	i->data[0x1ff] = 0;
	refused(i, -EBADMSG, "0xaa55");
}

static void a_header_length_out_of_range_is_refused(void **state)
{
	struct fake_image *i = *state;

	i->data[0x201] = 0x65; /* ends before handover_offset does */
	refused(i, -EBADMSG, "setup header");
	i->data[0x201] = 0x8f; /* runs into the next field of boot_params */
	refused(i, -EBADMSG, "setup header");
	i->data[0x201] = 0x8e;
	assert_int_equal(parse(i, &(struct bzimage){0}, NULL), 0);
	i->data[0x201] = 0x66;
	assert_int_equal(parse(i, &(struct bzimage){0}, NULL), 0);
}

static void sizes_beyond_the_file_are_refused(void **state)
{
	struct fake_image *i = *state;

	i->data[0x1f1]++; /* setup_sects */
	refused(i, -EBADMSG, "it was cut");
	i->data[0x1f1] = 255;
	refused(i, -EBADMSG, "it was cut");
	i->data[0x1f1] = FAKE_BZ_CODE_OFF / 512 - 1;
	store_le32(i->data + 0x1f4, FAKE_BZ_CODE_LEN / 16 + 1); /* syssize */
	refused(i, -EBADMSG, "says 9744");
	store_le32(i->data + 0x1f4, UINT32_MAX);
	refused(i, -EBADMSG, "it was cut");
	store_le32(i->data + 0x1f4, 0);
	refused(i, -EBADMSG, "0 bytes of code");
	store_le32(i->data + 0x1f4, 0x20); /* up to the 64-bit entry */
	refused(i, -EBADMSG, "512 bytes of code");
}

static void a_cut_file_is_refused_at_every_length(void **state)
{
	struct fake_image *i = *state;

	i->len--;
	refused(i, -EBADMSG, "it was cut");
	i->len = FAKE_BZ_CODE_OFF;
	refused(i, -EBADMSG, "it was cut");
	i->len = BZIMAGE_HDR_END;
	refused(i, -EBADMSG, "it was cut");
	i->len = BZIMAGE_HDR_END - 1;
	refused(i, -ENODATA, "it was cut");
	i->len = 0x206;
	refused(i, -ENODATA, "it was cut");
}

static void a_payload_outside_of_the_code_is_refused(void **state)
{
	struct fake_image *i = *state;

	store_le32(i->data + 0x24c, FAKE_BZ_CODE_LEN - 0x100 + 1);
	refused(i, -EBADMSG, "payload");
	store_le32(i->data + 0x248, UINT32_MAX);
	store_le32(i->data + 0x24c, 1);
	refused(i, -EBADMSG, "payload");
}

static void less_memory_than_code_is_refused(void **state)
{
	struct fake_image *i = *state;

	store_le32(i->data + 0x260, FAKE_BZ_CODE_LEN - 1);
	refused(i, -EBADMSG, "init_size");
	store_le32(i->data + 0x260, 0);
	refused(i, -EBADMSG, "init_size");
	store_le32(i->data + 0x260, FAKE_BZ_CODE_LEN);
	assert_int_equal(parse(i, &(struct bzimage){0}, NULL), 0);
}

static void an_odd_alignment_is_refused_if_it_counts(void **state)
{
	struct fake_image *i = *state;
	struct bzimage bz;

	store_le32(i->data + 0x230, 0x300000);
	refused(i, -EBADMSG, "kernel_alignment");
	store_le32(i->data + 0x230, 0);
	refused(i, -EBADMSG, "kernel_alignment");
	i->data[0x234] = 0; /* not relocatable: the field means nothing */
	assert_int_equal(parse(i, &bz, NULL), 0);
	assert_false(bz.relocatable);
	assert_int_equal(bz.alignment, 1);
}

static void no_room_for_a_command_line_is_refused(void **state)
{
	struct fake_image *i = *state;

	store_le32(i->data + 0x238, 0);
	refused(i, -EBADMSG, "cmdline_size");
}

static void the_probe_needs_the_whole_magic(void **state)
{
	const struct fake_image *i = *state;

	assert_true(bzimage_probe(i->data, 0x206));
	assert_false(bzimage_probe(i->data, 0x205));
	assert_false(bzimage_probe(i->data, 0));
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_header_is_understood),
		CASE(setup_sects_of_zero_means_four),
		CASE(bytes_behind_the_code_are_not_part_of_it),
		CASE(kernels_we_cannot_start_are_refused),
		CASE(a_missing_boot_signature_is_damage),
		CASE(a_header_length_out_of_range_is_refused),
		CASE(sizes_beyond_the_file_are_refused),
		CASE(a_cut_file_is_refused_at_every_length),
		CASE(a_payload_outside_of_the_code_is_refused),
		CASE(less_memory_than_code_is_refused),
		CASE(an_odd_alignment_is_refused_if_it_counts),
		CASE(no_room_for_a_command_line_is_refused),
		CASE(the_probe_needs_the_whole_magic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
