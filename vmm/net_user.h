/*
 * vmm/net_user.h - `--net user`: a passt(1) of our own, which translates the
 * guest's frames into ordinary sockets, so that no privilege is needed.
 *
 * It is a child that holds the other end of a socket pair. When the last
 * descriptor of our end is closed, for whatever reason, it ends by itself.
 */
#ifndef VMM_NET_USER_H
#define VMM_NET_USER_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct net_forward;
struct net_user; /* opaque */

struct net_user_params {
	const char *program; /* NULL: "passt", found by PATH */
	const struct net_forward *forwards;
	size_t n_forwards;
	uint8_t mac[6];		 /* of the guest */
	uint16_t mtu;		 /* passt tells it by DHCP too; 0: no */
	unsigned int timeout_ms; /* for it to be ready; 0: 10000 */
};

/*
 * Start passt, and wait until it serves its socket, the forwarded ports being
 * bound. *ret_fd is the connected, non-blocking end for net_passt_create().
 * From a process without other threads. Messages carry what passt said.
 * -ENOENT      it is not installed
 * -EADDRINUSE  a port to be forwarded is taken, -EACCES, -EADDRNOTAVAIL: or
 *              cannot be had (passt itself would go on without it)
 * -EPIPE       it ended: no route, no user namespaces, ...
 * -ETIMEDOUT   it does not serve
 * or the errno of socketpair(2), fork(2), ...; ERR_HOST
 */
int net_user_start(const struct net_user_params *p, struct net_user **ret,
		   int *ret_fd, struct err *err);
/* Ends passt and reaps it. NULL is fine. */
void net_user_destroy(struct net_user *u);
DEFINE_CLEANUP(struct net_user, net_user_destroy)

/* A descriptor that is readable (EPOLLIN) once passt has ended. */
int net_user_pidfd(const struct net_user *u);
/*
 * After that: how it ended and what it said last, as a message. -EPIPE, or 0
 * while it runs.
 */
int net_user_result(struct net_user *u, struct err *err);

#endif
