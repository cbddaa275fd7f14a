/* devices/virtio/net_tx.c - frames from the guest (virtio 1.2, 5.1.6.2
 * "Packet Transmission"). */
#include <errno.h>
#include <string.h>

#include "devices/virtio/net_impl.h"

/* The frame of @s, without its header; *ret_len 0: it is not one. */
static int check(struct net *n, struct net_tx_slot *s, size_t *ret_len)
{
	uint64_t len = s->chain.out_len;

	*ret_len = 0;
	if (virtq_chain_read(&s->chain, 0, s->hdr, NET_HDR_LEN) < 0) {
		net_count(&n->stats.bad_chains, 1);
		return -EPROTO;
	}
	len -= NET_HDR_LEN;
	if (len < NET_FRAME_MIN || len > NET_FRAME_MAX ||
	    !atomic_load(&n->link)) {
		net_count(&n->stats.tx_dropped, 1);
		return -EPROTO;
	}
	if (net_hdr_check_sent(s->hdr, n->host_offloads) < 0) {
		net_count(&n->stats.bad_headers, 1);
		return -EPROTO;
	}
	*ret_len = (size_t)len;
	return 0;
}

/* Point @f at our copy of the header and the guest's buffers. */
static void build(struct net_txq *x, struct net_tx_slot *s, size_t len,
		  struct net_frame *f)
{
	int n = virtq_chain_slice(&s->chain, false, NET_HDR_LEN, len,
				  s->iov + 1, NET_FRAME_IOV - 1);

	if (n < 0) {
		/* in too many pieces: one frame of a batch may be copied */
		virtq_chain_read(&s->chain, NET_HDR_LEN, x->flat, len);
		s->iov[1] = (struct iovec){x->flat, len};
		x->flat_used = true;
		n = 1;
	}
	s->iov[0] = (struct iovec){s->hdr, NET_HDR_LEN};
	*f = (struct net_frame){
		.iov = s->iov, .n_iov = (size_t)n + 1, .len = len};
}

/* Fill the slots, which are empty. Negative: what virtq_pop() said. */
static int take(struct net_pair *p, unsigned int *budget)
{
	struct net_txq *x = &p->tx;

	x->first = x->n = 0;
	x->flat_used = false;
	while (x->n < NET_TX_BATCH && !x->flat_used && *budget) {
		struct net_tx_slot *s = &x->slot[x->n];
		size_t len;
		int r = virtq_pop(x->q, &s->chain);

		if (r <= 0)
			return r;
		--*budget;
		if (check(p->net, s, &len) < 0)
			virtq_push(x->q, &s->chain, 0);
		else
			build(x, s, len, &x->frame[x->n++]);
	}
	return 0;
}

/* Send what the slots hold. */
static void send(struct net_pair *p)
{
	struct net_backend *b = p->net->backend;
	struct net_txq *x = &p->tx;
	int sent =
		b->ops->send(b, p->index, x->frame + x->first, x->n - x->first);

	if (sent < 0) {
		p->dead = true;
		return;
	}
	for (int i = 0; i < sent; i++, x->first++) {
		net_count(&p->net->stats.tx_frames, 1);
		net_count(&p->net->stats.tx_bytes, x->frame[x->first].len);
		virtq_push(x->q, &x->slot[x->first].chain, 0);
	}
}

void net_tx_drop(struct net_pair *p)
{
	struct net_txq *x = &p->tx;

	for (; x->first < x->n; x->first++) {
		net_count(&p->net->stats.tx_dropped, 1);
		virtq_push(x->q, &x->slot[x->first].chain, 0);
	}
	virtq_flush(x->q);
}

static bool is_blocked(const struct net_pair *p)
{
	const struct net_backend *b = p->net->backend;

	return p->tx.first < p->tx.n || b->ops->wants_write(b, p->index);
}

int net_tx_run(struct net_pair *p)
{
	struct net_txq *x = &p->tx;
	unsigned int budget = NET_TX_BUDGET;
	bool sent = false;
	int r = 0;

	p->tx_more = false;
	virtq_kicks_off(x->q);
	if (!p->dead && is_blocked(p))
		send(p);
	while (p->dead || !is_blocked(p)) {
		if (p->dead)
			net_tx_drop(p);
		r = take(p, &budget);
		if (r < 0)
			break;
		if (x->n && !p->dead)
			send(p);
		if (!budget) {
			p->tx_more = true;
			break;
		}
		if (x->n) {
			sent = true;
			continue;
		}
		/*
		 * A guest that has sent sends more: look again after the
		 * thread's other events before asking for a kick, which costs
		 * the guest an exit and us a wake-up for each frame.
		 */
		if (sent) {
			p->tx_more = true;
			break;
		}
		if (!virtq_kicks_on(x->q))
			break;
		virtq_kicks_off(x->q);
	}
	virtq_flush(x->q);
	return r;
}

bool net_tx_wants_write(const struct net_pair *p)
{
	return is_blocked(p);
}

void net_tx_reset(struct net_txq *x)
{
	x->first = x->n = 0;
}
