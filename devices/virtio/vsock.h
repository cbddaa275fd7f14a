/*
 * devices/virtio/vsock.h - virtio-vsock (virtio 1.2, 5.10 "Socket Device"):
 * stream connections between the guest and sockets of the host.
 *
 * Everything happens in the device's io_thread. No call of it blocks: what the
 * guest sends goes straight from its memory to the socket; what does not fit
 * is kept, within the credit the guest was given; what the host sends goes
 * straight from the socket to the guest's receive buffers, in turns of
 * VSOCK_TURN bytes per connection. When the guest offers no receive buffer
 * only that direction waits.
 *
 * Connections are made by a broker (vsock_broker.h); the device opens nothing.
 */
#ifndef DEVICES_VIRTIO_VSOCK_H
#define DEVICES_VIRTIO_VSOCK_H

#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct io_thread;
struct virtio_dev;
struct vsock; /* opaque */

/* Limits of ours. */
enum {
	VSOCK_CONNS_MAX = 4096, /* at a time, each with up to one descriptor */
	/*
	 * Credit the guest gets for a connection, which bounds what we may
	 * have to keep for it: as much as VSOCK_CREDIT_MAX while there are few,
	 * at least VSOCK_CREDIT_MIN always, VSOCK_CREDIT_ALL together.
	 */
	VSOCK_CREDIT_MAX = 256 << 10,
	VSOCK_CREDIT_MIN = 8 << 10,
	VSOCK_CREDIT_ALL = 64 << 20,
	VSOCK_TURN =
		64 << 10, /* bytes to the guest, then it is another's turn */
	VSOCK_RSTS_MAX = 256, /* refusals waiting for a receive buffer */
	/* Seconds until a peer that does not answer is given up. */
	VSOCK_CONNECT_SECONDS = 10,
	VSOCK_CLOSE_SECONDS = 8, /* as Linux has it */
};

/* Virtqueues (virtio 1.2, 5.10.2) */
enum { VSOCK_RXQ = 0, VSOCK_TXQ = 1, VSOCK_EVENTQ = 2, VSOCK_QUEUES = 3 };

struct vsock_params {
	const char *name;	  /* borrowed; for messages: "vsock0" */
	uint64_t guest_cid;	  /* VSOCK_CID_MIN..VSOCK_CID_MAX */
	struct io_thread *thread; /* borrowed, not yet started */
	int channel;		  /* to the broker; taken over on success */
	unsigned int tick_ms;	  /* half a second; 0: 500, less in tests */
};

/* Since creation, but for n_conns. */
struct vsock_counters {
	uint64_t n_conns; /* now */
	uint64_t opened;  /* connections both sides agreed to */
	uint64_t to_guest_bytes, to_host_bytes;
	uint64_t refused;     /* requests of either side that came to nothing */
	uint64_t bad_chains;  /* too short, or readable where writable is due */
	uint64_t bad_packets; /* misaddressed, of unknown kind, lying lengths */
	uint64_t violations;  /* connections reset since the guest broke them */
	uint64_t lost_rsts;   /* not sent: VSOCK_RSTS_MAX were waiting */
};

/*
 * -EINVAL      guest_cid is out of range
 * -ENOMEM, or the errno of epoll_ctl(2), timerfd_create(2), getrandom(2)
 */
int vsock_create(const struct vsock_params *p, struct vsock **ret,
		 struct err *err);
/* The thread has stopped. Closes every connection. NULL is fine. */
void vsock_destroy(struct vsock *v);
DEFINE_CLEANUP(struct vsock, vsock_destroy)

/* To be plugged into a transport. */
struct virtio_dev *vsock_virtio_dev(struct vsock *v);

/*
 * Connections cannot go on, since the guest goes on elsewhere or from an older
 * state: close them all and tell the driver (virtio 1.2, 5.10.6.7 "Device
 * Events", VIRTIO_VSOCK_EVENT_TRANSPORT_RESET). A driver that is reset itself
 * need not be told. Device's thread.
 */
void vsock_transport_reset(struct vsock *v);

/* Any thread. */
void vsock_counters(const struct vsock *v, struct vsock_counters *ret);

#endif
