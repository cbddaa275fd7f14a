/*
 * firmware/stage0/s0_trap.h - exceptions: #VC under SEV-ES, the #GP of a
 * register that a host may not have, and mistakes.
 */
#ifndef FIRMWARE_STAGE0_S0_TRAP_H
#define FIRMWARE_STAGE0_S0_TRAP_H

#include <stdint.h>

#include "firmware/stage0_reason.h"

struct s0_vc;

/*
 * Load the IDT. Under SEV-ES this comes before anything that raises #VC, and
 * agrees with the host on the GHCB. The reasons of s0_vc_start().
 */
enum stage0_reason s0_trap_init(void);

/* The one GHCB; only under SEV-ES. */
struct s0_vc *s0_trap_vc(void);

/* In trap.S: a #GP is ignored. */
void s0_wrmsr_safe(uint32_t msr, uint64_t val);

#endif
