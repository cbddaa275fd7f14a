/* devices/virtio/net_ctrl.c - parses commands of the control queue. */
#include "devices/virtio/net_ctrl.h"

#include <errno.h>
#include <string.h>

#include "devices/virtio/net_hdr.h"
#include "devices/virtio/virtq.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

/* virtio 1.2, 5.1.6.5, struct virtio_net_ctrl and its classes */
enum {
	CTRL_HDR_LEN = 2, /* class, command */
	VIRTIO_NET_CTRL_RX = 0,
	VIRTIO_NET_CTRL_RX_ALLMULTI = 1,
	VIRTIO_NET_CTRL_MAC = 1,
	VIRTIO_NET_CTRL_MAC_TABLE_SET = 0,
	VIRTIO_NET_CTRL_MAC_ADDR_SET = 1,
	VIRTIO_NET_CTRL_MQ = 4,
	VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET = 0,
	VIRTIO_NET_CTRL_GUEST_OFFLOADS = 5,
	VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET = 0,
};

/* The rest of the command from *off on. */
struct cursor {
	const struct virtq_chain *c;
	uint64_t off;
};

static int take(struct cursor *at, void *buf, size_t len)
{
	if (virtq_chain_read(at->c, at->off, buf, len) < 0)
		return -EPROTO;
	at->off += len;
	return 0;
}

/* Nothing may be left. */
static int take_end(const struct cursor *at)
{
	return at->off == at->c->out_len ? 0 : -EPROTO;
}

/* The last value: exactly @len bytes are left. */
static int take_last(struct cursor *at, void *buf, size_t len)
{
	if (at->c->out_len - at->off != len)
		return -EPROTO;
	return take(at, buf, len);
}

static int parse_rx(struct cursor *at, uint8_t command, uint64_t features,
		    struct net_ctrl *ret)
{
	unsigned int need = command <= VIRTIO_NET_CTRL_RX_ALLMULTI
				    ? VIRTIO_NET_F_CTRL_RX
				    : VIRTIO_NET_F_CTRL_RX_EXTRA;
	uint8_t on;
	int r;

	if (!(features & BIT64(need)) || command >= NET_FILTER_MODES)
		return -EOPNOTSUPP;
	r = take_last(at, &on, 1);
	if (r < 0)
		return r;
	ret->kind = NET_CTRL_RX_MODE;
	ret->rx.mode = (enum net_filter_mode)command;
	ret->rx.on = on;
	return 0;
}

/* le32 count, and so many addresses; those that do not fit are skipped. */
static int take_table(struct cursor *at, struct net_filter_macs *t)
{
	uint8_t count[4];
	int r = take(at, count, sizeof(count));

	if (r < 0)
		return r;
	t->n = load_le32(count);
	t->all = false;
	if (t->n > (at->c->out_len - at->off) / 6)
		return -EPROTO;
	if (t->n <= NET_FILTER_MACS)
		return take(at, t->mac, (size_t)t->n * 6);
	at->off += (uint64_t)t->n * 6;
	t->n = 0;
	t->all = true;
	return 0;
}

static int parse_mac(struct cursor *at, uint8_t command, uint64_t features,
		     struct net_ctrl *ret)
{
	int r;

	if (command == VIRTIO_NET_CTRL_MAC_TABLE_SET &&
	    features & BIT64(VIRTIO_NET_F_CTRL_RX)) {
		ret->kind = NET_CTRL_MAC_TABLE;
		r = take_table(at, &ret->uni);
		if (!r)
			r = take_table(at, &ret->multi);
		return r ? r : take_end(at);
	}
	if (command == VIRTIO_NET_CTRL_MAC_ADDR_SET &&
	    features & BIT64(VIRTIO_NET_F_CTRL_MAC_ADDR)) {
		ret->kind = NET_CTRL_MAC_ADDR;
		r = take_last(at, ret->mac, 6);
		/* an address that could not be a sender's */
		return r || !(ret->mac[0] & 1) ? r : -EPROTO;
	}
	return -EOPNOTSUPP;
}

static int parse_mq(struct cursor *at, uint8_t command, uint64_t features,
		    struct net_ctrl *ret)
{
	uint8_t v[2];
	int r;

	if (command != VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET ||
	    !(features & BIT64(VIRTIO_NET_F_MQ)))
		return -EOPNOTSUPP;
	r = take_last(at, v, sizeof(v));
	if (r < 0)
		return r;
	ret->kind = NET_CTRL_PAIRS;
	ret->pairs = load_le16(v);
	return 0;
}

static int parse_offloads(struct cursor *at, uint8_t command, uint64_t features,
			  struct net_ctrl *ret)
{
	uint8_t v[8];
	int r;

	if (command != VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET ||
	    !(features & BIT64(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS)))
		return -EOPNOTSUPP;
	r = take_last(at, v, sizeof(v));
	if (r < 0)
		return r;
	ret->kind = NET_CTRL_OFFLOADS;
	ret->offloads = load_le64(v);
	return ret->offloads & ~net_hdr_switchable(features) ? -EPROTO : 0;
}

int net_ctrl_parse(const struct virtq_chain *c, uint64_t features,
		   struct net_ctrl *ret)
{
	struct cursor at = {c, 0};
	uint8_t hdr[CTRL_HDR_LEN];
	int r = take(&at, hdr, sizeof(hdr));

	if (r < 0)
		return r;
	switch (hdr[0]) {
	case VIRTIO_NET_CTRL_RX:
		return parse_rx(&at, hdr[1], features, ret);
	case VIRTIO_NET_CTRL_MAC:
		return parse_mac(&at, hdr[1], features, ret);
	case VIRTIO_NET_CTRL_MQ:
		return parse_mq(&at, hdr[1], features, ret);
	case VIRTIO_NET_CTRL_GUEST_OFFLOADS:
		return parse_offloads(&at, hdr[1], features, ret);
	default:
		return -EOPNOTSUPP;
	}
}
