/*
 * devices/virtio/net_backend.h - where the frames of a network device go to
 * and come from: a tap (net_tap.h), a stream socket (net_passt.h).
 *
 * A frame is Ethernet from the destination address on, without FCS. In front
 * of it is a header (virtio 1.2, 5.1.6 "Device Operation", struct
 * virtio_net_hdr, 12 bytes with num_buffers), always entry 0 of an iovec. A
 * backend without offloads ignores it when sending, and receives zeroes.
 *
 * Every operation is called in the device's thread, none blocks, and none
 * opens anything: descriptors were opened before, by others.
 */
#ifndef DEVICES_VIRTIO_NET_BACKEND_H
#define DEVICES_VIRTIO_NET_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "vmm/base/own.h"

struct net_backend;

enum {
	NET_HDR_LEN = 12,
	NET_FRAME_MIN = 14, /* addresses and type: what the kernel accepts */
	/* the largest segment to be cut up, with a VLAN tag */
	NET_FRAME_MAX = 65536 + 18,
	NET_FRAME_IOV = 32, /* entries of a frame to be sent, ours */
	NET_PAIRS_MAX = 32, /* pairs of queues, ours */
};

/*
 * What one side can leave to the other. Set for the guest: it takes frames
 * with such a checksum to be filled in, or of such a kind to be cut up.
 */
enum net_offload {
	NET_OFFLOAD_CSUM = 1 << 0, /* the others need it */
	NET_OFFLOAD_TSO4 = 1 << 1,
	NET_OFFLOAD_TSO6 = 1 << 2,
	NET_OFFLOAD_ECN = 1 << 3, /* TSO with ECN bits set */
	NET_OFFLOAD_UFO = 1 << 4,
	NET_OFFLOAD_USO4 = 1 << 5,
	NET_OFFLOAD_USO6 = 1 << 6,
};

struct net_frame {
	const struct iovec *iov; /* [0] is the header */
	size_t n_iov;		 /* 2..NET_FRAME_IOV */
	size_t len;		 /* bytes, NET_FRAME_MIN..NET_FRAME_MAX,
				    without the header */
};

struct net_backend_ops {
	/* To wait on: EPOLLIN, EPOLLOUT. */
	int (*fd)(const struct net_backend *b, unsigned int queue);
	/*
	 * Send frames in order. Returns how many were taken; fewer than @n
	 * when there is no room: wait for EPOLLOUT. A frame that the other side
	 * refuses is taken and counted in b->refused. @n 0: go on with what
	 * wants_write() is about.
	 * Negative: this queue will never work again.
	 */
	int (*send)(struct net_backend *b, unsigned int queue,
		    const struct net_frame *f, size_t n);
	/* Was part of a frame taken, with the rest to be sent later? */
	bool (*wants_write)(const struct net_backend *b, unsigned int queue);
	/*
	 * Receive one frame into @iov, header first, and return its length
	 * without the header; iov[1] and on have room for NET_FRAME_MAX at
	 * least, and what is longer than they are is cut. 0: there was one,
	 * and it is lost.
	 * -EAGAIN      there is none: wait for EPOLLIN
	 * other        this queue will never work again; -ECONNRESET: the other
	 *              side has gone
	 */
	ssize_t (*recv)(struct net_backend *b, unsigned int queue,
			const struct iovec *iov, size_t n);
	/*
	 * From now on the guest takes frames with these offloads (bits of
	 * b->offloads). NULL: there are none.
	 */
	int (*set_offloads)(struct net_backend *b, uint32_t offloads);
	/*
	 * Use the first @n queues only. The descriptors of the others are not
	 * to be waited on. NULL: there is one.
	 */
	int (*set_queues)(struct net_backend *b, unsigned int n);
	/* Closes the descriptors. */
	void (*destroy)(struct net_backend *b);
};

/* Embedded in the implementation. */
struct net_backend {
	const struct net_backend_ops *ops;
	unsigned int n_queues;	  /* 1..NET_PAIRS_MAX */
	uint32_t offloads;	  /* bits of net_offload, both directions */
	_Atomic uint64_t refused; /* frames; written by the device's thread */
};

static inline void net_backend_destroy(struct net_backend *b)
{
	if (b)
		b->ops->destroy(b);
}
DEFINE_CLEANUP(struct net_backend, net_backend_destroy)

#endif
