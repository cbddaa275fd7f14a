/* devices/virtio/vsock_link.c - connections come and go: the broker's messages,
 * and what a connection's state means for the device. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "devices/virtio/vsock_broker.h"
#include "devices/virtio/vsock_impl.h"
#include "vmm/base/bits.h"
#include "vmm/base/loop.h"

enum { MESSAGES_AT_ONCE = 32 };

/* --- connections ------------------------------------------------------------
 */

/*
 * Credit for a new connection. The least is set aside for all that may come;
 * of the rest everybody gets a share of what is left, so that the first few
 * get the most and nobody gets nothing.
 */
static uint32_t grant(const struct vsock *v)
{
	uint32_t aside = (VSOCK_CONNS_MAX - v->n_conns) * VSOCK_CREDIT_MIN;
	uint32_t share = (VSOCK_CREDIT_ALL - aside - v->credit_given) / 16;
	uint32_t extra = VSOCK_CREDIT_MAX - VSOCK_CREDIT_MIN;

	if (extra > share)
		extra = (uint32_t)align_down(share, 4096);
	return VSOCK_CREDIT_MIN + extra;
}

/* NULL: too many, or no memory. */
static struct vsock_conn *conn_new(struct vsock *v)
{
	if (v->n_conns == VSOCK_CONNS_MAX)
		return NULL;
	return malloc(sizeof(struct vsock_conn));
}

static void conn_add(struct vsock *v, struct vsock_conn *c)
{
	c->owner = v;
	c->id = v->next_id++;
	c->timed = VSOCK_CONN_GONE;
	vsock_table_add(&v->table, c);
	list_add_tail(&v->all, &c->in_all);
	v->n_conns++;
	v->credit_given += c->buf_alloc;
	vsock_count(&v->stats.n_conns, 1);
}

void vsock_link_destroy(struct vsock *v, struct vsock_conn *c)
{
	vsock_table_remove(&v->table, c);
	list_remove(&c->in_all);
	list_remove(&c->in_ready);
	list_remove(&c->in_dials);
	v->n_conns--;
	v->credit_given -= c->buf_alloc;
	vsock_count(&v->stats.n_conns, UINT64_MAX); /* one less */
	vsock_conn_destroy(c);
	free(c);
}

static bool is_young(enum vsock_conn_state s)
{
	return s == VSOCK_CONN_DIALLING || s == VSOCK_CONN_OFFERED;
}

/* The state is another than when we last looked. */
static void new_state(struct vsock *v, struct vsock_conn *c)
{
	if (is_young(c->timed)) {
		bool refused = c->state == VSOCK_CONN_GONE ||
			       c->state == VSOCK_CONN_RESET;

		vsock_count(refused ? &v->stats.refused : &v->stats.opened, 1);
	}
	c->timed = c->state;
	c->deadline = 0;
	if (is_young(c->state))
		vsock_set_deadline(v, c, VSOCK_CONNECT_SECONDS);
	else if (c->state == VSOCK_CONN_CLOSED)
		vsock_set_deadline(v, c, VSOCK_CLOSE_SECONDS);
}

void vsock_link_update(struct vsock *v, struct vsock_conn *c)
{
	bool ready;

	if (c->state != c->timed)
		new_state(v, c);
	if (c->state == VSOCK_CONN_GONE) {
		vsock_link_destroy(v, c);
		return;
	}
	if (c->state == VSOCK_CONN_DRAINING) /* its ports are free again */
		vsock_table_remove(&v->table, c);
	ready = vsock_conn_wants(c);
	if (vsock_conn_has_data(c)) {
		bool credit = vsock_conn_credit(c) > 0;

		ready = ready || credit;
		if (credit)
			c->deadline = 0;
		else if (!c->deadline)
			vsock_set_deadline(v, c, VSOCK_CREDIT_SECONDS);
	}
	if (!ready)
		list_remove(&c->in_ready);
	else if (!list_linked(&c->in_ready))
		list_add_tail(&v->ready, &c->in_ready);
}

void vsock_link_violation(struct vsock *v, struct vsock_conn *c)
{
	vsock_count(&v->stats.violations, 1);
	vsock_conn_abort(c);
	vsock_link_update(v, c);
}

/* --- the host's socket ------------------------------------------------------
 */

static void on_socket(void *arg, int fd, uint32_t events)
{
	struct vsock_conn *c = arg;
	struct vsock *v = c->owner;

	(void)fd;
	vsock_conn_event(c, events);
	vsock_link_update(v, c);
	vsock_rx_go(v);
}

static void watch(struct vsock *v, struct vsock_conn *c)
{
	struct loop *loop = io_thread_loop(v->dev.thread);

	if (loop_add_fd(loop, c->fd, VSOCK_CONN_EVENTS, on_socket, c,
			&c->source) < 0)
		vsock_conn_abort(c);
}

/* --- the broker -------------------------------------------------------------
 */

static void channel_events(struct vsock *v, bool full)
{
	if (v->channel_full == full)
		return;
	v->channel_full = full;
	loop_set_events(v->channel_source,
			EPOLLIN | (full ? (uint32_t)EPOLLOUT : 0));
}

/* Tell the broker of all that the guest wants, as far as it listens. */
static void send_dials(struct vsock *v)
{
	struct list *first;

	while ((first = list_first(&v->dials))) {
		struct vsock_conn *c =
			container_of(first, struct vsock_conn, in_dials);
		const struct vsock_msg m = {
			.type = VSOCK_MSG_CONNECT,
			.host_port = c->host_port,
			.guest_port = c->guest_port,
			.id = c->id,
		};
		int r = vsock_msg_send(v->channel, &m, -1);

		if (r == -EAGAIN) {
			channel_events(v, true);
			return;
		}
		list_remove(&c->in_dials);
		if (r < 0) {
			vsock_conn_abort(c);
			vsock_link_update(v, c);
		}
	}
	if (v->channel_source)
		channel_events(v, false);
}

void vsock_link_request(struct vsock *v, const struct vsock_pkt *pkt)
{
	struct vsock_conn *c = v->channel_source ? conn_new(v) : NULL;

	if (!c) {
		vsock_count(&v->stats.refused, 1);
		vsock_rx_rst(v, pkt);
		return;
	}
	vsock_conn_init_dial(c, pkt, grant(v));
	conn_add(v, c);
	list_add_tail(&v->dials, &c->in_dials);
	vsock_link_update(v, c);
	if (!v->channel_full)
		send_dials(v);
}

/* The guest's request that @m answers, or NULL: it was given up meanwhile. */
static struct vsock_conn *dial_of(struct vsock *v, const struct vsock_msg *m)
{
	struct vsock_conn *c =
		vsock_table_find(&v->table, m->host_port, m->guest_port);

	if (c && c->id == m->id && c->state == VSOCK_CONN_DIALLING)
		return c;
	return NULL;
}

/* A port of ours that is free together with the guest's. */
static uint32_t pick_port(struct vsock *v, uint32_t guest_port)
{
	uint32_t port;

	do { /* ends: there are more ports than connections */
		port = v->next_port++;
		if (v->next_port == VSOCK_PORT_ANY)
			v->next_port = VSOCK_PORT_FIRST;
	} while (vsock_table_find(&v->table, port, guest_port));
	return port;
}

/* Takes @fd over. */
static void offered(struct vsock *v, uint32_t guest_port, int fd)
{
	struct vsock_conn *c = v->active && !v->broken ? conn_new(v) : NULL;

	if (!c) {
		vsock_count(&v->stats.refused, 1);
		close(fd);
		return;
	}
	vsock_conn_init_offer(c, pick_port(v, guest_port), guest_port, grant(v),
			      fd);
	conn_add(v, c);
	vsock_link_update(v, c);
	watch(v, c);
	vsock_link_update(v, c);
}

static void message(struct vsock *v, const struct vsock_msg *m, int fd)
{
	struct vsock_conn *c;

	switch (m->type) {
	case VSOCK_MSG_CONNECTED:
		c = dial_of(v, m);
		if (!c) {
			close(fd);
			return;
		}
		vsock_conn_dialled(c, fd);
		watch(v, c);
		vsock_link_update(v, c);
		return;
	case VSOCK_MSG_REFUSED:
		c = dial_of(v, m);
		if (!c)
			return;
		vsock_conn_abort(c);
		vsock_link_update(v, c);
		return;
	case VSOCK_MSG_OFFER:
		offered(v, m->guest_port, fd);
		return;
	default: /* CONNECT is for the broker; it carries no descriptor */
		return;
	}
}

/* Nobody connects for the guest any more. What is open stays. */
static void broker_gone(struct vsock *v)
{
	struct list *next;

	vsock_link_stop(v);
	for (struct list *l = list_first(&v->all); l; l = next) {
		struct vsock_conn *c =
			container_of(l, struct vsock_conn, in_all);

		next = list_next(&v->all, l);
		if (c->state != VSOCK_CONN_DIALLING)
			continue;
		list_remove(&c->in_dials);
		vsock_conn_abort(c);
		vsock_link_update(v, c);
	}
}

static void on_channel(void *arg, int channel, uint32_t events)
{
	struct vsock *v = arg;
	struct vsock_msg m;
	int fd, r = 1;

	if (events & EPOLLOUT)
		send_dials(v);
	for (int i = 0; i < MESSAGES_AT_ONCE && r > 0; i++) {
		r = vsock_msg_recv(channel, &m, &fd);
		if (r > 0)
			message(v, &m, fd);
		else if (r == -EBADMSG)
			r = 1;
	}
	if (!r || (r < 0 && r != -EAGAIN))
		broker_gone(v);
	vsock_rx_go(v);
}

int vsock_link_start(struct vsock *v)
{
	return loop_add_fd(io_thread_loop(v->dev.thread), v->channel, EPOLLIN,
			   on_channel, v, &v->channel_source);
}

void vsock_link_stop(struct vsock *v)
{
	loop_remove(v->channel_source);
	v->channel_source = NULL;
	fd_closep(&v->channel);
	v->channel = -1;
	v->channel_full = false;
}
