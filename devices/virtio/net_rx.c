/* devices/virtio/net_rx.c - frames to the guest (virtio 1.2, 5.1.6.4
 * "Processing of Incoming Packets"). */
#include <errno.h>
#include <string.h>

#include "devices/virtio/net_impl.h"
#include "vmm/base/bytes.h"

enum {
	EXPECT_MIN = 2048,  /* a frame of an ordinary network */
	EXPECT_BIG = 8192,  /* beyond that it may be any segment */
	EXPECT_DECAY = 1024 /* divisor */
};

static struct virtq_chain *held(struct net_rxq *x, unsigned int i)
{
	return &x->slot[(x->first + i) % NET_QUEUE_SIZE];
}

static bool is_merging(const struct net *n)
{
	return virtio_has(&n->dev, VIRTIO_NET_F_MRG_RXBUF);
}

/* --- chains ------------------------------------------------------------- */

/* 1: one more chain is held; 0: the guest has none. */
static int hold_one(struct net_pair *p, unsigned int *budget)
{
	struct net_rxq *x = &p->rx;

	while (*budget) {
		struct virtq_chain *c = held(x, x->n);
		int r = virtq_pop(x->q, c);

		if (r <= 0)
			return r;
		if (!c->n_out && c->in_len >= NET_HDR_LEN) {
			x->room += c->in_len;
			x->n++;
			return 1;
		}
		net_count(&p->net->stats.bad_chains, 1);
		virtq_push(x->q, c, 0);
		--*budget;
	}
	return 0;
}

/*
 * Hold chains with room for @bytes, as far as the guest has them: all of its
 * ring at most, and one if it does not merge.
 */
static int hold(struct net_pair *p, uint64_t bytes, unsigned int *budget)
{
	struct net_rxq *x = &p->rx;
	unsigned int max = is_merging(p->net) ? NET_QUEUE_SIZE : 1;
	int r = 1;

	while (r > 0 && x->room < bytes && x->n < max)
		r = hold_one(p, budget);
	return r < 0 ? r : 0;
}

static void release(struct net_rxq *x, uint32_t written)
{
	struct virtq_chain *c = held(x, 0);

	virtq_push(x->q, c, written);
	x->room -= c->in_len;
	x->first = (x->first + 1) % NET_QUEUE_SIZE;
	x->n--;
}

/* --- one frame ---------------------------------------------------------- */

/* Header, room of the held chains behind theirs, spill. */
static size_t build_iov(struct net_rxq *x)
{
	size_t n = 1;

	x->iov[0] = (struct iovec){x->hdr, NET_HDR_LEN};
	x->in_place = 0;
	for (unsigned int i = 0; i < x->n; i++) {
		const struct virtq_chain *c = held(x, i);
		uint64_t skip = i ? 0 : NET_HDR_LEN;
		uint64_t len = c->in_len - skip;
		int r;

		if (x->in_place >= NET_FRAME_MAX)
			break;
		if (len > NET_FRAME_MAX)
			len = NET_FRAME_MAX;
		r = virtq_chain_slice(c, true, skip, len, &x->iov[n],
				      NET_RX_IOV - 1 - n);
		if (r < 0)
			break; /* too many pieces: the spill takes it */
		n += (size_t)r;
		x->in_place += (size_t)len;
	}
	x->iov[n++] = (struct iovec){x->spill, sizeof(x->spill)};
	return n;
}

/* The first @len bytes of the frame that was read. */
static void peek(const struct net_rxq *x, uint8_t *buf, size_t len)
{
	for (size_t i = 1; len; i++) {
		size_t piece = x->iov[i].iov_len;

		if (piece > len)
			piece = len;
		memcpy(buf, x->iov[i].iov_base, piece);
		buf += piece;
		len -= piece;
	}
}

static bool is_wanted(struct net_pair *p, size_t len)
{
	struct net *n = p->net;
	uint8_t dst[6];

	/* a host can be told to make longer ones, which a guest cannot take */
	if (len < NET_FRAME_MIN || len > NET_FRAME_MAX ||
	    !atomic_load(&n->link) ||
	    net_hdr_check_received(p->rx.hdr, n->guest_offloads) < 0) {
		net_count(&n->stats.rx_dropped, 1);
		return false;
	}
	peek(&p->rx, dst, sizeof(dst));
	if (net_filter_pass(&n->filter, dst))
		return true;
	net_count(&n->stats.rx_filtered, 1);
	return false;
}

/*
 * Have room for what came lately, and not much more: each chain in the list
 * costs, and a longer frame finds the spill.
 */
static void learn(struct net_rxq *x, size_t len)
{
	if (len > x->expect)
		x->expect = len > EXPECT_BIG ? NET_FRAME_MAX : len;
	else if (x->expect > EXPECT_MIN)
		x->expect -= (x->expect - EXPECT_MIN) / EXPECT_DECAY + 1;
}

/* 1: a frame is in x->frame; 0: one was read and dropped; -EAGAIN: none. */
static int receive(struct net_pair *p)
{
	struct net_backend *b = p->net->backend;
	struct net_rxq *x = &p->rx;
	size_t n = build_iov(x);
	ssize_t r = b->ops->recv(b, p->index, x->iov, n);

	if (r == -EAGAIN)
		return -EAGAIN;
	if (r < 0) {
		p->dead = true;
		return -EAGAIN;
	}
	learn(x, (size_t)r);
	if (!is_wanted(p, (size_t)r))
		return 0;
	x->frame = (size_t)r;
	if (x->in_place > x->frame)
		x->in_place = x->frame;
	return 1;
}

/* Copy what is in the spill behind what is in place. */
static void place_rest(struct net_rxq *x)
{
	const uint8_t *from = x->spill;
	size_t left = x->frame - x->in_place;
	uint64_t at = NET_HDR_LEN + x->in_place;

	for (unsigned int i = 0; left; i++) {
		const struct virtq_chain *c = held(x, i);
		size_t piece = left;

		if (at >= c->in_len) {
			at -= c->in_len;
			continue;
		}
		if (piece > c->in_len - at)
			piece = (size_t)(c->in_len - at);
		virtq_chain_write(c, at, from, piece);
		from += piece;
		left -= piece;
		at = 0;
	}
}

/* The held chains have room for the frame: give them to the guest. */
static void deliver(struct net_pair *p)
{
	struct net_rxq *x = &p->rx;
	uint64_t left = NET_HDR_LEN + x->frame;
	unsigned int n = 0;

	for (uint64_t room = 0; room < left; n++)
		room += held(x, n)->in_len;
	place_rest(x);
	store_le16(x->hdr + NET_HDR_NUM_BUFFERS, (uint16_t)n);
	virtq_chain_write(held(x, 0), 0, x->hdr, NET_HDR_LEN);
	net_count(&p->net->stats.rx_frames, 1);
	net_count(&p->net->stats.rx_bytes, x->frame);
	for (x->frame = 0; left; n--) {
		uint64_t written = held(x, 0)->in_len;

		if (written > left)
			written = left;
		release(x, (uint32_t)written);
		left -= written;
	}
}

/* No chain will ever make room for the frame that waits. */
static bool is_hopeless(struct net_pair *p)
{
	const struct virtq_layout *l = virtq_layout(p->rx.q);

	return !is_merging(p->net) || !l || p->rx.n >= l->size;
}

/* --- the queue ---------------------------------------------------------- */

/* Nothing to put frames into: wait for a kick, unless there is now. */
static void starve(struct net_rxq *x)
{
	if (virtq_kicks_on(x->q))
		virtq_kicks_off(x->q);
	else
		x->starved = true;
}

/* 1: something was done; 0: nothing more to do now. */
static int step(struct net_pair *p, unsigned int *budget)
{
	struct net_rxq *x = &p->rx;
	uint64_t need = NET_HDR_LEN + (x->frame ? x->frame : x->expect);
	int r = hold(p, need, budget);

	if (r < 0)
		return r;
	if (!*budget)
		return 1;
	if (!x->frame && (x->n || !atomic_load(&p->net->link))) {
		r = receive(p);
		if (r <= 0)
			return r != -EAGAIN;
		need = NET_HDR_LEN + x->frame;
	}
	if (x->frame && x->room >= need) {
		deliver(p);
		return 1;
	}
	if (x->frame && is_hopeless(p)) {
		net_count(&p->net->stats.rx_dropped, 1);
		x->frame = 0;
		return 1;
	}
	starve(x);
	return !x->starved;
}

int net_rx_run(struct net_pair *p)
{
	struct net_rxq *x = &p->rx;
	unsigned int budget = NET_RX_BUDGET;
	int r = 1;

	p->rx_more = false;
	x->starved = false;
	virtq_kicks_off(x->q);
	while (r > 0 && !p->dead && budget) {
		r = step(p, &budget);
		if (r > 0 && budget)
			budget--;
	}
	virtq_flush(x->q);
	p->rx_more = r > 0 && !p->dead;
	return r < 0 ? r : 0;
}

bool net_rx_wants_read(const struct net_pair *p)
{
	return !p->rx.starved;
}

void net_rx_reset(struct net_rxq *x)
{
	x->first = x->n = 0;
	x->room = 0;
	x->expect = EXPECT_MIN;
	x->frame = x->in_place = 0;
	x->starved = false;
}
