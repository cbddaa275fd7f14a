/* vmm/kvm/kvm_vm.c - VM-wide ioctls. */
#include "vmm/kvm/kvm_vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/kvm/kvm_abi.h"

struct kvm_vm {
	int fd;
	uint32_t run_size;
	bool tsc_deadline;
};

static int fail(struct err *err, const char *what)
{
	int r = -errno;

	return err_set_kind(err,
			    r == -EACCES || r == -EPERM ? ERR_PERM : ERR_HOST,
			    r, "%s: %s", what, strerror(-r));
}

/* KVM_CREATE_VM is interrupted by signals on some kernels: try again. */
static int create_vm(int kvm_fd, unsigned int type)
{
	int fd;

	do {
		fd = ioctl(kvm_fd, KVM_CREATE_VM, (unsigned long)type);
	} while (fd < 0 && errno == EINTR);
	return fd;
}

int kvm_vm_create_chips(struct kvm_vm *vm, struct err *err)
{
	struct kvm_pit_config pit = {.flags = KVM_PIT_SPEAKER_DUMMY};
	uint64_t ident = MEM_KVM_IDENT_MAP;

	/* Both before the first vCPU, and only where the CPU needs them. */
	if (kvm_vm_cap(vm, KVM_CAP_SET_IDENTITY_MAP_ADDR) > 0 &&
	    ioctl(vm->fd, KVM_SET_IDENTITY_MAP_ADDR, &ident) < 0)
		return fail(err, "KVM_SET_IDENTITY_MAP_ADDR");
	if (kvm_vm_cap(vm, KVM_CAP_SET_TSS_ADDR) > 0 &&
	    ioctl(vm->fd, KVM_SET_TSS_ADDR, MEM_KVM_TSS) < 0)
		return fail(err, "KVM_SET_TSS_ADDR");
	if (ioctl(vm->fd, KVM_CREATE_IRQCHIP, 0) < 0)
		return fail(err, "KVM_CREATE_IRQCHIP");
	if (kvm_vm_cap(vm, KVM_CAP_PIT2) > 0 &&
	    ioctl(vm->fd, KVM_CREATE_PIT2, &pit) < 0)
		return fail(err, "KVM_CREATE_PIT2");
	return 0;
}

void kvm_vm_forget_ticks(struct kvm_vm *vm)
{
	struct kvm_reinject_control reinject = {.pit_reinject = 0};

	ioctl(vm->fd, KVM_REINJECT_CONTROL, &reinject);
}

int kvm_vm_create(int kvm_fd, unsigned int type, struct kvm_vm **ret,
		  struct err *err)
{
	AUTO(kvm_vm_destroyp) struct kvm_vm *vm = calloc(1, sizeof(*vm));
	int r;

	if (!vm)
		return err_set(err, -ENOMEM, "out of memory");
	vm->fd = -1;
	r = ioctl(kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);
	if (r < (int)sizeof(struct kvm_run))
		return err_set_kind(err, ERR_HOST, -EIO,
				    "KVM_GET_VCPU_MMAP_SIZE: %d bytes", r);
	vm->run_size = (uint32_t)r;
	vm->fd = create_vm(kvm_fd, type);
	if (vm->fd < 0)
		return fail(err, "KVM_CREATE_VM");
	vm->tsc_deadline = kvm_vm_cap(vm, KVM_CAP_TSC_DEADLINE_TIMER) > 0;
	*ret = TAKE(vm);
	return 0;
}

void kvm_vm_destroy(struct kvm_vm *vm)
{
	if (!vm)
		return;
	fd_closep(&vm->fd);
	free(vm);
}

static int set_slot(struct kvm_vm *vm, uint32_t slot,
		    const struct guest_mem_region *g, uint64_t alias,
		    struct err *err)
{
	struct kvm_userspace_memory_region k = {
		.slot = slot,
		.flags = g->type == GUEST_MEM_ROM ? KVM_MEM_READONLY : 0,
		.guest_phys_addr = g->base | alias,
		.memory_size = g->len,
		.userspace_addr = (uintptr_t)g->hva,
	};

	if (ioctl(vm->fd, KVM_SET_USER_MEMORY_REGION, &k) < 0)
		return fail(err, "KVM_SET_USER_MEMORY_REGION");
	return 0;
}

int kvm_vm_set_memory(struct kvm_vm *vm, const struct guest_mem *mem,
		      unsigned int alias_bit, struct err *err)
{
	uint32_t slot = 0;

	for (size_t i = 0; i < guest_mem_n_regions(mem); i++) {
		const struct guest_mem_region *g = guest_mem_region(mem, i);
		int r = set_slot(vm, slot++, g, 0, err);

		if (!r && alias_bit)
			r = set_slot(vm, slot++, g, BIT64(alias_bit), err);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * A filter that denies the MSRs we answer for makes KVM ask us, whether it
 * knows them or not. Bit n of a bitmap: MSR base + n is allowed.
 */
static int filter_msrs(struct kvm_vm *vm)
{
	uint8_t denied[8] = {0};
	struct kvm_msr_filter f = {
		.flags = KVM_MSR_FILTER_DEFAULT_ALLOW,
		.ranges =
			{
				{.flags = KVM_MSR_FILTER_READ |
					  KVM_MSR_FILTER_WRITE,
				 .nmsrs = 1,
				 .base = (uint32_t)KVM_MSR_AMD64_SEV,
				 .bitmap = denied},
				{.flags = KVM_MSR_FILTER_READ |
					  KVM_MSR_FILTER_WRITE,
				 .nmsrs = 1,
				 .base = KVM_MSR_MIGRATION_CONTROL,
				 .bitmap = denied},
			},
	};

	return ioctl(vm->fd, KVM_X86_SET_MSR_FILTER, &f);
}

int kvm_vm_take_reports(struct kvm_vm *vm, struct err *err)
{
	struct kvm_enable_cap msr = {
		.cap = KVM_CAP_X86_USER_SPACE_MSR,
		.args = {KVM_MSR_EXIT_REASON_FILTER |
			 KVM_MSR_EXIT_REASON_UNKNOWN |
			 KVM_MSR_EXIT_REASON_INVAL},
	};
	struct kvm_enable_cap hypercall = {
		.cap = KVM_CAP_EXIT_HYPERCALL,
		.args = {BIT32(KVM_HC_MAP_GPA_RANGE)},
	};

	if (!(kvm_vm_cap(vm, KVM_CAP_EXIT_HYPERCALL) &
	      (int)BIT32(KVM_HC_MAP_GPA_RANGE)))
		return err_set_kind(err, ERR_HOST, -EOPNOTSUPP,
				    "this KVM lacks KVM_CAP_EXIT_HYPERCALL, "
				    "which a confidential guest needs in order "
				    "to share memory (Linux 5.14 or later)");
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &msr) < 0)
		return fail(err, "KVM_CAP_X86_USER_SPACE_MSR");
	if (ioctl(vm->fd, KVM_ENABLE_CAP, &hypercall) < 0)
		return fail(err, "KVM_CAP_EXIT_HYPERCALL");
	if (filter_msrs(vm) < 0)
		return fail(err, "KVM_X86_SET_MSR_FILTER");
	return 0;
}

int kvm_vm_cap(const struct kvm_vm *vm, int cap)
{
	int v = ioctl(vm->fd, KVM_CHECK_EXTENSION, cap);

	return v < 0 ? 0 : v;
}

bool kvm_vm_has_tsc_deadline(const struct kvm_vm *vm)
{
	return vm->tsc_deadline;
}

int kvm_vm_ioeventfd(struct kvm_vm *vm, int fd, uint64_t addr, uint32_t len,
		     bool pio, bool add)
{
	struct kvm_ioeventfd k = {
		.addr = addr,
		.len = len,
		.fd = fd,
		.flags = (pio ? KVM_IOEVENTFD_FLAG_PIO : 0u) |
			 (add ? 0u : KVM_IOEVENTFD_FLAG_DEASSIGN),
	};

	return ioctl(vm->fd, KVM_IOEVENTFD, &k) < 0 ? -errno : 0;
}

int kvm_vm_fd(const struct kvm_vm *vm)
{
	return vm->fd;
}

uint32_t kvm_vm_run_size(const struct kvm_vm *vm)
{
	return vm->run_size;
}
