/*
 * devices/virtio/vsock_impl.h - what the files of the vsock device share:
 * vsock.c (life and time), vsock_link.c (connections come and go),
 * vsock_tx.c (from the guest), vsock_rx.c (to the guest).
 */
#ifndef DEVICES_VIRTIO_VSOCK_IMPL_H
#define DEVICES_VIRTIO_VSOCK_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include "devices/virtio/virtio_dev.h"
#include "devices/virtio/virtq.h"
#include "devices/virtio/vsock.h"
#include "devices/virtio/vsock_conn.h"
#include "devices/virtio/vsock_pkt.h"
#include "devices/virtio/vsock_table.h"
#include "vmm/base/io_thread.h"
#include "vmm/base/list.h"

enum {
	/* Receive buffers in hand: more than VSOCK_TURN in Linux's 4 KiB. */
	VSOCK_STASH = 32,
	VSOCK_IOV_MAX = 1024, /* what sendmsg(2) takes at most */
	/* Until other events of the thread get their turn. */
	VSOCK_TX_BATCH = 128, /* packets from the guest... */
	VSOCK_TX_DATA = 2,    /* ...where one with payload counts as two */
	VSOCK_RX_BATCH = 16,  /* turns to the guest */
	VSOCK_TICKS_PER_SECOND = 2,
	VSOCK_CREDIT_SECONDS = 2, /* without credit, then it is asked for */
};

/* Ports of the host's end of connections the host began. */
#define VSOCK_PORT_FIRST UINT32_C(0x40000000)

/* A refusal of a packet that belongs to no connection. */
struct vsock_rst {
	uint32_t host_port, guest_port;
	uint16_t type;
};

struct vsock_stats {
	_Atomic uint64_t n_conns, opened, to_guest_bytes, to_host_bytes;
	_Atomic uint64_t refused, bad_chains, bad_packets, violations;
	_Atomic uint64_t lost_rsts;
};

struct vsock {
	struct virtio_dev dev;
	uint64_t guest_cid;
	bool active; /* between activate() and reset() */
	bool broken; /* a queue is: nothing goes on until the reset */
	struct vsock_stats stats;

	struct vsock_table table;
	struct list all;       /* connections, by in_all */
	struct list ready;     /* that have something for the guest */
	unsigned int n_conns;  /* in `all` */
	uint32_t credit_given; /* of VSOCK_CREDIT_ALL */
	uint64_t next_id;
	uint32_t next_port;

	int channel;
	struct loop_source *channel_source;
	bool channel_full;
	struct list dials; /* of which the broker has not been told */

	struct loop_source *ticker;
	unsigned int tick_ms;
	uint64_t tick; /* now */
	bool ticking;

	struct virtq_chain tx;
	struct io_call tx_more;
	struct io_call rx_more;
	struct virtq_chain
		stash[VSOCK_STASH]; /* popped, not yet used: a ring */
	unsigned int stash_first, stash_n;
	struct vsock_rst rst[VSOCK_RSTS_MAX]; /* a ring */
	unsigned int rst_first, rst_n;
	bool event_due; /* transport reset, once there is a buffer */
	struct iovec iov[VSOCK_IOV_MAX];
};

/* The device's thread is the only writer, others only look. */
static inline void vsock_count(_Atomic uint64_t *c, uint64_t n)
{
	atomic_store_explicit(c,
			      atomic_load_explicit(c, memory_order_relaxed) + n,
			      memory_order_relaxed);
}

/* vsock.c: @c is looked at after @seconds. */
void vsock_set_deadline(struct vsock *v, struct vsock_conn *c,
			unsigned int seconds);
/* A queue failed outside kick(). */
void vsock_broke(struct vsock *v);

/* vsock_link.c: begin to listen to the broker. */
int vsock_link_start(struct vsock *v);
void vsock_link_stop(struct vsock *v);
/* A REQUEST of the guest; it does not belong to a connection. */
void vsock_link_request(struct vsock *v, const struct vsock_pkt *pkt);
/* Something was done to @c: put it where it belongs. It may be gone then. */
void vsock_link_update(struct vsock *v, struct vsock_conn *c);
/* Reset it, because the guest broke its rules. */
void vsock_link_violation(struct vsock *v, struct vsock_conn *c);
void vsock_link_destroy(struct vsock *v, struct vsock_conn *c);

/* vsock_tx.c: negative as virtq_pop(). */
int vsock_tx_run(struct vsock *v);

/* vsock_rx.c */
int vsock_rx_run(struct vsock *v);
/* The same outside kick(): takes care of errors. */
void vsock_rx_go(struct vsock *v);
/* Refuse @pkt. */
void vsock_rx_rst(struct vsock *v, const struct vsock_pkt *pkt);
/* Forget the buffers in hand: their queue was disabled. */
void vsock_rx_drop_stash(struct vsock *v);

#endif
