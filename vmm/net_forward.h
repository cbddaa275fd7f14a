/* vmm/net_forward.h - `--publish [ADDRESS:]HOST:GUEST[/tcp|/udp]`. */
#ifndef VMM_NET_FORWARD_H
#define VMM_NET_FORWARD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct err;

struct net_forward {
	char address[INET6_ADDRSTRLEN]; /* canonical; "": all of the host's */
	uint16_t host, guest;		/* ports, not 0 */
	bool udp;
};

/*
 * Parse @text, for instance "8080:80", "53:5353/udp", "127.0.0.1:2222:22",
 * "[::1]:2222:22". -EINVAL with ERR_USAGE; the message quotes @text.
 */
int net_forward_parse(const char *text, struct net_forward *ret,
		      struct err *err);

/*
 * Could somebody listen on the host's port now?
 * 0            yes
 * -EADDRINUSE  somebody does already, on one of the addresses
 * or what else bind(2) says: -EACCES, -EADDRNOTAVAIL
 */
int net_forward_probe(const struct net_forward *f);

#endif
