/*
 * devices/virtio/scsi_cdb.h - from the bytes of a CDB to a checked request.
 *
 * Parsing knows the formats (SPC-4, 4.2 "Command descriptor block"; SBC-3, 5)
 * and nothing of a disk: whether an LBA exists is for scsi_disk to say. One
 * table names every command there is; REPORT SUPPORTED OPERATION CODES prints
 * the same table, so it cannot promise what the parser refuses.
 */
#ifndef DEVICES_VIRTIO_SCSI_CDB_H
#define DEVICES_VIRTIO_SCSI_CDB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scsi_sense;

enum {
	SCSI_CDB_MAX = 16,   /* longest format that is understood */
	SCSI_OPCODES = 30,   /* entries of the table */
	SCSI_OPCODES_MAX = 4 /* bytes of the longest answer about them */
			   + SCSI_OPCODES * 20,
};

/* What to do; commands that differ only in the width of their fields share. */
enum scsi_op {
	SCSI_OP_TEST_UNIT_READY,
	SCSI_OP_REQUEST_SENSE,
	SCSI_OP_INQUIRY,
	SCSI_OP_MODE_SELECT,
	SCSI_OP_MODE_SENSE,
	SCSI_OP_START_STOP,
	SCSI_OP_SEND_DIAGNOSTIC,
	SCSI_OP_PREVENT_ALLOW,
	SCSI_OP_READ_CAPACITY_10,
	SCSI_OP_READ_CAPACITY_16,
	SCSI_OP_READ,
	SCSI_OP_WRITE,
	SCSI_OP_VERIFY,
	SCSI_OP_SYNC_CACHE,
	SCSI_OP_WRITE_SAME,
	SCSI_OP_UNMAP,
	SCSI_OP_REPORT_LUNS,
	SCSI_OP_REPORT_OPCODES,
};

struct scsi_cdb {
	enum scsi_op op;
	uint8_t opcode;
	uint8_t len; /* of the CDB, by its opcode */
	/* Block commands */
	uint64_t lba;
	uint32_t blocks; /* as the device is to do it: READ(6) 0 is 256 */
	bool fua;
	bool unmap, ndob; /* WRITE SAME */
	uint8_t bytchk;	  /* VERIFY: 0 or 1 */
	/* Allocation length, or parameter list length, in bytes */
	uint32_t list_len;
	/* INQUIRY: page of vital product data. Mode pages: page, subpage, page
	 * control. */
	bool evpd;
	uint8_t page, subpage, pc;
	bool dbd, llbaa, page_format, save_pages;
	bool desc;	      /* REQUEST SENSE: descriptor format */
	bool start, no_flush; /* START STOP UNIT */
	uint8_t power;	      /* START STOP UNIT: power condition */
	uint8_t select;	      /* REPORT LUNS: which */
	/* REPORT SUPPORTED OPERATION CODES */
	bool timeouts;
	uint8_t report, report_opcode;
	uint16_t report_action;
};

/*
 * Understand @len bytes of @cdb; bytes past the length that its opcode has are
 * not looked at. 0 and *ret; or -EINVAL and *ret_sense:
 *   INVALID OPCODE           no such command here, or fewer bytes than it has
 *   INVALID FIELD IN CDB     a value or an option that is not supported
 */
int scsi_cdb_parse(const uint8_t *cdb, size_t len, struct scsi_cdb *ret,
		   struct scsi_sense *ret_sense);

/*
 * The answer to REPORT SUPPORTED OPERATION CODES (SPC-4, 6.35). Returns its
 * length, at most SCSI_OPCODES_MAX; or -EINVAL and *ret_sense.
 */
int scsi_cdb_report(const struct scsi_cdb *c,
		    uint8_t buf[static SCSI_OPCODES_MAX],
		    struct scsi_sense *ret_sense);

#endif
