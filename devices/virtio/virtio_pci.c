/* devices/virtio/virtio_pci.c - the PCI function in front of a device. */
#include "devices/virtio/virtio_pci.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>

#include "devices/pci/msix.h"
#include "devices/virtio/virtio_pci_impl.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/loop.h"

/*
 * One 64-bit BAR, a page for each structure. The doorbells have theirs alone:
 * what else is in it would be slow in KVM.
 */
enum {
	BAR = 0,
	BAR_COMMON = 0x0000,
	BAR_ISR = 0x1000,
	BAR_DEVICE = 0x2000,
	BAR_NOTIFY = 0x3000,
	BAR_MSIX = 0x4000,
	BAR_LEN = 0x8000,
	PAGE = 0x1000,
	NOTIFY_MULTIPLIER = 4, /* bytes between doorbells */
};

/* virtio 1.2, 4.1.4 "Virtio Structure PCI Capabilities" */
enum {
	CAP_COMMON_CFG = 1,
	CAP_NOTIFY_CFG = 2,
	CAP_ISR_CFG = 3,
	CAP_DEVICE_CFG = 4,
	CAP_PCI_CFG = 5,
	CAP_LEN = 16,
	CAP_LEN_MORE = 20, /* with a multiplier or data */
	CAP_OFF_LEN = 2,
	CAP_OFF_TYPE = 3,
	CAP_OFF_BAR = 4,
	CAP_OFF_OFFSET = 8,
	CAP_OFF_LENGTH = 12,
	CAP_OFF_MORE = 16,
};

/* virtio 1.2, 4.1.2 "PCI Device Discovery" */
enum {
	VIRTIO_VENDOR = 0x1af4,
	VIRTIO_DEVICE_BASE = 0x1040,
	VIRTIO_SUBSYSTEM = 0x1100,
	VIRTIO_REVISION = 1,
};

/* --- doorbells ---------------------------------------------------------- */

static gpa_t doorbell_wanted(const struct virtio_pci *v,
			     const struct vpci_queue *q)
{
	if (!v->p.doorbells || !v->bar_at || v->resetting ||
	    !(v->status & VIRTIO_STATUS_DRIVER_OK) || !q->enabled ||
	    q->resetting)
		return 0;
	return v->bar_at + BAR_NOTIFY + (gpa_t)q->index * NOTIFY_MULTIPLIER;
}

void vpci_update_doorbells(struct virtio_pci *v)
{
	struct doorbell_sink *s = v->p.doorbells;

	for (unsigned int i = 0; i < v->dev->n_queues; i++) {
		struct vpci_queue *q = &v->q[i];
		gpa_t at = doorbell_wanted(v, q);

		if (at == q->doorbell)
			continue;
		if (q->doorbell)
			s->ops->remove(s, q->doorbell, q->kick_fd);
		/* refused: then every kick is an exit */
		if (at && s->ops->add(s, at, q->kick_fd) < 0)
			at = 0;
		q->doorbell = at;
	}
}

static void remapped(struct pci_func *f)
{
	struct virtio_pci *v = container_of(f, struct virtio_pci, func);
	const struct pci_window *w = &f->window[BAR];

	pthread_mutex_lock(&v->lock);
	v->bar_at = w->mapped_len ? w->mapped_at : 0;
	vpci_update_doorbells(v);
	pthread_mutex_unlock(&v->lock);
}

/* A kick that was an exit. */
static void notify_write(struct virtio_pci *v, uint64_t off)
{
	uint64_t i = off / NOTIFY_MULTIPLIER, one = 1;
	ssize_t n;

	if (off % NOTIFY_MULTIPLIER || i >= v->dev->n_queues)
		return;
	/* fails only when 2^64 - 2 kicks are waiting, where one is enough */
	n = write(v->q[i].kick_fd, &one, sizeof(one));
	(void)n;
}

/* --- the device's configuration ----------------------------------------- */

/* Bytes past its end read as 0. */
static uint64_t config_read(struct virtio_pci *v, uint64_t off,
			    unsigned int width)
{
	uint8_t buf[8] = {0};
	uint64_t len = v->dev->config_len;

	if (off >= len)
		return 0;
	if (width > len - off)
		width = (unsigned int)(len - off);
	pthread_mutex_lock(&v->lock);
	v->dev->ops->config_read(v->dev, (uint32_t)off, buf, width);
	pthread_mutex_unlock(&v->lock);
	return load_le64(buf);
}

static void config_write(struct virtio_pci *v, uint64_t off, unsigned int width,
			 uint64_t val)
{
	uint8_t buf[8];

	if (!v->dev->ops->config_write ||
	    !range_within(off, width, v->dev->config_len))
		return;
	store_le64(buf, val);
	pthread_mutex_lock(&v->lock);
	/* what a reset would not undo is not done */
	if (v->status && !v->resetting)
		v->dev->ops->config_write(v->dev, (uint32_t)off, buf, width);
	pthread_mutex_unlock(&v->lock);
}

/* --- the BAR ------------------------------------------------------------ */

static bool in_msix(const struct virtio_pci *v, uint64_t off,
		    unsigned int width)
{
	return off >= BAR_MSIX &&
	       range_within(off - BAR_MSIX, width,
			    msix_block_len(v->dev->n_queues + 1));
}

static uint64_t bar_read(struct bus_dev *dev, uint64_t off, unsigned int width)
{
	struct virtio_pci *v = container_of(dev, struct virtio_pci, bar);
	struct bus_dev *table = msix_dev(v->msix);

	if (off < BAR_ISR)
		return vpci_common_read(v, off - BAR_COMMON, width);
	if (off < BAR_DEVICE) /* reading acknowledges */
		return off == BAR_ISR ? atomic_exchange(&v->isr, 0) : 0;
	if (off < BAR_NOTIFY)
		return config_read(v, off - BAR_DEVICE, width);
	if (in_msix(v, off, width))
		return table->ops->read(table, off - BAR_MSIX, width);
	return 0;
}

static void bar_write(struct bus_dev *dev, uint64_t off, unsigned int width,
		      uint64_t val)
{
	struct virtio_pci *v = container_of(dev, struct virtio_pci, bar);
	struct bus_dev *table = msix_dev(v->msix);

	if (off < BAR_ISR)
		vpci_common_write(v, off - BAR_COMMON, width, val);
	else if (off < BAR_DEVICE)
		; /* read-only */
	else if (off < BAR_NOTIFY)
		config_write(v, off - BAR_DEVICE, width, val);
	else if (off < BAR_MSIX)
		notify_write(v, off - BAR_NOTIFY);
	else if (in_msix(v, off, width))
		table->ops->write(table, off - BAR_MSIX, width, val);
}

static const struct bus_dev_ops bar_ops = {bar_read, bar_write};

/* --- the window in configuration space ---------------------------------- */

/*
 * Where the driver has pointed the PCI_CFG capability (4.1.4.9): false when
 * it may not be there.
 */
static bool cfg_window(const struct virtio_pci *v, uint32_t *ret_off,
		       unsigned int *ret_width)
{
	const struct pci_cfg *c = &v->func.cfg;
	uint32_t off = pci_cfg_get32(c, v->cfg_cap + CAP_OFF_OFFSET);
	uint32_t len = pci_cfg_get32(c, v->cfg_cap + CAP_OFF_LENGTH);

	if (pci_cfg_get8(c, v->cfg_cap + CAP_OFF_BAR) != BAR ||
	    (len != 1 && len != 2 && len != 4) || !is_aligned(off, len) ||
	    !range_within(off, len, BAR_LEN))
		return false;
	*ret_off = off;
	*ret_width = len;
	return true;
}

/* Does an access begin with the data of that capability? */
static bool at_cfg_data(const struct virtio_pci *v, unsigned int off)
{
	return off == v->cfg_cap + CAP_OFF_MORE;
}

static void cfg_reading(struct pci_func *f, unsigned int off,
			unsigned int width)
{
	struct virtio_pci *v = container_of(f, struct virtio_pci, func);
	unsigned int len;
	uint32_t at;

	(void)width;
	if (at_cfg_data(v, off) && cfg_window(v, &at, &len))
		pci_cfg_set32(&f->cfg, off,
			      (uint32_t)bar_read(&v->bar, at, len));
}

static void cfg_written(struct pci_func *f, unsigned int off,
			unsigned int width)
{
	struct virtio_pci *v = container_of(f, struct virtio_pci, func);
	bool master = pci_cfg_get16(&f->cfg, PCI_COMMAND) & PCI_COMMAND_MASTER;
	unsigned int len;
	uint32_t at;

	if (v->master && !master)
		vpci_lose_master(v);
	v->master = master;
	msix_cfg_written(v->msix, off, width);
	if (at_cfg_data(v, off) && cfg_window(v, &at, &len))
		bar_write(&v->bar, at, len, pci_cfg_get32(&f->cfg, off));
}

static const struct pci_func_ops func_ops = {
	.cfg_written = cfg_written,
	.cfg_reading = cfg_reading,
	.remapped = remapped,
};

/* --- set-up ------------------------------------------------------------- */

static int add_cap(struct virtio_pci *v, uint8_t type, uint32_t off,
		   uint32_t len, unsigned int cap_len)
{
	struct pci_cfg *c = &v->func.cfg;
	int cap = pci_cfg_add_cap(c, PCI_CAP_ID_VENDOR, cap_len);
	unsigned int at = (unsigned int)cap;

	assert(cap > 0); /* all of them together are 88 bytes */
	pci_cfg_set8(c, at + CAP_OFF_LEN, (uint8_t)cap_len);
	pci_cfg_set8(c, at + CAP_OFF_TYPE, type);
	pci_cfg_set8(c, at + CAP_OFF_BAR, BAR);
	pci_cfg_set32(c, at + CAP_OFF_OFFSET, off);
	pci_cfg_set32(c, at + CAP_OFF_LENGTH, len);
	return cap;
}

static void add_caps(struct virtio_pci *v)
{
	struct pci_cfg *c = &v->func.cfg;
	unsigned int at;

	add_cap(v, CAP_COMMON_CFG, BAR_COMMON, VIRTIO_COMMON_LEN, CAP_LEN);
	add_cap(v, CAP_ISR_CFG, BAR_ISR, 1, CAP_LEN);
	if (v->dev->config_len)
		add_cap(v, CAP_DEVICE_CFG, BAR_DEVICE, v->dev->config_len,
			CAP_LEN);
	at = (unsigned int)add_cap(v, CAP_NOTIFY_CFG, BAR_NOTIFY,
				   v->dev->n_queues * NOTIFY_MULTIPLIER,
				   CAP_LEN_MORE);
	pci_cfg_set32(c, at + CAP_OFF_MORE, NOTIFY_MULTIPLIER);
	at = (unsigned int)add_cap(v, CAP_PCI_CFG, 0, 0, CAP_LEN_MORE);
	pci_cfg_mask8(c, at + CAP_OFF_BAR, 0xff);
	pci_cfg_mask32(c, at + CAP_OFF_OFFSET, UINT32_MAX);
	pci_cfg_mask32(c, at + CAP_OFF_LENGTH, UINT32_MAX);
	pci_cfg_mask32(c, at + CAP_OFF_MORE, UINT32_MAX);
	v->cfg_cap = at;
}

static int init_func(struct virtio_pci *v, struct err *err)
{
	struct pci_ids ids = {
		.vendor = VIRTIO_VENDOR,
		.device = (uint16_t)(VIRTIO_DEVICE_BASE + v->dev->type),
		.subsystem_vendor = VIRTIO_VENDOR,
		.subsystem = VIRTIO_SUBSYSTEM,
		.class_code = v->dev->pci_class,
		.revision = VIRTIO_REVISION,
	};
	unsigned int n = v->dev->n_queues + 1;

	assert(BAR_MSIX + msix_block_len(n) <= BAR_LEN);
	v->func.ops = &func_ops;
	v->bar.ops = &bar_ops;
	pci_cfg_init(&v->func.cfg, &ids);
	pci_func_add_bar(&v->func, BAR, PCI_BAR_MEM64, BAR_LEN, &v->bar);
	add_caps(v);
	return msix_create(&v->func.cfg, v->p.irq, n, BAR, BAR_MSIX, &v->msix,
			   err);
}

static int init_queue(struct virtio_pci *v, unsigned int i, struct err *err)
{
	struct vpci_queue *q = &v->q[i];
	int r;

	q->v = v;
	q->index = i;
	q->irq.ops = &vpci_irq_ops;
	q->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (q->kick_fd < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "%s: cannot make the eventfd of queue %u: "
				    "%s; raise the limit of open files "
				    "(ulimit -n)",
				    v->dev->name, i, strerror(errno));
	r = virtq_create(v->p.view, v->dev->queue_max[i], &q->irq, &q->q, err);
	if (r < 0)
		return r;
	v->virtq[i] = q->q;
	vpci_reset_queue_registers(q);
	r = loop_add_fd(io_thread_loop(v->dev->thread), q->kick_fd, EPOLLIN,
			vpci_on_kick, q, &q->source);
	return r < 0 ? err_set(err, r, "%s: event loop: %s", v->dev->name,
			       strerror(-r))
		     : 0;
}

static uint64_t offered(const struct virtio_dev *dev)
{
	uint64_t f = dev->offered | BIT64(VIRTIO_F_VERSION_1) |
		     BIT64(VIRTIO_F_ACCESS_PLATFORM) |
		     BIT64(VIRTIO_F_INDIRECT_DESC) | BIT64(VIRTIO_F_EVENT_IDX);

	return dev->ops->queue_reset ? f | BIT64(VIRTIO_F_RING_RESET) : f;
}

int virtio_pci_create(const struct virtio_pci_params *p, struct virtio_dev *dev,
		      struct virtio_pci **ret, struct err *err)
{
	AUTO(virtio_pci_destroyp) struct virtio_pci *v = NULL;
	int r;

	assert(dev->n_queues && dev->n_queues <= VIRTIO_DEV_QUEUES_MAX &&
	       dev->config_len <= PAGE);
	v = calloc(1, sizeof(*v));
	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&v->lock, NULL);
	v->p = *p;
	v->dev = dev;
	v->host.ops = &vpci_host_ops;
	v->work = (struct io_call){.fn = vpci_work, .arg = v};
	v->offered = offered(dev);
	v->config_vector = VIRTIO_MSI_NO_VECTOR;
	for (unsigned int i = 0; i < dev->n_queues; i++)
		v->q[i].kick_fd = -1;
	r = init_func(v, err);
	for (unsigned int i = 0; !r && i < dev->n_queues; i++)
		r = init_queue(v, i, err);
	if (r < 0)
		return r;
	dev->host = &v->host;
	dev->features = 0;
	dev->q = v->virtq;
	r = pci_bus_add(p->bus, &v->func, p->devfn, err);
	if (r < 0)
		return r;
	*ret = TAKE(v);
	return 0;
}

void virtio_pci_destroy(struct virtio_pci *v)
{
	if (!v)
		return;
	v->bar_at = 0;
	vpci_update_doorbells(v);
	for (unsigned int i = 0; i < v->dev->n_queues; i++) {
		loop_remove(v->q[i].source);
		virtq_destroy(v->q[i].q);
		fd_closep(&v->q[i].kick_fd);
	}
	msix_destroy(v->msix);
	v->dev->host = NULL;
	v->dev->q = NULL;
	pthread_mutex_destroy(&v->lock);
	free(v);
}

uint8_t virtio_pci_status(struct virtio_pci *v)
{
	uint8_t status;

	pthread_mutex_lock(&v->lock);
	status = v->status;
	pthread_mutex_unlock(&v->lock);
	return status;
}

void virtio_pci_counters(struct virtio_pci *v, struct virtio_pci_counters *ret)
{
	ret->kicks = atomic_load(&v->n_kicks);
	ret->interrupts = atomic_load(&v->n_interrupts);
	ret->broken = atomic_load(&v->n_broken);
	ret->resets = atomic_load(&v->n_resets);
}
