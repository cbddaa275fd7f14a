/*
 * tests/fake/fake_net_backend.h - the far side of a network device: frames in
 * memory, and a descriptor that behaves like a socket's.
 */
#ifndef TESTS_FAKE_FAKE_NET_BACKEND_H
#define TESTS_FAKE_FAKE_NET_BACKEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/net_backend.h"

struct fake_net; /* opaque */

struct fake_net_frame {
	uint8_t hdr[NET_HDR_LEN];
	uint8_t *data;
	size_t len;
};

/* What the device has done to it. */
struct fake_net_log {
	unsigned int sends, recvs; /* calls of all queues */
	unsigned int largest_send; /* frames in one call */
	uint32_t offloads;	   /* as last set */
	unsigned int n_queues;	   /* as last set */
};

/* Freed by whoever takes over the backend. Aborts when memory is gone. */
struct fake_net *fake_net_create(unsigned int n_queues, uint32_t offloads);
struct net_backend *fake_net_backend(struct fake_net *f);
const struct fake_net_log *fake_net_log(const struct fake_net *f);

/* A frame for the guest. @hdr NULL: zeroes. */
void fake_net_push(struct fake_net *f, unsigned int queue, const uint8_t *hdr,
		   const void *data, size_t len);
/* Frames pushed and not yet received. */
size_t fake_net_n_waiting(const struct fake_net *f, unsigned int queue);

/* What the guest has sent, since creation. */
size_t fake_net_n_sent(const struct fake_net *f, unsigned int queue);
const struct fake_net_frame *fake_net_sent(const struct fake_net *f,
					   unsigned int queue, size_t i);

/* Take @n more frames, then be full. The default is no limit: SIZE_MAX. */
void fake_net_set_room(struct fake_net *f, unsigned int queue, size_t n);
/* Say that part of a frame is still to be sent, until the next send. */
void fake_net_set_rest(struct fake_net *f, unsigned int queue);
/* From now on: recv fails with @r after what waits; send fails at once. */
void fake_net_fail(struct fake_net *f, unsigned int queue, int r);
/* The next recv says that a frame was lost. */
void fake_net_lose(struct fake_net *f, unsigned int queue);
/* Hang up: EPOLLHUP, and fake_net_fail(-ECONNRESET). */
void fake_net_hang_up(struct fake_net *f, unsigned int queue);
/* What set_queues and set_offloads return. */
void fake_net_refuse(struct fake_net *f, int r);

#endif
