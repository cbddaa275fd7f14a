/*
 * vmm/host_cost.h - what a VM takes from its host, before it is started: for
 * whoever places VMs on hosts and sets their limits. Upper bounds, not what a
 * guest happens to have touched.
 */
#ifndef VMM_HOST_COST_H
#define VMM_HOST_COST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host_cost_args {
	uint64_t ram_bytes;
	uint64_t hugepage_size; /* 0: base pages */
	unsigned int n_cpus;
	size_t n_disks, n_nets;
	bool vsock, rng;
	bool is_protected;
	uint64_t firmware_bytes; /* image and variables; 0: a direct boot */
	uint64_t bundle_bytes;	 /* images that are copied; 0: plain files */
	uint64_t measured_bytes; /* with is_protected */
};

/* All in bytes. */
struct host_cost {
	uint64_t ram;
	uint64_t firmware; /* ROM: there is none without firmware */
	uint64_t images;   /* a bundle's, in memory as long as the guest */
	uint64_t tables;   /* of pages: the monitor's, KVM's; the DMA view */
	uint64_t monitor;  /* both processes, private memory */
	uint64_t devices;  /* their queues and buffers */
	uint64_t kernel;   /* what KVM keeps for VM and vCPUs, estimated */
	uint64_t total;	   /* of the above */
	uint64_t pinned;   /* cannot be swapped or moved: 0 or RAM and ROM */
	/* RLIMIT_MEMLOCK: what is needed, and that plus the margin. */
	uint64_t memlock_need, memlock_set;
	uint64_t memory_max; /* of a cgroup: total plus the margin */
	uint64_t measured;
	/* The security processor does one thing at a time for the whole host.
	 */
	uint64_t psp_ms; /* estimated */
};

enum {
	HOST_COST_MEMLOCK_MARGIN = 1 << 20, /* in memlock_set */
	/* In memory_max: page cache of images, allocations that were not
	 * returned yet; and a part of what is not RAM. */
	HOST_COST_CGROUP_MARGIN = 16 << 20,
	/*
	 * Microseconds for each KiB of LAUNCH_UPDATE: 257 ms for a MiB, as
	 * published for an SNP launch of 2023; plain SEV may be faster.
	 */
	HOST_COST_PSP_US_PER_KIB = 251,
};

void host_cost(const struct host_cost_args *a, struct host_cost *ret);

#endif
