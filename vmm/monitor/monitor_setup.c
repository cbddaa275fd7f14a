/* vmm/monitor/monitor_setup.c - messages in, parameters of a VM out. */
#include "vmm/monitor/monitor_setup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/virtio/scsi_file.h"
#include "vmm/base/err.h"
#include "vmm/launch.h"
#include "vmm/vm.h"
#include "vmm/vm_devices.h"

static_assert((int)MONITOR_DISKS_MAX <= (int)VM_DISKS_MAX, "disks");
static_assert((int)MONITOR_NETS_MAX <= (int)VM_NETS_MAX, "nets");
static_assert((int)MONITOR_FDS_MAX <= (int)VM_NET_FDS_MAX, "queues");

struct monitor_setup {
	bool has_vm;
	struct monitor_msg_vm vm;
	int kvm_fd;
	struct monitor_msg_launch launch; /* with sev_fd */
	struct launch_params launch_params;
	int sev_fd;
	struct monitor_msg_mktme mktme; /* serial 0: none */
	bool has_cpuid;
	struct cpuid_table cpuid;
	int smaps_fd;
	struct {
		int fd;
		char label[MONITOR_LABEL_MAX];
	} file[MONITOR_FILE_COUNT];
	char *cmdline; /* grows; NULL: no piece yet */
	size_t cmdline_len;
	char *oem[MONITOR_OEM_MAX];
	size_t n_oem;
	size_t n_disks;
	struct scsi_file scsi_file[MONITOR_DISKS_MAX];
	char serial[MONITOR_DISKS_MAX][MONITOR_SERIAL_MAX];
	struct vm_disk disk[MONITOR_DISKS_MAX];
	size_t n_nets;
	struct vm_net net[MONITOR_NETS_MAX];
	bool has_vsock, vhost;
	uint64_t vsock_cid;
	int vsock_fd;
	int console_fd;
	bool console_input;
};

int monitor_setup_create(struct monitor_setup **ret, struct err *err)
{
	struct monitor_setup *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->kvm_fd = s->sev_fd = s->smaps_fd = s->vsock_fd = s->console_fd = -1;
	for (size_t i = 0; i < MONITOR_FILE_COUNT; i++)
		s->file[i].fd = -1;
	*ret = s;
	return 0;
}

void monitor_setup_destroy(struct monitor_setup *s)
{
	if (!s)
		return;
	fd_closep(&s->kvm_fd);
	fd_closep(&s->sev_fd);
	fd_closep(&s->smaps_fd);
	fd_closep(&s->vsock_fd);
	fd_closep(&s->console_fd);
	for (size_t i = 0; i < MONITOR_FILE_COUNT; i++)
		fd_closep(&s->file[i].fd);
	for (size_t i = 0; i < s->n_disks; i++)
		close(s->scsi_file[i].fd);
	for (size_t i = 0; i < s->n_nets; i++)
		for (unsigned int j = 0; j < s->net[i].n_fds; j++)
			close(s->net[i].fds[j]);
	for (size_t i = 0; i < s->n_oem; i++)
		free(s->oem[i]);
	free(s->cmdline);
	free(s);
}

static int out_of_place(const struct monitor_msg *m, struct err *err)
{
	return err_set_kind(err, ERR_INTERNAL, -EPROTO,
			    "message %u of the supervisor is out of place",
			    m->type);
}

static int take_vm(struct monitor_setup *s, const struct monitor_msg_vm *m,
		   int fd)
{
	if (s->has_vm)
		return -EPROTO;
	s->has_vm = true;
	s->vm = *m;
	s->kvm_fd = fd;
	return 0;
}

static int take_launch(struct monitor_setup *s,
		       const struct monitor_msg_launch *m, int fd)
{
	bool attested = m->flags & MONITOR_LAUNCH_ATTESTED;

	if (s->sev_fd >= 0)
		return -EPROTO;
	s->sev_fd = fd;
	s->launch = *m;
	s->launch_params = (struct launch_params){
		.kind = (enum launch_kind)m->kind,
		.policy = m->policy,
		.dh_cert = attested ? s->launch.dh_cert : NULL,
		.session = attested ? s->launch.session : NULL,
		.api_major = m->api_major,
		.api_minor = m->api_minor,
		.build = m->build,
		.expect = m->flags & MONITOR_LAUNCH_EXPECTS ? s->launch.expect
							    : NULL,
	};
	return 0;
}

static int take_file(struct monitor_setup *s, const struct monitor_msg_file *m,
		     int fd)
{
	if (s->file[m->kind].fd >= 0)
		return -EPROTO;
	s->file[m->kind].fd = fd;
	memcpy(s->file[m->kind].label, m->label, sizeof(m->label));
	return 0;
}

static int take_cmdline(struct monitor_setup *s,
			const struct monitor_msg_text *m)
{
	char *all;

	if (s->cmdline_len + m->len > MONITOR_CMDLINE_MAX)
		return -EPROTO;
	all = realloc(s->cmdline, s->cmdline_len + m->len + 1);
	if (!all)
		return -ENOMEM;
	memcpy(all + s->cmdline_len, m->bytes, m->len);
	s->cmdline = all;
	s->cmdline_len += m->len;
	all[s->cmdline_len] = 0;
	return 0;
}

static int take_oem(struct monitor_setup *s, const struct monitor_msg_text *m)
{
	char *text;

	if (s->n_oem == MONITOR_OEM_MAX)
		return -EPROTO;
	text = strndup(m->bytes, m->len);
	if (!text)
		return -ENOMEM;
	s->oem[s->n_oem++] = text;
	return 0;
}

static int take_disk(struct monitor_setup *s, const struct monitor_msg_disk *m,
		     int fd)
{
	size_t i = s->n_disks;

	if (i == MONITOR_DISKS_MAX)
		return -EPROTO;
	s->scsi_file[i] = (struct scsi_file){
		.fd = fd,
		.read_only = m->flags & MONITOR_DISK_READ_ONLY,
		.direct = m->flags & MONITOR_DISK_DIRECT,
		.block_dev = m->flags & MONITOR_DISK_BLOCK_DEV,
		.bytes = m->bytes,
		.block_size = m->block_size,
		.phys_block_size = m->phys_block_size,
		.mem_align = m->mem_align,
		.off_align = m->off_align,
		.discard_granularity = m->discard_granularity,
	};
	memcpy(s->serial[i], m->serial, sizeof(m->serial));
	s->disk[i] = (struct vm_disk){
		.file = &s->scsi_file[i],
		.lun = m->lun,
		.serial = s->serial[i][0] ? s->serial[i] : NULL,
	};
	s->n_disks++;
	return 0;
}

static int take_net(struct monitor_setup *s, const struct monitor_msg_net *m,
		    const int *fds, size_t n_fds)
{
	struct vm_net *n = &s->net[s->n_nets];

	if (s->n_nets == MONITOR_NETS_MAX ||
	    ((m->flags & MONITOR_NET_STREAM) && n_fds != 1))
		return -EPROTO;
	*n = (struct vm_net){
		.stream = m->flags & MONITOR_NET_STREAM,
		.n_fds = (unsigned int)n_fds,
		.vnet_hdr = m->flags & MONITOR_NET_VNET_HDR,
		.offloads = m->offloads,
		.mtu = (uint16_t)m->mtu,
	};
	memcpy(n->fds, fds, n_fds * sizeof(*fds));
	memcpy(n->mac, m->mac, sizeof(n->mac));
	s->n_nets++;
	return 0;
}

static int take_vsock(struct monitor_setup *s,
		      const struct monitor_msg_vsock *m, int fd)
{
	if (s->has_vsock)
		return -EPROTO;
	s->has_vsock = true;
	s->vsock_cid = m->cid;
	s->vhost = m->vhost;
	s->vsock_fd = fd;
	return 0;
}

static int take_console(struct monitor_setup *s,
			const struct monitor_msg_console *m, int fd)
{
	if (s->console_fd >= 0)
		return -EPROTO;
	s->console_fd = fd;
	s->console_input = m->input;
	return 0;
}

static int take_mktme(struct monitor_setup *s,
		      const struct monitor_msg_mktme *m)
{
	if (s->mktme.serial)
		return -EPROTO;
	s->mktme = *m;
	return 0;
}

static int take_cpuid(struct monitor_setup *s,
		      const struct monitor_msg_cpuid *m)
{
	if (s->has_cpuid)
		return -EPROTO;
	s->has_cpuid = true;
	s->cpuid.n = m->n;
	memcpy(s->cpuid.e, m->e, m->n * sizeof(m->e[0]));
	return 0;
}

static int take_start(const struct monitor_setup *s)
{
	/* Something that runs, and variables only for what writes them. */
	if (!s->has_vm || !s->has_cpuid ||
	    (s->file[MONITOR_FILE_KERNEL].fd < 0 &&
	     s->file[MONITOR_FILE_FIRMWARE].fd < 0) ||
	    (s->file[MONITOR_FILE_NVRAM].fd >= 0 &&
	     s->file[MONITOR_FILE_FIRMWARE].fd < 0))
		return -EPROTO;
	return 1;
}

static int take(struct monitor_setup *s, const struct monitor_msg *m,
		const int *fds, size_t n_fds)
{
	if (m->type != MONITOR_MSG_VM && !s->has_vm)
		return -EPROTO;
	switch (m->type) {
	case MONITOR_MSG_VM:
		return take_vm(s, &m->vm, fds[0]);
	case MONITOR_MSG_LAUNCH:
		return take_launch(s, &m->launch, fds[0]);
	case MONITOR_MSG_FILE:
		return take_file(s, &m->file, fds[0]);
	case MONITOR_MSG_TEXT:
		return m->text.kind == MONITOR_TEXT_OEM
			       ? take_oem(s, &m->text)
			       : take_cmdline(s, &m->text);
	case MONITOR_MSG_DISK:
		return take_disk(s, &m->disk, fds[0]);
	case MONITOR_MSG_NET:
		return take_net(s, &m->net, fds, n_fds);
	case MONITOR_MSG_VSOCK:
		return take_vsock(s, &m->vsock, fds[0]);
	case MONITOR_MSG_CONSOLE:
		return take_console(s, &m->console, fds[0]);
	case MONITOR_MSG_MKTME:
		return take_mktme(s, &m->mktme);
	case MONITOR_MSG_CPUID:
		return take_cpuid(s, &m->cpuid);
	case MONITOR_MSG_START:
		return take_start(s);
	default:
		return -EPROTO;
	}
}

int monitor_setup_take(struct monitor_setup *s, const struct monitor_msg *m,
		       const int *fds, size_t n_fds, struct err *err)
{
	int r = take(s, m, fds, n_fds);

	if (r >= 0)
		return r;
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	return r == -ENOMEM ? err_set(err, r, "out of memory")
			    : out_of_place(m, err);
}

static void lend_hashes(const struct monitor_setup *s, struct vm_params *p)
{
	if (!(s->launch.flags & MONITOR_LAUNCH_HASHED))
		return;
	p->kernel_sha256 = s->launch.kernel_sha256;
	p->initrd_sha256 = s->launch.initrd_sha256;
}

void monitor_setup_vm(struct monitor_setup *s, struct vm_params *p,
		      struct vm_devices_config *d)
{
	const struct monitor_msg_vm *m = &s->vm;

	*d = (struct vm_devices_config){
		.disks = s->disk,
		.n_disks = s->n_disks,
		.disk_queues = m->disk_queues,
		.nets = s->net,
		.n_nets = s->n_nets,
		.vsock_cid = s->vsock_cid,
		.vsock_channel = s->vhost ? -1 : s->vsock_fd,
		.vhost_vsock_fd = s->vhost ? s->vsock_fd : -1,
		.rng = m->flags & MONITOR_VM_RNG,
	};
	*p = (struct vm_params){
		.kvm_fd = s->kvm_fd,
		.supported_cpuid = &s->cpuid,
		.ram_bytes = m->ram_bytes,
		.mem =
			{
				.backing = m->flags & MONITOR_VM_SHARED
						   ? GUEST_MEM_MEMFD
						   : GUEST_MEM_ANON,
				.hugepage_size = m->hugepage_size,
				.prefault = m->flags & MONITOR_VM_PREFAULT,
			},
		.n_cpus = m->n_cpus,
		.oem_strings = (const char *const *)s->oem,
		.n_oem_strings = s->n_oem,
		.debug_exit = m->flags & MONITOR_VM_DEBUG_EXIT,
		.emulate_c_bit = m->flags & MONITOR_VM_EMULATE_C_BIT,
		.c_bit = m->c_bit,
		.c_bit_reduction = s->launch.c_bit_reduction,
		.dma_strict = m->flags & MONITOR_VM_DMA_STRICT,
		.launch = s->sev_fd >= 0 ? &s->launch_params : NULL,
		.sev_fd = s->sev_fd,
		.sev_is_device = s->launch.flags & MONITOR_LAUNCH_DEVICE,
		.devices = d,
	};
	if (m->flags & MONITOR_VM_CMDLINE)
		p->cmdline = s->cmdline ? s->cmdline : "";
	lend_hashes(s, p);
	memcpy(p->uuid, m->uuid, sizeof(p->uuid));
}

int monitor_setup_file(const struct monitor_setup *s, enum monitor_file kind,
		       const char **ret_label)
{
	*ret_label = s->file[kind].label;
	return s->file[kind].fd;
}

int monitor_setup_console(const struct monitor_setup *s, bool *ret_input)
{
	*ret_input = s->console_input;
	return s->console_fd;
}

bool monitor_setup_protected(const struct monitor_setup *s)
{
	return s->sev_fd >= 0;
}

bool monitor_setup_paused(const struct monitor_setup *s)
{
	return s->vm.flags & MONITOR_VM_PAUSED;
}

bool monitor_setup_key(const struct monitor_setup *s,
		       struct monitor_msg_mktme *ret)
{
	*ret = s->mktme;
	return s->mktme.serial != 0;
}

void monitor_setup_take_smaps(struct monitor_setup *s, int fd)
{
	s->smaps_fd = fd;
}

int monitor_setup_smaps(const struct monitor_setup *s)
{
	return s->smaps_fd;
}

void monitor_setup_vm_made(struct monitor_setup *s)
{
	fd_closep(&s->kvm_fd);
	fd_closep(&s->smaps_fd);
	s->kvm_fd = s->smaps_fd = -1;
}
