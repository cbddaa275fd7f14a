/*
 * devices/virtio/vsock_pkt.h - the header of a vsock packet (virtio 1.2, 5.10.6
 * "Device Operation"), between bytes and struct.
 */
#ifndef DEVICES_VIRTIO_VSOCK_PKT_H
#define DEVICES_VIRTIO_VSOCK_PKT_H

#include <stdbool.h>
#include <stdint.h>

enum {
	VSOCK_HDR_LEN = 44,
	/*
	 * Payload of one packet. Ours; the specification has no limit. Linux
	 * sends and accepts as much.
	 */
	VSOCK_PKT_MAX = 65536,
	VSOCK_CID_HOST = 2,
	VSOCK_CID_MIN = 3, /* 0, 1 and 2 are reserved */
};
#define VSOCK_CID_MAX UINT32_C(0xfffffffe)  /* the top one is "any" */
#define VSOCK_PORT_ANY UINT32_C(0xffffffff) /* no port: nobody can bind it */

enum { VIRTIO_VSOCK_TYPE_STREAM = 1 };

enum {
	VIRTIO_VSOCK_OP_REQUEST = 1,
	VIRTIO_VSOCK_OP_RESPONSE = 2,
	VIRTIO_VSOCK_OP_RST = 3,
	VIRTIO_VSOCK_OP_SHUTDOWN = 4,
	VIRTIO_VSOCK_OP_RW = 5,
	VIRTIO_VSOCK_OP_CREDIT_UPDATE = 6,
	VIRTIO_VSOCK_OP_CREDIT_REQUEST = 7,
};

/* Flags of SHUTDOWN: what its sender will not do any more. */
enum {
	VIRTIO_VSOCK_SHUTDOWN_RCV = 1,
	VIRTIO_VSOCK_SHUTDOWN_SEND = 2,
	VIRTIO_VSOCK_SHUTDOWN_BOTH = 3,
};

struct vsock_pkt {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len; /* of the payload */
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt; /* the sender's receive buffer */
};

void vsock_pkt_parse(const uint8_t hdr[static VSOCK_HDR_LEN],
		     struct vsock_pkt *ret);
void vsock_pkt_build(const struct vsock_pkt *p,
		     uint8_t hdr[static VSOCK_HDR_LEN]);
/* Change the length of the payload in a header that was built. */
void vsock_pkt_set_len(uint8_t hdr[static VSOCK_HDR_LEN], uint32_t len);

/* What is to be done with a packet from the guest. */
enum vsock_verdict {
	VSOCK_PKT_OK,
	VSOCK_PKT_DROP, /* not from the guest to the host: no answer is due */
	VSOCK_PKT_RST,	/* well addressed, but nothing we speak */
};

/*
 * Check every field that can be checked without knowing the connection.
 * @room        bytes that follow the header in the chain
 */
enum vsock_verdict vsock_pkt_check(const struct vsock_pkt *p,
				   uint64_t guest_cid, uint64_t room);

#endif
