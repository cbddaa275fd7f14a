/*
 * firmware/stage0/s0_ram.h - how much RAM there is, as the host says it twice:
 * in fw_cfg's etc/e820 and in CMOS. It is checked against itself and against
 * what the machine can have; the map for Linux is made from the two numbers.
 */
#ifndef FIRMWARE_STAGE0_S0_RAM_H
#define FIRMWARE_STAGE0_S0_RAM_H

#include <stddef.h>
#include <stdint.h>

#include "firmware/stage0_reason.h"

struct s0_io;

struct s0_ram {
	uint64_t low_end;  /* RAM is [0, low_end), up to 3 GiB, */
	uint64_t high_end; /* and [4 GiB, high_end); 4 GiB: none */
};

enum {
	S0_RAM_ENTRY_LEN = 20, /* address, length, type */
	S0_RAM_ENTRIES_MAX = 64,
	S0_RAM_FILE_MAX = S0_RAM_ENTRY_LEN * S0_RAM_ENTRIES_MAX,
};

/*
 * Read etc/e820 (@file, @len bytes). Only RAM and reserved ranges are known,
 * and they must not overlap. STAGE0_RAM_MAP.
 */
enum stage0_reason s0_ram_parse(const uint8_t *file, size_t len,
				struct s0_ram *ret);

/* The two sizes in CMOS, as every PC has them. STAGE0_RAM_MAP. */
enum stage0_reason s0_ram_cmos(const struct s0_io *io, struct s0_ram *ret);

#endif
