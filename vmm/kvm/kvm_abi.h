/*
 * vmm/kvm/kvm_abi.h - the kernel's KVM interface. Included by vmm/kvm/ only.
 *
 * Definitions that the oldest supported header (Linux 6.1) lacks are made here,
 * with the numbers of Linux' include/uapi/linux/kvm.h.
 */
#ifndef VMM_KVM_KVM_ABI_H
#define VMM_KVM_KVM_ABI_H

#include <linux/kvm.h>
#include <linux/kvm_para.h>

#ifndef KVM_CAP_VM_TYPES
#define KVM_CAP_VM_TYPES 235
#endif

/* Linux, include/uapi/linux/kvm_para.h: bit 4 of the third argument. */
#ifndef KVM_MAP_GPA_RANGE_ENCRYPTED
#define KVM_MAP_GPA_RANGE_ENCRYPTED (1 << 4)
#endif

/* Values of KVM_CREATE_VM's argument and bits of KVM_CAP_VM_TYPES. */
enum {
	KVM_VM_TYPE_DEFAULT = 0,
	KVM_VM_TYPE_SEV = 2,
	KVM_VM_TYPE_SEV_ES = 3,
};

/* Linux, arch/x86/include/uapi/asm/kvm.h: SEV commands after Linux 6.9. */
enum { KVM_SEV_CMD_INIT2 = 22 };
struct kvm_sev_init2 { /* there: struct kvm_sev_init */
	__u64 vmsa_features;
	__u32 flags;
	__u16 ghcb_version;
	__u16 pad1;
	__u32 pad2[8];
};

_Static_assert(KVM_CREATE_VM == 0xae01, "ioctl number");
_Static_assert(KVM_MEMORY_ENCRYPT_OP == 0xc008aeba, "ioctl number");
_Static_assert(KVM_MEMORY_ENCRYPT_REG_REGION == 0x8010aebb, "ioctl number");
_Static_assert(KVM_MEMORY_ENCRYPT_UNREG_REGION == 0x8010aebc, "ioctl number");
_Static_assert(KVM_SEV_GUEST_STATUS == 16, "SEV command");
_Static_assert(KVM_SEV_GET_ATTESTATION_REPORT == 20, "SEV command");
_Static_assert(sizeof(struct kvm_sev_cmd) == 24, "ABI size");
_Static_assert(sizeof(struct kvm_sev_launch_start) == 40, "ABI size");
_Static_assert(sizeof(struct kvm_sev_launch_update_data) == 16, "ABI size");
_Static_assert(sizeof(struct kvm_sev_launch_secret) == 48, "ABI size");
_Static_assert(sizeof(struct kvm_sev_launch_measure) == 16, "ABI size");
_Static_assert(sizeof(struct kvm_sev_guest_status) == 12, "ABI size");
_Static_assert(sizeof(struct kvm_sev_attestation_report) == 32, "ABI size");
_Static_assert(sizeof(struct kvm_sev_init2) == 48, "ABI size");
_Static_assert(sizeof(struct kvm_enc_region) == 16, "ABI size");
_Static_assert(sizeof(struct kvm_userspace_memory_region) == 32, "ABI size");
_Static_assert(sizeof(struct kvm_irq_routing_entry) == 48, "ABI size");
_Static_assert(sizeof(struct kvm_cpuid_entry2) == 40, "ABI size");

#endif
