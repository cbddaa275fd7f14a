/*
 * devices/virtio/vsock_vhost.h - virtio-vsock served by the host's kernel
 * (/dev/vhost-vsock): its sockets are AF_VSOCK sockets of the host.
 *
 * The kernel reads rings and buffers itself, past the dma_view, so this is for
 * plain guests only. Threads as any virtio_dev.
 */
#ifndef DEVICES_VIRTIO_VSOCK_VHOST_H
#define DEVICES_VIRTIO_VSOCK_VHOST_H

#include <stdint.h>

#include "vmm/base/own.h"

struct dma_view;
struct err;
struct guest_mem;
struct io_thread;
struct virtio_dev;
struct vsock_vhost; /* opaque */

struct vsock_vhost_params {
	const char *name;	  /* borrowed; for messages */
	uint64_t guest_cid;	  /* VSOCK_CID_MIN..VSOCK_CID_MAX */
	struct io_thread *thread; /* borrowed, not yet started */
	int vhost_fd;		  /* /dev/vhost-vsock; taken over on success */
	const struct guest_mem *mem; /* borrowed, complete */
	struct dma_view *view;	     /* borrowed; of a plain guest */
	/* NULL: ioctl(2). For tests: returns 0 or a negative errno. */
	int (*ioctl)(int fd, unsigned long req, void *arg);
};

/*
 * To be called in the process that runs the VM: it becomes the owner.
 * -EINVAL      guest_cid is out of range
 * -EADDRINUSE  another VM has this CID
 * -EBUSY       the descriptor has an owner already
 * -ENOTSUP     the kernel lacks a feature the rings need
 * -ENOMEM, or another errno of the ioctls
 */
int vsock_vhost_create(const struct vsock_vhost_params *p,
		       struct vsock_vhost **ret, struct err *err);
/* The thread has stopped. NULL is fine. */
void vsock_vhost_destroy(struct vsock_vhost *v);
DEFINE_CLEANUP(struct vsock_vhost, vsock_vhost_destroy)

struct virtio_dev *vsock_vhost_virtio_dev(struct vsock_vhost *v);

#endif
