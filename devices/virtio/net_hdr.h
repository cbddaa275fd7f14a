/*
 * devices/virtio/net_hdr.h - the header in front of a frame, and the offloads
 * it asks for (virtio 1.2, 5.1.6 "Device Operation").
 */
#ifndef DEVICES_VIRTIO_NET_HDR_H
#define DEVICES_VIRTIO_NET_HDR_H

#include <stdint.h>

#include "devices/virtio/net_backend.h"

/* Feature bits (virtio 1.2, 5.1.3) */
enum {
	VIRTIO_NET_F_CSUM = 0,
	VIRTIO_NET_F_GUEST_CSUM = 1,
	VIRTIO_NET_F_CTRL_GUEST_OFFLOADS = 2,
	VIRTIO_NET_F_MTU = 3,
	VIRTIO_NET_F_MAC = 5,
	VIRTIO_NET_F_GUEST_TSO4 = 7,
	VIRTIO_NET_F_GUEST_TSO6 = 8,
	VIRTIO_NET_F_GUEST_ECN = 9,
	VIRTIO_NET_F_GUEST_UFO = 10,
	VIRTIO_NET_F_HOST_TSO4 = 11,
	VIRTIO_NET_F_HOST_TSO6 = 12,
	VIRTIO_NET_F_HOST_ECN = 13,
	VIRTIO_NET_F_HOST_UFO = 14,
	VIRTIO_NET_F_MRG_RXBUF = 15,
	VIRTIO_NET_F_STATUS = 16,
	VIRTIO_NET_F_CTRL_VQ = 17,
	VIRTIO_NET_F_CTRL_RX = 18,
	VIRTIO_NET_F_CTRL_RX_EXTRA = 20,
	VIRTIO_NET_F_MQ = 22,
	VIRTIO_NET_F_CTRL_MAC_ADDR = 23,
	VIRTIO_NET_F_GUEST_USO4 = 54,
	VIRTIO_NET_F_GUEST_USO6 = 55,
	VIRTIO_NET_F_HOST_USO = 56,
};

/* virtio 1.2, 5.1.6, struct virtio_net_hdr */
enum {
	NET_HDR_FLAGS = 0, /* offset of u8 */
	VIRTIO_NET_HDR_F_NEEDS_CSUM = 1,
	VIRTIO_NET_HDR_F_DATA_VALID = 2,
	NET_HDR_GSO_TYPE = 1, /* offset of u8 */
	VIRTIO_NET_HDR_GSO_NONE = 0,
	VIRTIO_NET_HDR_GSO_TCPV4 = 1,
	VIRTIO_NET_HDR_GSO_UDP = 3,
	VIRTIO_NET_HDR_GSO_TCPV6 = 4,
	VIRTIO_NET_HDR_GSO_UDP_L4 = 5,
	VIRTIO_NET_HDR_GSO_ECN = 0x80,
	NET_HDR_NUM_BUFFERS = 10, /* offset of le16 */
};

/* Feature bits to offer with a backend that can @offloads. */
uint64_t net_hdr_features(uint32_t offloads);
/*
 * What the guest takes (sends) by @features; @features may also be the bits of
 * VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, which are the same. An offload without
 * the one it builds on (virtio 1.2, 5.1.3.1) is left out, and so is one of
 * USO4 and USO6, which the kernel takes together only.
 */
uint32_t net_hdr_guest_offloads(uint64_t features);
uint32_t net_hdr_host_offloads(uint64_t features);
/* The bits of @features that CTRL_GUEST_OFFLOADS_SET can switch. */
uint64_t net_hdr_switchable(uint64_t features);

/*
 * May the guest, sending with @offloads, have written @hdr? Clears what it
 * must not say and the device must not heed. -EPROTO.
 */
int net_hdr_check_sent(uint8_t hdr[static NET_HDR_LEN], uint32_t offloads);
/*
 * The same for a frame from the backend: a frame may have been queued there
 * since the guest took more. -EPROTO: the guest does not understand it.
 */
int net_hdr_check_received(uint8_t hdr[static NET_HDR_LEN], uint32_t offloads);

#endif
