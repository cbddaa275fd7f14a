/* devices/virtio/scsi_sense.c - sense data in its two formats. */
#include "devices/virtio/scsi_sense.h"

#include <string.h>

#include "vmm/base/bytes.h"

enum {
	SENSE_FIXED_CURRENT = 0x70,
	SENSE_DESC_CURRENT = 0x72,
	SENSE_VALID = 0x80,
	DESC_INFORMATION = 0x00,
	DESC_SENSE_KEY_SPECIFIC = 0x02,
	SKS_VALID = 0x80,
	SKS_IN_CDB = 0x40, /* C/D */
};

/* SPC-4, 4.5.2.4.2 "Field pointer sense key specific data": three bytes. */
static void put_field(const struct scsi_sense *s, uint8_t *p)
{
	p[0] = SKS_VALID | (s->in_list ? 0 : SKS_IN_CDB);
	store_be16(p + 1, s->field);
}

void scsi_sense_fixed(const struct scsi_sense *s,
		      uint8_t buf[static SCSI_SENSE_FIXED_LEN])
{
	memset(buf, 0, SCSI_SENSE_FIXED_LEN);
	buf[0] = SENSE_FIXED_CURRENT;
	buf[2] = (uint8_t)(s->code >> 16);
	if (s->has_info && s->info <= UINT32_MAX) {
		buf[0] |= SENSE_VALID;
		store_be32(buf + 3, (uint32_t)s->info);
	}
	buf[7] = SCSI_SENSE_FIXED_LEN - 8;
	buf[12] = (uint8_t)(s->code >> 8);
	buf[13] = (uint8_t)s->code;
	if (s->has_field)
		put_field(s, buf + 15);
}

size_t scsi_sense_desc(const struct scsi_sense *s,
		       uint8_t buf[static SCSI_SENSE_DESC_MAX])
{
	size_t n = 8;

	memset(buf, 0, SCSI_SENSE_DESC_MAX);
	buf[0] = SENSE_DESC_CURRENT;
	buf[1] = (uint8_t)(s->code >> 16);
	buf[2] = (uint8_t)(s->code >> 8);
	buf[3] = (uint8_t)s->code;
	if (s->has_info) {
		buf[n] = DESC_INFORMATION;
		buf[n + 1] = 10;
		buf[n + 2] = SENSE_VALID;
		store_be64(buf + n + 4, s->info);
		n += 12;
	}
	if (s->has_field) {
		buf[n] = DESC_SENSE_KEY_SPECIFIC;
		buf[n + 1] = 6;
		put_field(s, buf + n + 4);
		n += 8;
	}
	buf[7] = (uint8_t)(n - 8);
	return n;
}
