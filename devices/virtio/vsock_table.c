/* devices/virtio/vsock_table.c - a chained hash table of connections. */
#include "devices/virtio/vsock_table.h"

#include <assert.h>

#include "devices/virtio/vsock_conn.h"

/* The top bits of a product with a random odd number. */
static unsigned int bucket_of(const struct vsock_table *t, uint32_t host_port,
			      uint32_t guest_port)
{
	uint64_t ports = (uint64_t)host_port << 32 | guest_port;
	uint64_t h = (ports ^ t->key >> 17) * (t->key | 1);

	h ^= h >> 29; /* or the low bits of a port would hardly matter */
	h *= t->key | 1;
	return (unsigned int)(h >> 54) % VSOCK_TABLE_BUCKETS;
}

void vsock_table_init(struct vsock_table *t, uint64_t key)
{
	*t = (struct vsock_table){.key = key};
}

static struct vsock_conn **slot(struct vsock_table *t, uint32_t host_port,
				uint32_t guest_port)
{
	struct vsock_conn **p = &t->bucket[bucket_of(t, host_port, guest_port)];

	while (*p &&
	       ((*p)->host_port != host_port || (*p)->guest_port != guest_port))
		p = &(*p)->hash_next;
	return p;
}

struct vsock_conn *vsock_table_find(const struct vsock_table *t,
				    uint32_t host_port, uint32_t guest_port)
{
	return *slot((struct vsock_table *)t, host_port, guest_port);
}

void vsock_table_add(struct vsock_table *t, struct vsock_conn *c)
{
	struct vsock_conn **p = slot(t, c->host_port, c->guest_port);

	assert(!*p);
	*p = c;
	c->hash_next = NULL;
}

void vsock_table_remove(struct vsock_table *t, struct vsock_conn *c)
{
	struct vsock_conn **p = slot(t, c->host_port, c->guest_port);

	if (*p != c)
		return;
	*p = c->hash_next;
	c->hash_next = NULL;
}
