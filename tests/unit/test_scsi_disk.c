/* tests/unit/test_scsi_disk.c - what a disk says about itself. */
#include "tests/unit/scsi_disk_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/err.h"

/* --- what a disk says about itself
 * -------------------------------------------- */

static void inquiry_names_a_disk_and_its_standards(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = data_in(f);

	GOOD(f, 0, 96, 0x12, 0, 0, 0, 96);
	assert_int_equal(f->task.moved, 96);
	assert_int_equal(p[0], 0);    /* connected, direct access */
	assert_int_equal(p[2], 0x06); /* SPC-4 */
	assert_int_equal(p[3] & 0xf, 2);
	assert_int_equal(p[4], 91);
	assert_int_equal(p[7] & 2, 2);
	assert_memory_equal(p + 8, "COFFER  ", 8);
	assert_int_equal(load_be16(p + 60), 0x0460);
	/* no more than was asked for */
	memset(p, 0xee, 40);
	GOOD(f, 0, 96, 0x12, 0, 0, 0, 36);
	assert_int_equal(f->task.moved, 36);
	assert_int_equal(p[36], 0xee);
	assert_int_equal(f->in[0], 0);
	GOOD(f, 0, 0, 0x12, 0, 0, 0, 0);
	assert_int_equal(f->task.moved, 0);
}

static void vital_product_data_has_six_pages(void **state)
{
	static const uint8_t pages[] = {0x00, 0x80, 0x83, 0xb0, 0xb1, 0xb2};
	struct fixture *f = *state;
	uint8_t *p = data_in(f);

	GOOD(f, 0, 255, 0x12, 1, 0, 0, 255);
	assert_int_equal(load_be16(p + 2), sizeof(pages));
	assert_memory_equal(p + 4, pages, sizeof(pages));
	for (size_t i = 0; i < sizeof(pages); i++) {
		GOOD(f, 0, 255, 0x12, 1, pages[i], 0, 255);
		assert_int_equal(p[1], pages[i]);
		assert_int_equal(f->task.moved, 4 + load_be16(p + 2));
	}
	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, 0, 255, 0x12, 1, 0x86, 0, 255);
	GOOD(f, 0, 255, 0x12, 1, 0x80, 0, 255);
	assert_int_equal(load_be16(p + 2), 8);
	assert_memory_equal(p + 4, "serial-1", 8);
	GOOD(f, 0, 255, 0x12, 1, 0x83, 0, 255);
	assert_int_equal(p[4], 2);
	assert_int_equal(p[5], 1);
	assert_int_equal(p[7], 16);
	assert_memory_equal(p + 8, "COFFER  serial-1", 16);
}

static void limits_and_provisioning_are_reported(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = data_in(f);

	GOOD(f, 0, 64, 0x12, 1, 0xb0, 0, 64);
	assert_int_equal(p[4], 1);
	assert_int_equal(load_be16(p + 6), 8);
	assert_int_equal(load_be32(p + 8), SCSI_XFER_BLOCKS_MAX);
	assert_int_equal(load_be32(p + 20), SCSI_UNMAP_BLOCKS_MAX);
	assert_int_equal(load_be32(p + 24), SCSI_UNMAP_DESCS_MAX);
	assert_int_equal(load_be32(p + 28), 8);
	assert_int_equal(load_be32(p + 32), 0x80000000);
	assert_int_equal(load_be64(p + 36), SCSI_SAME_BLOCKS_MAX);
	GOOD(f, 0, 64, 0x12, 1, 0xb1, 0, 64);
	assert_int_equal(load_be16(p + 4), 1); /* no rotation */
	GOOD(f, 0, 64, 0x12, 1, 0xb2, 0, 64);
	assert_int_equal(p[5], 0xe4);
	assert_int_equal(p[6], 2);
}

static void capacity_is_the_last_block(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = data_in(f);

	GOOD(f, 0, 8, 0x25);
	assert_int_equal(f->task.moved, 8);
	assert_int_equal(load_be32(p), BLOCKS - 1);
	assert_int_equal(load_be32(p + 4), BS);
	GOOD(f, 0, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
	assert_int_equal(f->task.moved, 32);
	assert_int_equal(load_be64(p), BLOCKS - 1);
	assert_int_equal(load_be32(p + 8), BS);
	assert_int_equal(p[13], 3);    /* 8 blocks are a physical one */
	assert_int_equal(p[14], 0xc0); /* unmapped blocks read as zeros */
	/* more than 32 bits of blocks: ask READ CAPACITY (16) */
	assert_true(scsi_disk_resize(f->disk, UINT64_C(3) << 41));
	scsi_disk_reset(f->disk, 0);
	GOOD(f, 0, 8, 0x25);
	assert_int_equal(load_be32(p), 0xffffffff);
}

static void mode_pages_tell_of_the_cache(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = data_in(f);

	GOOD(f, 0, 255, 0x1a, 0, 0x3f, 0, 255);
	assert_int_equal(f->task.moved, 4 + 8 + 12 + 20 + 12);
	assert_int_equal(p[0], f->task.moved - 1);
	assert_int_equal(p[2], 0x10); /* DPO and FUA, not protected */
	assert_int_equal(p[3], 8);
	assert_int_equal(load_be32(p + 4), BLOCKS);
	assert_int_equal(load_be32(p + 8), BS);
	assert_int_equal(p[12], 0x01);
	assert_int_equal(p[24], 0x08);
	assert_int_equal(p[25], 18);
	assert_int_equal(p[26], 0x04); /* WCE */
	assert_int_equal(p[44], 0x0a);
	/* ten bytes, no block descriptor, one page, what can be changed */
	GOOD(f, 0, 255, 0x5a, 0x08, 0x48, 0, 0, 0, 0, 0, 255);
	assert_int_equal(f->task.moved, 8 + 20);
	assert_int_equal(load_be16(p), 26);
	assert_int_equal(load_be16(p + 6), 0);
	assert_int_equal(p[10], 0x04);
	/* long block descriptor, control page */
	GOOD(f, 0, 255, 0x5a, 0x10, 0x0a, 0xff, 0, 0, 0, 0, 255);
	assert_int_equal(f->task.moved, 8 + 16 + 12);
	assert_int_equal(p[4], 1);
	assert_int_equal(load_be64(p + 8), BLOCKS);
	SENSE(f, SCSI_SAVING_NOT_SUPPORTED, 0, 255, 0x1a, 0, 0xff, 0, 255);
	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, 0, 255, 0x1a, 0, 0x1c, 0, 255);
	SENSE(f, SCSI_INVALID_FIELD_IN_CDB, 0, 255, 0x1a, 0, 0x08, 1, 255);
}

static void commands_without_an_effect_succeed(void **state)
{
	struct fixture *f = *state;

	GOOD(f, 0, 0, 0x00);
	GOOD(f, 0, 0, 0x1d, 4);
	GOOD(f, 0, 0, 0x1e, 0, 0, 0, 1);
	GOOD(f, 0, 0, 0x1b, 0, 0, 0, 1);
	GOOD(f, 0, 0, 0x1b, 0, 0, 0, 4); /* stop, without flush */
	GOOD(f, 0, 255, 0xa3, 0x0c, 0, 0, 0, 0, 0, 0, 0, 255);
	assert_int_equal(f->task.moved, 244);
	assert_int_equal(f->fake->n_ops[SCSI_IO_FLUSH], 0);
	/* what only the device can answer */
	SENSE(f, SCSI_INVALID_OPCODE, 0, 255, 0xa0, 0, 0, 0, 0, 0, 0, 0, 0,
	      255);
}

/* --- read-only, unit attention
 * ------------------------------------------------ */

static void a_read_only_disk_is_never_written(void **state)
{
	static const uint64_t d[][2] = {{1, 2}};
	struct fixture *f = *state;
	uint8_t *p = data_in(f);
	size_t n = unmap_list(f, d, 1);

	SENSE(f, SCSI_WRITE_PROTECTED, n, 0, UNMAP(n));
	SENSE(f, SCSI_WRITE_PROTECTED, BS, 0, 0x2a, 0, 0, 0, 0, 0, 0, 0, 1);
	SENSE(f, SCSI_WRITE_PROTECTED, BS, 0, 0x41, 8, 0, 0, 0, 0, 0, 0, 1);
	for (size_t i = 0; i < FAKE_SCSI_OPS; i++)
		assert_int_equal(f->fake->n_ops[i], 0);
	GOOD(f, 0, BS, 0x28, 0, 0, 0, 0, 0, 0, 0, 1);
	GOOD(f, 0, 0, 0x2f, 0, 0, 0, 0, 0, 0, 0, 1);
	GOOD(f, 0, 255, 0x1a, 0, 0x08, 0, 255);
	assert_int_equal(p[2], 0x90); /* protected */
	assert_int_equal(p[14], 0);   /* nothing to cache */
	GOOD(f, 0, 255, 0x1a, 0, 0x48, 0, 255);
	assert_int_equal(p[14], 0); /* and that cannot be changed */
	GOOD(f, 0, 32, 0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 32);
	assert_int_equal(p[14], 0);
	GOOD(f, 0, 64, 0x12, 1, 0xb2, 0, 64);
	assert_int_equal(p[5], 0);
}

static void power_on_is_reported_once(void **state)
{
	struct fixture *f = *state;
	uint8_t *p = data_in(f);

	GOOD(f, 0, 96, 0x12, 0, 0, 0, 96); /* INQUIRY does not care */
	SENSE(f, SCSI_POWER_ON, 0, 0, 0x00);
	GOOD(f, 0, 0, 0x00);
	/* REQUEST SENSE takes it as data */
	scsi_disk_reset(f->disk, SCSI_LUN_WAS_RESET);
	GOOD(f, 0, 18, 0x03, 0, 0, 0, 18);
	assert_int_equal(p[2], 6);
	assert_int_equal(p[12], 0x29);
	assert_int_equal(p[13], 0x03);
	GOOD(f, 0, 18, 0x03, 1, 0, 0, 18);
	assert_int_equal(p[0], 0x72);
	assert_int_equal(p[1], 0);
	assert_int_equal(f->task.moved, 8);
	GOOD(f, 0, 0, 0x00);
}

static void a_new_size_is_reported_and_used(void **state)
{
	struct fixture *f = *state;

	assert_false(scsi_disk_resize(f->disk, (uint64_t)BLOCKS * BS + 511));
	GOOD(f, 0, 0, 0x00);
	assert_true(scsi_disk_resize(f->disk, 8 * BS));
	SENSE(f, SCSI_CAPACITY_CHANGED, 0, 8, 0x25);
	GOOD(f, 0, 8, 0x25);
	assert_int_equal(load_be32(data_in(f)), 7);
	SENSE(f, SCSI_LBA_OUT_OF_RANGE, 0, BS, 0x28, 0, 0, 0, 0, 8, 0, 0, 1);
	/* a disk without blocks cannot be described */
	assert_false(scsi_disk_resize(f->disk, 511));
	GOOD(f, 0, BS, 0x28, 0, 0, 0, 0, 7, 0, 0, 1);
}

/* --- creation
 * ----------------------------------------------------------------- */

static void parameters_out_of_range_are_refused(void **state)
{
	struct fixture *f = *state;
	struct scsi_disk *d = NULL;
	struct scsi_disk_params p;
	struct err e = {0};

	p = fixture_params(f);
	p.serial = "";
	assert_int_equal(scsi_disk_create(&p, &d, &e), -EINVAL);
	assert_int_equal(e.kind, ERR_USAGE);
	p.serial = "0123456789012345678901234567890123456";
	assert_int_equal(scsi_disk_create(&p, &d, NULL), -EINVAL);
	p.serial = "tab\there";
	assert_int_equal(scsi_disk_create(&p, &d, NULL), -EINVAL);
	p.serial = NULL;
	assert_int_equal(scsi_disk_create(&p, &d, NULL), -EINVAL);
	p = fixture_params(f);
	p.block_size = 8192;
	p.phys_block_size = 8192;
	assert_int_equal(scsi_disk_create(&p, &d, NULL), -EINVAL);
	p = fixture_params(f);
	p.phys_block_size = 256;
	assert_int_equal(scsi_disk_create(&p, &d, NULL), -EINVAL);
	p = fixture_params(f);
	p.bytes = 511;
	assert_int_equal(scsi_disk_create(&p, &d, NULL), -EINVAL);
	assert_null(d);
	scsi_disk_destroy(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(inquiry_names_a_disk_and_its_standards),
		TEST(vital_product_data_has_six_pages),
		TEST(limits_and_provisioning_are_reported),
		TEST(capacity_is_the_last_block),
		TEST(mode_pages_tell_of_the_cache),
		TEST(commands_without_an_effect_succeed),
		cmocka_unit_test_setup_teardown(
			a_read_only_disk_is_never_written, setup_read_only,
			teardown),
		cmocka_unit_test_setup_teardown(power_on_is_reported_once,
						setup_power_on, teardown),
		TEST(a_new_size_is_reported_and_used),
		TEST(parameters_out_of_range_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
