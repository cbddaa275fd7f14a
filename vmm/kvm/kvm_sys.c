/* vmm/kvm/kvm_sys.c - asks /dev/kvm what it can do. */
#include "vmm/kvm/kvm_sys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cpuid.h"
#include "vmm/kvm/kvm_abi.h"

#define CAP(n) .name = #n, .number = (n)

const struct kvm_cap_info kvm_caps[] = {
	{CAP(KVM_CAP_USER_MEMORY), .required = true},
	{CAP(KVM_CAP_IRQCHIP), .required = true},
	{CAP(KVM_CAP_IRQ_ROUTING), .required = true},
	{CAP(KVM_CAP_IOEVENTFD), .required = true},
	{CAP(KVM_CAP_IRQFD), .required = true},
	{CAP(KVM_CAP_SIGNAL_MSI), .required = true},
	{CAP(KVM_CAP_EXT_CPUID), .required = true},
	{CAP(KVM_CAP_IMMEDIATE_EXIT), .required = true},
	{CAP(KVM_CAP_MP_STATE), .required = true},
	{CAP(KVM_CAP_PIT2),
	 .lost = "no 8254 timer: firmware that uses it does not run"},
	{CAP(KVM_CAP_SET_TSS_ADDR),
	 .lost = "needed on Intel CPUs without unrestricted guest mode"},
	{CAP(KVM_CAP_SET_IDENTITY_MAP_ADDR),
	 .lost = "needed on Intel CPUs without unrestricted guest mode"},
	{CAP(KVM_CAP_TSC_DEADLINE_TIMER),
	 .lost = "guests calibrate the APIC timer, which costs start-up time"},
	{CAP(KVM_CAP_GET_TSC_KHZ),
	 .lost = "the TSC frequency is not handed to the guest"},
	{CAP(KVM_CAP_ADJUST_CLOCK), .lost = "the guest's clock cannot be set"},
	{CAP(KVM_CAP_READONLY_MEM),
	 .lost = "firmware flash cannot be write-protected"},
	{CAP(KVM_CAP_X86_USER_SPACE_MSR),
	 .lost = "confidential guests cannot report shared memory"},
	{CAP(KVM_CAP_EXIT_HYPERCALL),
	 .lost = "confidential guests cannot report shared memory"},
};
const size_t kvm_n_caps = ARRAY_SIZE(kvm_caps);

int kvm_sys_open(const char *path, int *ret_fd, struct err *err)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0) {
		*ret_fd = fd;
		return 0;
	}
	switch (errno) {
	case EACCES:
	case EPERM:
		return err_set_kind(
			err, ERR_PERM, -errno,
			"%s: no permission; add your user to the group that "
			"owns it (often 'kvm'), or run as root",
			path);
	case ENOENT:
		return err_set_kind(
			err, ERR_HOST, -ENOENT,
			"%s does not exist; load the kvm_amd or kvm_intel "
			"module and enable virtualisation in the firmware",
			path);
	default:
		return err_set_kind(err, ERR_HOST, -errno,
				    "%s: %s; 'coffer doctor' tells more", path,
				    strerror(errno));
	}
}

int kvm_sys_api_version(int kvm_fd)
{
	int v = ioctl(kvm_fd, KVM_GET_API_VERSION, 0);

	return v < 0 ? -errno : v;
}

int kvm_sys_cap(int kvm_fd, int cap)
{
	int v = ioctl(kvm_fd, KVM_CHECK_EXTENSION, cap);

	return v < 0 ? 0 : v;
}

int kvm_sys_check(int kvm_fd, struct err *err)
{
	int v = kvm_sys_api_version(kvm_fd);

	if (v < 0)
		return err_set_kind(err, ERR_HOST, v,
				    "/dev/kvm does not answer: %s",
				    strerror(-v));
	if (v != KVM_SYS_API_VERSION)
		return err_set_kind(err, ERR_HOST, -EOPNOTSUPP,
				    "KVM API version is %d, need %d", v,
				    KVM_SYS_API_VERSION);
	for (size_t i = 0; i < kvm_n_caps; i++) {
		if (kvm_caps[i].required &&
		    !kvm_sys_cap(kvm_fd, kvm_caps[i].number))
			return err_set_kind(err, ERR_HOST, -EOPNOTSUPP,
					    "this KVM lacks %s",
					    kvm_caps[i].name);
	}
	return 0;
}

int kvm_sys_max_vcpus(int kvm_fd)
{
	int n = kvm_sys_cap(kvm_fd, KVM_CAP_MAX_VCPUS);

	if (!n)
		n = kvm_sys_cap(kvm_fd, KVM_CAP_NR_VCPUS);
	return n ? n : 4; /* api.rst, KVM_CREATE_VCPU: 4 when not told */
}

int kvm_sys_supported_cpuid(int kvm_fd, struct cpuid_table *ret,
			    struct err *err)
{
	AUTO(freep) struct kvm_cpuid2 *c = NULL;

	c = calloc(1, sizeof(*c) + CPUID_MAX_ENTRIES * sizeof(c->entries[0]));
	if (!c)
		return err_set(err, -ENOMEM, "out of memory");
	c->nent = CPUID_MAX_ENTRIES;
	if (ioctl(kvm_fd, KVM_GET_SUPPORTED_CPUID, c) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "KVM_GET_SUPPORTED_CPUID: %s",
				    strerror(errno));
	ret->n = 0;
	for (uint32_t i = 0; i < c->nent && i < CPUID_MAX_ENTRIES; i++) {
		const struct kvm_cpuid_entry2 *k = &c->entries[i];

		ret->e[ret->n++] = (struct cpuid_entry){
			.function = k->function,
			.index = k->index,
			.flags = k->flags,
			.eax = k->eax,
			.ebx = k->ebx,
			.ecx = k->ecx,
			.edx = k->edx,
		};
	}
	return 0;
}
