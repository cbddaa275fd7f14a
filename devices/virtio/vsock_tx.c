/* devices/virtio/vsock_tx.c - packets from the guest. */
#include <errno.h>

#include "devices/virtio/vsock_impl.h"

static void deliver(struct vsock *v, struct vsock_conn *c,
		    const struct vsock_pkt *pkt, size_t n_iov)
{
	enum vsock_conn_result r;

	if (pkt->op == VIRTIO_VSOCK_OP_RW)
		r = vsock_conn_data(c, pkt, v->iov, n_iov);
	else
		r = vsock_conn_packet(c, pkt);
	if (r == VSOCK_CONN_VIOLATION) {
		vsock_link_violation(v, c);
		return;
	}
	if (pkt->op == VIRTIO_VSOCK_OP_RW)
		vsock_count(&v->stats.to_host_bytes, pkt->len);
	vsock_link_update(v, c);
}

/*
 * A REQUEST for ports that are taken. While we wait for the last word on a
 * connection that is over, the guest may well have forgotten it and use its
 * port again.
 */
static void request_again(struct vsock *v, struct vsock_conn *c,
			  const struct vsock_pkt *pkt)
{
	if (c->state != VSOCK_CONN_CLOSED && c->state != VSOCK_CONN_RESET) {
		vsock_link_violation(v, c);
		return;
	}
	vsock_link_destroy(v, c);
	vsock_link_request(v, pkt);
}

static void accept_packet(struct vsock *v, const struct vsock_pkt *pkt,
			  size_t n_iov)
{
	struct vsock_conn *c =
		vsock_table_find(&v->table, pkt->dst_port, pkt->src_port);

	if (c && pkt->op == VIRTIO_VSOCK_OP_REQUEST)
		request_again(v, c, pkt);
	else if (c)
		deliver(v, c, pkt, n_iov);
	else if (pkt->op == VIRTIO_VSOCK_OP_REQUEST)
		vsock_link_request(v, pkt);
	else if (pkt->op != VIRTIO_VSOCK_OP_RST)
		vsock_rx_rst(v, pkt);
}

/* The guest chose every byte of the chain. */
static void one(struct vsock *v)
{
	uint8_t hdr[VSOCK_HDR_LEN];
	enum vsock_verdict verdict;
	struct vsock_pkt pkt;
	int n = 0;

	if (v->tx.in_len || virtq_chain_read(&v->tx, 0, hdr, sizeof(hdr)) < 0) {
		vsock_count(&v->stats.bad_chains, 1);
		return;
	}
	vsock_pkt_parse(hdr, &pkt);
	verdict = vsock_pkt_check(&pkt, v->guest_cid,
				  v->tx.out_len - sizeof(hdr));
	if (verdict == VSOCK_PKT_OK && pkt.len) {
		n = virtq_chain_slice(&v->tx, false, sizeof(hdr), pkt.len,
				      v->iov, VSOCK_IOV_MAX);
		if (n < 0)
			verdict = VSOCK_PKT_RST;
	}
	if (verdict == VSOCK_PKT_OK) {
		accept_packet(v, &pkt, (size_t)n);
		return;
	}
	vsock_count(&v->stats.bad_packets, 1);
	if (verdict == VSOCK_PKT_RST) {
		struct vsock_conn *c =
			vsock_table_find(&v->table, pkt.dst_port, pkt.src_port);

		/* A bad packet ends the connection it names. */
		if (c && pkt.type == VIRTIO_VSOCK_TYPE_STREAM)
			vsock_link_violation(v, c);
		else
			vsock_rx_rst(v, &pkt);
	}
}

int vsock_tx_run(struct vsock *v)
{
	struct virtq *q = v->dev.q[VSOCK_TXQ];
	unsigned int n = 0;
	int r = 0;

	if (!v->active || v->broken)
		return 0;
	virtq_kicks_off(q);
	do {
		while (n < VSOCK_TX_BATCH && (r = virtq_pop(q, &v->tx)) > 0) {
			one(v);
			virtq_push(q, &v->tx, 0);
			n += v->tx.out_len > VSOCK_HDR_LEN ? VSOCK_TX_DATA : 1;
		}
	} while (r == 0 && n < VSOCK_TX_BATCH && virtq_kicks_on(q));
	if (n)
		virtq_flush(q);
	if (r < 0)
		v->broken = true;
	else if (n >= VSOCK_TX_BATCH)
		io_thread_post(v->dev.thread, &v->tx_more);
	return r < 0 ? r : 0;
}
