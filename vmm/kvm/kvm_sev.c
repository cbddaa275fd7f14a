/* vmm/kvm/kvm_sev.c - one command, one ioctl. */
#include "vmm/kvm/kvm_sev.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/kvm/kvm_abi.h"
#include "vmm/kvm/kvm_sys.h"

struct kvm_sev {
	struct sev_fw fw;
	struct kvm_sev_params p;
};

/* --- which way ----------------------------------------------------------- */

int kvm_sev_choose_from(int vm_types, bool es, struct kvm_sev_choice *ret,
			struct err *err)
{
	const int sev_bit = (int)BIT32(KVM_VM_TYPE_SEV);
	const int es_bit = (int)BIT32(KVM_VM_TYPE_SEV_ES);

	if (vm_types & (es ? es_bit : sev_bit)) {
		*ret = (struct kvm_sev_choice){
			.vm_type = es ? KVM_VM_TYPE_SEV_ES : KVM_VM_TYPE_SEV,
			.init2 = true,
		};
		return 0;
	}
	if (es && (vm_types & sev_bit))
		return err_set_kind(
			err, ERR_HOST, -EOPNOTSUPP,
			"this host runs SEV guests but not SEV-ES: no ASIDs "
			"for it ('minimum SEV non-ES ASID' in the firmware "
			"setup), kvm_amd sev_es=0, or SEV-SNP is on with "
			"firmware that then refuses SEV-ES; coffer doctor "
			"tells more");
	if (!es && (vm_types & es_bit))
		return err_set_kind(
			err, ERR_HOST, -EOPNOTSUPP,
			"this host runs SEV-ES guests but not plain SEV: the "
			"firmware setup gives all ASIDs to SEV-ES (lower "
			"'minimum SEV non-ES ASID')");
	*ret = (struct kvm_sev_choice){.vm_type = KVM_VM_TYPE_DEFAULT};
	return 0;
}

int kvm_sev_choose(int kvm_fd, bool es, struct kvm_sev_choice *ret,
		   struct err *err)
{
	return kvm_sev_choose_from(kvm_sys_cap(kvm_fd, KVM_CAP_VM_TYPES), es,
				   ret, err);
}

int kvm_sev_usable(int kvm_fd)
{
	AUTO(fd_closep) int fd = ioctl(kvm_fd, KVM_CREATE_VM, 0);

	if (fd < 0)
		return -errno;
	if (ioctl(fd, KVM_MEMORY_ENCRYPT_OP, NULL) < 0 && errno != EFAULT)
		return -errno; /* EFAULT: an older kernel, with SEV on */
	return 0;
}

/* --- commands ------------------------------------------------------------ */

static int plain_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

/* The error field is only written when the firmware was reached. */
static int command(struct kvm_sev *s, uint32_t id, void *data, uint32_t *status)
{
	struct kvm_sev_cmd c;
	int r;

	memset(&c, 0, sizeof(c));
	c.id = id;
	c.data = (uintptr_t)data;
	c.sev_fd = (uint32_t)s->p.sev_fd;
	r = s->p.ioctl_fn(s->p.vm_fd, KVM_MEMORY_ENCRYPT_OP, &c) < 0 ? -errno
								     : 0;
	*status = r < 0 ? c.error : 0;
	return r;
}

static int init(struct kvm_sev *s, uint32_t *status)
{
	struct kvm_sev_init2 in;

	if (!s->p.init2)
		return command(s, s->p.es ? KVM_SEV_ES_INIT : KVM_SEV_INIT,
			       NULL, status);
	/* No VMSA feature: a host's default would change the measurement. */
	memset(&in, 0, sizeof(in));
	return command(s, KVM_SEV_CMD_INIT2, &in, status);
}

static int start(struct kvm_sev *s, struct sev_fw_call *c)
{
	struct kvm_sev_launch_start in;
	int r;

	memset(&in, 0, sizeof(in));
	in.policy = c->start.policy;
	in.dh_uaddr = (uintptr_t)c->start.dh_cert;
	in.dh_len = c->start.dh_cert_len;
	in.session_uaddr = (uintptr_t)c->start.session;
	in.session_len = c->start.session_len;
	r = command(s, KVM_SEV_LAUNCH_START, &in, &c->status);
	if (!r)
		c->start.handle = in.handle;
	return r;
}

static int region(struct kvm_sev *s, unsigned long request,
		  const struct sev_fw_call *c)
{
	struct kvm_enc_region in = {
		.addr = (uintptr_t)c->mem.hva,
		.size = c->mem.len,
	};

	return s->p.ioctl_fn(s->p.vm_fd, request, &in) < 0 ? -errno : 0;
}

static int update_data(struct kvm_sev *s, struct sev_fw_call *c)
{
	struct kvm_sev_launch_update_data in;

	if (c->mem.len > UINT32_MAX)
		return -E2BIG;
	memset(&in, 0, sizeof(in));
	in.uaddr = (uintptr_t)c->mem.hva;
	in.len = (uint32_t)c->mem.len;
	return command(s, KVM_SEV_LAUNCH_UPDATE_DATA, &in, &c->status);
}

static int measure(struct kvm_sev *s, struct sev_fw_call *c)
{
	struct kvm_sev_launch_measure in;
	int r;

	memset(&in, 0, sizeof(in));
	in.uaddr = (uintptr_t)c->measure.out;
	in.len = sizeof(c->measure.out);
	r = command(s, KVM_SEV_LAUNCH_MEASURE, &in, &c->status);
	if (!r && in.len != sizeof(c->measure.out))
		return -EPROTO;
	return r;
}

static int secret(struct kvm_sev *s, struct sev_fw_call *c)
{
	struct kvm_sev_launch_secret in;

	memset(&in, 0, sizeof(in));
	in.hdr_uaddr = (uintptr_t)c->secret.hdr;
	in.hdr_len = SEV_SECRET_HDR_LEN;
	in.guest_uaddr = (uintptr_t)c->secret.hva;
	in.guest_len = c->secret.len;
	in.trans_uaddr = (uintptr_t)c->secret.payload;
	in.trans_len = c->secret.len;
	return command(s, KVM_SEV_LAUNCH_SECRET, &in, &c->status);
}

static int guest_status(struct kvm_sev *s, struct sev_fw_call *c)
{
	struct kvm_sev_guest_status out;
	int r;

	memset(&out, 0, sizeof(out));
	r = command(s, KVM_SEV_GUEST_STATUS, &out, &c->status);
	c->guest.handle = out.handle;
	c->guest.policy = out.policy;
	c->guest.state = out.state;
	return r;
}

static int attestation(struct kvm_sev *s, struct sev_fw_call *c)
{
	struct kvm_sev_attestation_report in;
	int r;

	memset(&in, 0, sizeof(in));
	memcpy(in.mnonce, c->attestation.mnonce, sizeof(in.mnonce));
	in.uaddr = (uintptr_t)c->attestation.out;
	in.len = sizeof(c->attestation.out);
	r = command(s, KVM_SEV_GET_ATTESTATION_REPORT, &in, &c->status);
	if (!r && in.len != sizeof(c->attestation.out))
		return -EPROTO;
	return r;
}

static int issue(struct sev_fw *fw, struct sev_fw_call *c)
{
	struct kvm_sev *s = container_of(fw, struct kvm_sev, fw);

	switch (c->cmd) {
	case SEV_FW_INIT:
		return init(s, &c->status);
	case SEV_FW_START:
		return start(s, c);
	case SEV_FW_PIN:
		return region(s, KVM_MEMORY_ENCRYPT_REG_REGION, c);
	case SEV_FW_UNPIN:
		return region(s, KVM_MEMORY_ENCRYPT_UNREG_REGION, c);
	case SEV_FW_UPDATE_DATA:
		return update_data(s, c);
	case SEV_FW_UPDATE_VMSA:
		return command(s, KVM_SEV_LAUNCH_UPDATE_VMSA, NULL, &c->status);
	case SEV_FW_MEASURE:
		return measure(s, c);
	case SEV_FW_SECRET:
		return secret(s, c);
	case SEV_FW_FINISH:
		return command(s, KVM_SEV_LAUNCH_FINISH, NULL, &c->status);
	case SEV_FW_GUEST_STATUS:
		return guest_status(s, c);
	case SEV_FW_ATTESTATION:
		return attestation(s, c);
	case SEV_FW_CMD_COUNT:
		break;
	}
	return -ENOSYS;
}

int kvm_sev_create(const struct kvm_sev_params *p, struct kvm_sev **ret,
		   struct err *err)
{
	static const struct sev_fw_ops ops = {.issue = issue};
	struct kvm_sev *s = calloc(1, sizeof(*s));

	if (!s)
		return err_set(err, -ENOMEM, "out of memory");
	s->fw.ops = &ops;
	s->p = *p;
	if (!s->p.ioctl_fn)
		s->p.ioctl_fn = plain_ioctl;
	*ret = s;
	return 0;
}

void kvm_sev_destroy(struct kvm_sev *s)
{
	free(s);
}

struct sev_fw *kvm_sev_fw(struct kvm_sev *s)
{
	return &s->fw;
}
