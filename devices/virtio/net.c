/* devices/virtio/net.c - life of the network device, its configuration, and
 * the commands of the driver. */
#include "devices/virtio/net.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "devices/virtio/net_ctrl.h"
#include "devices/virtio/net_impl.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"

enum {
	PCI_CLASS_ETHERNET = 0x020000,
	/* virtio 1.2, 5.1.4 "Device configuration layout" */
	CONFIG_STATUS = 6,
	CONFIG_MAX_PAIRS = 8,
	CONFIG_MTU = 10,
	CONFIG_LEN = 12,
	VIRTIO_NET_S_LINK_UP = 1,
	RX_EVENTS = EPOLLIN | EPOLLHUP | EPOLLERR,
	TX_EVENTS = EPOLLOUT | EPOLLHUP | EPOLLERR,
};

static struct net *to_net(struct virtio_dev *dev)
{
	return container_of(dev, struct net, dev);
}

static void post_again(struct net *n)
{
	io_thread_post(n->dev.thread, &n->again);
}

/* --- link --------------------------------------------------------------- */

/* The guest has a link when it shall have one and frames can go somewhere. */
static void update_link(struct net *n)
{
	bool up = atomic_load(&n->wants_link);

	for (unsigned int i = 0; i < n->n_pairs; i++)
		up = up && !n->pair[i].dead;
	if (atomic_exchange(&n->link, up) == up)
		return;
	if (n->active && virtio_has(&n->dev, VIRTIO_NET_F_STATUS))
		n->dev.host->ops->config_changed(n->dev.host);
}

/* --- pairs -------------------------------------------------------------- */

static void on_event(void *arg, int fd, uint32_t events);

static void unwatch(struct net_pair *p)
{
	loop_remove(p->source);
	p->source = NULL;
}

/* Wait for what the queues need, and no more: epoll is level-triggered. */
static void watch(struct net_pair *p)
{
	struct loop *l = io_thread_loop(p->net->dev.thread);
	uint32_t events = 0;
	int r = 0;

	if (p->dead || p->hung) {
		unwatch(p);
		return;
	}
	if (net_rx_wants_read(p))
		events |= EPOLLIN;
	if (net_tx_wants_write(p))
		events |= EPOLLOUT;
	if (!p->source) {
		const struct net_backend *b = p->net->backend;

		r = loop_add_fd(l, b->ops->fd(b, p->index), events, on_event, p,
				&p->source);
	} else if (events != p->events) {
		r = loop_set_events(p->source, events);
	}
	p->events = events;
	if (r < 0) {
		p->dead = true; /* nothing will tell us of it any more */
		unwatch(p);
	}
}

/* Run one direction or both of @p, then see what to wait for. */
static int serve(struct net_pair *p, bool rx, bool tx)
{
	struct net *n = p->net;
	bool was_dead = p->dead;
	int r = 0;

	if (rx)
		r = net_rx_run(p);
	if (tx && r >= 0)
		r = net_tx_run(p);
	if (r < 0)
		return r;
	/* hung up, and what it had sent before is read */
	if (p->hung && !p->rx_more && !p->rx.starved)
		p->dead = true;
	watch(p);
	if (p->dead && !was_dead) {
		/* what the guest has for it is lost, but comes back */
		p->tx_more = true;
		update_link(n);
	}
	if (p->rx_more || p->tx_more)
		post_again(n);
	return 0;
}

static void stop_pair(struct net_pair *p)
{
	unwatch(p);
	p->rx_more = p->tx_more = false;
	p->rx.frame = 0;
}

static void start_pairs(struct net *n, unsigned int from, unsigned int to)
{
	for (unsigned int i = from; i < to; i++)
		n->pair[i].rx_more = n->pair[i].tx_more = true;
	post_again(n);
}

/* A queue is broken outside kick(). */
static void fail(struct net *n)
{
	n->broken = true;
	for (unsigned int i = 0; i < n->n_pairs; i++)
		unwatch(&n->pair[i]);
	n->dev.host->ops->needs_reset(n->dev.host);
}

static void on_event(void *arg, int fd, uint32_t events)
{
	struct net_pair *p = arg;

	(void)fd;
	if (events & (EPOLLHUP | EPOLLERR))
		p->hung = true;
	if (serve(p, events & RX_EVENTS, events & TX_EVENTS) < 0)
		fail(p->net);
}

/* --- commands ----------------------------------------------------------- */

static int set_guest_offloads(struct net *n, uint64_t features)
{
	const struct net_backend_ops *ops = n->backend->ops;
	uint32_t offloads = net_hdr_guest_offloads(features);
	int r = 0;

	if (ops->set_offloads)
		r = ops->set_offloads(n->backend, offloads);
	if (!r)
		n->guest_offloads = offloads;
	return r;
}

static void set_mac(struct net *n, const uint8_t *mac)
{
	uint8_t wide[8] = {0};

	memcpy(wide, mac, 6);
	memcpy(n->filter.mac, mac, 6);
	atomic_store(&n->config_mac, load_le64(wide));
}

static int set_pairs(struct net *n, unsigned int want)
{
	unsigned int had = n->n_used;
	int r = 0;

	if (!want || want > n->n_pairs)
		return -EPROTO;
	if (n->backend->ops->set_queues)
		r = n->backend->ops->set_queues(n->backend, want);
	if (r < 0)
		return r;
	n->n_used = want;
	for (unsigned int i = want; i < had; i++) {
		stop_pair(&n->pair[i]);
		net_tx_drop(&n->pair[i]);
	}
	start_pairs(n, had, want);
	return 0;
}

static int obey(struct net *n, const struct net_ctrl *c)
{
	switch (c->kind) {
	case NET_CTRL_RX_MODE:
		n->filter.mode[c->rx.mode] = c->rx.on;
		return 0;
	case NET_CTRL_MAC_TABLE:
		n->filter.uni = c->uni;
		n->filter.multi = c->multi;
		return 0;
	case NET_CTRL_MAC_ADDR:
		set_mac(n, c->mac);
		return 0;
	case NET_CTRL_PAIRS:
		return set_pairs(n, c->pairs);
	case NET_CTRL_OFFLOADS:
		return set_guest_offloads(n, c->offloads);
	}
	return -EOPNOTSUPP;
}

static void run_command(struct net *n, struct virtq *q)
{
	struct net_ctrl c;
	uint8_t ack;
	int r;

	if (!n->ctrl.in_len) {
		net_count(&n->stats.bad_chains, 1);
		virtq_push(q, &n->ctrl, 0);
		return;
	}
	r = net_ctrl_parse(&n->ctrl, n->dev.features, &c);
	if (!r)
		r = obey(n, &c);
	net_count(r ? &n->stats.bad_commands : &n->stats.commands, 1);
	ack = r ? VIRTIO_NET_ERR : VIRTIO_NET_OK;
	virtq_chain_write(&n->ctrl, 0, &ack, 1);
	virtq_push(q, &n->ctrl, 1);
}

/* Behind the last pair there is, or could be (virtio 1.2, 5.1.2). */
static unsigned int ctrl_index(const struct net *n)
{
	return virtio_has(&n->dev, VIRTIO_NET_F_MQ) ? 2 * n->n_pairs : 2;
}

static int run_ctrl(struct net *n)
{
	struct virtq *q = n->dev.q[ctrl_index(n)];
	unsigned int budget = NET_CTRL_QUEUE_SIZE;
	int r = 0;

	n->ctrl_more = false;
	while (budget && (r = virtq_pop(q, &n->ctrl)) > 0) {
		run_command(n, q);
		budget--;
	}
	virtq_flush(q);
	if (!budget) {
		n->ctrl_more = true;
		post_again(n);
	}
	return r < 0 ? r : 0;
}

/* --- posted calls ------------------------------------------------------- */

static void on_again(void *arg)
{
	struct net *n = arg;
	int r = 0;

	if (!n->active || n->broken)
		return;
	if (n->ctrl_more)
		r = run_ctrl(n);
	for (unsigned int i = 0; i < n->n_used && !r; i++) {
		struct net_pair *p = &n->pair[i];

		if (p->rx_more || p->tx_more)
			r = serve(p, p->rx_more, p->tx_more);
	}
	if (r < 0)
		fail(n);
}

static void on_link_call(void *arg)
{
	struct net *n = arg;

	update_link(n);
	if (!n->active || n->broken)
		return;
	for (unsigned int i = 0; i < n->n_used; i++) {
		struct net_pair *p = &n->pair[i];

		if (!atomic_load(&n->link)) {
			p->rx.frame = 0;
			net_tx_drop(p);
		}
	}
	/* to go on, or to drop what comes from now on */
	start_pairs(n, 0, n->n_used);
}

/* --- the transport's calls ---------------------------------------------- */

static void net_activate(struct virtio_dev *dev)
{
	struct net *n = to_net(dev);
	const struct net_backend_ops *b = n->backend->ops;

	for (size_t i = 0; i < n->n_pairs; i++) {
		n->pair[i].rx.q = dev->q[2 * i];
		n->pair[i].tx.q = dev->q[2 * i + 1];
	}
	n->active = true;
	/* its first driver may have begun without a reset, and say nothing */
	if (b->set_queues)
		b->set_queues(n->backend, n->n_used);
	n->host_offloads = net_hdr_host_offloads(dev->features);
	set_guest_offloads(n, dev->features);
}

static void net_reset(struct virtio_dev *dev)
{
	struct net *n = to_net(dev);
	const struct net_backend_ops *ops = n->backend->ops;

	n->active = n->broken = n->ctrl_more = false;
	for (unsigned int i = 0; i < n->n_pairs; i++) {
		stop_pair(&n->pair[i]);
		net_rx_reset(&n->pair[i].rx);
		net_tx_reset(&n->pair[i].tx);
	}
	n->n_used = 1;
	if (ops->set_queues)
		ops->set_queues(n->backend, 1);
	set_guest_offloads(n, 0);
	net_filter_reset(&n->filter, n->mac);
	set_mac(n, n->mac);
	dev->host->ops->reset_done(dev->host);
}

static void net_queue_reset(struct virtio_dev *dev, unsigned int queue)
{
	struct net *n = to_net(dev);

	if (n->active && queue != ctrl_index(n) && queue / 2 < n->n_pairs) {
		struct net_pair *p = &n->pair[queue / 2];

		if (queue % 2)
			net_tx_reset(&p->tx);
		else
			net_rx_reset(&p->rx);
	}
	dev->host->ops->queue_reset_done(dev->host, queue);
}

static int net_kick(struct virtio_dev *dev, unsigned int queue)
{
	struct net *n = to_net(dev);
	int r;

	if (!n->active || n->broken)
		return 0;
	if (queue == ctrl_index(n))
		r = run_ctrl(n);
	else if (queue / 2 >= n->n_used)
		return 0;
	else
		r = serve(&n->pair[queue / 2], !(queue % 2), queue % 2);
	if (r < 0) {
		n->broken = true;
		for (unsigned int i = 0; i < n->n_pairs; i++)
			unwatch(&n->pair[i]);
	}
	return r;
}

static void net_config_read(struct virtio_dev *dev, uint32_t off, void *buf,
			    size_t len)
{
	struct net *n = to_net(dev);
	uint8_t c[CONFIG_LEN];

	store_le64(c, atomic_load(&n->config_mac));
	store_le16(c + CONFIG_STATUS,
		   atomic_load(&n->link) ? VIRTIO_NET_S_LINK_UP : 0);
	store_le16(c + CONFIG_MAX_PAIRS, (uint16_t)n->n_pairs);
	store_le16(c + CONFIG_MTU, n->mtu);
	assert(range_within(off, len, sizeof(c)));
	memcpy(buf, c + off, len);
}

static const struct virtio_dev_ops ops = {
	.activate = net_activate,
	.reset = net_reset,
	.queue_reset = net_queue_reset,
	.kick = net_kick,
	.config_read = net_config_read,
};

/* --- life --------------------------------------------------------------- */

static void describe(struct net *n, const struct net_params *p)
{
	struct virtio_dev *d = &n->dev;

	d->ops = &ops;
	d->name = p->name;
	d->type = VIRTIO_ID_NET;
	d->pci_class = PCI_CLASS_ETHERNET;
	d->config_len = CONFIG_LEN;
	d->thread = p->thread;
	d->offered = BIT64(VIRTIO_NET_F_MAC) | BIT64(VIRTIO_NET_F_STATUS) |
		     BIT64(VIRTIO_NET_F_MRG_RXBUF) |
		     BIT64(VIRTIO_NET_F_CTRL_VQ) | BIT64(VIRTIO_NET_F_CTRL_RX) |
		     BIT64(VIRTIO_NET_F_CTRL_RX_EXTRA) |
		     BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR) |
		     net_hdr_features(p->backend->offloads);
	if (p->mtu)
		d->offered |= BIT64(VIRTIO_NET_F_MTU);
	if (n->n_pairs > 1)
		d->offered |= BIT64(VIRTIO_NET_F_MQ);
	d->n_queues = 2 * n->n_pairs + 1;
	for (unsigned int i = 0; i + 1 < d->n_queues; i++)
		d->queue_max[i] = NET_QUEUE_SIZE;
	d->queue_max[d->n_queues - 1] = NET_CTRL_QUEUE_SIZE;
}

static int check_params(const struct net_params *p, struct err *err)
{
	static const uint8_t none[6];

	if (p->mac[0] & 1 || !memcmp(p->mac, none, sizeof(none)))
		return err_set(err, -EINVAL,
			       "%s: the MAC is not the address of one host",
			       p->name);
	if (p->mtu && p->mtu < NET_MTU_MIN)
		return err_set(err, -EINVAL,
			       "%s: an MTU of %u is below the least, %d",
			       p->name, p->mtu, NET_MTU_MIN);
	return 0;
}

int net_create(const struct net_params *p, struct net **ret, struct err *err)
{
	AUTO(net_destroyp) struct net *n = NULL;
	int r = check_params(p, err);

	if (r < 0)
		return r;
	n = calloc(1, sizeof(*n));
	if (!n)
		return err_set(err, -ENOMEM, "out of memory");
	n->n_pairs = p->backend->n_queues;
	assert(n->n_pairs && n->n_pairs <= NET_PAIRS_MAX);
	n->pair = calloc(n->n_pairs, sizeof(*n->pair));
	if (!n->pair)
		return err_set(err, -ENOMEM, "out of memory");
	for (unsigned int i = 0; i < n->n_pairs; i++) {
		n->pair[i].net = n;
		n->pair[i].index = i;
		net_rx_reset(&n->pair[i].rx);
	}
	memcpy(n->mac, p->mac, sizeof(n->mac));
	n->mtu = p->mtu;
	n->n_used = 1;
	n->again = (struct io_call){.fn = on_again, .arg = n};
	n->link_call = (struct io_call){.fn = on_link_call, .arg = n};
	atomic_init(&n->wants_link, true);
	atomic_init(&n->link, true);
	net_filter_reset(&n->filter, n->mac);
	set_mac(n, n->mac);
	describe(n, p);
	n->backend = p->backend;
	*ret = TAKE(n);
	return 0;
}

static void free_pair(struct net_pair *p)
{
	unwatch(p);
	for (unsigned int i = 0; i < NET_QUEUE_SIZE; i++)
		virtq_chain_free(&p->rx.slot[i]);
	for (unsigned int i = 0; i < NET_TX_BATCH; i++)
		virtq_chain_free(&p->tx.slot[i].chain);
}

void net_destroy(struct net *n)
{
	if (!n)
		return;
	for (unsigned int i = 0; n->pair && i < n->n_pairs; i++)
		free_pair(&n->pair[i]);
	free(n->pair);
	virtq_chain_free(&n->ctrl);
	net_backend_destroy(n->backend);
	free(n);
}

struct virtio_dev *net_virtio_dev(struct net *n)
{
	return &n->dev;
}

void net_set_link(struct net *n, bool up)
{
	atomic_store(&n->wants_link, up);
	io_thread_post(n->dev.thread, &n->link_call);
}

bool net_link(const struct net *n)
{
	return atomic_load(&n->link);
}

static uint64_t get(const _Atomic uint64_t *c)
{
	return atomic_load_explicit(c, memory_order_relaxed);
}

void net_counters(const struct net *n, struct net_counters *ret)
{
	const struct net_stats *s = &n->stats;

	*ret = (struct net_counters){
		.rx_frames = get(&s->rx_frames),
		.rx_bytes = get(&s->rx_bytes),
		.tx_frames = get(&s->tx_frames),
		.tx_bytes = get(&s->tx_bytes),
		.rx_filtered = get(&s->rx_filtered),
		.rx_dropped = get(&s->rx_dropped),
		.tx_dropped = get(&s->tx_dropped),
		.tx_refused = get(&n->backend->refused),
		.bad_headers = get(&s->bad_headers),
		.bad_chains = get(&s->bad_chains),
		.commands = get(&s->commands),
		.bad_commands = get(&s->bad_commands),
	};
}
