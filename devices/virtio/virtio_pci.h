/*
 * devices/virtio/virtio_pci.h - the virtio-pci modern transport (virtio 1.2,
 * 4.1 "Virtio Over PCI Bus"): a PCI function in front of a virtio_dev.
 *
 * VERSION_1 and ACCESS_PLATFORM are always offered and required: FEATURES_OK
 * does not stick without both. There is no legacy interface and no INTx.
 *
 * A driver that is up and loses bus mastering has lost its device: that lets go
 * of memory and has to be reset. One that never asked for mastering is served.
 *
 * Threads: vCPUs read and write registers under a lock of the transport and
 * never wait for the device. What the device has to do (activate, reset, reset
 * a queue, look at a queue) happens in its io_thread, in the order in which the
 * driver asked. Until a reset is done the registers stay as they are, status is
 * not 0, and writes are dropped.
 */
#ifndef DEVICES_VIRTIO_VIRTIO_PCI_H
#define DEVICES_VIRTIO_VIRTIO_PCI_H

#include <stdbool.h>
#include <stdint.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct dma_view;
struct err;
struct irq_sink;
struct pci_bus;
struct virtio_dev;
struct virtio_pci; /* opaque */

/*
 * How a guest's write to an address becomes a wake-up without an exit. One
 * doorbell for each enabled queue of an activated device, while its BAR is
 * mapped; without, and when one is refused, the kick is an exit.
 */
struct doorbell_sink;
struct doorbell_sink_ops {
	/* A write of any width at @gpa signals eventfd @fd. Any thread. */
	int (*add)(struct doorbell_sink *s, gpa_t gpa, int fd);
	/* What was added, with the same arguments. */
	void (*remove)(struct doorbell_sink *s, gpa_t gpa, int fd);
};
struct doorbell_sink {
	const struct doorbell_sink_ops *ops;
};

/* All borrowed; they outlive the transport. */
struct virtio_pci_params {
	struct pci_bus *bus;
	unsigned int devfn;
	struct irq_sink *irq;
	struct doorbell_sink *doorbells; /* NULL: every kick is an exit */
	struct dma_view *view;
	/* The device was marked NEEDS_RESET. Its thread. May be NULL. */
	void (*broken)(void *arg);
	void *broken_arg;
};

/* Since creation. */
struct virtio_pci_counters {
	uint64_t kicks;	     /* that reached the device's thread */
	uint64_t interrupts; /* of queues, asked for by the driver */
	uint64_t broken;     /* times the device was marked NEEDS_RESET */
	uint64_t resets;     /* of the device, by the driver */
};

/*
 * Put @dev on the bus. It is borrowed and filled in: n_queues up to
 * VIRTIO_DEV_QUEUES_MAX, queue_max powers of two up to VIRTQ_SIZE_MAX,
 * config_len up to 4096; its thread has not started, and is destroyed after
 * the transport. -ENOMEM, or the error of pci_bus_add() or eventfd(2).
 */
int virtio_pci_create(const struct virtio_pci_params *p, struct virtio_dev *dev,
		      struct virtio_pci **ret, struct err *err);
/* The device's thread has stopped and the bus is gone. NULL is fine. */
void virtio_pci_destroy(struct virtio_pci *v);
DEFINE_CLEANUP(struct virtio_pci, virtio_pci_destroy)

/* The device_status register, as the driver reads it. Any thread. */
uint8_t virtio_pci_status(struct virtio_pci *v);
/* Any thread. */
void virtio_pci_counters(struct virtio_pci *v, struct virtio_pci_counters *ret);

#endif
