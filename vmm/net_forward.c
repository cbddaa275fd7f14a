/* vmm/net_forward.c - a forwarded port, from text to a socket address. */
#include "vmm/net_forward.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

static int refuse(const char *text, const char *why, struct err *err)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL,
			    "'%.64s': %s (try 8080:80, 53:53/udp or "
			    "127.0.0.1:2222:22)",
			    text, why);
}

/* 1..65535 in decimal, up to *end; false otherwise. */
static bool parse_port(const char *from, const char *end, uint16_t *ret)
{
	unsigned long v = 0;

	if (from == end || end - from > 5)
		return false;
	for (; from < end; from++) {
		if (!isdigit((unsigned char)*from))
			return false;
		v = v * 10 + (unsigned long)(*from - '0');
	}
	if (!v || v > 65535)
		return false;
	*ret = (uint16_t)v;
	return true;
}

/* The canonical form of the address in [from, end), brackets taken off. */
static bool parse_address(const char *from, const char *end, char *ret)
{
	char text[INET6_ADDRSTRLEN] = "";
	unsigned char bytes[sizeof(struct in6_addr)];
	int family = AF_INET;

	if (end - from > 2 && *from == '[' && end[-1] == ']') {
		family = AF_INET6;
		from++;
		end--;
	}
	if ((size_t)(end - from) >= sizeof(text))
		return false;
	memcpy(text, from, (size_t)(end - from));
	return inet_pton(family, text, bytes) == 1 &&
	       inet_ntop(family, bytes, ret, INET6_ADDRSTRLEN);
}

int net_forward_parse(const char *text, struct net_forward *ret,
		      struct err *err)
{
	struct net_forward f = {0};
	const char *slash = strrchr(text, '/');
	const char *end = slash ? slash : text + strlen(text);
	const char *guest, *host;

	if (slash && strcmp(slash, "/tcp") != 0 && strcmp(slash, "/udp") != 0)
		return refuse(text, "after '/' comes tcp or udp", err);
	f.udp = slash && !strcmp(slash, "/udp");
	guest = memrchr(text, ':', (size_t)(end - text));
	if (!guest)
		return refuse(text, "HOST:GUEST, two ports, are needed", err);
	host = memrchr(text, ':', (size_t)(guest - text));
	if (!parse_port(host ? host + 1 : text, guest, &f.host) ||
	    !parse_port(guest + 1, end, &f.guest))
		return refuse(text, "a port is a number, 1 to 65535", err);
	if (host && !parse_address(text, host, f.address))
		return refuse(text,
			      "before the ports comes an IPv4 address, or an "
			      "IPv6 address in brackets",
			      err);
	*ret = f;
	return 0;
}

/* --- probing ------------------------------------------------------------ */

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static socklen_t fill(const struct net_forward *f, int family, union address *a)
{
	memset(a, 0, sizeof(*a));
	a->sa.sa_family = (sa_family_t)family;
	if (family == AF_INET) {
		a->in.sin_port = htons(f->host);
		inet_pton(family, f->address, &a->in.sin_addr);
		return sizeof(a->in);
	}
	a->in6.sin6_port = htons(f->host);
	inet_pton(family, f->address, &a->in6.sin6_addr);
	return sizeof(a->in6);
}

static int probe(const struct net_forward *f, int family)
{
	AUTO(fd_closep) int fd = -1;
	int type = f->udp ? SOCK_DGRAM : SOCK_STREAM, on = 1;
	union address a;
	socklen_t len = fill(f, family, &a);

	fd = socket(family, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	/* connections that have ended do not hold a port for a listener */
	if (!f->udp)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	return bind(fd, &a.sa, len) < 0 ? -errno : 0;
}

int net_forward_probe(const struct net_forward *f)
{
	int r4, r6;

	if (*f->address)
		return probe(f, strchr(f->address, ':') ? AF_INET6 : AF_INET);
	r4 = probe(f, AF_INET);
	r6 = probe(f, AF_INET6);
	if (r4 == -EADDRINUSE || r6 == -EADDRINUSE)
		return -EADDRINUSE;
	/* one of the two may not exist on this host */
	return r4 && r6 ? r4 : 0;
}
