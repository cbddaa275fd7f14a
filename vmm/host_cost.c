/* vmm/host_cost.c - adds up what a VM costs. */
#include "vmm/host_cost.h"

#include "vmm/base/bits.h"
#include "vmm/memlock.h"

enum { PAGE = 4096, ENTRY = 8 };

/*
 * Private memory of both processes with one vCPU and no device is 1.1 MiB in
 * the release build (smaps_rollup, without the guest's pages), and 13 KiB more
 * for each further vCPU; devices take 200 KiB for the first disk and less for
 * the others. The rest is room for what they allocate under load.
 */
#define MONITOR_BASE KIB(3072)
#define MONITOR_PER_CPU KIB(64)
#define PER_DISK KIB(1024)
#define PER_NET KIB(512)
#define PER_VSOCK KIB(1024)
#define PER_RNG KIB(64)
/* KVM: the VM with its interrupt controllers; VMCB, VMSA, FPU, APIC. */
#define KERNEL_BASE KIB(512)
#define KERNEL_PER_CPU KIB(64)

/* One kind of page table over @ram: an entry for each page, and levels up. */
static uint64_t page_tables(uint64_t ram, uint64_t page)
{
	uint64_t bytes = 0, n = (ram + page - 1) / page;

	while (n > 1) {
		bytes += align_up(n * ENTRY, PAGE);
		n = (n * ENTRY + PAGE - 1) / PAGE;
	}
	return bytes + PAGE;
}

static uint64_t devices(const struct host_cost_args *a)
{
	return a->n_disks * PER_DISK + a->n_nets * PER_NET +
	       (a->vsock ? PER_VSOCK : 0) + (a->rng ? PER_RNG : 0);
}

void host_cost(const struct host_cost_args *a, struct host_cost *ret)
{
	uint64_t page = a->hugepage_size ? a->hugepage_size : PAGE;
	struct host_cost c = {
		.ram = a->ram_bytes,
		.firmware = a->firmware_bytes,
		.images = a->bundle_bytes,
	};

	/* The monitor's and KVM's, and one bit a page in the DMA view. */
	c.tables = 2 * page_tables(c.ram, page) + c.ram / PAGE / 8;
	c.monitor = MONITOR_BASE + a->n_cpus * MONITOR_PER_CPU;
	c.devices = devices(a);
	c.kernel = KERNEL_BASE + a->n_cpus * KERNEL_PER_CPU;
	c.total = c.ram + c.firmware + c.images + c.tables + c.monitor +
		  c.devices + c.kernel;
	c.memory_max = align_up(c.total + HOST_COST_CGROUP_MARGIN +
					(c.total - c.ram) / 4,
				MIB(1));
	if (a->is_protected) {
		c.pinned = c.ram + c.firmware;
		c.memlock_need = memlock_need(c.ram, c.firmware);
		c.memlock_set = c.memlock_need + HOST_COST_MEMLOCK_MARGIN;
		c.measured = a->measured_bytes;
		c.psp_ms =
			c.measured / KIB(1) * HOST_COST_PSP_US_PER_KIB / 1000;
	}
	*ret = c;
}
