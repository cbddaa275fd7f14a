/*
 * devices/virtio/scsi_sense.h - status and sense data: how a SCSI command says
 * what went wrong (SAM-5, 5.3 "Status"; SPC-4, 4.5 "Sense data").
 */
#ifndef DEVICES_VIRTIO_SCSI_SENSE_H
#define DEVICES_VIRTIO_SCSI_SENSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* SAM-5, table 33 "Status codes" */
enum scsi_status {
	SCSI_GOOD = 0x00,
	SCSI_CHECK_CONDITION = 0x02,
	SCSI_BUSY = 0x08,
};

/* sense key << 16 | additional sense code << 8 | its qualifier */
#define SCSI_SENSE(key, asc, ascq)                                             \
	((uint32_t)(key) << 16 | (uint32_t)(asc) << 8 | (ascq))

/* SPC-4, tables 46 "Sense key descriptions" and F.2 "ASC/ASCQ assignments" */
enum scsi_sense_code {
	SCSI_NO_SENSE = 0,
	SCSI_READ_ERROR = SCSI_SENSE(0x3, 0x11, 0x00),
	SCSI_WRITE_ERROR = SCSI_SENSE(0x3, 0x0c, 0x00),
	SCSI_TARGET_FAILURE = SCSI_SENSE(0x4, 0x44, 0x00),
	SCSI_LIST_LENGTH_ERROR = SCSI_SENSE(0x5, 0x1a, 0x00),
	SCSI_INVALID_OPCODE = SCSI_SENSE(0x5, 0x20, 0x00),
	SCSI_LBA_OUT_OF_RANGE = SCSI_SENSE(0x5, 0x21, 0x00),
	SCSI_INVALID_FIELD_IN_CDB = SCSI_SENSE(0x5, 0x24, 0x00),
	SCSI_LUN_NOT_SUPPORTED = SCSI_SENSE(0x5, 0x25, 0x00),
	SCSI_INVALID_FIELD_IN_LIST = SCSI_SENSE(0x5, 0x26, 0x00),
	SCSI_SAVING_NOT_SUPPORTED = SCSI_SENSE(0x5, 0x39, 0x00),
	SCSI_POWER_ON = SCSI_SENSE(0x6, 0x29, 0x00),
	SCSI_LUN_WAS_RESET = SCSI_SENSE(0x6, 0x29, 0x03),
	SCSI_NEXUS_LOSS = SCSI_SENSE(0x6, 0x29, 0x07),
	SCSI_CAPACITY_CHANGED = SCSI_SENSE(0x6, 0x2a, 0x09),
	SCSI_WRITE_PROTECTED = SCSI_SENSE(0x7, 0x27, 0x00),
	SCSI_SPACE_ALLOC_FAILED = SCSI_SENSE(0x7, 0x27, 0x07),
	SCSI_MISCOMPARE = SCSI_SENSE(0xe, 0x1d, 0x00),
};

struct scsi_sense {
	uint32_t code;	/* one of the above */
	bool has_info;	/* the INFORMATION field is valid */
	uint64_t info;	/* LBA of an error, offset of a miscompare */
	bool has_field; /* the field pointer is valid (ILLEGAL REQUEST) */
	bool in_list;	/* it counts bytes of the parameter list, not the CDB */
	uint16_t field; /* first byte in error */
};

enum {
	SCSI_SENSE_FIXED_LEN = 18,
	SCSI_SENSE_DESC_MAX = 28,
};

/*
 * Current error in fixed format (SPC-4, 4.5.3). INFORMATION that does not fit
 * into its 32 bits is left out, as the format wants it.
 */
void scsi_sense_fixed(const struct scsi_sense *s,
		      uint8_t buf[static SCSI_SENSE_FIXED_LEN]);
/* The same in descriptor format (SPC-4, 4.5.2); returns its length. */
size_t scsi_sense_desc(const struct scsi_sense *s,
		       uint8_t buf[static SCSI_SENSE_DESC_MAX]);

#endif
