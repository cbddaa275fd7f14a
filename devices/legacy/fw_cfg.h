/*
 * devices/legacy/fw_cfg.h - the host's words to firmware: numbered items and
 * named files, read through a port byte by byte or by DMA.
 *
 * As QEMU, docs/specs/fw_cfg.rst, describes it, at 12 ports from PORT_FW_CFG:
 * selector (2 bytes, written) and data (1 byte, read) at 0 and 1, the address
 * of a DMA request, big-endian, in two halves at 4 and 8. Nothing can be
 * written to an item. Past its end, an item reads as zeros; an item that is not
 * there is all end.
 *
 * The guest is hostile: a DMA request goes through the DMA view, that is, only
 * to pages that a confidential guest has shared, and its length is 32 bits
 * however short the item is. One request is carried out at a time, in the
 * vCPU's thread; the vCPU cannot be paused before it ends.
 */
#ifndef DEVICES_LEGACY_FW_CFG_H
#define DEVICES_LEGACY_FW_CFG_H

#include <stddef.h>
#include <stdint.h>

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct dma_view;
struct err;
struct fw_cfg; /* opaque */

enum {
	FW_CFG_PORTS = 12,
	FW_CFG_FILES_MAX = 16, /* ours, not the interface's */
	FW_CFG_NAME_MAX = 56,  /* with the final zero */
};

/* Items (QEMU, include/standard-headers/linux/qemu_fw_cfg.h). */
enum fw_cfg_key {
	FW_CFG_SIGNATURE = 0x00,
	FW_CFG_ID = 0x01,
	FW_CFG_UUID = 0x02,
	FW_CFG_RAM_SIZE = 0x03,
	FW_CFG_NOGRAPHIC = 0x04,
	FW_CFG_NB_CPUS = 0x05,
	FW_CFG_KERNEL_ADDR = 0x07,
	FW_CFG_KERNEL_SIZE = 0x08,
	FW_CFG_INITRD_ADDR = 0x0a,
	FW_CFG_INITRD_SIZE = 0x0b,
	FW_CFG_BOOT_MENU = 0x0e,
	FW_CFG_MAX_CPUS = 0x0f,
	FW_CFG_KERNEL_DATA = 0x11,
	FW_CFG_INITRD_DATA = 0x12,
	FW_CFG_CMDLINE_ADDR = 0x13,
	FW_CFG_CMDLINE_SIZE = 0x14,
	FW_CFG_CMDLINE_DATA = 0x15,
	FW_CFG_SETUP_ADDR = 0x16,
	FW_CFG_SETUP_SIZE = 0x17,
	FW_CFG_SETUP_DATA = 0x18,
	FW_CFG_FILE_DIR = 0x19,
	FW_CFG_FILE_FIRST = 0x20,
	FW_CFG_KEYS = FW_CFG_FILE_FIRST + FW_CFG_FILES_MAX,
};

/* struct fw_cfg_dma_access: big-endian control, length (4), address (8). */
enum {
	FW_CFG_DMA_ERROR = 1 << 0, /* the answer: else 0 */
	FW_CFG_DMA_READ = 1 << 1,
	FW_CFG_DMA_SKIP = 1 << 2,
	FW_CFG_DMA_SELECT = 1 << 3, /* the key is in bits 31:16 */
	FW_CFG_DMA_WRITE = 1 << 4,
	FW_CFG_DMA_LEN = 16,
};

/*
 * Signature, id (DMA is there) and an empty directory. @view is borrowed.
 * -ENOMEM.
 */
int fw_cfg_create(struct dma_view *view, struct fw_cfg **ret, struct err *err);
/* NULL is fine. No vCPU runs. */
void fw_cfg_destroy(struct fw_cfg *f);
DEFINE_CLEANUP(struct fw_cfg, fw_cfg_destroy)

/* FW_CFG_PORTS ports. Valid as long as the device. */
struct bus_dev *fw_cfg_bus_dev(struct fw_cfg *f);

/*
 * All items are added before the first vCPU runs, each once.
 * @key below FW_CFG_FILE_FIRST. @data is copied.
 * -ENOMEM
 */
int fw_cfg_add(struct fw_cfg *f, enum fw_cfg_key key, const void *data,
	       size_t len, struct err *err);
/* The same for integers, little-endian. */
int fw_cfg_add_le16(struct fw_cfg *f, enum fw_cfg_key key, uint16_t val,
		    struct err *err);
int fw_cfg_add_le32(struct fw_cfg *f, enum fw_cfg_key key, uint32_t val,
		    struct err *err);
int fw_cfg_add_le64(struct fw_cfg *f, enum fw_cfg_key key, uint64_t val,
		    struct err *err);
/*
 * @len bytes at @off of @fd (borrowed), read with pread(2) when the guest asks:
 * byte by byte as they are in the file. Where the file has become shorter or
 * cannot be read, DMA answers with an error, and the port reads zeros.
 */
void fw_cfg_add_fd(struct fw_cfg *f, enum fw_cfg_key key, int fd, uint64_t off,
		   uint32_t len);
/*
 * A file in the directory, "etc/e820"; @data is copied.
 * -ENOSPC      FW_CFG_FILES_MAX, or a name that is too long (ERR_INTERNAL)
 * -ENOMEM
 */
int fw_cfg_add_file(struct fw_cfg *f, const char *name, const void *data,
		    size_t len, struct err *err);

/*
 * The file that was added last changes while the guest runs: @fn makes @data,
 * the device's copy of it, anew each time the guest selects it. It is called in
 * the vCPU's thread under the device's lock, and gets the last bytes it made.
 */
void fw_cfg_refresh_file(struct fw_cfg *f,
			 void (*fn)(void *arg, uint8_t *data, size_t len),
			 void *arg);

struct fw_cfg_counters {
	uint64_t dma;	  /* requests */
	uint64_t refused; /* of them: answered with an error, or unreadable */
};

void fw_cfg_counters(struct fw_cfg *f, struct fw_cfg_counters *ret);

#endif
