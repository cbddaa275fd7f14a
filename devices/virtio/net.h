/*
 * devices/virtio/net.h - virtio-net (virtio 1.2, 5.1 "Network Device").
 *
 * Everything happens in the device's io_thread. Frames go straight between the
 * guest's buffers and the backend; only the header is copied and checked. A
 * guest without receive buffers leaves the frames in the backend, a backend
 * without room leaves the guest's frames in its queue: nothing is dropped for
 * being too fast, and nothing is polled.
 *
 * A device that is not active, or whose link is down, reads nothing and sends
 * nothing (frames the guest sends on a link that is down are dropped).
 */
#ifndef DEVICES_VIRTIO_NET_H
#define DEVICES_VIRTIO_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/virtio/net_backend.h"
#include "vmm/base/own.h"

struct err;
struct io_thread;
struct net; /* opaque */
struct virtio_dev;

enum {
	NET_QUEUE_SIZE = 256,	  /* entries of a receive or transmit queue */
	NET_CTRL_QUEUE_SIZE = 64, /* and of the control queue */
	NET_MTU_MIN = 68,	  /* virtio 1.2, 5.1.4.1 */
	NET_MTU_MAX = 65535,
};

struct net_params {
	const char *name;	     /* borrowed; for messages: "net0" */
	struct io_thread *thread;    /* borrowed, not yet started */
	struct net_backend *backend; /* taken over on success */
	uint8_t mac[6];		     /* unicast, not zero */
	uint16_t mtu; /* the guest is told; 0: it is not, and takes 1500 */
};

/* Since creation. */
struct net_counters {
	uint64_t rx_frames, rx_bytes; /* to the guest */
	uint64_t tx_frames, tx_bytes; /* from it, taken by the backend */
	uint64_t rx_filtered;	      /* not for the guest, as it has asked */
	/* larger than its buffers, of a kind it has not negotiated, or come
	   while the link was down */
	uint64_t rx_dropped;
	uint64_t tx_dropped;  /* link down, or too short or long for a frame */
	uint64_t tx_refused;  /* by the backend */
	uint64_t bad_headers; /* offloads that were not negotiated */
	uint64_t bad_chains;  /* no room for the header, or for an answer */
	uint64_t commands, bad_commands; /* of the control queue */
};

/*
 * -EINVAL      a MAC that is zero or of a group, an MTU out of range
 * -ENOMEM, or the errno of epoll_ctl(2)
 */
int net_create(const struct net_params *p, struct net **ret, struct err *err);
/* The thread has stopped. Destroys the backend. NULL is fine. */
void net_destroy(struct net *n);
DEFINE_CLEANUP(struct net, net_destroy)

/* To be plugged into a transport. */
struct virtio_dev *net_virtio_dev(struct net *n);

/*
 * Plug the cable in or out: the guest is told by a configuration interrupt
 * (virtio 1.2, 5.1.4.2 "Device configuration layout", status). A link whose
 * backend is gone stays down. Any thread; takes effect in the device's.
 */
void net_set_link(struct net *n, bool up);
/* Does the guest see a link? Any thread. */
bool net_link(const struct net *n);

/* Any thread. */
void net_counters(const struct net *n, struct net_counters *ret);

#endif
