/*
 * vmm/vsock_host.h - the host's end of virtio-vsock: unix sockets, in the
 * convention of Firecracker and Cloud Hypervisor.
 *
 *   host to guest  a client connects to PATH, sends "CONNECT <port>\n", and
 *                  reads "OK <port>\n" when the guest has accepted; otherwise
 *                  it is closed. What follows the line is the stream.
 *   guest to host  a connection to CID 2, port P, arrives at the socket PATH_P.
 *
 * This is the side that may use paths. It runs in a loop, never blocks, and
 * hands connected descriptors to the device (devices/virtio/vsock_broker.h).
 */
#ifndef VMM_VSOCK_HOST_H
#define VMM_VSOCK_HOST_H

#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct loop;
struct vsock_host; /* opaque */

enum {
	VSOCK_HOST_CLIENTS_MAX = 256, /* that have not finished their line */
	VSOCK_HOST_LINE_MAX = 32,     /* bytes of "CONNECT <port>\n" */
	VSOCK_HOST_LINE_SECONDS = 5,  /* for a client to send it */
	VSOCK_HOST_DIALS_MAX = 4096,  /* connections to PATH_P being made */
	VSOCK_HOST_DIAL_SECONDS = 5,  /* while the listener's backlog is full */
	VSOCK_HOST_PATH_MAX = 96, /* bytes of PATH: "_4294967294" must fit */
};

struct vsock_host_params {
	const char *path;     /* copied */
	struct loop *loop;    /* borrowed */
	int channel;	      /* to the device; taken over on success */
	unsigned int tick_ms; /* how often waiting is looked at; 0: 50 */
};

/* Since creation. */
struct vsock_host_counters {
	uint64_t clients;	/* that connected to PATH */
	uint64_t bad_clients;	/* bad line, none in time, gone early */
	uint64_t offered;	/* handed to the device */
	uint64_t dialled;	/* connections to PATH_P that were made */
	uint64_t dials_refused; /* and that were not */
};

/*
 * Listen on PATH. Messages name the path and what to do.
 * -ENAMETOOLONG  longer than VSOCK_HOST_PATH_MAX
 * -EADDRINUSE    somebody listens there; a stale socket is replaced, a file of
 *                another kind is not
 * or the errno of socket(2), bind(2), epoll_ctl(2); -ENOMEM
 */
int vsock_host_create(const struct vsock_host_params *p,
		      struct vsock_host **ret, struct err *err);
/* Loop's thread, or after it. Removes PATH. NULL is fine. */
void vsock_host_destroy(struct vsock_host *h);
DEFINE_CLEANUP(struct vsock_host, vsock_host_destroy)

/* Loop's thread. */
void vsock_host_counters(const struct vsock_host *h,
			 struct vsock_host_counters *ret);

#endif
