/* firmware/stage0/s0_kernel.c - checks a header and places what it describes.
 */
#include "firmware/stage0/s0_kernel.h"

#include <stdbool.h>
#include <string.h>

#include "firmware/stage0/s0_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

/* Offsets (boot.rst, "The Real-Mode Kernel Header") */
enum {
	SETUP_SECTS = 0x1f1,
	SYSSIZE = 0x1f4, /* units of 16 bytes */
	BOOT_FLAG = 0x1fe,
	JUMP_LEN = 0x201, /* the header ends this far from 0x202 */
	HEADER = 0x202,
	VERSION = 0x206,
	LOADFLAGS = 0x211,
	INITRD_ADDR_MAX = 0x22c,
	KERNEL_ALIGNMENT = 0x230,
	RELOCATABLE_KERNEL = 0x234,
	XLOADFLAGS = 0x236,
	CMDLINE_SIZE = 0x238,
	PREF_ADDRESS = 0x258,
	INIT_SIZE = 0x260,
	HEADER_END_2_12 = 0x268,
	VERSION_2_12 = 0x020c, /* the first with xloadflags */
	LOADED_HIGH = 1 << 0,
	SETUP_LEN_MIN = BZIMAGE_HDR_END,
	DEFAULT_SETUP_SECTS = 4,
	SECTOR = 512,
	PAGE = 4096,
};

static bool is_kind(const uint8_t *h, uint32_t len)
{
	return len >= SETUP_LEN_MIN && load_le16(h + BOOT_FLAG) == 0xaa55 &&
	       !memcmp(h + HEADER, "HdrS", 4) &&
	       load_le16(h + VERSION) >= VERSION_2_12 &&
	       h[LOADFLAGS] & LOADED_HIGH &&
	       load_le16(h + XLOADFLAGS) & XLF_KERNEL_64;
}

enum stage0_reason s0_kernel_parse(const uint8_t *h, uint32_t len,
				   uint32_t code_len, struct bzimage *ret)
{
	struct bzimage bz = {0};
	uint32_t sects;
	size_t end;

	if (!is_kind(h, len))
		return STAGE0_KERNEL_KIND;
	sects = h[SETUP_SECTS] ? h[SETUP_SECTS] : DEFAULT_SETUP_SECTS;
	end = HEADER + (size_t)h[JUMP_LEN];
	if (len != (sects + 1) * SECTOR || end < HEADER_END_2_12 ||
	    end > BZIMAGE_HDR_END)
		return STAGE0_KERNEL_HEADER;
	bz.version = load_le16(h + VERSION);
	bz.xloadflags = load_le16(h + XLOADFLAGS);
	bz.relocatable = h[RELOCATABLE_KERNEL] != 0;
	bz.pref_address = load_le64(h + PREF_ADDRESS);
	bz.alignment = load_le32(h + KERNEL_ALIGNMENT);
	bz.init_size = load_le32(h + INIT_SIZE);
	bz.code_off = len;
	bz.code_len = (uint64_t)load_le32(h + SYSSIZE) * 16;
	bz.cmdline_size = load_le32(h + CMDLINE_SIZE);
	bz.initrd_addr_max = load_le32(h + INITRD_ADDR_MAX);
	/* The file may be longer than its code: a signature is behind it. */
	if (bz.code_len <= BZIMAGE_ENTRY64 || bz.code_len > code_len ||
	    bz.init_size < bz.code_len || !bz.cmdline_size ||
	    (bz.relocatable && !is_power_of_two(bz.alignment)))
		return STAGE0_KERNEL_HEADER;
	bz.hdr_len = end - BZIMAGE_HDR_OFF;
	memcpy(bz.hdr, h + BZIMAGE_HDR_OFF, bz.hdr_len);
	*ret = bz;
	return STAGE0_OK;
}

/* All lengths are below 2^37 and addresses below 2^33: no sum wraps. */
static bool try_at(uint64_t kernel, uint64_t kernel_len, uint64_t initrd_len,
		   uint64_t initrd_end, uint64_t ram_end, struct s0_place *ret)
{
	uint64_t initrd;

	if (kernel < S0_LOW_END || kernel > ram_end ||
	    kernel_len > ram_end - kernel)
		return false;
	*ret = (struct s0_place){.kernel = kernel};
	if (!initrd_len)
		return true;
	if (initrd_len > initrd_end)
		return false;
	initrd = align_down(initrd_end - initrd_len, PAGE);
	ret->initrd = initrd;
	return initrd >= kernel + kernel_len;
}

enum stage0_reason s0_kernel_place(const struct bzimage *bz,
				   const struct s0_ram *ram, uint32_t code_len,
				   uint64_t initrd_len, struct s0_place *ret)
{
	uint64_t len = bz->init_size > code_len ? bz->init_size : code_len;
	uint64_t initrd_end = (uint64_t)bz->initrd_addr_max + 1;
	struct s0_place p;

	if (initrd_end > ram->low_end)
		initrd_end = ram->low_end;
	if (try_at(bz->pref_address, len, initrd_len, initrd_end, ram->low_end,
		   &p) ||
	    (bz->relocatable &&
	     try_at(align_up(S0_LOW_END, bz->alignment), len, initrd_len,
		    initrd_end, ram->low_end, &p))) {
		*ret = p;
		return STAGE0_OK;
	}
	return STAGE0_NO_ROOM;
}
