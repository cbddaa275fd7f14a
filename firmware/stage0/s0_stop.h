/*
 * firmware/stage0/s0_stop.h - the end, in words; and the machine stage0 runs
 * on.
 */
#ifndef FIRMWARE_STAGE0_S0_STOP_H
#define FIRMWARE_STAGE0_S0_STOP_H

#include "firmware/stage0_reason.h"

struct s0_io;

/* The real ports. */
extern const struct s0_io s0_ports;

/* Say why, tell the VMM, halt (firmware/stage0_reason.h). */
__attribute__((noreturn)) void s0_stop(enum stage0_reason reason);
/* Only tell the VMM: where a port cannot be written, or no longer. */
__attribute__((noreturn)) void s0_stop_silently(enum stage0_reason reason);

/* From start.S: what SEV's status MSR says, and the C-bit in an entry, or 0. */
extern uint64_t s0_sev_status, s0_c_bit_mask;

#endif
