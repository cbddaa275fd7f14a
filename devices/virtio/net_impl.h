/*
 * devices/virtio/net_impl.h - what the parts of the network device share:
 * net.c (life, configuration, commands), net_rx.c, net_tx.c.
 */
#ifndef DEVICES_VIRTIO_NET_IMPL_H
#define DEVICES_VIRTIO_NET_IMPL_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_backend.h"
#include "devices/virtio/net_filter.h"
#include "devices/virtio/net_hdr.h"
#include "devices/virtio/virtio_dev.h"
#include "vmm/base/io_thread.h"

struct loop_source;

enum {
	NET_RX_BUDGET = 64,  /* frames, then the rest of the loop has a turn */
	NET_TX_BUDGET = 128, /* the same */
	NET_RX_IOV = 128,    /* header, guest's buffers, spill */
	NET_TX_BATCH = 32,   /* frames given to the backend at once */
};

/*
 * Reception. Chains are taken from the guest as they are needed, and held in
 * slot[first..first + n) (modulo the size) until frames fill them. A frame is
 * read straight into the held chains with the spill behind them: whoever sends
 * decides how long it is. What landed in the spill is copied when there are
 * chains for it, so that no frame is lost for want of buffers.
 */
struct net_rxq {
	struct virtq *q; /* borrowed from the transport */
	struct virtq_chain slot[NET_QUEUE_SIZE];
	unsigned int first, n;
	uint64_t room;	 /* writable bytes of the held chains */
	size_t expect;	 /* bytes to have room for: what came lately */
	size_t frame;	 /* length of a frame that waits for chains; or 0 */
	size_t in_place; /* bytes of it that are in the held chains already */
	bool starved;	 /* waits for a kick */
	uint8_t hdr[NET_HDR_LEN];
	struct iovec iov[NET_RX_IOV];
	uint8_t spill[NET_FRAME_MAX];
};

struct net_tx_slot {
	struct virtq_chain chain;
	uint8_t hdr[NET_HDR_LEN];
	struct iovec iov[NET_FRAME_IOV];
};

/* Transmission: the slots first..n have frames the backend has not taken. */
struct net_txq {
	struct virtq *q; /* borrowed from the transport */
	struct net_tx_slot slot[NET_TX_BATCH];
	struct net_frame frame[NET_TX_BATCH]; /* of the slots */
	size_t first, n;
	bool flat_used; /* by a frame of too many pieces */
	uint8_t flat[NET_FRAME_MAX];
};

/* A pair of queues and the backend's queue of the same number. */
struct net_pair {
	struct net *net;
	unsigned int index;
	struct net_rxq rx;
	struct net_txq tx;
	struct loop_source *source; /* NULL while nothing is waited for */
	uint32_t events;
	bool hung;	       /* EPOLLHUP, EPOLLERR: only what is left */
	bool dead;	       /* the backend's queue has failed for good */
	bool rx_more, tx_more; /* go on after the others had a turn */
};

struct net_stats {
	_Atomic uint64_t rx_frames, rx_bytes, tx_frames, tx_bytes, rx_filtered,
		rx_dropped, tx_dropped, bad_headers, bad_chains, commands,
		bad_commands;
};

struct net {
	struct virtio_dev dev;
	struct net_backend *backend; /* own */
	uint8_t mac[6];		     /* as configured */
	uint16_t mtu;
	/* What vCPU threads read from the configuration. */
	_Atomic uint64_t config_mac;
	atomic_bool link;	/* what the guest sees */
	atomic_bool wants_link; /* what net_set_link() said */
	bool active, broken;
	bool ctrl_more;
	struct net_filter filter;
	uint32_t guest_offloads, host_offloads;
	unsigned int n_used; /* pairs the driver uses */
	struct io_call again, link_call;
	struct net_stats stats;
	struct virtq_chain ctrl;
	unsigned int n_pairs;
	struct net_pair *pair; /* n_pairs */
};

/* The device's thread is the only writer. */
static inline void net_count(_Atomic uint64_t *c, uint64_t n)
{
	uint64_t v = atomic_load_explicit(c, memory_order_relaxed);

	atomic_store_explicit(c, v + n, memory_order_relaxed);
}

/*
 * Move frames until there is nothing to move, or the budget is used up (then
 * *_more is set). Negative: what virtq_pop() said. A backend that fails for
 * good sets p->dead.
 */
int net_rx_run(struct net_pair *p);
int net_tx_run(struct net_pair *p);
/* Must EPOLLIN (EPOLLOUT) be waited for? */
bool net_rx_wants_read(const struct net_pair *p);
bool net_tx_wants_write(const struct net_pair *p);
/* The queue was reset, or is no longer used: forget what is in flight. */
void net_rx_reset(struct net_rxq *x);
void net_tx_reset(struct net_txq *x);
/* Give the frames that wait back to the guest, unsent. */
void net_tx_drop(struct net_pair *p);

#endif
