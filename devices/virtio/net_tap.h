/*
 * devices/virtio/net_tap.h - frames through the queues of a tap or macvtap
 * (Linux, Documentation/networking/tuntap.rst), one descriptor per queue.
 *
 * The kernel checks what the guest writes into a header: a frame with a lying
 * one is refused, counted, and forgotten.
 *
 * Two ioctls happen while the guest runs, each in the device's thread:
 * TUNSETOFFLOAD when the guest says what it takes, TUNSETQUEUE when it changes
 * how many queues it uses. Neither needs a privilege.
 */
#ifndef DEVICES_VIRTIO_NET_TAP_H
#define DEVICES_VIRTIO_NET_TAP_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct net_backend;

struct net_tap_params {
	/* Non-blocking, attached, IFF_NO_PI. Taken over on success. */
	const int *fds;
	unsigned int n_fds; /* 1..NET_PAIRS_MAX; more than one are queues of
			       one IFF_MULTI_QUEUE tap, all attached */
	/* IFF_VNET_HDR with a header of NET_HDR_LEN; else there is none. */
	bool vnet_hdr;
	uint32_t offloads; /* net_offload bits TUNSETOFFLOAD takes; needs
			      vnet_hdr */
};

/* -EINVAL: out of range; -ENOMEM. */
int net_tap_create(const struct net_tap_params *p, struct net_backend **ret,
		   struct err *err);

#endif
