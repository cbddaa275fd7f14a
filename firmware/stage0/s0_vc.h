/*
 * firmware/stage0/s0_vc.h - SEV-ES: what the CPU cannot do alone, the host is
 * asked for.
 *
 * CPUID, ports, MSRs and hypercalls raise #VC; the handler tells the host what
 * is wanted, and only that, through the GHCB, a shared page, and takes over
 * only the registers that the instruction sets. Source: "SEV-ES
 * Guest-Hypervisor Communication Block Standardization", 2.0.
 *
 * UNTESTED ON HARDWARE: a test plays the host.
 */
#ifndef FIRMWARE_STAGE0_S0_VC_H
#define FIRMWARE_STAGE0_S0_VC_H

#include <stdint.h>

#include "firmware/stage0/s0_frame.h"
#include "firmware/stage0_reason.h"

enum { S0_GHCB_LEN = 4096 };

struct s0_vc {
	uint8_t *ghcb; /* shared, S0_GHCB_LEN bytes */
	uint16_t version;
	/* Write @request to the GHCB MSR, VMGEXIT, read the MSR. */
	uint64_t (*call_msr)(struct s0_vc *vc, uint64_t request);
	/* VMGEXIT with the GHCB's address in the MSR. */
	void (*call)(struct s0_vc *vc);
};

/* Agree on a version. STAGE0_GHCB_PROTOCOL, STAGE0_GHCB_ANSWER. */
enum stage0_reason s0_vc_start(struct s0_vc *vc);

/*
 * Do the instruction that raised #VC, with @f as the exception left it, and
 * step over it. @code is the instruction, 4 bytes or more.
 * STAGE0_VC_UNKNOWN: none of stage0's; STAGE0_GHCB_ANSWER
 */
enum stage0_reason s0_vc_handle(struct s0_vc *vc, struct s0_frame *f,
				const uint8_t *code);

/* Tell the host where the AP jump table is. STAGE0_GHCB_ANSWER. */
enum stage0_reason s0_vc_set_jump_table(struct s0_vc *vc, uint64_t gpa);

#endif
