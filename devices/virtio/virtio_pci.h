/*
 * devices/virtio/virtio_pci.h - the virtio-pci modern transport (virtio 1.2,
 * 4.1 "Virtio Over PCI Bus"): a PCI function in front of a virtio_dev.
 *
 * VERSION_1 and ACCESS_PLATFORM are always offered and required: FEATURES_OK
 * does not stick without both. There is no legacy interface and no INTx.
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

/* How a guest's write to an address becomes a wake-up without an exit. */
struct doorbell_sink;
struct doorbell_sink_ops {
	/* A write of any width at @gpa signals eventfd @fd. Any thread. */
	int (*add)(struct doorbell_sink *s, gpa_t gpa, int fd);
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
};

/*
 * Put @dev (borrowed, its thread not yet started) on the bus. -ENOMEM, or the
 * error of pci_bus_add() or eventfd(2).
 */
int virtio_pci_create(const struct virtio_pci_params *p, struct virtio_dev *dev,
		      struct virtio_pci **ret, struct err *err);
/* The device's thread has stopped and the bus is gone. NULL is fine. */
void virtio_pci_destroy(struct virtio_pci *v);
DEFINE_CLEANUP(struct virtio_pci, virtio_pci_destroy)

/* Status bits, for counters and tests (virtio 1.2, 2.1). */
uint8_t virtio_pci_status(struct virtio_pci *v);

#endif
