/*
 * devices/virtio/vsock_table.h - finds connections by their two ports.
 *
 * The guest chooses ports, so the hash is keyed with a secret: it cannot make
 * all of its connections fall into one bucket.
 */
#ifndef DEVICES_VIRTIO_VSOCK_TABLE_H
#define DEVICES_VIRTIO_VSOCK_TABLE_H

#include <stdint.h>

struct vsock_conn;

enum { VSOCK_TABLE_BUCKETS = 1024 };

struct vsock_table {
	uint64_t key;
	struct vsock_conn *bucket[VSOCK_TABLE_BUCKETS];
};

/* @key: random; the table is empty. */
void vsock_table_init(struct vsock_table *t, uint64_t key);
/* NULL when there is none. */
struct vsock_conn *vsock_table_find(const struct vsock_table *t,
				    uint32_t host_port, uint32_t guest_port);
/* None with its ports is there. */
void vsock_table_add(struct vsock_table *t, struct vsock_conn *c);
/* Fine when it is not there. */
void vsock_table_remove(struct vsock_table *t, struct vsock_conn *c);

#endif
