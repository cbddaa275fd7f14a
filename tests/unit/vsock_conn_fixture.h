/* tests/unit/vsock_conn_fixture.h - one stream, the guest's packets on one side
 * and a socket on the other. */
#ifndef TESTS_UNIT_VSOCK_CONN_FIXTURE_H
#define TESTS_UNIT_VSOCK_CONN_FIXTURE_H

#include "tests/unit/unit.h"

#include "devices/virtio/vsock_conn.h"

enum { ALLOC = 64 << 10, HOST_PORT = 80, GUEST_PORT = 1025 };

struct conn_fixture {
	struct vsock_conn c;
	int host;	   /* the other end of the socket */
	uint32_t sent;	   /* by the guest */
	uint32_t got;	   /* by the guest */
	uint32_t has_room; /* the guest's buf_alloc */
};

int cf_setup(void **state);
int cf_teardown(void **state);
struct vsock_pkt cf_packet(struct conn_fixture *f, uint16_t op);
/* A packet without. */
enum vsock_conn_result cf_say(struct conn_fixture *f, uint16_t op,
			      uint32_t flags);
/* A packet with data. */
enum vsock_conn_result cf_give(struct conn_fixture *f, const void *data,
			       size_t len);
/* The next packet to the guest is @op. */
struct vsock_pkt cf_expect(struct conn_fixture *f, uint16_t op);
void cf_expect_none(struct conn_fixture *f);
/* What epoll would say now. */
void cf_event(struct conn_fixture *f);
/* What the guest receives, as much as it may. */
size_t cf_take(struct conn_fixture *f, void *buf, size_t len);
/* A socket for the connection; the host's end is f->host. */
int cf_pair(struct conn_fixture *f);
/* The guest asks for a connection. */
void cf_begin(struct conn_fixture *f, uint32_t alloc);
/* An open connection that the guest began. */
void cf_open_conn(struct conn_fixture *f, uint32_t alloc);
void cf_assert_host_reads(struct conn_fixture *f, const char *text);
/* Give until the socket is full: the host does not read. */
size_t cf_stall(struct conn_fixture *f);
/* The host reads all there is; returns how much. */
size_t cf_drain_host(struct conn_fixture *f);

#endif
