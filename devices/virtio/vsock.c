/* devices/virtio/vsock.c - the vsock device: its life, its time, its events. */
#include "devices/virtio/vsock.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "devices/virtio/vsock_impl.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"
#include "vmm/base/own.h"

enum {
	CONFIG_LEN = 8, /* virtio 1.2, 5.10.4: guest_cid */
	EVENT_LEN = 4,	/* virtio 1.2, 5.10.6.7: id */
	VIRTIO_VSOCK_EVENT_TRANSPORT_RESET = 0,
	RING_SIZE = 256,
	EVENT_RING_SIZE = 16,
	PCI_CLASS_OTHER_COMMUNICATION = 0x078000,
};

static struct vsock *vsock_of(struct virtio_dev *dev)
{
	return container_of(dev, struct vsock, dev);
}

void vsock_broke(struct vsock *v)
{
	v->broken = true;
	v->dev.host->ops->needs_reset(v->dev.host);
}

/* --- time -------------------------------------------------------------------
 */

/*
 * Nothing here needs to be exact: one slow timer, which runs only while some
 * connection has a deadline, and looks at all of them.
 */
void vsock_set_deadline(struct vsock *v, struct vsock_conn *c,
			unsigned int seconds)
{
	/* The tick that is under way does not count. */
	c->deadline = v->tick + (uint64_t)seconds * VSOCK_TICKS_PER_SECOND + 1;
	if (v->ticking)
		return;
	v->ticking = true;
	loop_set_timer(v->ticker, v->tick_ms);
}

static void expired(struct vsock *v, struct vsock_conn *c)
{
	if (c->state == VSOCK_CONN_OPEN) {
		vsock_conn_ask_credit(c);
		vsock_set_deadline(v, c, VSOCK_CREDIT_SECONDS);
	} else {
		vsock_conn_abort(c);
	}
	vsock_link_update(v, c);
}

static void on_tick(void *arg)
{
	struct vsock *v = arg;
	struct list *next;
	bool more = false;

	v->tick++;
	for (struct list *l = list_first(&v->all); l; l = next) {
		struct vsock_conn *c =
			container_of(l, struct vsock_conn, in_all);

		next = list_next(&v->all, l);
		if (!c->deadline)
			continue;
		more = true;
		if (c->deadline <= v->tick)
			expired(v, c);
	}
	v->ticking = more;
	if (more)
		loop_set_timer(v->ticker, v->tick_ms);
	vsock_rx_go(v);
}

/* --- events -----------------------------------------------------------------
 */

/* Tell the driver of a transport reset as soon as it has a buffer for it. */
static int event_run(struct vsock *v)
{
	struct virtq *q = v->dev.q[VSOCK_EVENTQ];
	uint8_t event[EVENT_LEN];
	int r;

	if (!v->active || v->broken)
		return 0;
	store_le32(event, VIRTIO_VSOCK_EVENT_TRANSPORT_RESET);
	while (v->event_due && (r = virtq_pop(q, &v->tx)) != 0) {
		bool fits;

		if (r < 0) {
			v->broken = true;
			return r;
		}
		fits = !v->tx.out_len &&
		       !virtq_chain_write(&v->tx, 0, event, EVENT_LEN);
		if (!fits)
			vsock_count(&v->stats.bad_chains, 1);
		virtq_push(q, &v->tx, fits ? EVENT_LEN : 0);
		v->event_due = !fits;
	}
	virtq_flush(q);
	return 0;
}

static void close_all(struct vsock *v)
{
	struct list *first;

	while ((first = list_first(&v->all)))
		vsock_link_destroy(
			v, container_of(first, struct vsock_conn, in_all));
	v->rst_n = 0;
}

void vsock_transport_reset(struct vsock *v)
{
	close_all(v);
	v->event_due = v->active;
	if (event_run(v) < 0)
		vsock_broke(v);
}

/* --- the transport's calls ---------------------------------------------------
 */

static void vsock_activate(struct virtio_dev *dev)
{
	struct vsock *v = vsock_of(dev);

	v->active = true;
	v->broken = false;
}

static void vsock_reset(struct virtio_dev *dev)
{
	struct vsock *v = vsock_of(dev);

	v->active = false;
	v->broken = false;
	v->event_due = false;
	vsock_rx_drop_stash(v);
	close_all(v);
	/* Sockets are read and written at once: nothing is in flight. */
	dev->host->ops->reset_done(dev->host);
}

static void vsock_queue_reset(struct virtio_dev *dev, unsigned int queue)
{
	struct vsock *v = vsock_of(dev);

	if (queue == VSOCK_RXQ)
		vsock_rx_drop_stash(v);
	dev->host->ops->queue_reset_done(dev->host, queue);
}

static int vsock_kick(struct virtio_dev *dev, unsigned int queue)
{
	struct vsock *v = vsock_of(dev);
	int r = 0;

	if (queue == VSOCK_EVENTQ)
		return event_run(v);
	if (queue == VSOCK_TXQ)
		r = vsock_tx_run(v);
	return r < 0 ? r : vsock_rx_run(v);
}

static void vsock_config_read(struct virtio_dev *dev, uint32_t off, void *buf,
			      size_t len)
{
	uint8_t config[CONFIG_LEN];

	store_le64(config, vsock_of(dev)->guest_cid);
	memcpy(buf, config + off, len);
}

static const struct virtio_dev_ops vsock_ops = {
	.activate = vsock_activate,
	.reset = vsock_reset,
	.queue_reset = vsock_queue_reset,
	.kick = vsock_kick,
	.config_read = vsock_config_read,
};

static void on_tx_more(void *arg)
{
	struct vsock *v = arg;

	if (vsock_tx_run(v) < 0)
		vsock_broke(v);
	vsock_rx_go(v);
}

static void on_rx_more(void *arg)
{
	vsock_rx_go(arg);
}

/* --- life --------------------------------------------------------------------
 */

static void init_dev(struct vsock *v, const struct vsock_params *p)
{
	v->dev = (struct virtio_dev){
		.ops = &vsock_ops,
		.name = p->name,
		.type = VIRTIO_ID_VSOCK,
		.pci_class = PCI_CLASS_OTHER_COMMUNICATION,
		.config_len = CONFIG_LEN,
		.n_queues = VSOCK_QUEUES,
		.queue_max = {RING_SIZE, RING_SIZE, EVENT_RING_SIZE},
		.thread = p->thread,
	};
	v->guest_cid = p->guest_cid;
	v->tick_ms = p->tick_ms ? p->tick_ms : 1000 / VSOCK_TICKS_PER_SECOND;
	v->next_id = 1;
	v->next_port = VSOCK_PORT_FIRST;
	v->channel = -1;
	list_init(&v->all);
	list_init(&v->ready);
	list_init(&v->dials);
	v->tx_more = (struct io_call){.fn = on_tx_more, .arg = v};
	v->rx_more = (struct io_call){.fn = on_rx_more, .arg = v};
	virtq_chain_init(&v->tx);
	for (unsigned int i = 0; i < VSOCK_STASH; i++)
		virtq_chain_init(&v->stash[i]);
}

int vsock_create(const struct vsock_params *p, struct vsock **ret,
		 struct err *err)
{
	AUTO(vsock_destroyp) struct vsock *v = NULL;
	uint64_t key;
	int r;

	if (p->guest_cid < VSOCK_CID_MIN || p->guest_cid > VSOCK_CID_MAX)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "vsock: cid %llu is not within %u..%u",
				    (unsigned long long)p->guest_cid,
				    VSOCK_CID_MIN, VSOCK_CID_MAX);
	if (getrandom(&key, sizeof(key), 0) != sizeof(key))
		return err_set(err, -errno, "getrandom: %s", strerror(errno));
	v = calloc(1, sizeof(*v));
	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	init_dev(v, p);
	vsock_table_init(&v->table, key);
	r = loop_add_timer(io_thread_loop(p->thread), on_tick, v, &v->ticker);
	if (r < 0)
		return err_set(err, r, "vsock: timer: %s", strerror(-r));
	v->channel = p->channel;
	r = vsock_link_start(v);
	if (r < 0) {
		v->channel = -1; /* still the caller's */
		return err_set(err, r, "vsock: epoll: %s", strerror(-r));
	}
	*ret = TAKE(v);
	return 0;
}

void vsock_destroy(struct vsock *v)
{
	if (!v)
		return;
	close_all(v);
	vsock_link_stop(v);
	loop_remove(v->ticker);
	virtq_chain_free(&v->tx);
	for (unsigned int i = 0; i < VSOCK_STASH; i++)
		virtq_chain_free(&v->stash[i]);
	free(v);
}

struct virtio_dev *vsock_virtio_dev(struct vsock *v)
{
	return &v->dev;
}

void vsock_counters(const struct vsock *v, struct vsock_counters *ret)
{
	const struct vsock_stats *s = &v->stats;

#define LOOK(x) .x = atomic_load_explicit(&s->x, memory_order_relaxed)
	*ret = (struct vsock_counters){
		LOOK(n_conns),	     LOOK(opened),     LOOK(to_guest_bytes),
		LOOK(to_host_bytes), LOOK(refused),    LOOK(bad_chains),
		LOOK(bad_packets),   LOOK(violations), LOOK(lost_rsts),
	};
#undef LOOK
}
