/*
 * crypto/sev_vmsa.h - the register page (VMSA) that LAUNCH_UPDATE_VMSA measures
 * for a vCPU of SEV-ES, as KVM makes it of what user space has set.
 *
 * It is a model: layout from Linux, arch/x86/include/asm/svm.h, struct
 * sev_es_save_area; content from arch/x86/kvm/svm/sev.c, sev_es_sync_vmsa().
 * Two profiles are known, by how the VM was initialised:
 *
 * legacy  KVM_SEV_ES_INIT: x87 and SSE control words are 0
 * init2   KVM_SEV_INIT2: MXCSR 0x1f80, FCW 0x37f, as after reset
 */
#ifndef CRYPTO_SEV_VMSA_H
#define CRYPTO_SEV_VMSA_H

#include <stdint.h>

#include "crypto/sev_abi.h"

enum sev_vmsa_profile { SEV_VMSA_LEGACY, SEV_VMSA_INIT2, SEV_VMSA_PROFILES };

/* "legacy", "init2"; NULL from SEV_VMSA_PROFILES on. */
const char *sev_vmsa_profile_name(unsigned int profile);

struct sev_vmsa_segment {
	uint16_t selector;
	uint16_t attrib; /* type, S, DPL, P, AVL, L, D/B, G: 12 bits */
	uint32_t limit;
	uint64_t base;
};

/* What KVM_SET_SREGS and KVM_SET_REGS set; registers not named are 0. */
struct sev_vmsa_regs {
	struct sev_vmsa_segment es, cs, ss, ds, fs, gs, ldtr, tr;
	struct sev_vmsa_segment gdtr, idtr; /* limit and base */
	uint64_t cr0, cr3, cr4, efer;
	uint64_t rip, rsp, rbx, rsi, rdx, rflags;
};

/*
 * A CPU after its reset, as QEMU sets it: real mode, at @vector, of which bits
 * 31:16 are the base of CS. @signature is CPUID 1 EAX, which is in RDX.
 */
void sev_vmsa_reset_regs(uint32_t vector, uint32_t signature,
			 struct sev_vmsa_regs *ret);

/*
 * The page. Added to @r is what KVM adds: EFER.SVME, CR4.MCE, and the reset
 * values of DR6, DR7, PAT and XCR0.
 */
void sev_vmsa_build(const struct sev_vmsa_regs *r, enum sev_vmsa_profile p,
		    uint8_t page[static SEV_VMSA_LEN]);

#endif
