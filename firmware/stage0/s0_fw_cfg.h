/*
 * firmware/stage0/s0_fw_cfg.h - the guest's side of fw_cfg: files and items
 * from the host, by DMA.
 *
 * Source: QEMU, docs/specs/fw_cfg.txt. The host is not trusted: what it hands
 * over is copied out of the shared window once, and only the copy is looked at.
 */
#ifndef FIRMWARE_STAGE0_S0_FW_CFG_H
#define FIRMWARE_STAGE0_S0_FW_CFG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "firmware/stage0_reason.h"

struct s0_io;
struct s0_sha256;

/* Items with fixed numbers. */
enum {
	S0_FW_CFG_SIGNATURE = 0x00,
	S0_FW_CFG_ID = 0x01,
	S0_FW_CFG_NB_CPUS = 0x05,
	S0_FW_CFG_KERNEL_SIZE = 0x08,
	S0_FW_CFG_INITRD_SIZE = 0x0b,
	S0_FW_CFG_KERNEL_DATA = 0x11,
	S0_FW_CFG_INITRD_DATA = 0x12,
	S0_FW_CFG_CMDLINE_SIZE = 0x14,
	S0_FW_CFG_CMDLINE_DATA = 0x15,
	S0_FW_CFG_SETUP_SIZE = 0x17,
	S0_FW_CFG_SETUP_DATA = 0x18,
	S0_FW_CFG_FILE_DIR = 0x19,
};

enum {
	S0_FW_CFG_CONTROL_LEN = 64, /* of the window, for the descriptor */
	S0_FW_CFG_FILES_MAX = 256,  /* ours; hosts have some tens */
	S0_FW_CFG_FILE_LEN = 64,
	/* Data at a time, as long as it still is in the cache when hashed. */
	S0_FW_CFG_CHUNK = 256 * 1024,
	S0_FW_CFG_WINDOW_MIN = S0_FW_CFG_CONTROL_LEN + S0_FW_CFG_CHUNK,
};

struct s0_fw_cfg {
	const struct s0_io *io; /* borrowed */
	uint8_t *window;	/* shared with the host; 16-aligned */
	/* Data goes through the window, because other memory is private. */
	bool bounce;
};

/*
 * Is there fw_cfg, with DMA? @window has S0_FW_CFG_WINDOW_MIN bytes, and its
 * address is what the device gets. STAGE0_NO_FW_CFG.
 */
enum stage0_reason s0_fw_cfg_init(struct s0_fw_cfg *f, const struct s0_io *io,
				  uint8_t *window, bool bounce);

/*
 * The first @len bytes of item @key, at most S0_FW_CFG_CHUNK.
 * STAGE0_FW_CFG_ERROR. An item that is shorter is filled up with zeros.
 */
enum stage0_reason s0_fw_cfg_read(struct s0_fw_cfg *f, uint16_t key, void *dst,
				  uint32_t len);

/* A number of 4 bytes, little-endian. */
enum stage0_reason s0_fw_cfg_read_le32(struct s0_fw_cfg *f, uint16_t key,
				       uint32_t *ret);

/*
 * All @len bytes of item @key, to @dst. With @hash, in the same pass, they are
 * added to it; what is hashed is what is at @dst. STAGE0_FW_CFG_ERROR.
 */
enum stage0_reason s0_fw_cfg_load(struct s0_fw_cfg *f, uint16_t key, void *dst,
				  uint32_t len, struct s0_sha256 *hash);

/*
 * Look up a file. *ret_key is 0 when there is none, which is fine.
 * STAGE0_FW_CFG_FILES, STAGE0_FW_CFG_ERROR
 */
enum stage0_reason s0_fw_cfg_find(struct s0_fw_cfg *f, const char *name,
				  uint16_t *ret_key, uint32_t *ret_len);

#endif
