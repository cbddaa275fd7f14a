/* devices/virtio/scsi_pages.c - INQUIRY, VPD pages, READ CAPACITY. */
#include "devices/virtio/scsi_pages.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "devices/virtio/scsi_cdb.h"
#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/scsi_sense.h"
#include "vmm/base/bytes.h"
#include "vmm/base/own.h"

/* Vendor (8), product (16), revision (4): no zero ends them. */
static const char identity[28] = "COFFER  "
				 "virtual disk    "
				 "1   ";

enum {
	INQUIRY_LEN = 96,
	VENDOR_LEN = 8,
	VERSION_SPC4 = 0x06,
	HISUP = 0x10,
	FORMAT_SPC = 0x02,
	CMDQUE = 0x02,
	TYPE_NONE = 0x1f,
};

/* SPC-4, table 145 "Version descriptor values" */
static const uint16_t versions[] = {
	0x00a0, /* SAM-5 */
	0x0460, /* SPC-4 */
	0x04c0, /* SBC-3 */
};

static size_t inquiry_standard(uint8_t type, uint8_t *b)
{
	b[0] = type;
	b[2] = VERSION_SPC4;
	b[3] = HISUP | FORMAT_SPC;
	b[4] = INQUIRY_LEN - 5;
	b[7] = CMDQUE;
	memcpy(b + 8, identity, sizeof(identity));
	for (size_t i = 0; i < ARRAY_SIZE(versions); i++)
		store_be16(b + 58 + 2 * i, versions[i]);
	return INQUIRY_LEN;
}

/* SPC-4, 7.8.13 "Unit Serial Number VPD page" */
static size_t vpd_serial(const struct scsi_facts *f, uint8_t *b)
{
	size_t n = strnlen(f->serial, SCSI_SERIAL_MAX);

	memcpy(b + 4, f->serial, n);
	return n;
}

/* SPC-4, 7.8.6.4 "T10 vendor ID based designator": vendor and serial. */
static size_t vpd_designators(const struct scsi_facts *f, uint8_t *b)
{
	size_t n = strnlen(f->serial, SCSI_SERIAL_MAX);

	b[4] = 0x02; /* ASCII */
	b[5] = 0x01; /* of the logical unit; T10 vendor ID */
	b[7] = (uint8_t)(VENDOR_LEN + n);
	memcpy(b + 8, identity, VENDOR_LEN);
	memcpy(b + 8 + VENDOR_LEN, f->serial, n);
	return 4 + VENDOR_LEN + n;
}

/* SBC-3, 6.5.3 "Block Limits VPD page" */
static size_t vpd_limits(const struct scsi_facts *f, uint8_t *b)
{
	uint32_t granularity = f->discard_granularity / f->block_size;

	b[4] = 0x01; /* WSNZ: WRITE SAME of 0 blocks is refused */
	store_be16(b + 6, (uint16_t)(f->phys_block_size / f->block_size));
	store_be32(b + 8, SCSI_XFER_BLOCKS_MAX);
	if (!f->read_only) {
		store_be32(b + 20, SCSI_UNMAP_BLOCKS_MAX);
		store_be32(b + 24, SCSI_UNMAP_DESCS_MAX);
		store_be32(b + 28, granularity ? granularity : 1);
		store_be32(b + 32, UINT32_C(1) << 31); /* UGAVALID, at 0 */
		store_be64(b + 36, SCSI_SAME_BLOCKS_MAX);
	}
	return 60;
}

/* SBC-3, 6.5.2 "Block Device Characteristics VPD page" */
static size_t vpd_characteristics(const struct scsi_facts *f, uint8_t *b)
{
	(void)f;
	store_be16(b + 4, 1); /* non-rotating */
	return 60;
}

/* SBC-3, 6.5.4 "Logical Block Provisioning VPD page" */
static size_t vpd_provisioning(const struct scsi_facts *f, uint8_t *b)
{
	if (!f->read_only) {
		/* by UNMAP and both WRITE SAME; unmapped reads as zeros */
		b[5] = 0x80 | 0x40 | 0x20 | 0x04;
		b[6] = 0x02; /* thin */
	}
	return 4;
}

static size_t vpd_pages(const struct scsi_facts *f, uint8_t *b);

static const struct {
	uint8_t page;
	size_t (*put)(const struct scsi_facts *f, uint8_t *b);
} vpd[] = {
	{0x00, vpd_pages},	     {0x80, vpd_serial},
	{0x83, vpd_designators},     {0xb0, vpd_limits},
	{0xb1, vpd_characteristics}, {0xb2, vpd_provisioning},
};

static size_t vpd_pages(const struct scsi_facts *f, uint8_t *b)
{
	(void)f;
	for (size_t i = 0; i < ARRAY_SIZE(vpd); i++)
		b[4 + i] = vpd[i].page;
	return ARRAY_SIZE(vpd);
}

static int bad_page(struct scsi_sense *ret_sense)
{
	*ret_sense = (struct scsi_sense){
		.code = SCSI_INVALID_FIELD_IN_CDB,
		.has_field = true,
		.field = 2,
	};
	return -EINVAL;
}

int scsi_pages_inquiry(const struct scsi_cdb *c, const struct scsi_facts *f,
		       uint8_t buf[static SCSI_PAGES_MAX],
		       struct scsi_sense *ret_sense)
{
	memset(buf, 0, SCSI_PAGES_MAX);
	if (!c->evpd)
		return (int)inquiry_standard(0, buf);
	for (size_t i = 0; i < ARRAY_SIZE(vpd); i++) {
		size_t n;

		if (vpd[i].page != c->page)
			continue;
		n = vpd[i].put(f, buf);
		buf[1] = c->page;
		store_be16(buf + 2, (uint16_t)n);
		return (int)(4 + n);
	}
	return bad_page(ret_sense);
}

int scsi_pages_no_unit(const struct scsi_cdb *c, bool could, uint8_t type,
		       uint8_t buf[static SCSI_PAGES_MAX],
		       struct scsi_sense *ret_sense)
{
	memset(buf, 0, SCSI_PAGES_MAX);
	if (!c->evpd)
		return (int)inquiry_standard(could ? type : 3 << 5 | TYPE_NONE,
					     buf);
	if (c->page)
		return bad_page(ret_sense);
	buf[0] = could ? type : 3 << 5 | TYPE_NONE;
	store_be16(buf + 2, 1); /* page 0 lists itself */
	return 5;
}

static uint8_t log2_of(uint32_t v)
{
	return (uint8_t)__builtin_ctz(v);
}

/* SBC-3, 5.15 "READ CAPACITY (10)", 5.16 "READ CAPACITY (16)" */
int scsi_pages_capacity(const struct scsi_cdb *c, const struct scsi_facts *f,
			uint8_t buf[static SCSI_PAGES_MAX])
{
	uint64_t last = f->blocks - 1;

	memset(buf, 0, SCSI_PAGES_MAX);
	if (c->op == SCSI_OP_READ_CAPACITY_10) {
		store_be32(buf,
			   last > UINT32_MAX ? UINT32_MAX : (uint32_t)last);
		store_be32(buf + 4, f->block_size);
		return 8;
	}
	store_be64(buf, last);
	store_be32(buf + 8, f->block_size);
	buf[13] = log2_of(f->phys_block_size / f->block_size);
	if (!f->read_only)
		buf[14] = 0x80 | 0x40; /* LBPME, LBPRZ */
	return 32;
}
