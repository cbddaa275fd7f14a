/* vmm/net_open.c - one way to open each kind of --net. */
#include "vmm/net_open.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices/virtio/net_passt.h"
#include "devices/virtio/net_tap.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/config_devices.h"
#include "vmm/net_tap_open.h"
#include "vmm/net_user.h"

/* What a MAC is derived from (net_open.h). */
struct origin {
	const char *kind;
	char name[sizeof(((struct sockaddr_un *)0)->sun_path)];
};

/* --- sockets ------------------------------------------------------------ */

static int connect_failed(const char *path, int e, struct err *err)
{
	const char *hint = "";

	if (e == ENOENT || e == ECONNREFUSED)
		hint = "; start passt first: passt --socket PATH";
	return err_set_kind(err,
			    e == EACCES || e == EPERM ? ERR_PERM : ERR_HOST, -e,
			    "--net: passt=%s: %s%s", path, strerror(e), hint);
}

static int open_passt(const struct net_config *c, struct net_host *h,
		      struct err *err)
{
	struct sockaddr_un a = {.sun_family = AF_UNIX};
	AUTO(fd_closep) int fd = -1;

	if (strlen(c->passt) >= sizeof(a.sun_path))
		return err_set_kind(err, ERR_USAGE, -ENAMETOOLONG,
				    "--net: passt=%s: a socket path has at "
				    "most %zu bytes",
				    c->passt, sizeof(a.sun_path) - 1);
	memcpy(a.sun_path, c->passt, strlen(c->passt) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) < 0)
		return connect_failed(c->passt, errno, err);
	h->kind = NET_HOST_STREAM;
	h->fds[0] = TAKE_FD(fd);
	h->n_fds = 1;
	return 0;
}

static bool is_connected_stream(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof(int), peer_len = sizeof(peer);
	int type;

	return !getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) &&
	       type == SOCK_STREAM &&
	       !getpeername(fd, (struct sockaddr *)&peer, &peer_len);
}

static int open_fd(const struct net_config *c, struct net_host *h,
		   struct origin *o, struct err *err)
{
	int fd = (int)c->fd, flags = fcntl(fd, F_GETFL), r;

	if (flags < 0)
		return err_set_kind(err, ERR_USAGE, -EBADF,
				    "--net: fd=%d is not open; who starts "
				    "coffer has to leave it open",
				    fd);
	r = net_tap_adopt(fd, h, o->name, err);
	if (r < 0)
		return r;
	if (!r && !is_connected_stream(fd))
		return err_set_kind(err, ERR_USAGE, -ENOTSOCK,
				    "--net: fd=%d is neither a tap nor a "
				    "connected stream socket",
				    fd);
	if (fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
	    fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return err_set_kind(err, ERR_HOST, -errno, "--net: fd=%d: %s",
				    fd, strerror(errno));
	h->kind = r ? NET_HOST_TAP : NET_HOST_STREAM;
	o->kind = r ? "tap" : "fd"; /* a tap is the same one by its name */
	h->fds[0] = fd;
	h->n_fds = 1;
	return 0;
}

static int open_user(const struct net_config *c, const struct net_open_opts *o,
		     struct net_host *h, struct err *err)
{
	struct net_user_params p = {
		.program = o->passt,
		.forwards = o->forwards,
		.n_forwards = o->n_forwards,
		.mtu = (uint16_t)c->mtu,
	};
	int r;

	memcpy(p.mac, h->mac, sizeof(p.mac));
	r = net_user_start(&p, &h->child, &h->fds[0], err);
	if (r < 0)
		return r;
	h->kind = NET_HOST_STREAM;
	h->n_fds = 1;
	return 0;
}

/* --- the guest's address ------------------------------------------------ */

/* FNV-1a, 64 bits; each text with its final zero, so that they do not run
 * into one another. */
static uint64_t hash(uint64_t h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		h = (h ^ p[i]) * UINT64_C(0x100000001b3);
	return h;
}

void net_mac_derive(const char *machine_id, const uint8_t *uuid,
		    const char *kind, const char *name, unsigned int index,
		    uint8_t ret[static 6])
{
	static const uint8_t no_uuid[16];
	uint8_t number[4] = {(uint8_t)index, (uint8_t)(index >> 8),
			     (uint8_t)(index >> 16), (uint8_t)(index >> 24)};
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	h = hash(h, machine_id, strlen(machine_id) + 1);
	h = hash(h, uuid ? uuid : no_uuid, sizeof(no_uuid));
	h = hash(h, kind, strlen(kind) + 1);
	h = hash(h, name, strlen(name) + 1);
	h = hash(h, number, sizeof(number));
	h ^= h >> 32; /* the last bytes have not reached the high bits' ends */
	for (size_t i = 0; i < 6; i++)
		ret[i] = (uint8_t)(h >> (8 * i));
	/* locally administered, of one host (IEEE 802, 8.2) */
	ret[0] = (uint8_t)((ret[0] & 0xfc) | 0x02);
}

/* "" on a host that has none. */
static void read_machine_id(char *buf, size_t size)
{
	AUTO(fd_closep) int fd = open("/etc/machine-id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n < 0 ? 0 : n] = 0;
}

static void choose_mac(const struct net_config *c,
		       const struct net_open_opts *o, const struct origin *from,
		       struct net_host *h)
{
	char id[64] = "";

	if (c->mac.given) {
		memcpy(h->mac, c->mac.bytes, sizeof(h->mac));
		return;
	}
	read_machine_id(id, sizeof(id));
	net_mac_derive(id, o->uuid, from->kind, from->name, o->index, h->mac);
}

/* --- all kinds ---------------------------------------------------------- */

static int open_kind(const struct net_config *c, const struct net_open_opts *o,
		     struct origin *from, struct net_host *h, struct err *err)
{
	if (c->tap) {
		from->kind = "tap";
		snprintf(from->name, sizeof(from->name), "%s", c->tap);
		return net_tap_open(c->tap, (unsigned int)c->queues, h, err);
	}
	if (c->passt) {
		from->kind = "passt";
		snprintf(from->name, sizeof(from->name), "%s", c->passt);
		return open_passt(c, h, err);
	}
	if (c->user) {
		/* passt is told the address at its start */
		from->kind = "user";
		choose_mac(c, o, from, h);
		return open_user(c, o, h, err);
	}
	return open_fd(c, h, from, err);
}

int net_open(const struct net_config *c, const struct net_open_opts *o,
	     struct net_host *ret, struct err *err)
{
	struct origin from = {0};
	struct net_host h;
	int r;

	assert(c->mtu <= UINT16_MAX && c->queues && c->queues <= NET_PAIRS_MAX);
	net_host_init(&h);
	r = open_kind(c, o, &from, &h, err);
	if (r < 0) {
		net_host_close(&h);
		return r;
	}
	choose_mac(c, o, &from, &h);
	if (c->mtu)
		h.mtu = (uint16_t)c->mtu;
	*ret = h;
	return 0;
}

void net_host_init(struct net_host *h)
{
	*h = (struct net_host){0};
	for (size_t i = 0; i < NET_PAIRS_MAX; i++)
		h->fds[i] = -1;
}

void net_host_close(struct net_host *h)
{
	for (size_t i = 0; i < NET_PAIRS_MAX; i++)
		fd_closep(&h->fds[i]);
	net_user_destroy(h->child);
	net_host_init(h);
}

int net_host_backend(struct net_host *h, struct net_backend **ret,
		     struct err *err)
{
	struct net_tap_params p = {
		.fds = h->fds,
		.n_fds = h->n_fds,
		.vnet_hdr = h->vnet_hdr,
		.offloads = h->offloads,
	};
	int r;

	if (h->kind == NET_HOST_TAP)
		r = net_tap_create(&p, ret, err);
	else
		r = net_passt_create(h->fds[0], ret, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < NET_PAIRS_MAX; i++)
		h->fds[i] = -1;
	h->n_fds = 0;
	return 0;
}
