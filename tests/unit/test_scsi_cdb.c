/* tests/unit/test_scsi_cdb.c - CDBs, and sense data. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/scsi_cdb.h"
#include "devices/virtio/scsi_sense.h"
#include "vmm/base/bytes.h"
#include "vmm/base/own.h"

#define BYTES(...)                                                             \
	(const uint8_t[32])                                                    \
	{                                                                      \
		__VA_ARGS__                                                    \
	}

static struct scsi_cdb good(const uint8_t *b)
{
	struct scsi_sense s = {0};
	struct scsi_cdb c;

	memset(&c, 0xa5, sizeof(c));
	assert_int_equal(scsi_cdb_parse(b, 32, &c, &s), 0);
	return c;
}

/* Refused as INVALID FIELD IN CDB, with a pointer to @field. */
static void bad_field(const uint8_t *b, unsigned int field)
{
	struct scsi_sense s = {0};
	struct scsi_cdb c = {.blocks = 4711};

	assert_int_equal(scsi_cdb_parse(b, 32, &c, &s), -EINVAL);
	assert_int_equal(s.code, SCSI_INVALID_FIELD_IN_CDB);
	assert_true(s.has_field);
	assert_false(s.in_list);
	assert_int_equal(s.field, field);
	assert_int_equal(c.blocks, 4711); /* untouched */
}

static void bad_opcode(const uint8_t *b, size_t len)
{
	struct scsi_sense s = {0};
	struct scsi_cdb c;

	assert_int_equal(scsi_cdb_parse(b, len, &c, &s), -EINVAL);
	assert_int_equal(s.code, SCSI_INVALID_OPCODE);
}

static void reads_and_writes_of_all_widths_say_where_and_how_much(void **state)
{
	struct scsi_cdb c;

	(void)state;
	c = good(BYTES(0x08, 0xff, 0x23, 0x45, 7));
	assert_int_equal(c.op, SCSI_OP_READ);
	assert_int_equal(c.lba, 0x1f2345);
	assert_int_equal(c.blocks, 7);
	assert_int_equal(c.len, 6);
	c = good(BYTES(0x0a, 0, 0, 1, 0));
	assert_int_equal(c.op, SCSI_OP_WRITE);
	assert_int_equal(c.blocks, 256); /* READ(6), WRITE(6): 0 is 256 */
	c = good(BYTES(0x28, 0, 0x12, 0x34, 0x56, 0x78, 0, 0x9a, 0xbc));
	assert_int_equal(c.op, SCSI_OP_READ);
	assert_int_equal(c.lba, 0x12345678);
	assert_int_equal(c.blocks, 0x9abc);
	c = good(BYTES(0x2a, 0, 0, 0, 0, 0, 0, 0, 0));
	assert_int_equal(c.op, SCSI_OP_WRITE);
	assert_int_equal(c.blocks, 0); /* not 256 */
	c = good(BYTES(0xaa, 0, 0xff, 0xff, 0xff, 0xff, 0x80, 0, 0, 1));
	assert_int_equal(c.lba, 0xffffffff);
	assert_int_equal(c.blocks, 0x80000001);
	c = good(BYTES(0x88, 0, 0x80, 1, 2, 3, 4, 5, 6, 7, 0xff, 0xff, 0xff,
		       0xfe));
	assert_int_equal(c.op, SCSI_OP_READ);
	assert_true(c.lba == UINT64_C(0x8001020304050607));
	assert_int_equal(c.blocks, 0xfffffffe);
	assert_int_equal(c.len, 16);
}

static void fua_is_seen_and_protection_is_refused(void **state)
{
	(void)state;
	assert_true(good(BYTES(0x2a, 0x08)).fua);
	assert_true(good(BYTES(0x8a, 0x18)).fua); /* with DPO */
	assert_false(good(BYTES(0x2a, 0x10)).fua);
	assert_false(good(BYTES(0x0a, 0x08)).fua); /* part of the LBA */
	bad_field(BYTES(0x28, 0x20), 1);
	bad_field(BYTES(0x8a, 0x80), 1);
	bad_field(BYTES(0xaf, 0x40), 1);
	bad_field(BYTES(0x41, 0x20), 1);
}

static void verify_compares_or_not(void **state)
{
	(void)state;
	assert_int_equal(good(BYTES(0x2f, 0)).bytchk, 0);
	assert_int_equal(good(BYTES(0x8f, 0x12)).bytchk, 1);
	bad_field(BYTES(0x2f, 0x04), 1);
	bad_field(BYTES(0x8f, 0x06), 1);
}

static void write_same_takes_unmap_and_ndob_only(void **state)
{
	struct scsi_cdb c = good(BYTES(0x93, 0x09));

	(void)state;
	assert_true(c.unmap && c.ndob);
	c = good(BYTES(0x41, 0x08));
	assert_true(c.unmap && !c.ndob);
	bad_field(BYTES(0x41, 0x01), 1); /* no NDOB in 10 bytes */
	bad_field(BYTES(0x93, 0x10), 1); /* ANCHOR */
	bad_field(BYTES(0x93, 0x04), 1); /* PBDATA */
	bad_field(BYTES(0x93, 0x02), 1); /* LBDATA */
	bad_field(BYTES(0x42, 0x01), 1); /* ANCHOR of UNMAP */
}

static void what_is_asked_of_inquiry_must_make_sense(void **state)
{
	struct scsi_cdb c = good(BYTES(0x12, 1, 0x83, 0x12, 0x34));

	(void)state;
	assert_true(c.evpd);
	assert_int_equal(c.page, 0x83);
	assert_int_equal(c.list_len, 0x1234);
	bad_field(BYTES(0x12, 0, 0x83, 0, 96), 2);
	bad_field(BYTES(0x12, 2, 0, 0, 96), 1);
}

static void mode_commands_are_read_in_both_lengths(void **state)
{
	struct scsi_cdb c = good(BYTES(0x1a, 0x08, 0x7f, 0xff, 200));

	(void)state;
	assert_true(c.dbd && !c.llbaa);
	assert_int_equal(c.pc, 1);
	assert_int_equal(c.page, 0x3f);
	assert_int_equal(c.subpage, 0xff);
	assert_int_equal(c.list_len, 200);
	c = good(BYTES(0x5a, 0x10, 0x08, 0, 0, 0, 0, 0x01, 0x02));
	assert_true(c.llbaa && !c.dbd);
	assert_int_equal(c.list_len, 0x102);
	assert_false(good(BYTES(0x1a, 0x10)).llbaa);
	assert_int_equal(good(BYTES(0x15, 0x10, 0, 0, 24)).list_len, 24);
	bad_field(BYTES(0x15, 0x00, 0, 0, 24), 1); /* not in page format */
	bad_field(BYTES(0x55, 0x11, 0, 0, 0, 0, 0, 0, 24), 1); /* save */
}

static void options_of_other_commands_are_checked(void **state)
{
	(void)state;
	assert_true(good(BYTES(0x03, 1, 0, 0, 252)).desc);
	assert_true(good(BYTES(0x1b, 0, 0, 0, 1)).start);
	assert_true(good(BYTES(0x1b, 1, 0, 0, 4)).no_flush);
	bad_field(BYTES(0x1b, 0, 0, 0, 0x03), 4); /* LOEJ */
	bad_field(BYTES(0x1b, 0, 0, 0, 0x30), 4); /* standby */
	good(BYTES(0x1d, 0x04));
	bad_field(BYTES(0x1d, 0x20), 1);
	bad_field(BYTES(0x1d, 0x10, 0, 0, 4), 3);
	good(BYTES(0x1e, 0, 0, 0, 1));
	bad_field(BYTES(0x1e, 0, 0, 0, 2), 4);
	good(BYTES(0x25, 0, 0, 0, 0, 1, 0, 0, 1)); /* PMI */
	bad_field(BYTES(0x25, 0, 0, 0, 0, 1), 2);
	bad_field(BYTES(0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 1), 2);
	assert_int_equal(good(BYTES(0xa0, 0, 2, 0, 0, 0, 0, 0, 1)).list_len,
			 256);
	bad_field(BYTES(0xa0, 0, 3, 0, 0, 0, 0, 0, 1), 2);
	bad_field(BYTES(0xa0, 0, 0, 0, 0, 0, 0, 0, 0, 15), 6);
	bad_field(BYTES(0xa3, 0x0c, 4), 2);
}

static void service_actions_that_do_not_exist_are_a_bad_field(void **state)
{
	(void)state;
	bad_field(BYTES(0x9e, 0x12), 1); /* GET LBA STATUS */
	bad_field(BYTES(0xa3, 0x0d), 1);
	good(BYTES(0x9e, 0xf0)); /* bits beside the service action */
}

static void there_is_no_auto_contingent_allegiance(void **state)
{
	(void)state;
	bad_field(BYTES(0x00, 0, 0, 0, 0, 0x04), 5);
	bad_field(BYTES(0x28, 0, 0, 0, 0, 0, 0, 0, 0, 0x04), 9);
	bad_field(BYTES(0x88, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x04),
		  15);
}

static void unknown_commands_have_an_invalid_opcode(void **state)
{
	static const uint8_t none[] = {
		0x04,	    /* FORMAT UNIT */
		0x16,	    /* RESERVE(6) */
		0x17, 0x5e, /* PERSISTENT RESERVE IN */
		0x5f, 0x7f, 0x89, 0xc0, 0xff,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(none); i++)
		bad_opcode(BYTES(none[i]), 32);
}

static void a_cdb_cut_short_is_not_read_past_its_end(void **state)
{
	static const uint8_t lens[256] = {
		[0x12] = 6, [0x28] = 10, [0xa8] = 12, [0x88] = 16};

	(void)state;
	bad_opcode(BYTES(0), 0);
	for (unsigned int op = 0; op < 256; op++) {
		for (size_t n = 1; n <= 16 && lens[op]; n++) {
			/* exactly n bytes, so that a sanitizer sees more */
			AUTO(freep) uint8_t *b = calloc(1, n);
			struct scsi_sense s;
			struct scsi_cdb c;

			b[0] = (uint8_t)op;
			assert_int_equal(scsi_cdb_parse(b, n, &c, &s),
					 n < lens[op] ? -EINVAL : 0);
		}
	}
}

/* --- REPORT SUPPORTED OPERATION CODES ------------------------------------- */

static int report(uint8_t *buf, uint8_t how, uint8_t opcode, uint16_t action)
{
	struct scsi_cdb c =
		good(BYTES(0xa3, 0x0c, how, opcode, (uint8_t)(action >> 8),
			   (uint8_t)action));
	struct scsi_sense s = {0};
	int r = scsi_cdb_report(&c, buf, &s);

	if (r < 0)
		assert_int_equal(s.code, SCSI_INVALID_FIELD_IN_CDB);
	return r;
}

/* Whatever the list names is parsed, and whatever is parsed is in the list. */
static void the_list_of_commands_is_what_the_parser_takes(void **state)
{
	uint8_t buf[SCSI_OPCODES_MAX];
	bool named[256] = {false};
	int n = report(buf, 0, 0, 0);

	(void)state;
	assert_int_equal(n, 4 + 8 * SCSI_OPCODES);
	assert_int_equal(load_be32(buf), n - 4);
	for (const uint8_t *p = buf + 4; p < buf + n; p += 8) {
		assert_false(named[p[0]]);
		named[p[0]] = true;
		assert_int_equal(p[5] & 0x01, p[0] == 0x9e || p[0] == 0xa3);
	}
	for (unsigned int op = 0; op < 256; op++) {
		struct scsi_sense s = {0};
		struct scsi_cdb c;
		int r = scsi_cdb_parse(BYTES((uint8_t)op), 32, &c, &s);

		assert_int_equal(named[op],
				 !(r < 0 && s.code == SCSI_INVALID_OPCODE));
		assert_int_equal(report(buf, 3, (uint8_t)op, 0) > 4,
				 named[op] && op != 0x9e && op != 0xa3);
	}
	assert_int_equal(report(buf, 0x80, 0, 0), SCSI_OPCODES_MAX);
}

static void one_command_is_described_by_its_bits(void **state)
{
	uint8_t buf[SCSI_OPCODES_MAX];

	(void)state;
	assert_int_equal(report(buf, 1, 0x28, 0), 4 + 10);
	assert_int_equal(buf[1], 3);
	assert_int_equal(load_be16(buf + 2), 10);
	assert_int_equal(buf[4], 0x28);
	assert_int_equal(load_be32(buf + 6), 0xffffffff);
	assert_int_equal(report(buf, 0x82, 0x9e, 0x10), 4 + 16 + 12);
	assert_int_equal(buf[1], 0x83);
	assert_int_equal(buf[5], 0x10);
	assert_int_equal(load_be16(buf + 20), 10); /* of the timeouts */
	assert_int_equal(report(buf, 3, 0xa3, 0x0c), 4 + 12);
	assert_int_equal(report(buf, 3, 0xa3, 0x0d), 4);
	assert_int_equal(buf[1], 1); /* not supported */
	assert_int_equal(report(buf, 1, 0x5e, 0), 4);
	assert_int_equal(buf[1], 1);
	/* with or without a service action, as the command has them */
	assert_int_equal(report(buf, 1, 0x9e, 0), -EINVAL);
	assert_int_equal(report(buf, 2, 0x28, 0), -EINVAL);
}

/* --- sense ---------------------------------------------------------------- */

static void sense_has_two_formats(void **state)
{
	struct scsi_sense s = {
		.code = SCSI_MISCOMPARE,
		.has_info = true,
		.info = 0x12345678,
	};
	uint8_t f[SCSI_SENSE_FIXED_LEN], d[SCSI_SENSE_DESC_MAX];

	(void)state;
	scsi_sense_fixed(&s, f);
	assert_int_equal(f[0], 0xf0);
	assert_int_equal(f[2], 0x0e);
	assert_int_equal(load_be32(f + 3), 0x12345678);
	assert_int_equal(f[7], 10);
	assert_int_equal(f[12], 0x1d);
	assert_int_equal(f[13], 0);
	assert_int_equal(scsi_sense_desc(&s, d), 20);
	assert_int_equal(d[0], 0x72);
	assert_int_equal(d[1], 0x0e);
	assert_int_equal(d[2], 0x1d);
	assert_int_equal(d[7], 12);
	assert_true(load_be64(d + 12) == s.info);
	/* 32 bits are all that the fixed format has */
	s.info = UINT64_C(1) << 32;
	scsi_sense_fixed(&s, f);
	assert_int_equal(f[0], 0x70);
	assert_int_equal(load_be32(f + 3), 0);
}

static void sense_points_at_the_byte_in_error(void **state)
{
	struct scsi_sense s = {
		.code = SCSI_INVALID_FIELD_IN_CDB,
		.has_field = true,
		.field = 0x102,
	};
	uint8_t f[SCSI_SENSE_FIXED_LEN], d[SCSI_SENSE_DESC_MAX];

	(void)state;
	scsi_sense_fixed(&s, f);
	assert_int_equal(f[15], 0xc0);
	assert_int_equal(load_be16(f + 16), 0x102);
	s.in_list = s.has_info = true;
	scsi_sense_fixed(&s, f);
	assert_int_equal(f[15], 0x80);
	assert_int_equal(scsi_sense_desc(&s, d), 28);
	assert_int_equal(d[20], 2);
	assert_int_equal(d[24], 0x80);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			reads_and_writes_of_all_widths_say_where_and_how_much),
		cmocka_unit_test(fua_is_seen_and_protection_is_refused),
		cmocka_unit_test(verify_compares_or_not),
		cmocka_unit_test(write_same_takes_unmap_and_ndob_only),
		cmocka_unit_test(what_is_asked_of_inquiry_must_make_sense),
		cmocka_unit_test(mode_commands_are_read_in_both_lengths),
		cmocka_unit_test(options_of_other_commands_are_checked),
		cmocka_unit_test(
			service_actions_that_do_not_exist_are_a_bad_field),
		cmocka_unit_test(there_is_no_auto_contingent_allegiance),
		cmocka_unit_test(unknown_commands_have_an_invalid_opcode),
		cmocka_unit_test(a_cdb_cut_short_is_not_read_past_its_end),
		cmocka_unit_test(the_list_of_commands_is_what_the_parser_takes),
		cmocka_unit_test(one_command_is_described_by_its_bits),
		cmocka_unit_test(sense_has_two_formats),
		cmocka_unit_test(sense_points_at_the_byte_in_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
