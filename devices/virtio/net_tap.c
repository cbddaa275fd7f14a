/* devices/virtio/net_tap.c - one writev or readv per frame. */
#include "devices/virtio/net_tap.h"

#include <assert.h>
#include <errno.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "devices/virtio/net_backend.h"
#include "vmm/base/err.h"

/* So that our bits can be handed to the kernel as they are. */
static_assert(
	(int)NET_OFFLOAD_CSUM == TUN_F_CSUM &&
		(int)NET_OFFLOAD_TSO4 == TUN_F_TSO4 &&
		(int)NET_OFFLOAD_TSO6 == TUN_F_TSO6 &&
		(int)NET_OFFLOAD_ECN == TUN_F_TSO_ECN &&
		(int)NET_OFFLOAD_UFO == TUN_F_UFO,
	"TUN_F_USO4 and USO6, 0x20 and 0x40, are newer than some headers");

struct net_tap {
	struct net_backend b;
	int fds[NET_PAIRS_MAX];
	bool vnet_hdr;
};

static struct net_tap *to_tap(struct net_backend *b)
{
	return container_of(b, struct net_tap, b);
}

static int tap_fd(const struct net_backend *b, unsigned int queue)
{
	return container_of(b, const struct net_tap, b)->fds[queue];
}

/* The interface was deleted, or this queue taken from it. */
static bool is_fatal(int e)
{
	return e == EBADFD || e == ENODEV || e == EBADF;
}

static int tap_send(struct net_backend *b, unsigned int queue,
		    const struct net_frame *f, size_t n)
{
	struct net_tap *t = to_tap(b);
	size_t skip = t->vnet_hdr ? 0 : 1, i = 0;

	while (i < n) {
		const struct iovec *iov = f[i].iov + skip;

		if (writev(t->fds[queue], iov, (int)(f[i].n_iov - skip)) < 0) {
			if (errno == EINTR)
				continue;
			if (errno == EAGAIN)
				break;
			if (is_fatal(errno))
				return -errno;
			/* down (EIO), a lying header (EINVAL), no memory: as
			   on any network, a frame can be lost */
			atomic_fetch_add_explicit(&b->refused, 1,
						  memory_order_relaxed);
		}
		i++;
	}
	return (int)i;
}

static bool tap_wants_write(const struct net_backend *b, unsigned int queue)
{
	(void)b;
	(void)queue;
	return false;
}

static ssize_t tap_recv(struct net_backend *b, unsigned int queue,
			const struct iovec *iov, size_t n)
{
	struct net_tap *t = to_tap(b);
	size_t skip = t->vnet_hdr ? 0 : 1;
	ssize_t r = readv(t->fds[queue], iov + skip, (int)(n - skip));

	if (r < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (r < 0)
		return is_fatal(errno) ? -errno : 0;
	if (skip) {
		memset(iov[0].iov_base, 0, NET_HDR_LEN);
		return r;
	}
	return r < NET_HDR_LEN ? 0 : r - NET_HDR_LEN;
}

static int tap_set_offloads(struct net_backend *b, uint32_t offloads)
{
	struct net_tap *t = to_tap(b);

	/* of the interface, whichever queue it is asked through */
	if (ioctl(t->fds[0], TUNSETOFFLOAD, (unsigned long)offloads) < 0)
		return -errno;
	return 0;
}

static int attach(int fd, bool on)
{
	struct ifreq ifr = {0};

	ifr.ifr_flags = on ? IFF_ATTACH_QUEUE : IFF_DETACH_QUEUE;
	if (!ioctl(fd, TUNSETQUEUE, &ifr))
		return 0;
	return errno == EINVAL ? 0 : -errno; /* it is so already */
}

/*
 * A queue nobody reads must go, or the kernel goes on spreading to it. Each is
 * told, because the guest before this one may have left it either way.
 */
static int tap_set_queues(struct net_backend *b, unsigned int n)
{
	struct net_tap *t = to_tap(b);
	int r = 0;

	for (unsigned int i = 1; i < b->n_queues && !r; i++)
		r = attach(t->fds[i], i < n);
	return r;
}

static void tap_destroy(struct net_backend *b)
{
	struct net_tap *t = to_tap(b);

	for (unsigned int i = 0; i < b->n_queues; i++)
		close(t->fds[i]);
	free(t);
}

static const struct net_backend_ops plain_ops = {
	.fd = tap_fd,
	.send = tap_send,
	.wants_write = tap_wants_write,
	.recv = tap_recv,
	.set_queues = tap_set_queues,
	.destroy = tap_destroy,
};

static const struct net_backend_ops vnet_ops = {
	.fd = tap_fd,
	.send = tap_send,
	.wants_write = tap_wants_write,
	.recv = tap_recv,
	.set_offloads = tap_set_offloads,
	.set_queues = tap_set_queues,
	.destroy = tap_destroy,
};

int net_tap_create(const struct net_tap_params *p, struct net_backend **ret,
		   struct err *err)
{
	struct net_tap *t;

	if (!p->n_fds || p->n_fds > NET_PAIRS_MAX ||
	    (p->offloads && !p->vnet_hdr))
		return err_set(err, -EINVAL,
			       "tap: %u queues of at most %d, offloads %#x "
			       "%s header",
			       p->n_fds, NET_PAIRS_MAX, p->offloads,
			       p->vnet_hdr ? "with" : "without");
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(t->fds, p->fds, p->n_fds * sizeof(t->fds[0]));
	t->vnet_hdr = p->vnet_hdr;
	t->b.ops = p->vnet_hdr ? &vnet_ops : &plain_ops;
	t->b.n_queues = p->n_fds;
	t->b.offloads = p->offloads;
	*ret = &t->b;
	return 0;
}
