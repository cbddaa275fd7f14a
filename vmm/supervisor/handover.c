/* vmm/supervisor/handover.c - a configuration, cut into messages. */
#include "vmm/supervisor/handover.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "devices/virtio/scsi_file.h"
#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/config.h"
#include "vmm/config_firmware.h"
#include "vmm/launch_host.h"
#include "vmm/monitor/monitor_proto.h"
#include "vmm/vm_devices.h"

static_assert((int)CONFIG_APPEND_MAX <= (int)MONITOR_CMDLINE_MAX, "append");
static_assert((int)CONFIG_OEM_STRINGS_MAX <= (int)MONITOR_OEM_MAX, "strings");
static_assert((int)CONFIG_OEM_STRING_MAX <= (int)MONITOR_TEXT_MAX, "string");
static_assert((int)CONFIG_SERIAL_MAX < (int)MONITOR_SERIAL_MAX, "serial");
static_assert((int)CONFIG_DISKS_MAX <= (int)MONITOR_DISKS_MAX, "disks");
static_assert((int)CONFIG_NETS_MAX <= (int)MONITOR_NETS_MAX, "nets");
static_assert((int)CONFIG_QUEUES_MAX <= (int)MONITOR_FDS_MAX, "queues");
static_assert((int)CONFIG_CPUS_MAX <= (int)MONITOR_CPUS_MAX, "cpus");

static int send_fds(const struct handover *h, const struct monitor_msg *m,
		    const int *fds, size_t n_fds)
{
	int r = fault_point("message", NULL);

	if (r < 0)
		return r;
	while ((r = monitor_msg_send(h->channel, m, fds, n_fds)) == -EAGAIN ||
	       r == -ETOOMANYREFS) {
		struct pollfd p = {.fd = h->channel, .events = POLLOUT};

		if (poll(&p, 1, HANDOVER_PATIENCE_MS) <= 0)
			return -ETIMEDOUT;
	}
	return r;
}

static int send_fd(const struct handover *h, const struct monitor_msg *m,
		   int fd)
{
	return send_fds(h, m, &fd, 1);
}

static uint32_t flag(bool set, uint32_t bit)
{
	return set ? bit : 0;
}

static int send_vm(const struct handover *h)
{
	const struct run_config *c = h->config;
	struct monitor_msg m = {.type = MONITOR_MSG_VM};

	m.vm = (struct monitor_msg_vm){
		.ram_bytes = c->memory.size,
		.hugepage_size = c->memory.hugepages,
		.n_cpus = (uint32_t)c->cpus,
		.c_bit = (uint32_t)c->devices.sev.cbitpos,
		.disk_queues = h->devices->disk_queues,
	};
	m.vm.flags =
		flag(c->memory.prefault, MONITOR_VM_PREFAULT) |
		flag(c->memory.shared, MONITOR_VM_SHARED) |
		flag(c->debug_exit, MONITOR_VM_DEBUG_EXIT) |
		flag(c->devices.sev.emulate_cbit, MONITOR_VM_EMULATE_C_BIT) |
		flag(c->devices.dma == DMA_CHOICE_STRICT,
		     MONITOR_VM_DMA_STRICT) |
		flag(h->devices->rng, MONITOR_VM_RNG) |
		flag(c->append != NULL, MONITOR_VM_CMDLINE) |
		flag(h->paused, MONITOR_VM_PAUSED);
	if (c->uuid.given)
		memcpy(m.vm.uuid, c->uuid.bytes, sizeof(m.vm.uuid));
	return send_fd(h, &m, h->kvm_fd);
}

static int send_launch(const struct handover *h)
{
	const struct launch_host *l = h->launch;
	struct monitor_msg m = {.type = MONITOR_MSG_LAUNCH};
	int r;

	if (!l)
		return 0;
	m.launch = (struct monitor_msg_launch){
		.kind = (uint32_t)l->params.kind,
		.policy = l->params.policy,
		.flags = flag(l->files.attested, MONITOR_LAUNCH_ATTESTED) |
			 flag(l->files.expects, MONITOR_LAUNCH_EXPECTS) |
			 flag(l->hashes.found, MONITOR_LAUNCH_HASHED) |
			 flag(l->dev.is_device, MONITOR_LAUNCH_DEVICE),
		.c_bit_reduction =
			(uint32_t)h->config->devices.sev.reduced_phys_bits,
		.api_major = l->params.api_major,
		.api_minor = l->params.api_minor,
		.build = l->params.build,
	};
	memcpy(m.launch.dh_cert, l->files.dh_cert, sizeof(m.launch.dh_cert));
	memcpy(m.launch.session, l->files.session, sizeof(m.launch.session));
	memcpy(m.launch.expect, l->files.expect, sizeof(m.launch.expect));
	memcpy(m.launch.kernel_sha256, l->hashes.kernel, HASH256_LEN);
	memcpy(m.launch.initrd_sha256, l->hashes.initrd, HASH256_LEN);
	r = send_fd(h, &m, l->dev.fd);
	explicit_bzero(&m, sizeof(m));
	return r;
}

static int send_file(const struct handover *h, enum monitor_file kind,
		     const char *label, int fd)
{
	struct monitor_msg m = {.type = MONITOR_MSG_FILE};

	if (fd < 0)
		return 0;
	m.file = (struct monitor_msg_file){.kind = kind};
	snprintf(m.file.label, sizeof(m.file.label), "%s", label);
	return send_fd(h, &m, fd);
}

static int send_text(const struct handover *h, enum monitor_text kind,
		     const char *text, size_t len)
{
	struct monitor_msg m = {.type = MONITOR_MSG_TEXT};

	m.text = (struct monitor_msg_text){.kind = kind, .len = (uint32_t)len};
	memcpy(m.text.bytes, text, len);
	return send_fds(h, &m, NULL, 0);
}

static int send_cmdline(const struct handover *h)
{
	const char *text = h->config->append;
	size_t left = text ? strlen(text) : 0;
	int r = 0;

	while (left && !r) {
		size_t n = left < MONITOR_TEXT_MAX ? left : MONITOR_TEXT_MAX;

		r = send_text(h, MONITOR_TEXT_CMDLINE, text, n);
		text += n;
		left -= n;
	}
	return r;
}

static int send_oem_strings(const struct handover *h)
{
	const struct text_list *l = &h->config->oem_strings;
	int r = 0;

	for (size_t i = 0; i < l->n && !r; i++)
		r = send_text(h, MONITOR_TEXT_OEM, l->v[i], strlen(l->v[i]));
	return r;
}

static int send_disk(const struct handover *h, const struct vm_disk *d)
{
	const struct scsi_file *f = d->file;
	struct monitor_msg m = {.type = MONITOR_MSG_DISK};

	m.disk = (struct monitor_msg_disk){
		.bytes = f->bytes,
		.flags = flag(f->read_only, MONITOR_DISK_READ_ONLY) |
			 flag(f->direct, MONITOR_DISK_DIRECT) |
			 flag(f->block_dev, MONITOR_DISK_BLOCK_DEV),
		.lun = d->lun,
		.block_size = f->block_size,
		.phys_block_size = f->phys_block_size,
		.mem_align = f->mem_align,
		.off_align = f->off_align,
		.discard_granularity = f->discard_granularity,
	};
	if (d->serial)
		snprintf(m.disk.serial, sizeof(m.disk.serial), "%s", d->serial);
	return send_fd(h, &m, f->fd);
}

static int send_net(const struct handover *h, const struct vm_net *n)
{
	struct monitor_msg m = {.type = MONITOR_MSG_NET};

	m.net = (struct monitor_msg_net){
		.flags = flag(n->stream, MONITOR_NET_STREAM) |
			 flag(n->vnet_hdr, MONITOR_NET_VNET_HDR),
		.offloads = n->offloads,
		.mtu = n->mtu,
	};
	memcpy(m.net.mac, n->mac, sizeof(m.net.mac));
	return send_fds(h, &m, n->fds, n->n_fds);
}

static int send_vsock(const struct handover *h)
{
	const struct vm_devices_config *d = h->devices;
	struct monitor_msg m = {.type = MONITOR_MSG_VSOCK};
	bool vhost = d->vsock_channel < 0;

	if (!d->vsock_cid)
		return 0;
	m.vsock = (struct monitor_msg_vsock){
		.cid = d->vsock_cid,
		.vhost = vhost,
	};
	return send_fd(h, &m, vhost ? d->vhost_vsock_fd : d->vsock_channel);
}

static int send_console(const struct handover *h)
{
	struct monitor_msg m = {.type = MONITOR_MSG_CONSOLE};

	if (h->console_fd < 0)
		return 0;
	m.console = (struct monitor_msg_console){.input = h->console_input};
	return send_fd(h, &m, h->console_fd);
}

static int send_key(const struct handover *h)
{
	struct monitor_msg m = {.type = MONITOR_MSG_MKTME};

	if (!h->key_serial)
		return 0;
	m.mktme = (struct monitor_msg_mktme){
		.serial = h->key_serial,
		.syscall = h->key_syscall,
	};
	return send_fds(h, &m, NULL, 0);
}

static int send_cpuid(const struct handover *h)
{
	struct monitor_msg m = {.type = MONITOR_MSG_CPUID};

	m.cpuid.n = (uint32_t)h->cpuid->n;
	memcpy(m.cpuid.e, h->cpuid->e, h->cpuid->n * sizeof(m.cpuid.e[0]));
	return send_fds(h, &m, NULL, 0);
}

static int send_all(const struct handover *h)
{
	const struct run_config *c = h->config;
	const struct monitor_msg start = {.type = MONITOR_MSG_START};
	int r = send_vm(h);

	if (!r)
		r = send_launch(h);
	if (!r)
		r = send_key(h);
	if (!r)
		r = send_file(h, MONITOR_FILE_KERNEL, c->kernel,
			      c->kernel_file.fd);
	if (!r)
		r = send_file(h, MONITOR_FILE_INITRD, c->initrd,
			      c->initrd_file.fd);
	if (!r)
		r = send_file(h, MONITOR_FILE_FIRMWARE, config_firmware_name(c),
			      c->firmware_file.fd);
	if (!r)
		r = send_file(h, MONITOR_FILE_NVRAM, c->nvram,
			      c->nvram_file.fd);
	if (!r)
		r = send_cmdline(h);
	if (!r)
		r = send_oem_strings(h);
	for (size_t i = 0; i < h->devices->n_disks && !r; i++)
		r = send_disk(h, &h->devices->disks[i]);
	for (size_t i = 0; i < h->devices->n_nets && !r; i++)
		r = send_net(h, &h->devices->nets[i]);
	if (!r)
		r = send_vsock(h);
	if (!r)
		r = send_console(h);
	if (!r)
		r = send_cpuid(h);
	return r < 0 ? r : send_fds(h, &start, NULL, 0);
}

int handover_send(const struct handover *h, struct err *err)
{
	int r = send_all(h);

	if (r < 0)
		return err_set_kind(err, ERR_INTERNAL, r,
				    "handing the guest to the monitor: %s",
				    strerror(-r));
	return 0;
}
