/* vmm/vm_devices.c - creates, starts and ends the virtio devices of a VM. */
#include "vmm/vm_devices.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/net.h"
#include "devices/virtio/net_passt.h"
#include "devices/virtio/net_tap.h"
#include "devices/virtio/rng.h"
#include "devices/virtio/scsi.h"
#include "devices/virtio/scsi_backend.h"
#include "devices/virtio/scsi_disk.h"
#include "devices/virtio/scsi_file.h"
#include "devices/virtio/virtio_pci.h"
#include "devices/virtio/vsock.h"
#include "devices/virtio/vsock_vhost.h"
#include "mem/mem_map.h"
#include "vmm/base/err.h"
#include "vmm/base/io_thread.h"
#include "vmm/counters.h"

enum { MAX_DEVICES = VM_NETS_MAX + 3, NAME_MAX_LEN = 16 };

/* One function of the bus; of the pointers, one kind is set. */
struct device {
	char name[NAME_MAX_LEN];
	struct io_thread *thread;
	struct virtio_pci *pci;
	struct scsi *scsi;
	struct scsi_engine *engine;
	struct net *net;
	struct vsock *vsock;
	struct vsock_vhost *vhost;
	struct rng *rng;
	uint64_t told_broken; /* of its counter, by vm_devices_take_broken() */
};

struct vm_devices {
	unsigned int lun[VM_DISKS_MAX]; /* of the disks, for counters */
	size_t n_luns;
	const struct vm_devices_config *c; /* borrowed while creating */
	struct vm_devices_machine m;
	size_t n;
	struct device dev[MAX_DEVICES];
};

/* A new device with a thread of its own name: "scsi0", "net1". */
static int add(struct vm_devices *d, const char *kind, size_t i,
	       struct device **ret, struct err *err)
{
	struct device *dev = &d->dev[d->n];
	int r;

	snprintf(dev->name, sizeof(dev->name), "%.8s%u", kind,
		 (unsigned int)(i & 0xff));
	r = io_thread_create(dev->name, &dev->thread, err);
	if (r < 0)
		return r;
	d->n++;
	*ret = dev;
	return 0;
}

static int plug(struct vm_devices *d, struct device *dev,
		struct virtio_dev *virtio, struct err *err)
{
	const struct virtio_pci_params p = {
		.bus = d->m.pci,
		/* in the order of creation, from the first free slot on */
		.devfn = PCI_DEVFN_FIRST_FREE +
			 ((unsigned int)(dev - d->dev) << 3),
		.irq = d->m.irq,
		.doorbells = d->m.doorbells,
		.view = d->m.view,
		.broken = d->m.broken,
		.broken_arg = d->m.broken_arg,
	};

	return virtio_pci_create(&p, virtio, &dev->pci, err);
}

static void fill_lun(const struct scsi_file *f, struct scsi_backend *backend,
		     const char *serial, struct scsi_disk_params *ret)
{
	*ret = (struct scsi_disk_params){
		.backend = backend,
		.bytes = f->bytes,
		.block_size = f->block_size,
		.phys_block_size = f->phys_block_size,
		.discard_granularity = f->discard_granularity,
		.read_only = f->read_only,
		.serial = serial,
	};
}

static int create_scsi(struct vm_devices *d, struct err *err)
{
	const struct vm_devices_config *c = d->c;
	struct scsi_file files[VM_DISKS_MAX];
	struct scsi_disk_params disks[VM_DISKS_MAX];
	struct scsi_lun_params luns[VM_DISKS_MAX];
	struct scsi_params p = {
		.n_queues = c->disk_queues,
		.luns = luns,
		.n_luns = (unsigned int)c->n_disks,
	};
	struct device *dev;
	int r;

	if (!c->n_disks)
		return 0;
	r = add(d, "scsi", 0, &dev, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < c->n_disks; i++)
		files[i] = *c->disks[i].file;
	r = scsi_engine_create(files, p.n_luns, SCSI_ENGINE_AUTO, &dev->engine,
			       err);
	if (r < 0)
		return r;
	for (unsigned int i = 0; i < p.n_luns; i++) {
		fill_lun(&files[i], dev->engine->ops->backend(dev->engine, i),
			 c->disks[i].serial, &disks[i]);
		d->lun[d->n_luns++] = c->disks[i].lun;
		luns[i] = (struct scsi_lun_params){.lun = c->disks[i].lun,
						   .disk = &disks[i]};
	}
	p.name = dev->name;
	p.thread = dev->thread;
	p.engine = dev->engine;
	r = scsi_create(&p, &dev->scsi, err);
	return r < 0 ? r : plug(d, dev, scsi_virtio_dev(dev->scsi), err);
}

static void close_all(int *fds, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		close(fds[i]);
}

/* Back ends close their descriptors, and a restart needs them again. */
static int create_net_backend(const struct vm_net *n, struct net_backend **ret,
			      struct err *err)
{
	int fds[VM_NET_FDS_MAX] = {-1};
	const struct net_tap_params p = {
		.fds = fds,
		.n_fds = n->n_fds,
		.vnet_hdr = n->vnet_hdr,
		.offloads = n->offloads,
	};
	int r;

	for (unsigned int i = 0; i < n->n_fds; i++) {
		fds[i] = fcntl(n->fds[i], F_DUPFD_CLOEXEC, 3);
		if (fds[i] < 0) {
			r = -errno;
			close_all(fds, i);
			return err_set_kind(err, ERR_HOST, r,
					    "network back end: %s",
					    strerror(-r));
		}
	}
	r = n->stream ? net_passt_create(fds[0], ret, err)
		      : net_tap_create(&p, ret, err);
	if (r < 0)
		close_all(fds, n->n_fds);
	return r;
}

static int create_net(struct vm_devices *d, size_t i, struct err *err)
{
	const struct vm_net *n = &d->c->nets[i];
	AUTO(net_backend_destroyp) struct net_backend *backend = NULL;
	struct net_params p = {.mtu = n->mtu};
	struct device *dev;
	int r = add(d, "net", i, &dev, err);

	if (!r)
		r = create_net_backend(n, &backend, err);
	if (r < 0)
		return r;
	memcpy(p.mac, n->mac, sizeof(p.mac));
	p.name = dev->name;
	p.thread = dev->thread;
	p.backend = backend;
	r = net_create(&p, &dev->net, err);
	if (r < 0)
		return r;
	backend = NULL; /* the device's now */
	return plug(d, dev, net_virtio_dev(dev->net), err);
}

static int create_vsock(struct vm_devices *d, struct err *err)
{
	const struct vm_devices_config *c = d->c;
	struct vsock_params p = {
		.guest_cid = c->vsock_cid,
	};
	struct device *dev;
	int r = add(d, "vsock", 0, &dev, err);

	if (r < 0)
		return r;
	p.name = dev->name;
	p.thread = dev->thread;
	p.channel = fcntl(c->vsock_channel, F_DUPFD_CLOEXEC, 3);
	if (p.channel < 0)
		return err_set_kind(err, ERR_HOST, -errno, "vsock: %s",
				    strerror(errno));
	r = vsock_create(&p, &dev->vsock, err);
	if (r < 0) {
		close(p.channel);
		return r;
	}
	return plug(d, dev, vsock_virtio_dev(dev->vsock), err);
}

/* Opened once per start: a vhost descriptor belongs to one VM for good. */
static int create_vhost_vsock(struct vm_devices *d, struct err *err)
{
	struct vsock_vhost_params p = {
		.guest_cid = d->c->vsock_cid,
		.mem = d->m.mem,
		.view = d->m.view,
	};
	struct device *dev;
	int r = add(d, "vsock", 0, &dev, err);

	if (r < 0)
		return r;
	p.name = dev->name;
	p.thread = dev->thread;
	p.vhost_fd = fcntl(d->c->vhost_vsock_fd, F_DUPFD_CLOEXEC, 3);
	if (p.vhost_fd < 0)
		return err_set_kind(err, ERR_HOST, -errno, "vhost-vsock: %s",
				    strerror(errno));
	r = vsock_vhost_create(&p, &dev->vhost, err);
	if (r < 0) {
		close(p.vhost_fd);
		return r;
	}
	return plug(d, dev, vsock_vhost_virtio_dev(dev->vhost), err);
}

static int create_rng(struct vm_devices *d, struct err *err)
{
	struct rng_params p = {0};
	struct device *dev;
	int r = add(d, "rng", 0, &dev, err);

	if (r < 0)
		return r;
	p.name = dev->name;
	p.thread = dev->thread;
	r = rng_create(&p, &dev->rng, err);
	return r < 0 ? r : plug(d, dev, rng_virtio_dev(dev->rng), err);
}

int vm_devices_create(const struct vm_devices_config *c,
		      const struct vm_devices_machine *m,
		      struct vm_devices **ret, struct err *err)
{
	struct vm_devices *d;
	int r;

	if (c->n_disks > VM_DISKS_MAX || c->n_nets > VM_NETS_MAX)
		return err_set_kind(err, ERR_USAGE, -E2BIG, "too many devices");
	d = calloc(1, sizeof(*d));
	if (!d)
		return err_set(err, -ENOMEM, "out of memory");
	d->c = c;
	d->m = *m;
	r = create_scsi(d, err);
	for (size_t i = 0; i < c->n_nets && !r; i++)
		r = create_net(d, i, err);
	if (!r && c->vsock_cid && c->vsock_channel >= 0)
		r = create_vsock(d, err);
	if (!r && c->vsock_cid && c->vsock_channel < 0)
		r = create_vhost_vsock(d, err);
	if (!r && c->rng)
		r = create_rng(d, err);
	d->c = NULL;
	/* Also when it failed: the bus still knows what was plugged in. */
	*ret = d;
	return r;
}

int vm_devices_start(struct vm_devices *d, struct err *err)
{
	for (size_t i = 0; i < d->n; i++) {
		int r = io_thread_start(d->dev[i].thread, err);

		if (r < 0)
			return r;
	}
	return 0;
}

void vm_devices_stop(struct vm_devices *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->n; i++)
		io_thread_stop(d->dev[i].thread);
}

void vm_devices_destroy(struct vm_devices *d)
{
	if (!d)
		return;
	vm_devices_stop(d);
	for (size_t i = 0; i < d->n; i++) {
		struct device *dev = &d->dev[i];

		virtio_pci_destroy(dev->pci);
		/* no I/O may be under way when the device goes */
		scsi_engine_destroy(dev->engine);
		scsi_destroy(dev->scsi);
		net_destroy(dev->net);
		vsock_destroy(dev->vsock);
		vsock_vhost_destroy(dev->vhost);
		rng_destroy(dev->rng);
		io_thread_destroy(dev->thread);
	}
	free(d);
}

const char *vm_devices_take_broken(struct vm_devices *d)
{
	for (size_t i = 0; i < d->n; i++) {
		struct virtio_pci_counters v = {0};

		if (d->dev[i].pci)
			virtio_pci_counters(d->dev[i].pci, &v);
		if (v.broken > d->dev[i].told_broken) {
			d->dev[i].told_broken = v.broken;
			return d->dev[i].name;
		}
	}
	return NULL;
}

#define COUNT(name, field) counters_add(c, name, #field, v.field)

static void count_transport(const struct device *dev, struct counters *c)
{
	struct virtio_pci_counters v;

	if (!dev->pci)
		return;
	virtio_pci_counters(dev->pci, &v);
	COUNT(dev->name, kicks);
	COUNT(dev->name, interrupts);
	COUNT(dev->name, broken);
	COUNT(dev->name, resets);
}

static void count_lun(const struct device *dev, unsigned int lun,
		      struct counters *c)
{
	struct scsi_disk_counters v;
	char name[16];

	if (scsi_lun_counters(dev->scsi, lun, &v) < 0)
		return;
	snprintf(name, sizeof(name), "%.5s.lun%u", dev->name, lun & 0xfff);
	COUNT(name, reads);
	COUNT(name, read_bytes);
	COUNT(name, writes);
	COUNT(name, write_bytes);
	COUNT(name, flushes);
	COUNT(name, host_syncs);
	COUNT(name, discards);
	COUNT(name, zeroes);
	COUNT(name, errors);
	COUNT(name, refused);
}

static void count_scsi(const struct vm_devices *d, const struct device *dev,
		       struct counters *c)
{
	struct scsi_counters v;

	scsi_counters(dev->scsi, &v);
	COUNT(dev->name, requests);
	COUNT(dev->name, bad_chains);
	COUNT(dev->name, aborted);
	COUNT(dev->name, events);
	COUNT(dev->name, events_missed);
	for (size_t i = 0; i < d->n_luns; i++)
		count_lun(dev, d->lun[i], c);
}

static void count_net(const struct device *dev, struct counters *c)
{
	struct net_counters v;

	net_counters(dev->net, &v);
	COUNT(dev->name, rx_frames);
	COUNT(dev->name, rx_bytes);
	COUNT(dev->name, tx_frames);
	COUNT(dev->name, tx_bytes);
	COUNT(dev->name, rx_filtered);
	COUNT(dev->name, rx_dropped);
	COUNT(dev->name, tx_dropped);
	COUNT(dev->name, tx_refused);
	COUNT(dev->name, bad_headers);
	COUNT(dev->name, bad_chains);
	COUNT(dev->name, commands);
	COUNT(dev->name, bad_commands);
}

static void count_vsock(const struct device *dev, struct counters *c)
{
	struct vsock_counters v;

	vsock_counters(dev->vsock, &v);
	COUNT(dev->name, n_conns);
	COUNT(dev->name, opened);
	COUNT(dev->name, to_guest_bytes);
	COUNT(dev->name, to_host_bytes);
	COUNT(dev->name, refused);
	COUNT(dev->name, bad_chains);
	COUNT(dev->name, bad_packets);
	COUNT(dev->name, violations);
	COUNT(dev->name, lost_rsts);
}

static void count_rng(const struct device *dev, struct counters *c)
{
	struct rng_counters v;

	rng_counters(dev->rng, &v);
	COUNT(dev->name, requests);
	COUNT(dev->name, bytes);
	COUNT(dev->name, waits);
	COUNT(dev->name, bad_chains);
}

void vm_devices_counters(const struct vm_devices *d, struct counters *c)
{
	for (size_t i = 0; i < d->n; i++) {
		const struct device *dev = &d->dev[i];

		count_transport(dev, c);
		if (dev->scsi)
			count_scsi(d, dev, c);
		if (dev->net)
			count_net(dev, c);
		if (dev->vsock)
			count_vsock(dev, c);
		if (dev->rng)
			count_rng(dev, c);
	}
}

int vm_devices_resize(struct vm_devices *d, unsigned int lun, uint64_t bytes)
{
	for (size_t i = 0; i < d->n; i++)
		if (d->dev[i].scsi)
			return scsi_post_resize(d->dev[i].scsi, lun, bytes);
	return -ENOENT;
}
