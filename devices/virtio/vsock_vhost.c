/* devices/virtio/vsock_vhost.c - gives the queues to the kernel, and takes them
 * back. */
#include "devices/virtio/vsock_vhost.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "devices/virtio/virtio_dev.h"
#include "devices/virtio/vsock.h"
#include "devices/virtio/vsock_pkt.h"
#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

/* Last: it has macros with the names of our constants. */
#include <linux/vhost.h>

enum {
	CONFIG_LEN = 8, /* virtio 1.2, 5.10.4: guest_cid */
	RING_SIZE = 256,
	EVENT_RING_SIZE = 16,
	KERNEL_QUEUES = 2, /* the event queue stays here, and silent */
	PCI_CLASS_OTHER_COMMUNICATION = 0x078000,
};

/* What the transport negotiates about rings, the kernel has to speak as well.
 */
#define RING_FEATURES                                                          \
	(BIT64(VIRTIO_F_VERSION_1) | BIT64(VIRTIO_F_INDIRECT_DESC) |           \
	 BIT64(VIRTIO_F_EVENT_IDX))

struct vsock_vhost {
	struct virtio_dev dev;
	uint64_t guest_cid;
	int fd;
	struct dma_view *view;
	int (*ioctl)(int fd, unsigned long req, void *arg);
};

static int real_ioctl(int fd, unsigned long req, void *arg)
{
	return ioctl(fd, req, arg) < 0 ? -errno : 0;
}

static int call(struct vsock_vhost *v, unsigned long req, void *arg)
{
	return v->ioctl(v->fd, req, arg);
}

static struct vsock_vhost *vhost_of(struct virtio_dev *dev)
{
	return container_of(dev, struct vsock_vhost, dev);
}

/* --- starting and stopping --------------------------------------------------
 */

/* Where the kernel finds [gpa, gpa + len) in this process. */
static int host_address(struct vsock_vhost *v, gpa_t gpa, uint64_t len,
			bool write, uint64_t *ret)
{
	struct iovec iov;
	size_t n = 0;
	int r = dma_view_map(v->view, gpa, len, write, &iov, 1, &n);

	if (r < 0)
		return r;
	*ret = (uintptr_t)iov.iov_base;
	return 0;
}

/* The three areas of a split queue (virtio 1.2, 2.7). */
static int set_addresses(struct vsock_vhost *v, unsigned int index,
			 const struct virtq_layout *l)
{
	struct vhost_vring_addr a = {.index = index};
	uint64_t addr;
	int r;

	r = host_address(v, l->desc, 16ull * l->size, false, &addr);
	if (r < 0)
		return r;
	a.desc_user_addr = addr;
	r = host_address(v, l->driver, 6 + 2ull * l->size, false, &addr);
	if (r < 0)
		return r;
	a.avail_user_addr = addr;
	r = host_address(v, l->device, 6 + 8ull * l->size, true, &addr);
	if (r < 0)
		return r;
	a.used_user_addr = addr;
	return call(v, VHOST_SET_VRING_ADDR, &a);
}

/* @fd -1: none. */
static int set_fd(struct vsock_vhost *v, unsigned long req, unsigned int index,
		  int fd)
{
	struct vhost_vring_file f = {.index = index, .fd = fd};

	return call(v, req, &f);
}

static int start_queue(struct vsock_vhost *v, unsigned int index)
{
	struct virtio_host *host = v->dev.host;
	struct vhost_vring_state num = {.index = index},
				 base = {.index = index};
	struct virtio_kernel_queue q;
	int r;

	if (!host->ops->queue_to_kernel)
		return -ENOTSUP;
	r = host->ops->queue_to_kernel(host, index, &q);
	if (r < 0)
		return r;
	num.num = q.layout.size;
	r = call(v, VHOST_SET_VRING_NUM, &num);
	if (!r)
		r = call(v, VHOST_SET_VRING_BASE, &base);
	if (!r)
		r = set_addresses(v, index, &q.layout);
	if (!r)
		r = set_fd(v, VHOST_SET_VRING_CALL, index, q.call_fd);
	if (!r)
		r = set_fd(v, VHOST_SET_VRING_KICK, index, q.kick_fd);
	return r;
}

static int set_running(struct vsock_vhost *v, int on)
{
	return call(v, VHOST_VSOCK_SET_RUNNING, &on);
}

static int start(struct vsock_vhost *v)
{
	/*
	 * ACCESS_PLATFORM would make the kernel ask for each address; a plain
	 * guest's addresses are those of the memory table.
	 */
	uint64_t features = v->dev.features & RING_FEATURES;
	int r = call(v, VHOST_SET_FEATURES, &features);

	for (unsigned int i = 0; !r && i < KERNEL_QUEUES; i++)
		r = start_queue(v, i);
	return r < 0 ? r : set_running(v, 1);
}

static void stop(struct vsock_vhost *v)
{
	set_running(v, 0);
	/* Nor may it hold on to descriptors that are the transport's. */
	for (unsigned int i = 0; i < KERNEL_QUEUES; i++) {
		set_fd(v, VHOST_SET_VRING_KICK, i, VHOST_FILE_UNBIND);
		set_fd(v, VHOST_SET_VRING_CALL, i, VHOST_FILE_UNBIND);
	}
}

/* --- the transport's calls --------------------------------------------------
 */

static void vhost_activate(struct virtio_dev *dev)
{
	struct vsock_vhost *v = vhost_of(dev);

	if (start(v) < 0) {
		stop(v);
		dev->host->ops->needs_reset(dev->host);
	}
}

static void vhost_reset(struct virtio_dev *dev)
{
	stop(vhost_of(dev));
	dev->host->ops->reset_done(dev->host);
}

static int vhost_kick(struct virtio_dev *dev, unsigned int queue)
{
	(void)dev;
	(void)queue; /* events: connections never outlive the guest here */
	return 0;
}

static void vhost_config_read(struct virtio_dev *dev, uint32_t off, void *buf,
			      size_t len)
{
	uint8_t config[CONFIG_LEN];

	store_le64(config, vhost_of(dev)->guest_cid);
	memcpy(buf, config + off, len);
}

static const struct virtio_dev_ops vhost_ops = {
	.activate = vhost_activate,
	.reset = vhost_reset,
	.kick = vhost_kick,
	.config_read = vhost_config_read,
};

/* --- life -------------------------------------------------------------------
 */

static int set_memory(struct vsock_vhost *v, const struct guest_mem *mem)
{
	size_t n = guest_mem_n_regions(mem);
	AUTO(freep)
	struct vhost_memory *m =
		calloc(1, sizeof(*m) + n * sizeof(m->regions[0]));

	if (!m)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const struct guest_mem_region *r = guest_mem_region(mem, i);

		if (r->type != GUEST_MEM_RAM)
			continue;
		m->regions[m->nregions++] = (struct vhost_memory_region){
			.guest_phys_addr = r->base,
			.memory_size = r->len,
			.userspace_addr = (uintptr_t)r->hva,
		};
	}
	return call(v, VHOST_SET_MEM_TABLE, m);
}

static int set_up(struct vsock_vhost *v, const struct guest_mem *mem,
		  struct err *err)
{
	uint64_t features = 0;
	int r = call(v, VHOST_SET_OWNER, NULL);

	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "vhost-vsock: VHOST_SET_OWNER: %s",
				    strerror(-r));
	r = call(v, VHOST_GET_FEATURES, &features);
	if (r < 0 || (features & RING_FEATURES) != RING_FEATURES)
		return err_set_kind(err, ERR_HOST, r < 0 ? r : -ENOTSUP,
				    "vhost-vsock: the kernel offers features "
				    "0x%" PRIx64 ", 0x%" PRIx64 " are needed; "
				    "use path=SOCKET",
				    features, (uint64_t)RING_FEATURES);
	r = call(v, VHOST_VSOCK_SET_GUEST_CID, &v->guest_cid);
	if (r == -EADDRINUSE)
		return err_set_kind(err, ERR_USAGE, r,
				    "vhost-vsock: cid %" PRIu64 " belongs to "
				    "another VM; choose another one",
				    v->guest_cid);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "vhost-vsock: VHOST_VSOCK_SET_GUEST_CID: "
				    "%s",
				    strerror(-r));
	r = set_memory(v, mem);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "vhost-vsock: VHOST_SET_MEM_TABLE: %s",
				    strerror(-r));
	return 0;
}

int vsock_vhost_create(const struct vsock_vhost_params *p,
		       struct vsock_vhost **ret, struct err *err)
{
	AUTO(vsock_vhost_destroyp) struct vsock_vhost *v = NULL;
	int r;

	if (p->guest_cid < VSOCK_CID_MIN || p->guest_cid > VSOCK_CID_MAX)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "vsock: cid %" PRIu64 " is not within "
				    "%u..%u",
				    p->guest_cid, VSOCK_CID_MIN, VSOCK_CID_MAX);
	v = calloc(1, sizeof(*v));
	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	v->dev = (struct virtio_dev){
		.ops = &vhost_ops,
		.name = p->name,
		.type = VIRTIO_ID_VSOCK,
		.pci_class = PCI_CLASS_OTHER_COMMUNICATION,
		.config_len = CONFIG_LEN,
		.n_queues = VSOCK_QUEUES,
		.queue_max = {RING_SIZE, RING_SIZE, EVENT_RING_SIZE},
		.thread = p->thread,
	};
	v->guest_cid = p->guest_cid;
	v->view = p->view;
	v->ioctl = p->ioctl ? p->ioctl : real_ioctl;
	v->fd = p->vhost_fd;
	r = set_up(v, p->mem, err);
	if (r < 0) {
		v->fd = -1; /* still the caller's */
		return r;
	}
	*ret = TAKE(v);
	return 0;
}

void vsock_vhost_destroy(struct vsock_vhost *v)
{
	if (!v)
		return;
	fd_closep(&v->fd); /* the kernel stops */
	free(v);
}

struct virtio_dev *vsock_vhost_virtio_dev(struct vsock_vhost *v)
{
	return &v->dev;
}
