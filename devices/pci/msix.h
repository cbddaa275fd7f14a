/*
 * devices/pci/msix.h - MSI-X of one function: capability, vector table and
 * pending bits (PCI Local Bus 3.0, 6.8.2 "MSI-X Capability and Table
 * Structures").
 *
 * Each vector has an eventfd. While the vector can fire, the eventfd is bound
 * to its message in the irq_sink, and a write to it interrupts the guest with
 * no code of ours in between. While the vector is masked it is not bound: what
 * is written stays in the eventfd, which thus *is* the pending bit, and is
 * sent when the guest unmasks.
 *
 * All functions may be called by any thread. The lock is a leaf but for the
 * irq_sink. Used at run time: read, write, poll (on a read of pending bits).
 */
#ifndef DEVICES_PCI_MSIX_H
#define DEVICES_PCI_MSIX_H

#include <stdint.h>

#include "devices/bus_dev.h"
#include "vmm/base/own.h"

struct err;
struct irq_sink;
struct msix; /* opaque */
struct pci_cfg;

enum {
	MSIX_MAX_VECTORS = 256, /* ours; the specification allows 2048 */
	MSIX_CAP_LEN = 12,
};

/* Bytes that table and pending bits of @n vectors take: a multiple of 8. */
uint32_t msix_block_len(unsigned int n);

/*
 * Adds the capability to @cfg, which is borrowed, as is @sink. All vectors are
 * masked and MSI-X is disabled.
 * @n           vectors, 1..MSIX_MAX_VECTORS
 * @bar, @off   where the guest finds the block of msix_block_len() bytes; off
 *              a multiple of 8
 * -ENOSPC      no room for the capability; -ENOMEM; or the errno of eventfd(2)
 */
int msix_create(struct pci_cfg *cfg, struct irq_sink *sink, unsigned int n,
		unsigned int bar, uint32_t off, struct msix **ret,
		struct err *err);
/* Unbinds and closes all eventfds. NULL is fine. */
void msix_destroy(struct msix *m);
DEFINE_CLEANUP(struct msix, msix_destroy)

/*
 * Answers in the block: offset 0 is the start of the table. To be passed to
 * pci_func_add_bar(), or called for the part of a BAR that holds the block.
 * Writes other than aligned dwords and qwords are dropped (6.8.2: undefined).
 */
struct bus_dev *msix_dev(struct msix *m);

/* To be called from the function's cfg_written(). */
void msix_cfg_written(struct msix *m, unsigned int off, unsigned int width);

/*
 * Interrupt the guest, or set the pending bit when the vector is masked.
 * -EINVAL      no such vector
 * -ENXIO       MSI-X is disabled; dropped
 * or the error of irq_sink send_msi (no route was left to bind the vector)
 */
int msix_notify(struct msix *m, unsigned int vector);

/*
 * The eventfd of a vector, for somebody else to write to (vhost); owned by
 * @m. -EINVAL: no such vector.
 */
int msix_eventfd(const struct msix *m, unsigned int vector);

#endif
