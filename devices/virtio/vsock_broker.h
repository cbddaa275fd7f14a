/*
 * devices/virtio/vsock_broker.h - the messages between the vsock device and
 * whoever may open paths for it.
 *
 * The device sees descriptors and port numbers only. A SOCK_SEQPACKET pair
 * joins it to the broker (vmm/vsock_host.h), in one process or in two: each
 * message is one fixed struct and at most one descriptor.
 *
 *   guest connects to the host   device  --- CONNECT ---------->  broker
 *                                device  <-- CONNECTED + fd ----  broker
 *                            or  device  <-- REFUSED -----------  broker
 *   host connects to the guest   device  <-- OFFER + fd --------  broker
 *
 * A descriptor is a connected, non-blocking stream socket. Once the guest has
 * accepted an offer, the device writes "OK <port>\n" to it, the port being the
 * host's end of the connection, before anything else; when the guest refuses,
 * it closes it.
 */
#ifndef DEVICES_VIRTIO_VSOCK_BROKER_H
#define DEVICES_VIRTIO_VSOCK_BROKER_H

#include <stdint.h>

struct err;

enum vsock_msg_type {
	VSOCK_MSG_CONNECT = 1, /* to the broker: id, host_port, guest_port */
	VSOCK_MSG_CONNECTED,   /* to the device: the same, and a descriptor */
	VSOCK_MSG_REFUSED,     /* to the device: the same */
	VSOCK_MSG_OFFER,       /* to the device: guest_port and a descriptor */
};

/* In the byte order of the machine: it never leaves it. */
struct vsock_msg {
	uint32_t type; /* enum vsock_msg_type */
	uint32_t host_port, guest_port;
	uint32_t reserved; /* zero */
	uint64_t id;	   /* the device's; an answer repeats it */
};

/* Two connected, non-blocking ends. Negative errno, with a message. */
int vsock_channel_create(int ret_fd[static 2], struct err *err);

/*
 * Send one message, with descriptor @pass (borrowed) unless it is -1.
 * -EAGAIN      the other side is behind: wait for EPOLLOUT
 * -ETOOMANYREFS  too many descriptors are under way: try again later
 * or another errno of sendmsg(2); -EPIPE when the other side is gone
 */
int vsock_msg_send(int channel, const struct vsock_msg *m, int pass);

/*
 * Receive one message. 1: *ret is filled, and *ret_fd is the descriptor that
 * came with it, owned by the caller, or -1.
 * 0            the other side is gone
 * -EAGAIN      nothing is there
 * -EBADMSG     not a message of ours: wrong size or type, more than one
 *              descriptor, one too few or too many for its type; it was
 *              dropped, and what came with it was closed
 * A CONNECTED whose descriptor did not fit into this process reads as REFUSED.
 */
int vsock_msg_recv(int channel, struct vsock_msg *ret, int *ret_fd);

#endif
