/*
 * firmware/stage0/s0_sev.h - numbers of SEV, SEV-ES and the GHCB, for C and
 * the assembler.
 *
 * Sources: AMD64 Architecture Programmer's Manual, volume 2, 15.34 and 15.35;
 * "SEV-ES Guest-Hypervisor Communication Block Standardization" (GHCB), 2.0.
 */
#ifndef FIRMWARE_STAGE0_S0_SEV_H
#define FIRMWARE_STAGE0_S0_SEV_H

#define MSR_SEV_STATUS 0xc0010131
#define SEV_STATUS_SEV 0x1
#define SEV_STATUS_ES 0x2
/*
 * Features that change nothing for stage0: DebugSwap, PreventHostIBS, BTB
 * isolation, IBS virtualisation, SMT protection, IBPB on entry. SEV-SNP, vTOM,
 * reflected #VC and the restricted injection modes would.
 */
#define SEV_STATUS_KNOWN 0x00824383

#define MSR_GHCB 0xc0010130
#define GHCB_MSR_INFO_RESP 0x001
#define GHCB_MSR_INFO_REQ 0x002
#define GHCB_MSR_CPUID_REQ 0x004
#define GHCB_MSR_CPUID_RESP 0x005
#define GHCB_MSR_AP_HOLD_REQ 0x006
#define GHCB_MSR_TERM_REQ 0x100
/* Our set of reasons in a termination request; 0 and 1 are taken by others. */
#define GHCB_TERM_SET 5

/*
 * The AP jump table is {IP, CS}, which Linux fills in. The flag shows that the
 * rest is no leftover: private memory nobody wrote reads as noise.
 */
#define JUMP_TABLE_READY_OFF 0xff0
#define JUMP_TABLE_READY 0x59444552

/* enum stage0_reason and the ports, which the assembler cannot read. */
#define REASON_NO_LONG_MODE 1
#define REASON_SEV_HIDDEN 2
#define REASON_C_BIT_POSITION 3
#define REASON_C_BIT_WRONG 4
#define REASON_NO_RANDOM 5
#define REASON_SEV_FEATURES 6
#define REASON_GHCB_ANSWER 8
#define STOP_MAGIC 0x53300000
#define STOP_PORT 0x404
#define DEBUG_EXIT_PORT 0xf4

#endif
