/*
 * tests/fake/fake_target.h - plays a process whose calls are answered: a piece
 * of memory, one descriptor that is /dev/sev, a limit of locked memory.
 */
#ifndef TESTS_FAKE_FAKE_TARGET_H
#define TESTS_FAKE_FAKE_TARGET_H

#include "sim/sim_target.h"

enum { FAKE_TARGET_MEM = 1 << 20 };

/* Its memory begins here; what is below and above is not mapped. */
#define FAKE_TARGET_BASE UINT64_C(0x10000)

struct fake_target {
	struct sim_target target;
	uint8_t *mem;	   /* FAKE_TARGET_MEM bytes */
	uint64_t writable; /* so many of them, from the beginning */
	uint64_t memlock;  /* bytes */
	uint32_t sev_fd;
	int sev_mode;
};

/* Everything writable, no limit, /dev/sev is descriptor 5, O_RDWR. */
void fake_target_init(struct fake_target *f);
void fake_target_end(struct fake_target *f);

/* The address of byte @off, and the byte. */
static inline uint64_t fake_addr(uint64_t off)
{
	return FAKE_TARGET_BASE + off;
}

#endif
