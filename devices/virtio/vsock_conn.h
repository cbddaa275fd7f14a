/*
 * devices/virtio/vsock_conn.h - one stream between a port of the guest and a
 * socket of the host (virtio 1.2, 5.10.6.3 "Buffer Space Management", 5.10.6.5
 * "Stream Sockets"). It knows credit, half closes and the socket; it knows no
 * queues: packets are given to it and asked of it.
 *
 *   guest asks   DIALLING -> OPEN          host asks   OFFERED -> OPEN
 *   OPEN ------> RESET     the guest has closed and has it all: one RST left
 *        ------> CLOSED    the host's end is done; the guest's RST is awaited
 *        ------> DRAINING  the guest is gone; what it sent is still written
 *   any -------> GONE      to be destroyed
 *
 * Credit: the guest may have buf_alloc bytes on our side that have not left for
 * the socket; rx_cnt counts what came, fwd_cnt what left. peer_alloc, tx_cnt
 * and peer_fwd are the same the other way round. All counts wrap.
 *
 * Used by the device's thread only. Nothing here blocks.
 */
#ifndef DEVICES_VIRTIO_VSOCK_CONN_H
#define DEVICES_VIRTIO_VSOCK_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "devices/virtio/vsock_buf.h"
#include "devices/virtio/vsock_pkt.h"
#include "vmm/base/list.h"

struct loop_source;

enum vsock_conn_state {
	VSOCK_CONN_DIALLING, /* the broker connects for the guest */
	VSOCK_CONN_OFFERED,  /* the guest's answer to the host is awaited */
	VSOCK_CONN_OPEN,
	VSOCK_CONN_CLOSED,
	VSOCK_CONN_DRAINING,
	VSOCK_CONN_RESET,
	VSOCK_CONN_GONE,
};

/* What to watch the socket for; EPOLLOUT is added here when it matters. */
#define VSOCK_CONN_EVENTS ((uint32_t)EPOLLIN | EPOLLRDHUP | EPOLLET)

struct vsock_conn {
	uint32_t host_port, guest_port;
	uint64_t id; /* never used twice */
	enum vsock_conn_state state;
	int fd; /* own, or -1 */

	uint32_t buf_alloc, rx_cnt, fwd_cnt;
	uint32_t told_fwd; /* fwd_cnt as the guest knows it */
	struct vsock_buf buf;
	uint32_t peer_alloc, tx_cnt, peer_fwd;

	unsigned int want;	 /* control packets that are due */
	unsigned int guest_shut; /* SHUTDOWN flags the guest has sent */
	unsigned int told_shut;	 /* and those it was sent */
	bool readable;		 /* the socket may have something */
	bool host_ends;		 /* it has an end, behind what it holds */
	bool host_eof;		 /* which was reached: no more will come */
	bool host_gone;		 /* it takes no more */
	bool wr_shut;		 /* the host knows that no more comes */
	bool out_armed;		 /* EPOLLOUT is among the events */

	/* The device's. */
	struct vsock *owner;
	struct loop_source *source;  /* of fd; removed here before fd closes */
	uint64_t deadline;	     /* in its ticks; 0: none */
	enum vsock_conn_state timed; /* the state `deadline` belongs to */
	struct vsock_conn *hash_next;
	struct list in_all, in_ready, in_dials;
};

/* What came of a packet. */
enum vsock_conn_result {
	VSOCK_CONN_FINE,
	VSOCK_CONN_VIOLATION, /* the guest broke the protocol: reset it */
};

/* @pkt: the guest's REQUEST. The port numbers are its. */
void vsock_conn_init_dial(struct vsock_conn *c, const struct vsock_pkt *pkt,
			  uint32_t buf_alloc);
/* @fd is taken over. */
void vsock_conn_init_offer(struct vsock_conn *c, uint32_t host_port,
			   uint32_t guest_port, uint32_t buf_alloc, int fd);
/* Closes the socket and drops what is buffered. */
void vsock_conn_destroy(struct vsock_conn *c);

/* DIALLING only: the broker has connected; @fd is taken over. */
void vsock_conn_dialled(struct vsock_conn *c, int fd);
/*
 * End it from our side, in any state: an RST for the guest, and the socket is
 * closed.
 */
void vsock_conn_abort(struct vsock_conn *c);

/* A packet from the guest without payload, anything but REQUEST. */
enum vsock_conn_result vsock_conn_packet(struct vsock_conn *c,
					 const struct vsock_pkt *pkt);
/*
 * A packet with payload (RW), which is @iov in guest memory: pkt->len bytes in
 * at most IOV_MAX pieces.
 */
enum vsock_conn_result vsock_conn_data(struct vsock_conn *c,
				       const struct vsock_pkt *pkt,
				       const struct iovec *iov, size_t n);

/* The socket has @events (EPOLLIN ...; edge-triggered). */
void vsock_conn_event(struct vsock_conn *c, uint32_t events);

/* Is a packet without payload due? */
bool vsock_conn_wants(const struct vsock_conn *c);
/*
 * The next packet without payload that the guest is due, but for src_cid and
 * dst_cid; false when there is none. It counts as sent.
 */
bool vsock_conn_next(struct vsock_conn *c, struct vsock_pkt *ret);
/* Data may be there and the guest takes it, apart from credit. */
static inline bool vsock_conn_has_data(const struct vsock_conn *c)
{
	return c->state == VSOCK_CONN_OPEN && c->readable;
}

/* Bytes the guest can take now. */
static inline uint32_t vsock_conn_credit(const struct vsock_conn *c)
{
	uint32_t flying = c->tx_cnt - c->peer_fwd;

	return flying < c->peer_alloc ? c->peer_alloc - flying : 0;
}

/*
 * Read from the socket into @iov, no more than the credit. Returns the number
 * of bytes, which count as sent, or 0: nothing is there, or it has ended.
 */
size_t vsock_conn_read(struct vsock_conn *c, const struct iovec *iov, size_t n);
/* The header of a packet with @len bytes, counts as sent. */
void vsock_conn_data_header(struct vsock_conn *c, uint32_t len,
			    struct vsock_pkt *ret);

/* Credit did not come for long: ask for it. */
void vsock_conn_ask_credit(struct vsock_conn *c);

#endif
