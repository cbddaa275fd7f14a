/*
 * sim/sim_abi.h - the kernel interfaces that are simulated, by number and
 * layout: Linux, include/uapi/linux/{kvm.h,psp-sev.h} and
 * arch/x86/include/uapi/asm/kvm.h. Structures are read field by field, at
 * these offsets, from another process' memory; so no C types of them.
 */
#ifndef SIM_SIM_ABI_H
#define SIM_SIM_ABI_H

/* /dev/kvm */
#define SIM_KVM_CREATE_VM 0xae01u
#define SIM_KVM_CHECK_EXTENSION 0xae03u
#define SIM_KVM_GET_SUPPORTED_CPUID 0xc008ae05u
/* VM */
#define SIM_KVM_CREATE_VCPU 0xae41u
#define SIM_KVM_MEMORY_ENCRYPT_OP 0xc008aebau
#define SIM_KVM_MEMORY_ENCRYPT_REG_REGION 0x8010aebbu
#define SIM_KVM_MEMORY_ENCRYPT_UNREG_REGION 0x8010aebcu
/* vCPU */
#define SIM_KVM_SET_REGS 0x4090ae82u
#define SIM_KVM_SET_SREGS 0x4138ae84u
#define SIM_KVM_SET_MSRS 0x4008ae89u
#define SIM_KVM_SET_FPU 0x41a0ae8du
#define SIM_KVM_SET_CPUID2 0x4008ae90u
#define SIM_KVM_SET_DEBUGREGS 0x4080aea2u
#define SIM_KVM_SET_XSAVE 0x5000aea5u
#define SIM_KVM_SET_XCRS 0x4188aea7u
#define SIM_KVM_SET_SREGS2 0x4140aecdu
/* /dev/sev */
#define SIM_SEV_ISSUE_CMD 0xc0105300u

enum { SIM_KVM_CAP_VM_TYPES = 235 };

/* struct kvm_sev_cmd */
enum {
	SIM_CMD_ID = 0,
	SIM_CMD_DATA = 8,
	SIM_CMD_ERROR = 16,
	SIM_CMD_SEV_FD = 20,
	SIM_CMD_LEN = 24,
};

/* kvm_sev_cmd.id; Linux' enum sev_cmd_id */
enum sim_kvm_id {
	SIM_KVM_SEV_INIT = 0,
	SIM_KVM_SEV_ES_INIT = 1,
	SIM_KVM_SEV_LAUNCH_START = 2,
	SIM_KVM_SEV_LAUNCH_UPDATE_DATA = 3,
	SIM_KVM_SEV_LAUNCH_UPDATE_VMSA = 4,
	SIM_KVM_SEV_LAUNCH_SECRET = 5,
	SIM_KVM_SEV_LAUNCH_MEASURE = 6,
	SIM_KVM_SEV_LAUNCH_FINISH = 7,
	SIM_KVM_SEV_SEND_START = 8,
	SIM_KVM_SEV_SEND_UPDATE_DATA = 9,
	SIM_KVM_SEV_SEND_FINISH = 11,
	SIM_KVM_SEV_RECEIVE_START = 12,
	SIM_KVM_SEV_RECEIVE_UPDATE_DATA = 13,
	SIM_KVM_SEV_RECEIVE_FINISH = 15,
	SIM_KVM_SEV_GUEST_STATUS = 16,
	SIM_KVM_SEV_DBG_DECRYPT = 17,
	SIM_KVM_SEV_DBG_ENCRYPT = 18,
	SIM_KVM_SEV_GET_ATTESTATION_REPORT = 20,
	SIM_KVM_SEV_SEND_CANCEL = 21,
};

/* struct sev_issue_cmd, packed */
enum {
	SIM_ISSUE_CMD = 0,
	SIM_ISSUE_DATA = 4,
	SIM_ISSUE_ERROR = 12,
	SIM_ISSUE_LEN = 16,
};

/* sev_issue_cmd.cmd */
enum sim_dev_id {
	SIM_SEV_FACTORY_RESET = 0,
	SIM_SEV_PLATFORM_STATUS = 1,
	SIM_SEV_PEK_GEN = 2,
	SIM_SEV_PEK_CSR = 3,
	SIM_SEV_PDH_GEN = 4,
	SIM_SEV_PDH_CERT_EXPORT = 5,
	SIM_SEV_PEK_CERT_IMPORT = 6,
	SIM_SEV_GET_ID = 7,
	SIM_SEV_GET_ID2 = 8,
};

/* psp-sev.h: no blob of a command is longer. */
enum { SIM_BLOB_MAX = 16384 };

#endif
