/*
 * tests/unit/vsock_fixture.h - a vsock device between a driver and a broker
 * that both are the test.
 */
#ifndef TESTS_UNIT_VSOCK_FIXTURE_H
#define TESTS_UNIT_VSOCK_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdbool.h>

#include "devices/virtio/vsock.h"
#include "devices/virtio/vsock_broker.h"
#include "devices/virtio/vsock_pkt.h"
#include "tests/fake/fake_driver.h"

enum { CID = 42 };

struct vsock_fixture {
	struct io_thread *thread;
	struct vsock *v;
	struct fake_driver *d;
	int broker;
	unsigned int rx_buf;  /* size of the receive buffers */
	bool hold_rx;	      /* do not give them back */
	struct vsock_pkt got; /* the last packet received */
	uint8_t data[VSOCK_PKT_MAX];
};

/* 64 receive buffers, and a clock that stands still. */
int vf_setup(void **state);
int vf_setup_bare(void **state);  /* no receive buffers */
int vf_setup_hasty(void **state); /* half a second is over in 1 ms */
int vf_teardown(void **state);

/* --- the guest --- */

void vf_offer_rx(struct vsock_fixture *f, unsigned int n);
struct vsock_pkt vf_packet(uint32_t guest_port, uint32_t host_port,
			   uint16_t op);
/* Queue a packet as Linux does, header and payload apart; do not kick. */
void vf_queue(struct vsock_fixture *f, const struct vsock_pkt *p,
	      const void *data, size_t len);
/* Queue, kick, and see that it comes back. */
void vf_kick_tx(struct vsock_fixture *f);
void vf_say_pkt(struct vsock_fixture *f, const struct vsock_pkt *p);
void vf_say(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port,
	    uint16_t op);
void vf_give(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port,
	     const void *data, size_t len);
/* The next packet for the guest into f->got and f->data; false: none. */
bool vf_hear(struct vsock_fixture *f);
void vf_expect(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port,
	       uint16_t op);
/* For fake_driver_pump(). */
bool vf_something_to_hear(void *fixture);

/* --- the broker and the host --- */

bool vf_broker_hears(struct vsock_fixture *f, struct vsock_msg *m);
/* Hand one end of a new socket over with @m; returns the other. */
int vf_broker_gives(struct vsock_fixture *f, const struct vsock_msg *m);
/* The guest connects from @guest_port to @host_port; the host's socket. */
int vf_dial(struct vsock_fixture *f, uint32_t guest_port, uint32_t host_port);
/* A client connects to @guest_port; *ret_port is our end's port. */
int vf_offer(struct vsock_fixture *f, uint32_t guest_port, uint32_t *ret_port);
void vf_assert_host_reads(struct vsock_fixture *f, int fd, const char *text);

/* Fills the socket and the credit of a connection nobody reads. */
void vf_stall(struct vsock_fixture *f, uint32_t guest_port, uint32_t alloc);

struct vsock_counters vf_counters(struct vsock_fixture *f);

#endif
