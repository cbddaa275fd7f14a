/* devices/virtio/vsock_rx.c - packets to the guest, one connection's turn after
 * the other's. */
#include <errno.h>

#include "devices/virtio/vsock_impl.h"

_Static_assert((int)VSOCK_TURN <= (int)VSOCK_PKT_MAX,
	       "a turn fits one packet, when a buffer takes that much");

/* --- receive buffers ------------------------------------------------------ */

static struct virtq_chain *stash_at(struct vsock *v, unsigned int i)
{
	return &v->stash[(v->stash_first + i) % VSOCK_STASH];
}

/* Bytes of payload that a receive buffer takes. */
static uint64_t room_of(const struct virtq_chain *c)
{
	return c->in_len - VSOCK_HDR_LEN;
}

/*
 * Pop until @want bytes of payload (at least one buffer) fit, or the stash is
 * full, or no more are there. 1 when there is a buffer, 0, or as virtq_pop();
 * a driver whose buffers take no payload is not worth going on with.
 */
static int stash_fill(struct vsock *v, uint32_t want)
{
	uint64_t room = 0;

	for (unsigned int i = 0; i < v->stash_n; i++)
		room += room_of(stash_at(v, i));
	while (v->stash_n < VSOCK_STASH && (!v->stash_n || room < want)) {
		struct virtq_chain *c = stash_at(v, v->stash_n);
		int r = virtq_pop(v->dev.q[VSOCK_RXQ], c);

		if (r < 0)
			return r;
		if (!r)
			break;
		if (c->out_len || c->in_len <= VSOCK_HDR_LEN) {
			vsock_count(&v->stats.bad_chains, 1);
			return -EPROTO;
		}
		room += room_of(c);
		v->stash_n++;
	}
	return v->stash_n > 0;
}

/* Send the first buffer of the stash, where @len bytes of payload are. */
static void stash_push(struct vsock *v, const uint8_t hdr[static VSOCK_HDR_LEN],
		       uint32_t len)
{
	struct virtq_chain *c = stash_at(v, 0);
	int r = virtq_chain_write(c, 0, hdr, VSOCK_HDR_LEN);

	(void)r; /* there is room, stash_fill() has seen to that */
	virtq_push(v->dev.q[VSOCK_RXQ], c, VSOCK_HDR_LEN + len);
	v->stash_first = (v->stash_first + 1) % VSOCK_STASH;
	v->stash_n--;
}

static void build_header(const struct vsock *v, struct vsock_pkt *pkt,
			 uint8_t hdr[static VSOCK_HDR_LEN])
{
	pkt->src_cid = VSOCK_CID_HOST;
	pkt->dst_cid = v->guest_cid;
	vsock_pkt_build(pkt, hdr);
}

/* Send @pkt, which has no payload. */
static void stash_send(struct vsock *v, struct vsock_pkt *pkt)
{
	uint8_t hdr[VSOCK_HDR_LEN];

	build_header(v, pkt, hdr);
	stash_push(v, hdr, 0);
}

void vsock_rx_drop_stash(struct vsock *v)
{
	v->stash_n = 0;
}

/* --- refusals --------------------------------------------------------------
 */

void vsock_rx_rst(struct vsock *v, const struct vsock_pkt *pkt)
{
	struct vsock_rst *r;

	if (v->rst_n == VSOCK_RSTS_MAX) {
		vsock_count(&v->stats.lost_rsts, 1);
		return;
	}
	r = &v->rst[(v->rst_first + v->rst_n) % VSOCK_RSTS_MAX];
	*r = (struct vsock_rst){pkt->dst_port, pkt->src_port, pkt->type};
	v->rst_n++;
}

static int send_rsts(struct vsock *v)
{
	int r = 1;

	while (v->rst_n && (r = stash_fill(v, 0)) > 0) {
		const struct vsock_rst *rst = &v->rst[v->rst_first];
		struct vsock_pkt pkt = {
			.src_port = rst->host_port,
			.dst_port = rst->guest_port,
			.type = rst->type,
			.op = VIRTIO_VSOCK_OP_RST,
		};

		stash_send(v, &pkt);
		v->rst_first = (v->rst_first + 1) % VSOCK_RSTS_MAX;
		v->rst_n--;
	}
	return r;
}

/* --- a connection's turn ---------------------------------------------------
 */

/* Payload areas of the stash for up to @want bytes; returns how many pieces. */
static size_t gather(struct vsock *v, uint32_t want)
{
	size_t n = 0;

	for (unsigned int i = 0; i < v->stash_n && want; i++) {
		struct virtq_chain *c = stash_at(v, i);
		uint32_t len = room_of(c) < want ? (uint32_t)room_of(c) : want;
		int r = virtq_chain_slice(c, true, VSOCK_HDR_LEN, len,
					  v->iov + n, VSOCK_IOV_MAX - n);

		if (r < 0)
			break; /* too many pieces for one call */
		n += (size_t)r;
		want -= len;
	}
	return n;
}

/*
 * @len bytes of payload are in the first buffers: a packet each, whose headers
 * differ in the length only.
 */
static void push_data(struct vsock *v, struct vsock_conn *c, size_t len)
{
	uint8_t hdr[VSOCK_HDR_LEN];
	struct vsock_pkt pkt;
	uint32_t part = 0;

	if (!len)
		return;
	vsock_conn_data_header(c, 0, &pkt);
	build_header(v, &pkt, hdr);
	for (; len; len -= part) {
		uint64_t room = room_of(stash_at(v, 0));

		part = (uint32_t)(len < room ? len : room);
		vsock_pkt_set_len(hdr, part);
		stash_push(v, hdr, part);
	}
}

/* One read fills as many receive buffers as it can, a packet each. */
static int send_data(struct vsock *v, struct vsock_conn *c)
{
	uint32_t want = vsock_conn_credit(c);
	size_t n, len;
	int r;

	if (!want)
		return 1;
	if (want > VSOCK_TURN)
		want = VSOCK_TURN;
	r = stash_fill(v, want);
	if (r <= 0)
		return r;
	n = gather(v, want);
	if (!n) { /* not even one buffer: its pieces are tiny */
		vsock_count(&v->stats.bad_chains, 1);
		return -EPROTO;
	}
	len = vsock_conn_read(c, v->iov, n);
	vsock_count(&v->stats.to_guest_bytes, len);
	push_data(v, c, len);
	return 1;
}

/* 1: done with it for now; 0: no buffers, still its turn; or an error. */
static int turn(struct vsock *v, struct vsock_conn *c)
{
	struct vsock_pkt pkt;
	int r;

	while (vsock_conn_wants(c)) {
		r = stash_fill(v, 0);
		if (r <= 0)
			return r;
		vsock_conn_next(c, &pkt);
		stash_send(v, &pkt);
	}
	r = 1;
	if (vsock_conn_has_data(c))
		r = send_data(v, c);
	if (r > 0) {
		list_remove(&c->in_ready);
		vsock_link_update(v, c); /* to the end, if it has more */
	}
	return r;
}

/*
 * Until everything is sent, no buffer is left, or others should have their
 * turn. 1, 0: no buffer, or an error.
 */
static int run(struct vsock *v, unsigned int *turns)
{
	struct list *first;
	int r = send_rsts(v);

	while (r > 0 && *turns < VSOCK_RX_BATCH &&
	       (first = list_first(&v->ready))) {
		r = turn(v, container_of(first, struct vsock_conn, in_ready));
		++*turns;
	}
	return r;
}

int vsock_rx_run(struct vsock *v)
{
	struct virtq *q = v->dev.q[VSOCK_RXQ];
	unsigned int turns = 0;
	int r;

	if (!v->active || v->broken)
		return 0;
	/* New buffers are news only while we wait for one. */
	virtq_kicks_off(q);
	do
		r = run(v, &turns);
	while (r == 0 && turns < VSOCK_RX_BATCH && virtq_kicks_on(q));
	virtq_flush(q);
	if (r < 0)
		v->broken = true;
	else if (turns >= VSOCK_RX_BATCH)
		io_thread_post(v->dev.thread, &v->rx_more);
	return r < 0 ? r : 0;
}

void vsock_rx_go(struct vsock *v)
{
	if (vsock_rx_run(v) < 0)
		vsock_broke(v);
}
