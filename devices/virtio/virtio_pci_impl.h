/*
 * devices/virtio/virtio_pci_impl.h - what the files of virtio_pci share.
 *
 * virtio_pci.c       the PCI function: capabilities, BAR, doorbells, life
 * virtio_pci_regs.c  the common configuration: what vCPUs do
 * virtio_pci_dev.c   the device's thread: activation, kicks, resets
 */
#ifndef DEVICES_VIRTIO_VIRTIO_PCI_IMPL_H
#define DEVICES_VIRTIO_VIRTIO_PCI_IMPL_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "devices/bus_dev.h"
#include "devices/pci/pci_bus.h"
#include "devices/virtio/virtio_dev.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/virtq.h"
#include "vmm/base/io_thread.h"

struct loop_source;
struct msix;

/* virtio 1.2, 2.1 "Device Status Field" */
enum {
	VIRTIO_STATUS_ACKNOWLEDGE = 1,
	VIRTIO_STATUS_DRIVER = 2,
	VIRTIO_STATUS_DRIVER_OK = 4,
	VIRTIO_STATUS_FEATURES_OK = 8,
	VIRTIO_STATUS_NEEDS_RESET = 64,
	VIRTIO_STATUS_FAILED = 128,
};

/* virtio 1.2, 4.1.4 "Virtio Structure PCI Capabilities" */
enum {
	VIRTIO_MSI_NO_VECTOR = 0xffff,
	VIRTIO_COMMON_LEN = 0x3c,
	VIRTIO_ISR_QUEUE = 1,
	VIRTIO_ISR_CONFIG = 2,
};

struct vpci_queue {
	struct virtio_pci *v;
	struct virtq_irq irq;
	unsigned int index;
	struct virtq *q;	    /* the device's thread's */
	int kick_fd;		    /* eventfd */
	struct loop_source *source; /* of kick_fd, in the device's loop */
	_Atomic uint16_t vector;

	/* Under the lock: registers; those of an enabled queue are frozen. */
	struct virtq_layout l;
	bool enabled;
	bool resetting;
	bool want_start, want_stop; /* asked of the device's thread */
	gpa_t doorbell;		    /* where it is; 0: nowhere */

	/* The device's thread's. */
	bool live;	/* kicks go to the device */
	bool in_kernel; /* served by the kernel: not our business */
};

struct virtio_pci {
	struct pci_func func;
	struct bus_dev bar;
	struct virtio_host host;
	struct virtio_pci_params p;
	struct virtio_dev *dev; /* borrowed */
	struct msix *msix;
	struct io_call work;
	unsigned int cfg_cap; /* offset of the PCI_CFG capability */
	bool master; /* bus mastering was on last; under the bus's lock */
	uint64_t offered;
	_Atomic uint8_t isr;
	atomic_uint_fast64_t n_kicks, n_interrupts, n_broken, n_resets;

	pthread_mutex_t lock; /* what follows, and the queues' registers */
	uint8_t status;
	uint8_t generation;
	bool resetting;
	/* asked of the device's thread */
	bool want_activate, want_halt, want_reset;
	uint32_t device_select, driver_select;
	uint64_t driver_features;
	bool bad_features; /* it set bits above 63 */
	uint16_t config_vector;
	uint16_t queue_select;
	gpa_t bar_at; /* where the BAR is mapped; 0: nowhere */

	/* The device's thread's. */
	bool active;  /* activate() was called */
	bool stopped; /* NEEDS_RESET: no more kicks */

	struct virtq *virtq[VIRTIO_DEV_QUEUES_MAX];
	struct vpci_queue q[VIRTIO_DEV_QUEUES_MAX];
};

/* --- virtio_pci.c --- */

/* Move doorbells to where they are to be now. Under the lock. */
void vpci_update_doorbells(struct virtio_pci *v);

/* --- virtio_pci_regs.c --- */

/* [off, off + width) of the common configuration, any @off and @width. */
uint64_t vpci_common_read(struct virtio_pci *v, uint64_t off,
			  unsigned int width);
void vpci_common_write(struct virtio_pci *v, uint64_t off, unsigned int width,
		       uint64_t val);
/* The guest has switched bus mastering off. */
void vpci_lose_master(struct virtio_pci *v);
/* All registers, or a queue's, as they are after a reset. Under the lock. */
void vpci_reset_registers(struct virtio_pci *v);
void vpci_reset_queue_registers(struct vpci_queue *q);

/* --- virtio_pci_dev.c --- */

extern const struct virtio_host_ops vpci_host_ops;
extern const struct virtq_irq_ops vpci_irq_ops;
/* The thread has something to do: the flags want_. */
void vpci_work(void *arg);
/* A kick_fd became readable. @arg: the vpci_queue. */
void vpci_on_kick(void *arg, int fd, uint32_t events);

#endif
