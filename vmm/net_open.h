/*
 * vmm/net_open.h - turns --net into descriptors: the step that may open paths
 * and start programs. What it makes can be passed to another process as it is:
 * plain data and descriptors (but for the child of `user`, which stays).
 */
#ifndef VMM_NET_OPEN_H
#define VMM_NET_OPEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/net_backend.h"

struct err;
struct net_config;
struct net_forward;
struct net_user;

enum net_host_kind { NET_HOST_TAP, NET_HOST_STREAM };

struct net_host {
	enum net_host_kind kind;
	int fds[NET_PAIRS_MAX]; /* owned, close-on-exec, non-blocking */
	unsigned int n_fds;
	bool vnet_hdr;	   /* tap: frames have a header of NET_HDR_LEN */
	uint32_t offloads; /* net_offload bits */
	uint8_t mac[6];
	uint16_t mtu;		/* to tell the guest; 0: nothing */
	struct net_user *child; /* passt of `user`, or NULL; owned */
};

struct net_open_opts {
	unsigned int index;  /* of this --net; different for each of a VM */
	const uint8_t *uuid; /* of the VM, 16 bytes, or NULL */
	const struct net_forward *forwards; /* `user` only */
	size_t n_forwards;
	const char *passt; /* program of `user`; NULL: the one in PATH */
};

/*
 * Open what @c asks for. *ret is owned by the caller: net_host_close().
 *
 * tap=NAME     an existing tap of this network namespace: it is never created
 *              here, for a tap that nobody configured leads nowhere, and goes
 *              away with us. Its MTU is told to the guest unless it is 1500.
 * fd=N         a tap or macvtap if TUNGETIFF says so, else a connected stream
 *              socket to something that speaks as passt does. It is taken
 *              over, and used as it was set up: without IFF_VNET_HDR there are
 *              no offloads.
 * passt=SOCKET the unix socket of a running passt
 * user         a passt of our own
 *
 * The guest's MAC, when none is given, is a locally administered one made from
 * the host's machine-id, the VM's UUID, the kind and name of the network, and
 * the index: the same at every start of the same VM on the same host, another
 * one for another tap or host. Two VMs without UUID may have the same on
 * networks without a name (user, fd of a socket), which they do not share.
 *
 * -EINVAL with ERR_USAGE, or errors of ERR_HOST and ERR_PERM; the message
 * begins with "--net: " and says what to do.
 */
int net_open(const struct net_config *c, const struct net_open_opts *o,
	     struct net_host *ret, struct err *err);
/* Close and end what is left. Fine after a failed or missing net_open(). */
void net_host_close(struct net_host *h);
/* "Nothing is open": what a net_host must be initialised with. */
void net_host_init(struct net_host *h);

/*
 * The backend over the descriptors, which it takes over on success. Opens
 * nothing. -ENOMEM.
 */
int net_host_backend(struct net_host *h, struct net_backend **ret,
		     struct err *err);

/* The MAC described above. @name: what the network is called, or "". */
void net_mac_derive(const char *machine_id, const uint8_t *uuid,
		    const char *kind, const char *name, unsigned int index,
		    uint8_t ret[static 6]);

#endif
