/*
 * firmware/bzimage.c - checks the setup header of a bzImage against itself and
 * against the file.
 */
#include "firmware/bzimage.h"

#include <errno.h>
#include <string.h>

#include "firmware/image_file.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

/* Offsets in the file and in the zero page (boot.rst, "The Real-Mode Kernel
 * Header"). */
enum {
	SETUP_SECTS = 0x1f1,	    /* 1 byte */
	SYSSIZE = 0x1f4,	    /* 4 */
	BOOT_FLAG = 0x1fe,	    /* 2 */
	JUMP_LEN = 0x201,	    /* 1: the header ends this far from 0x202 */
	HEADER = 0x202,		    /* 4: "HdrS" */
	VERSION = 0x206,	    /* 2 */
	LOADFLAGS = 0x211,	    /* 1 */
	INITRD_ADDR_MAX = 0x22c,    /* 4 */
	KERNEL_ALIGNMENT = 0x230,   /* 4 */
	RELOCATABLE_KERNEL = 0x234, /* 1 */
	XLOADFLAGS = 0x236,	    /* 2 */
	CMDLINE_SIZE = 0x238,	    /* 4 */
	PAYLOAD_OFFSET = 0x248,	    /* 4 */
	PAYLOAD_LENGTH = 0x24c,	    /* 4 */
	PREF_ADDRESS = 0x258,	    /* 8 */
	INIT_SIZE = 0x260,	    /* 4 */
	HEADER_END_2_12 = 0x268,    /* with handover_offset, the last field */
	VERSION_2_12 = 0x020c,	    /* Linux 3.8: xloadflags */
	LOADED_HIGH = 1 << 0,	    /* in loadflags: not a zImage */
	DEFAULT_SETUP_SECTS = 4,    /* when the field is 0 */
	SECTOR = 512,
	PARAGRAPH = 16,
};

bool bzimage_probe(const uint8_t *head, size_t len)
{
	return len >= HEADER + 4 && !memcmp(head + HEADER, "HdrS", 4);
}

/* Is it a kernel we know how to start at all? */
static int check_kind(const uint8_t *h, struct err *err)
{
	uint16_t version = load_le16(h + VERSION);

	if (load_le16(h + BOOT_FLAG) != 0xaa55)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its boot sector has no 0xaa55 signature: "
				    "it is damaged");
	if (version < VERSION_2_12)
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it speaks boot protocol %d.%02d; 2.12 "
				    "(Linux 3.8) or later is needed",
				    version >> 8, version & 0xff);
	if (!(h[LOADFLAGS] & LOADED_HIGH))
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is a zImage; a bzImage is needed");
	if (!(load_le16(h + XLOADFLAGS) & XLF_KERNEL_64))
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is a 32-bit kernel (no "
				    "XLF_KERNEL_64); a 64-bit one is needed");
	return 0;
}

static int copy_header(const uint8_t *h, struct bzimage *bz, struct err *err)
{
	size_t end = HEADER + (size_t)h[JUMP_LEN];

	if (end < HEADER_END_2_12 || end > BZIMAGE_HDR_END)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its setup header claims to end at 0x%zx, "
				    "not within 0x%x..0x%x: it is damaged",
				    end, HEADER_END_2_12, BZIMAGE_HDR_END);
	bz->hdr_len = end - BZIMAGE_HDR_OFF;
	memcpy(bz->hdr, h + BZIMAGE_HDR_OFF, bz->hdr_len);
	return 0;
}

static int check_file(const uint8_t *h, uint64_t file_len, struct bzimage *bz,
		      struct err *err)
{
	uint64_t sects = h[SETUP_SECTS] ? h[SETUP_SECTS] : DEFAULT_SETUP_SECTS;
	uint64_t end;

	bz->code_off = (sects + 1) * SECTOR;
	bz->code_len = (uint64_t)load_le32(h + SYSSIZE) * PARAGRAPH;
	end = bz->code_off + bz->code_len; /* 18 and 36 bits */
	bz->payload_off = load_le32(h + PAYLOAD_OFFSET);
	bz->payload_len = load_le32(h + PAYLOAD_LENGTH);
	if (bz->code_len <= BZIMAGE_ENTRY64)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its header says it has %llu bytes of code "
				    "(syssize), too few for its 64-bit entry: "
				    "it is damaged",
				    (unsigned long long)bz->code_len);
	if (end > file_len)
		return err_set_kind(
			err, ERR_INPUT, -EBADMSG,
			"it has %llu bytes, but its header (setup_sects, "
			"syssize) says %llu: it was cut",
			(unsigned long long)file_len, (unsigned long long)end);
	if (!range_within(bz->payload_off, bz->payload_len, bz->code_len))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its header places the payload "
				    "(payload_offset, payload_length) outside "
				    "of the code: it is damaged");
	return 0;
}

static int check_memory(const uint8_t *h, struct bzimage *bz, struct err *err)
{
	bz->relocatable = h[RELOCATABLE_KERNEL] != 0;
	bz->alignment = load_le32(h + KERNEL_ALIGNMENT);
	bz->pref_address = load_le64(h + PREF_ADDRESS);
	bz->init_size = load_le32(h + INIT_SIZE);
	bz->initrd_addr_max = load_le32(h + INITRD_ADDR_MAX);
	bz->cmdline_size = load_le32(h + CMDLINE_SIZE);
	if (bz->init_size < bz->code_len)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its header asks for %llu bytes of memory "
				    "(init_size), less than its code has: it "
				    "is damaged",
				    (unsigned long long)bz->init_size);
	if (bz->relocatable && !is_power_of_two(bz->alignment))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its header has kernel_alignment 0x%llx, "
				    "not a power of two: it is damaged",
				    (unsigned long long)bz->alignment);
	if (!bz->relocatable)
		bz->alignment = 1;
	if (!bz->cmdline_size)
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "its header leaves no room for a command "
				    "line (cmdline_size 0): it is damaged");
	return 0;
}

int bzimage_parse(const struct image_file *f, struct bzimage *ret,
		  struct err *err)
{
	struct bzimage bz = {0};
	uint8_t h[BZIMAGE_HDR_END];
	int r;

	r = image_file_read(f, 0, h, sizeof(h), err);
	if (r < 0)
		return r;
	/* Again: the file may have changed since somebody probed it. */
	if (!bzimage_probe(h, sizeof(h)))
		return err_set_kind(err, ERR_INPUT, -ENOEXEC,
				    "it is not a bzImage");
	bz.version = load_le16(h + VERSION);
	bz.xloadflags = load_le16(h + XLOADFLAGS);
	r = check_kind(h, err);
	if (r == 0)
		r = copy_header(h, &bz, err);
	if (r == 0)
		r = check_file(h, f->len, &bz, err);
	if (r == 0)
		r = check_memory(h, &bz, err);
	if (r == 0)
		*ret = bz;
	return r;
}
