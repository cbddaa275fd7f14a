/* vmm/net_tap_open.h - attaching to a tap, and what can be done with it. */
#ifndef VMM_NET_TAP_OPEN_H
#define VMM_NET_TAP_OPEN_H

#include <stdbool.h>
#include <stdint.h>

struct err;
struct net_host;

/*
 * Attach to @n_queues queues of the tap @name: fills kind, fds, n_fds,
 * vnet_hdr, offloads and mtu of @h. It is never created.
 * -EINVAL      not a name; with ERR_HOST: not a tap, or one queue only
 * -ENODEV      there is no such interface
 * -EPERM       it belongs to another user
 * -EBUSY       another process has it
 * or the errno of opening /dev/net/tun
 */
int net_tap_open(const char *name, unsigned int n_queues, struct net_host *h,
		 struct err *err);

/*
 * Is @fd (borrowed) a tap, attached by somebody else? 1: yes; fills vnet_hdr,
 * offloads and mtu of @h, and its name (IFNAMSIZ). 0: it is something else.
 * -EINVAL      a tun, or one that puts its own header in front of frames
 * -EBADFD      /dev/net/tun, attached to no interface
 */
int net_tap_adopt(int fd, struct net_host *h, char *ret_name, struct err *err);

#endif
