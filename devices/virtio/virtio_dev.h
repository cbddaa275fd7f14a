/*
 * devices/virtio/virtio_dev.h - what a virtio device offers to its transport,
 * and the transport to the device.
 *
 * Threads: a device works in its io_thread. Every operation below is called
 * there, except config_read() and config_write(), which vCPU threads call under
 * the transport's lock. The transport owns the queues and enables them before
 * activate().
 */
#ifndef DEVICES_VIRTIO_VIRTIO_DEV_H
#define DEVICES_VIRTIO_VIRTIO_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/virtq.h"

struct io_thread;
struct virtio_dev;

/* Device types (virtio 1.2, 5) */
enum {
	VIRTIO_ID_NET = 1,
	VIRTIO_ID_RNG = 4,
	VIRTIO_ID_SCSI = 8,
	VIRTIO_ID_VSOCK = 19,
};

/* Feature bits every device has to do with (virtio 1.2, 6) */
enum {
	VIRTIO_F_VERSION_1 = 32,
	VIRTIO_F_ACCESS_PLATFORM = 33,
	VIRTIO_F_RING_RESET = 40,
};

enum { VIRTIO_DEV_QUEUES_MAX = 66 };

struct virtio_dev_ops {
	/*
	 * The driver is ready (DRIVER_OK): dev->features is final and the
	 * queues it enabled are. Queues may already hold chains: a kick for
	 * each enabled queue follows.
	 */
	void (*activate)(struct virtio_dev *dev);
	/*
	 * The driver wants the device reset, at any moment, activated or not.
	 * Begin nothing new; when no request that uses guest memory is in
	 * flight any more (at once or later), call host->ops->reset_done().
	 * The queues are disabled by the transport before and after.
	 */
	void (*reset)(struct virtio_dev *dev);
	/*
	 * The same for one queue (VIRTIO_F_RING_RESET), answered by
	 * host->ops->queue_reset_done(). NULL: the feature is not offered.
	 */
	void (*queue_reset)(struct virtio_dev *dev, unsigned int queue);
	/*
	 * Chains may be waiting in @queue. Spurious calls happen.
	 * Negative: what virtq_pop() said; the transport marks the device
	 * NEEDS_RESET and calls no more until it is reset.
	 */
	int (*kick)(struct virtio_dev *dev, unsigned int queue);
	/*
	 * The device-specific configuration; off + len <= config_len, len
	 * 1..8. NULL config_write: read-only.
	 */
	void (*config_read)(struct virtio_dev *dev, uint32_t off, void *buf,
			    size_t len);
	void (*config_write)(struct virtio_dev *dev, uint32_t off,
			     const void *buf, size_t len);
};

/* What the device may ask of its transport, from its own thread. */
struct virtio_host;
struct virtio_kernel_queue;
struct virtio_host_ops {
	void (*reset_done)(struct virtio_host *h);
	void (*queue_reset_done)(struct virtio_host *h, unsigned int queue);
	/* The configuration changed: interrupt the driver. */
	void (*config_changed)(struct virtio_host *h);
	/* A queue turned out to be broken outside kick(). */
	void (*needs_reset)(struct virtio_host *h);
	/*
	 * From activate(): the kernel is going to serve @queue (vhost). The
	 * transport stops watching the kicks, and leaves the ring alone, until
	 * the reset; no kick() follows. NULL: this transport cannot.
	 * -EINVAL      the driver has not enabled the queue
	 */
	int (*queue_to_kernel)(struct virtio_host *h, unsigned int queue,
			       struct virtio_kernel_queue *ret);
};

/* What the kernel needs of a queue. Descriptors are the transport's. */
struct virtio_kernel_queue {
	struct virtq_layout layout;
	int kick_fd; /* eventfd: readable when the driver has kicked */
	int call_fd; /* eventfd: a write interrupts it; -1: it wants none */
};
struct virtio_host {
	const struct virtio_host_ops *ops;
};

/* Embedded in the device, which fills in the first part before it is plugged.
 */
struct virtio_dev {
	const struct virtio_dev_ops *ops;
	const char *name;   /* for messages: "scsi0" */
	uint16_t type;	    /* VIRTIO_ID_... */
	uint32_t pci_class; /* class << 16 | subclass << 8 | interface */
	uint64_t offered;   /* feature bits of its type; the transport adds
			       its own and those of the ring */
	uint32_t config_len;
	unsigned int n_queues;
	uint16_t queue_max[VIRTIO_DEV_QUEUES_MAX]; /* powers of two */
	struct io_thread *thread;		   /* borrowed */

	/* The transport's. */
	struct virtio_host *host;
	uint64_t features; /* negotiated; valid from activate() to reset() */
	struct virtq **q;  /* n_queues of them; those not enabled pop nothing */
};

static inline bool virtio_has(const struct virtio_dev *dev, unsigned int bit)
{
	return dev->features >> bit & 1;
}

#endif
