/* vmm/device_files.c - paths to descriptors, for devices. */
#include "vmm/device_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "devices/virtio/scsi_file.h"
#include "devices/virtio/vsock_broker.h"
#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/config_devices.h"
#include "vmm/net_forward.h"
#include "vmm/net_open.h"
#include "vmm/vsock_host.h"

struct device_files {
	const struct devices_config *c;
	struct loop *loop;
	size_t n_disks;
	int disk_fd[VM_DISKS_MAX];
	struct scsi_file file[VM_DISKS_MAX];
	struct vm_disk disk[VM_DISKS_MAX];
	size_t n_nets;
	struct net_host net[VM_NETS_MAX];
	struct vm_net vm_net[VM_NETS_MAX];
	struct vsock_host *vsock; /* of the VM that runs */
	int vsock_channel;	  /* the device's end */
	int vhost_fd;		  /* likewise */
};

static int open_error(struct err *err, const char *option, const char *path,
		      int code)
{
	const char *hint = "";

	if (code == -EINVAL)
		hint = " (perhaps the file system has no O_DIRECT; leave out "
		       "'direct')";
	else if (code == -EACCES || code == -EPERM || code == -EROFS)
		hint = "; open it with ',ro', or ask for the right to write";
	err_set(err, code, "%s: %s: %s%s", option, path, strerror(-code), hint);
	err_default_kind(err, ERR_INPUT);
	return code;
}

/* The lock would say that another process has it. */
static int check_twice(const struct device_files *f, const char *path,
		       struct err *err)
{
	struct stat st, other;

	if (fstat(f->disk_fd[f->n_disks - 1], &st) < 0)
		return 0;
	for (size_t i = 0; i + 1 < f->n_disks; i++) {
		bool shared = f->disk[i].file->read_only &&
			      (fcntl(f->disk_fd[f->n_disks - 1], F_GETFL) &
			       O_ACCMODE) == O_RDONLY;

		if (!shared && !fstat(f->disk_fd[i], &other) &&
		    other.st_dev == st.st_dev && other.st_ino == st.st_ino)
			return err_set_kind(err, ERR_USAGE, -EBUSY,
					    "--disk: %s is there twice, and "
					    "may be written; use a copy, or "
					    "',ro' for both",
					    path);
	}
	return 0;
}

static int open_disk(struct device_files *f, const struct disk_config *d,
		     struct err *err)
{
	struct vm_disk *v = &f->disk[f->n_disks];
	int *fd = &f->disk_fd[f->n_disks];
	int r;

	/* O_NONBLOCK: a FIFO must not make us wait for a writer */
	*fd = open(d->path, (d->ro ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOCTTY |
				    O_NONBLOCK | (d->direct ? O_DIRECT : 0));
	if (*fd < 0 && errno == EISDIR)
		return err_set_kind(err, ERR_INPUT, -EISDIR,
				    "--disk: %s is a directory, not an image",
				    d->path);
	if (*fd < 0)
		return open_error(err, "--disk", d->path, -errno);
	f->n_disks++;
	r = check_twice(f, d->path, err);
	if (r < 0)
		return r;
	r = scsi_file_check(*fd, d->path, d->ro, &f->file[f->n_disks - 1], err);
	if (r < 0) {
		err_prefix(err, "--disk");
		err_default_kind(err, ERR_INPUT);
		return r;
	}
	*v = (struct vm_disk){
		.file = &f->file[f->n_disks - 1],
		.lun = (unsigned int)d->lun,
		.serial = d->serial,
	};
	return fault_point("disk", err);
}

static void lend_net(const struct net_host *h, struct vm_net *ret)
{
	*ret = (struct vm_net){
		.stream = h->kind == NET_HOST_STREAM,
		.n_fds = h->n_fds,
		.vnet_hdr = h->vnet_hdr,
		.offloads = h->offloads,
		.mtu = h->mtu,
	};
	memcpy(ret->fds, h->fds, sizeof(ret->fds));
	memcpy(ret->mac, h->mac, sizeof(ret->mac));
}

static int parse_forwards(const struct devices_config *c,
			  struct net_forward *ret, struct err *err)
{
	for (size_t i = 0; i < c->publish.n; i++) {
		int r = net_forward_parse(c->publish.v[i], &ret[i], err);

		if (r < 0) {
			err_prefix(err, "--publish");
			return r;
		}
	}
	return 0;
}

static int open_nets(struct device_files *f, const uint8_t *uuid,
		     struct err *err)
{
	const struct net_config *n = f->c->nets.v;
	struct net_forward forwards[CONFIG_PUBLISH_MAX];
	struct net_open_opts o = {
		.uuid = uuid,
		.forwards = forwards,
		.n_forwards = f->c->publish.n,
	};
	int r = parse_forwards(f->c, forwards, err);

	for (size_t i = 0; i < f->c->nets.n && !r; i++) {
		o.index = (unsigned int)i;
		net_host_init(&f->net[i]);
		r = net_open(&n[i], &o, &f->net[i], err);
		if (r < 0)
			return r;
		f->n_nets++;
		lend_net(&f->net[i], &f->vm_net[i]);
	}
	return r;
}

int device_files_open(const struct devices_config *c, const uint8_t *uuid,
		      struct loop *loop, struct device_files **ret,
		      struct err *err)
{
	AUTO(device_files_closep) struct device_files *f = NULL;
	const struct disk_config *d = c->disks.v;
	int r = 0;

	f = calloc(1, sizeof(*f));
	if (!f)
		return err_set(err, -ENOMEM, "out of memory");
	f->c = c;
	f->loop = loop;
	f->vhost_fd = f->vsock_channel = -1;
	for (size_t i = 0; i < c->disks.n && !r; i++)
		r = open_disk(f, &d[i], err);
	if (!r)
		r = open_nets(f, uuid, err);
	if (r < 0)
		return r;
	*ret = TAKE(f);
	return 0;
}

void device_files_lent(struct device_files *f)
{
	fd_closep(&f->vhost_fd);
	fd_closep(&f->vsock_channel);
	f->vhost_fd = f->vsock_channel = -1;
}

static void close_vsock(struct device_files *f)
{
	vsock_host_destroy(f->vsock);
	f->vsock = NULL;
	device_files_lent(f);
}

void device_files_close(struct device_files *f)
{
	if (!f)
		return;
	close_vsock(f);
	for (size_t i = 0; i < f->n_nets; i++)
		net_host_close(&f->net[i]);
	for (size_t i = 0; i < f->n_disks; i++)
		close(f->disk_fd[i]);
	free(f);
}

static int open_vsock(struct device_files *f, struct err *err)
{
	struct vsock_host_params p = {
		.path = f->c->vsock.path,
		.loop = f->loop,
	};
	int channel[2], r;

	r = vsock_channel_create(channel, err);
	if (r < 0)
		return r;
	p.channel = channel[0];
	r = vsock_host_create(&p, &f->vsock, err);
	if (r < 0) {
		close(channel[0]);
		close(channel[1]);
		err_prefix(err, "--vsock");
		err_default_kind(err, ERR_INPUT);
		return r;
	}
	f->vsock_channel = channel[1];
	return fault_point("vsock", err);
}

static int open_vhost(struct device_files *f, struct err *err)
{
	f->vhost_fd = open("/dev/vhost-vsock", O_RDWR | O_CLOEXEC);
	if (f->vhost_fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENODEV)
		return err_set_kind(err, ERR_HOST, -errno,
				    "--vsock: /dev/vhost-vsock: %s; load the "
				    "vhost_vsock module, or use path=SOCKET",
				    strerror(errno));
	err_set(err, -errno,
		"--vsock: /dev/vhost-vsock: %s; ask for the right to open it, "
		"or use path=SOCKET",
		strerror(errno));
	err_default_kind(err, ERR_HOST);
	return err->code;
}

static int new_size(struct scsi_file *file, unsigned int lun, uint64_t *ret,
		    struct err *err)
{
	uint64_t bytes;
	int r = scsi_file_size(file, &bytes);

	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "the image at LUN %u: asking for its size: "
				    "%s",
				    lun, strerror(-r));
	if (!bytes)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "the image at LUN %u is shorter than a "
				    "block of %u bytes: the disk stays as it "
				    "was",
				    lun, file->block_size);
	file->bytes = *ret = bytes;
	return 0;
}

int device_files_resize(struct device_files *f, unsigned int lun, uint64_t *ret,
			struct err *err)
{
	for (size_t i = 0; i < f->n_disks; i++)
		if (f->disk[i].lun == lun)
			return new_size(&f->file[i], lun, ret, err);
	return err_set_kind(err, ERR_INPUT, -ENOENT,
			    "there is no disk at LUN %u", lun);
}

static unsigned int most_queues(const struct devices_config *c)
{
	const struct disk_config *d = c->disks.v;
	uint64_t n = 1;

	for (size_t i = 0; i < c->disks.n; i++)
		if (d[i].queues > n)
			n = d[i].queues;
	return (unsigned int)n;
}

int device_files_config(struct device_files *f, struct vm_devices_config *ret,
			struct err *err)
{
	int r = 0;

	close_vsock(f);
	if (f->c->vsock.vhost)
		r = open_vhost(f, err);
	else if (f->c->vsock.cid)
		r = open_vsock(f, err);
	if (r < 0)
		return r;
	*ret = (struct vm_devices_config){
		.disks = f->disk,
		.n_disks = f->n_disks,
		.disk_queues = most_queues(f->c),
		.nets = f->vm_net,
		.n_nets = f->n_nets,
		.vsock_cid = f->c->vsock.cid,
		.vsock_channel = f->vsock_channel,
		.vhost_vsock_fd = f->vhost_fd,
		.rng = f->c->rng,
	};
	return 0;
}
