/* tests/unit/net_fixture.h - a network device between a driver and a backend
 * that are both played by the test. */
#ifndef TESTS_UNIT_NET_FIXTURE_H
#define TESTS_UNIT_NET_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_hdr.h"
#include "tests/fake/fake_driver.h"
#include "tests/fake/fake_net_backend.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/io_thread.h"

enum {
	NET_TEST_OFFLOADS = NET_OFFLOAD_CSUM | NET_OFFLOAD_TSO4 |
			    NET_OFFLOAD_TSO6 | NET_OFFLOAD_ECN |
			    NET_OFFLOAD_UFO,
	NET_TEST_RX = 0,
	NET_TEST_TX = 1,
	NET_TEST_CTRL = 2, /* with one pair */
	NET_TEST_BUF = NET_HDR_LEN + 1518,
};

static const uint8_t net_test_mac[6] = {0x02, 0, 0, 0, 0, 0x01};

struct net_opts {
	unsigned int pairs; /* 0: 1 */
	uint32_t offloads;
	uint16_t mtu;
	bool idle; /* do not activate */
	struct fake_driver_opts driver;
};

struct net_fixture {
	struct io_thread *thread;
	struct fake_net *far;
	struct net *net;
	struct virtio_dev *dev;
	struct fake_driver *d;
};

static inline int net_build(void **state, const struct net_opts *o)
{
	struct net_fixture *f = calloc(1, sizeof(*f));
	struct net_params p = {.name = "net0", .mtu = o->mtu};

	assert_non_null(f);
	memcpy(p.mac, net_test_mac, 6);
	assert_int_equal(io_thread_create("net", &f->thread, NULL), 0);
	f->far = fake_net_create(o->pairs ? o->pairs : 1, o->offloads);
	p.thread = f->thread;
	p.backend = fake_net_backend(f->far);
	assert_int_equal(net_create(&p, &f->net, NULL), 0);
	f->dev = net_virtio_dev(f->net);
	f->d = fake_driver_create(f->dev, &o->driver);
	if (!o->idle)
		fake_driver_activate(f->d);
	*state = f;
	return 0;
}

static inline int net_teardown(void **state)
{
	struct net_fixture *f = *state;

	fake_driver_destroy(f->d);
	net_destroy(f->net);
	io_thread_destroy(f->thread);
	free(f);
	return 0;
}

static inline struct net_counters net_counted(struct net_fixture *f)
{
	struct net_counters c;

	net_counters(f->net, &c);
	return c;
}

/* A frame to the card, with bytes that tell where they are from. */
static inline void net_fill(uint8_t *buf, size_t len, unsigned int seed)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = (uint8_t)(i * 7 + (i >> 8) + seed);
	memcpy(buf, net_test_mac, len < 6 ? len : 6);
}

static inline void net_push(struct net_fixture *f, unsigned int queue,
			    size_t len, unsigned int seed)
{
	uint8_t *buf = malloc(len);

	assert_non_null(buf);
	net_fill(buf, len, seed);
	fake_net_push(f->far, queue, NULL, buf, len);
	free(buf);
}

/* Receive buffers of @len bytes. */
static inline void net_offer_rx(struct net_fixture *f, unsigned int n,
				size_t len)
{
	while (n--)
		assert_true(fake_driver_offer(f->d, NET_TEST_RX, NULL, 0,
					      len) >= 0);
	assert_int_equal(fake_driver_kick(f->d, NET_TEST_RX), 0);
}

/* A command; its answer, or -1 when there is none. */
static inline int net_command(struct net_fixture *f, unsigned int queue,
			      const void *cmd, size_t len)
{
	struct fake_used u;
	uint8_t ack = 0xee;

	assert_true(fake_driver_offer(f->d, queue, cmd, len, 1) >= 0);
	assert_int_equal(fake_driver_kick(f->d, queue), 0);
	if (!fake_driver_take(f->d, queue, &u, &ack, 1))
		return -1;
	assert_int_equal(u.written, 1);
	return ack;
}

#endif
