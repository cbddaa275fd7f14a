/*
 * devices/virtio/net_ctrl.h - commands of the control queue (virtio 1.2,
 * 5.1.6.5 "Control Virtqueue"), from bytes to a struct. The device acts.
 */
#ifndef DEVICES_VIRTIO_NET_CTRL_H
#define DEVICES_VIRTIO_NET_CTRL_H

#include <stdbool.h>
#include <stdint.h>

#include "devices/virtio/net_filter.h"

struct virtq_chain;

/* The answer, one byte at the end of the chain (virtio 1.2, 5.1.6.5). */
enum { VIRTIO_NET_OK = 0, VIRTIO_NET_ERR = 1 };

enum net_ctrl_kind {
	NET_CTRL_RX_MODE,
	NET_CTRL_MAC_TABLE,
	NET_CTRL_MAC_ADDR,
	NET_CTRL_PAIRS,
	NET_CTRL_OFFLOADS,
};

struct net_ctrl {
	enum net_ctrl_kind kind;
	struct {
		enum net_filter_mode mode;
		bool on;
	} rx;
	struct net_filter_macs uni, multi;
	uint8_t mac[6];
	uint16_t pairs;
	uint64_t offloads;
};

/*
 * Read the command from the readable part of @c, each byte once.
 * -EOPNOTSUPP  unknown, or its feature is not in @features
 * -EPROTO      its length is not that of the command, or a value is out of
 *              range
 */
int net_ctrl_parse(const struct virtq_chain *c, uint64_t features,
		   struct net_ctrl *ret);

#endif
