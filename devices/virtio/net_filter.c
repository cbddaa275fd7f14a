/* devices/virtio/net_filter.c - the receive filter. */
#include "devices/virtio/net_filter.h"

#include <string.h>

void net_filter_reset(struct net_filter *f, const uint8_t mac[static 6])
{
	memset(f, 0, sizeof(*f));
	f->mode[NET_FILTER_PROMISC] = true;
	memcpy(f->mac, mac, 6);
}

static bool matches(const struct net_filter_macs *t, const uint8_t *dst)
{
	if (t->all)
		return true;
	for (uint32_t i = 0; i < t->n; i++)
		if (!memcmp(t->mac[i], dst, 6))
			return true;
	return false;
}

bool net_filter_pass(const struct net_filter *f, const uint8_t dst[static 6])
{
	static const uint8_t broadcast[6] = {0xff, 0xff, 0xff,
					     0xff, 0xff, 0xff};

	if (f->mode[NET_FILTER_PROMISC])
		return true;
	if (!memcmp(dst, broadcast, 6))
		return !f->mode[NET_FILTER_NOBCAST];
	if (dst[0] & 1)
		return !f->mode[NET_FILTER_NOMULTI] &&
		       (f->mode[NET_FILTER_ALLMULTI] ||
			matches(&f->multi, dst));
	return !f->mode[NET_FILTER_NOUNI] &&
	       (f->mode[NET_FILTER_ALLUNI] || !memcmp(dst, f->mac, 6) ||
		matches(&f->uni, dst));
}
