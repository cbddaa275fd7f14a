/* vmm/kvm/kvm_sys.h - /dev/kvm itself: version and capabilities. */
#ifndef VMM_KVM_KVM_SYS_H
#define VMM_KVM_KVM_SYS_H

#include <stdbool.h>
#include <stddef.h>

struct cpuid_table;
struct err;

/* One KVM capability that coffer uses (Linux, Documentation/virt/kvm/api.rst).
 */
struct kvm_cap_info {
	const char *name;
	int number;
	bool required;	  /* no guest starts without it */
	const char *lost; /* what is worse without it; NULL when required */
};

extern const struct kvm_cap_info kvm_caps[];
extern const size_t kvm_n_caps;

enum { KVM_SYS_API_VERSION = 12 };

/*
 * Open @path ("/dev/kvm") read-write; *ret_fd is the caller's. The message
 * names the cause and the fix.
 * -ENOENT, -ENODEV, -ENXIO  no KVM here; -EACCES, -EPERM  not permitted
 */
int kvm_sys_open(const char *path, int *ret_fd, struct err *err);

/* KVM_GET_API_VERSION, or a negative errno when @kvm_fd is not KVM. */
int kvm_sys_api_version(int kvm_fd);

/* KVM_CHECK_EXTENSION: 0 absent, else present (some carry a number). */
int kvm_sys_cap(int kvm_fd, int cap);

/*
 * Version and every required capability. -EOPNOTSUPP, and the message names
 * what is missing.
 */
int kvm_sys_check(int kvm_fd, struct err *err);

/* Largest number of vCPUs of one VM here. */
int kvm_sys_max_vcpus(int kvm_fd);

/* KVM_GET_SUPPORTED_CPUID. -E2BIG when KVM has more leaves than *ret holds. */
int kvm_sys_supported_cpuid(int kvm_fd, struct cpuid_table *ret,
			    struct err *err);

#endif
