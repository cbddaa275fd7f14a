/* vmm/kvm/sev_dev.c - the platform's commands, one ioctl each. */
#include "vmm/kvm/sev_dev.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/psp-sev.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "crypto/sev_error.h"
#include "crypto/sev_status.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

static_assert(SEV_ISSUE_CMD == 0xc0105300, "ioctl number");
static_assert(sizeof(struct sev_issue_cmd) == 16, "ABI size");
static_assert(sizeof(struct sev_user_data_status) == 12, "ABI size");
static_assert(sizeof(struct sev_user_data_pek_csr) == 12, "ABI size");
static_assert(sizeof(struct sev_user_data_pek_cert_import) == 24, "ABI size");
static_assert(sizeof(struct sev_user_data_pdh_cert_export) == 24, "ABI size");
static_assert(sizeof(struct sev_user_data_get_id2) == 12, "ABI size");

/* PLATFORM_STATUS, flags: bits of owner and configuration. */
enum { STATUS_OWNED = 1 << 0, STATUS_ES = 1 << 8 };

static int plain_ioctl(int fd, unsigned long request, void *arg)
{
	return ioctl(fd, request, arg);
}

/* The driver's device is called "sev" by the kernel: ask sysfs. */
static bool is_sev_device(int fd)
{
	AUTO(fd_closep) int uevent = -1;
	char path[64], text[256];
	struct stat st;
	ssize_t n;

	if (fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode))
		return false;
	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/uevent",
		 major(st.st_rdev), minor(st.st_rdev));
	uevent = open(path, O_RDONLY | O_CLOEXEC);
	if (uevent < 0)
		return true; /* no sysfs: a device it is */
	n = read(uevent, text, sizeof(text) - 1);
	if (n < 0)
		return true;
	text[n] = 0;
	return strstr(text, "DEVNAME=sev\n");
}

int sev_dev_open(const char *path, struct sev_dev *ret, struct err *err)
{
	struct sev_dev d = {.fd = -1, .ioctl_fn = plain_ioctl};

	d.fd = open(path, O_RDWR | O_CLOEXEC);
	d.writable = d.fd >= 0;
	if (d.fd < 0 && (errno == EACCES || errno == EPERM))
		d.fd = open(path, O_RDONLY | O_CLOEXEC);
	if (d.fd < 0 && (errno == EACCES || errno == EPERM))
		return err_set_kind(
			err, ERR_PERM, -errno,
			"%s: no permission (by default only root may); let "
			"your group open it by a udev rule, or run as root",
			path);
	if (d.fd < 0 && errno == ENOENT)
		return err_set_kind(
			err, ERR_HOST, -errno,
			"%s does not exist: no AMD security processor, or the "
			"ccp driver did not bind it; look for 'ccp' and 'SEV "
			"API' in dmesg, and see coffer doctor",
			path);
	if (d.fd < 0)
		return err_set_kind(err, ERR_HOST, -errno, "%s: %s", path,
				    strerror(errno));
	d.is_device = is_sev_device(d.fd);
	*ret = d;
	return 0;
}

void sev_dev_close(struct sev_dev *d)
{
	fd_closep(&d->fd);
	d->fd = -1;
}

const char *sev_platform_state_name(uint8_t state)
{
	static const char *const names[] = {
		[SEV_PLATFORM_UNINIT] = "UNINIT",
		[SEV_PLATFORM_INIT] = "INIT",
		[SEV_PLATFORM_WORKING] = "WORKING",
	};

	return state < ARRAY_SIZE(names) ? names[state] : "unknown";
}

/* *status: what the firmware said; 0 when it was not asked. */
static int command(const struct sev_dev *d, enum sev_platform_cmd cmd,
		   void *data, uint32_t *status)
{
	struct sev_issue_cmd c = {
		.cmd = (uint32_t)cmd,
		.data = (uintptr_t)data,
	};
	int r = d->ioctl_fn(d->fd, SEV_ISSUE_CMD, &c) < 0 ? -errno : 0;

	*status = r < 0 ? c.error : 0;
	return r;
}

static int issue(const struct sev_dev *d, enum sev_platform_cmd cmd, void *data,
		 struct err *err)
{
	uint32_t status;
	int r = command(d, cmd, data, &status);

	return r < 0 ? sev_platform_error_set(err, cmd, r, status) : 0;
}

/*
 * Ask how long the answer will be: the firmware refuses with INVALID_LEN and
 * fills in the lengths. Some commands succeed when there is nothing to tell.
 */
static int query(const struct sev_dev *d, enum sev_platform_cmd cmd, void *data,
		 struct err *err)
{
	uint32_t status;
	int r = command(d, cmd, data, &status);

	if (r < 0 && status == SEV_STATUS_INVALID_LEN)
		return 0;
	return r < 0 ? sev_platform_error_set(err, cmd, r, status) : 0;
}

static int odd_length(enum sev_platform_cmd cmd, uint64_t len, uint64_t want,
		      struct err *err)
{
	return err_set_kind(err, ERR_HOST, -EPROTO,
			    "SEV %s: the firmware answers %llu bytes, expected "
			    "%llu",
			    sev_platform_cmd_name(cmd), (unsigned long long)len,
			    (unsigned long long)want);
}

int sev_dev_status(const struct sev_dev *d, struct sev_platform_status *ret,
		   struct err *err)
{
	struct sev_user_data_status s;
	int r;

	memset(&s, 0, sizeof(s));
	r = issue(d, SEV_PLATFORM_GET_STATUS, &s, err);
	if (r < 0)
		return r;
	*ret = (struct sev_platform_status){
		.api_major = s.api_major,
		.api_minor = s.api_minor,
		.build = s.build,
		.state = s.state,
		.owned = s.flags & STATUS_OWNED,
		.es = s.flags & STATUS_ES,
		.guests = s.guest_count,
	};
	return 0;
}

int sev_dev_export(const struct sev_dev *d, uint8_t pdh[static SEV_CERT_LEN],
		   uint8_t chain[static SEV_CHAIN_LEN], struct err *err)
{
	const enum sev_platform_cmd cmd = SEV_PLATFORM_PDH_CERT_EXPORT;
	struct sev_user_data_pdh_cert_export e;
	int r;

	memset(&e, 0, sizeof(e));
	r = query(d, cmd, &e, err);
	if (r < 0)
		return r;
	if (e.pdh_cert_len != SEV_CERT_LEN)
		return odd_length(cmd, e.pdh_cert_len, SEV_CERT_LEN, err);
	if (e.cert_chain_len != SEV_CHAIN_LEN)
		return odd_length(cmd, e.cert_chain_len, SEV_CHAIN_LEN, err);
	e.pdh_cert_address = (uintptr_t)pdh;
	e.cert_chain_address = (uintptr_t)chain;
	return issue(d, cmd, &e, err);
}

int sev_dev_id(const struct sev_dev *d,
	       uint8_t id[static SEV_ID_LEN * SEV_ID_SOCKETS_MAX],
	       size_t *ret_len, struct err *err)
{
	const enum sev_platform_cmd cmd = SEV_PLATFORM_GET_ID2;
	const uint32_t max = SEV_ID_LEN * SEV_ID_SOCKETS_MAX;
	struct sev_user_data_get_id2 g;
	int r;

	memset(&g, 0, sizeof(g));
	r = query(d, cmd, &g, err);
	if (r < 0)
		return r;
	if (!g.length || g.length > max || g.length % SEV_ID_LEN)
		return odd_length(cmd, g.length, max, err);
	*ret_len = g.length;
	g.address = (uintptr_t)id;
	return issue(d, cmd, &g, err);
}

int sev_dev_pdh_gen(const struct sev_dev *d, struct err *err)
{
	return issue(d, SEV_PLATFORM_PDH_GEN, NULL, err);
}

int sev_dev_pek_csr(const struct sev_dev *d, uint8_t csr[static SEV_CERT_LEN],
		    struct err *err)
{
	const enum sev_platform_cmd cmd = SEV_PLATFORM_PEK_CSR;
	struct sev_user_data_pek_csr c;
	int r;

	memset(&c, 0, sizeof(c));
	r = query(d, cmd, &c, err);
	if (r < 0)
		return r;
	if (c.length != SEV_CERT_LEN)
		return odd_length(cmd, c.length, SEV_CERT_LEN, err);
	c.address = (uintptr_t)csr;
	return issue(d, cmd, &c, err);
}

int sev_dev_pek_import(const struct sev_dev *d,
		       const uint8_t pek[static SEV_CERT_LEN],
		       const uint8_t oca[static SEV_CERT_LEN], struct err *err)
{
	struct sev_user_data_pek_cert_import i = {
		.pek_cert_address = (uintptr_t)pek,
		.pek_cert_len = SEV_CERT_LEN,
		.oca_cert_address = (uintptr_t)oca,
		.oca_cert_len = SEV_CERT_LEN,
	};

	return issue(d, SEV_PLATFORM_PEK_CERT_IMPORT, &i, err);
}

int sev_dev_factory_reset(const struct sev_dev *d, struct err *err)
{
	return issue(d, SEV_PLATFORM_FACTORY_RESET, NULL, err);
}
