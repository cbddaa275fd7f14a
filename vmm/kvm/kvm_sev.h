/*
 * vmm/kvm/kvm_sev.h - the SEV commands of one VM as ioctls of KVM: a sev_fw.
 *
 * KVM remembers the number of the descriptor of /dev/sev that LAUNCH_START was
 * given and looks it up again for every later command, in the process that
 * issues it: the descriptor must stay open under this number until the VM ends
 * (Linux, arch/x86/kvm/svm/sev.c, sev_issue_cmd()).
 */
#ifndef VMM_KVM_KVM_SEV_H
#define VMM_KVM_KVM_SEV_H

#include <stdbool.h>
#include <stdint.h>

#include "crypto/sev_fw.h"
#include "vmm/base/own.h"

struct err;
struct kvm_sev; /* opaque */

/*
 * Does KVM answer for SEV at all? Makes a VM and asks without a command: 0,
 * or -ENOTTY when SEV is off, or the errno of making the VM.
 */
int kvm_sev_usable(int kvm_fd);

/* How this kernel makes a SEV guest. */
struct kvm_sev_choice {
	unsigned int vm_type; /* for KVM_CREATE_VM */
	bool init2;	      /* KVM_SEV_INIT2, else KVM_SEV_(ES_)INIT */
};

/*
 * Choose by KVM_CAP_VM_TYPES: a type of its own and INIT2 where the kernel has
 * them (Linux 6.10), else a plain VM and the older commands.
 * -EOPNOTSUPP with ERR_HOST: the kernel knows the types and offers SEV without
 *             SEV-ES or the reverse; the message says why that may be
 */
int kvm_sev_choose(int kvm_fd, bool es, struct kvm_sev_choice *ret,
		   struct err *err);
/* The same from the value of the capability (0: not known to the kernel). */
int kvm_sev_choose_from(int vm_types, bool es, struct kvm_sev_choice *ret,
			struct err *err);

struct kvm_sev_params {
	int vm_fd;  /* borrowed, as the next */
	int sev_fd; /* /dev/sev */
	bool es;
	bool init2;
	/* ioctl(2) but in tests: -1 and errno when it fails. */
	int (*ioctl_fn)(int fd, unsigned long request, void *arg);
};

/* -ENOMEM */
int kvm_sev_create(const struct kvm_sev_params *p, struct kvm_sev **ret,
		   struct err *err);
/* NULL is fine. */
void kvm_sev_destroy(struct kvm_sev *s);
DEFINE_CLEANUP(struct kvm_sev, kvm_sev_destroy)

/* Borrowed from @s. */
struct sev_fw *kvm_sev_fw(struct kvm_sev *s);

#endif
