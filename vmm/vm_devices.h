/*
 * vmm/vm_devices.h - the virtio devices of a VM: each a device, a thread it
 * works in, and a PCI function in front of it.
 *
 * Everything is handed in open; nothing here knows a path.
 */
#ifndef VMM_VM_DEVICES_H
#define VMM_VM_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct counters;
struct dma_view;
struct doorbell_sink;
struct err;
struct guest_mem;
struct irq_sink;
struct pci_bus;
struct scsi_file;
struct vm_devices; /* opaque */

enum {
	VM_DISKS_MAX = 64,
	VM_NETS_MAX = 16,
	VM_NET_FDS_MAX = 16,
	/* Of all disks, when there are any: the first that is plugged in. */
	VM_SCSI_DEVFN = PCI_DEVFN_FIRST_FREE,
};

struct vm_disk {
	const struct scsi_file *file; /* borrowed */
	unsigned int lun;
	const char *serial; /* borrowed; NULL: derived */
};

/* A back end of a network card: taps, or one stream socket. */
struct vm_net {
	bool stream;
	int fds[VM_NET_FDS_MAX]; /* borrowed: duplicated for each start */
	unsigned int n_fds;
	bool vnet_hdr;	   /* taps: see net_tap.h */
	uint32_t offloads; /* taps */
	uint8_t mac[6];
	uint16_t mtu; /* 0: not told */
};

/* Descriptors are borrowed: a device takes duplicates of them. */
struct vm_devices_config {
	const struct vm_disk *disks;
	size_t n_disks;
	unsigned int disk_queues;
	const struct vm_net *nets;
	size_t n_nets;
	uint64_t vsock_cid; /* 0: none */
	int vsock_channel;  /* to the broker, or -1: */
	int vhost_vsock_fd; /* of the kernel's vsock */
	bool rng;
};

/* The machine they are plugged into; borrowed. */
struct vm_devices_machine {
	struct pci_bus *pci;
	struct irq_sink *irq;
	struct doorbell_sink *doorbells;
	struct dma_view *view;
	const struct guest_mem *mem;
	/* vm_devices_take_broken() has a name to tell. A device's thread. */
	void (*broken)(void *arg);
	void *broken_arg;
};

int vm_devices_create(const struct vm_devices_config *c,
		      const struct vm_devices_machine *m,
		      struct vm_devices **ret, struct err *err);
/* Start the threads, before the first vCPU runs. */
int vm_devices_start(struct vm_devices *d, struct err *err);
/* Stop them. Idempotent. */
void vm_devices_stop(struct vm_devices *d);
/* After the PCI bus is gone. NULL is fine. */
void vm_devices_destroy(struct vm_devices *d);
DEFINE_CLEANUP(struct vm_devices, vm_devices_destroy)

/*
 * The name of a device that its driver broke (NEEDS_RESET) since the last call
 * that named it, or NULL. One thread.
 */
const char *vm_devices_take_broken(struct vm_devices *d);

/* The disk at @lun has @bytes now. Any thread. -ENOENT: there is none. */
int vm_devices_resize(struct vm_devices *d, unsigned int lun, uint64_t bytes);

/* Add what every device has counted. Any thread. */
void vm_devices_counters(const struct vm_devices *d, struct counters *c);

#endif
