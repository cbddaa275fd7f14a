/*
 * devices/virtio/net_filter.h - which frames the guest wants to receive
 * (virtio 1.2, 5.1.6.5.1 "Packet Receive Filtering", 5.1.6.5.2 "Setting MAC
 * Address Filtering"). Applied here, since not every backend can.
 */
#ifndef DEVICES_VIRTIO_NET_FILTER_H
#define DEVICES_VIRTIO_NET_FILTER_H

#include <stdbool.h>
#include <stdint.h>

enum { NET_FILTER_MACS = 64 }; /* of each table; ours */

/* VIRTIO_NET_CTRL_RX_...: indices of net_filter.mode */
enum net_filter_mode {
	NET_FILTER_PROMISC = 0,
	NET_FILTER_ALLMULTI,
	NET_FILTER_ALLUNI,
	NET_FILTER_NOMULTI,
	NET_FILTER_NOUNI,
	NET_FILTER_NOBCAST,
	NET_FILTER_MODES
};

struct net_filter_macs {
	uint32_t n;
	bool all; /* there were more than fit: every address matches */
	uint8_t mac[NET_FILTER_MACS][6];
};

struct net_filter {
	bool mode[NET_FILTER_MODES];
	uint8_t mac[6]; /* the card's own */
	struct net_filter_macs uni, multi;
};

/*
 * As after a reset: promiscuous, for a driver that has not negotiated
 * VIRTIO_NET_F_CTRL_RX, or has not come to it yet, gets everything.
 */
void net_filter_reset(struct net_filter *f, const uint8_t mac[static 6]);
/* Does the guest want a frame for @dst? */
bool net_filter_pass(const struct net_filter *f, const uint8_t dst[static 6]);

#endif
