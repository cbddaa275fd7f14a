/*
 * devices/legacy/pflash.h - a flash chip that a guest can write: where firmware
 * keeps its variables.
 *
 * Intel's basic command set as far as edk2 uses it (OvmfPkg,
 * QemuFlashFvbServicesRuntimeDxe), with the answers of QEMU's
 * hw/block/pflash_cfi01.c: read array, read and clear status, program bytes,
 * erase a block.
 *
 * The guest reads its window directly, as a ROM, because firmware copies it
 * with string instructions, which must not exit (and under SEV cannot be
 * emulated); only writes reach us. In a mode in which the chip answers reads
 * with something else than its contents, the pages that were addressed since
 * hold that answer instead, until the guest goes back to read array.
 *
 * What the guest programs or erases goes to the file at once, by pwrite(2) in
 * the vCPU's thread. It is not synced: a variable is as safe as any file that
 * was written a moment ago.
 */
#ifndef DEVICES_LEGACY_PFLASH_H
#define DEVICES_LEGACY_PFLASH_H

#include <stddef.h>
#include <stdint.h>

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct err;
struct pflash; /* opaque */

enum { PFLASH_BLOCK = 4096 };

/* Bits of the status register. */
enum {
	PFLASH_READY = 0x80,
	PFLASH_ERASE_FAILED = 0x20,
	PFLASH_PROGRAM_FAILED = 0x10,
};

/*
 * @fd        the contents, from its start; read here, borrowed for writing
 * @window    @len bytes that the guest reads, a multiple of PFLASH_BLOCK;
 *            borrowed
 * -ENOMEM, -ENODATA (the file is shorter), or the errno of pread(2)
 */
int pflash_create(int fd, uint8_t *window, size_t len, struct pflash **ret,
		  struct err *err);
/* NULL is fine. No vCPU runs. */
void pflash_destroy(struct pflash *f);
DEFINE_CLEANUP(struct pflash, pflash_destroy)

/* @len bytes on the memory bus, below the window. Valid as long as the chip. */
struct bus_dev *pflash_bus_dev(struct pflash *f);

struct pflash_counters {
	uint64_t programs, erases, failed;
};

void pflash_counters(struct pflash *f, struct pflash_counters *ret);

#endif
