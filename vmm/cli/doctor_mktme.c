/*
 * vmm/cli/doctor_mktme.c - does this host encrypt guest memory under keys of
 * its own? Asks in the order CPU, firmware, kernel, call: each needs those
 * before it. Nothing here costs a KeyID.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crypto/mktme_key.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/doctor.h"
#include "vmm/config_mktme.h"
#include "vmm/host_config.h"
#include "vmm/supervisor/key_broker.h"
#include "vmm/supervisor/key_service.h"

enum {
	MSR_TME_ACTIVATE = 0x982, /* Intel 336907, IA32_TME_ACTIVATE */
};

/* Is @flag in the flags of the first CPU? */
static bool has_flag(const struct doctor *d, const char *flag)
{
	char path[512], line[8192], word[32];
	bool found = false;
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/cpuinfo", d->root);
	snprintf(word, sizeof(word), " %s ", flag);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, "flags", 5) != 0)
			continue;
		line[strcspn(line, "\n")] = ' ';
		found = strstr(line, word) != NULL;
		break;
	}
	fclose(f);
	return found;
}

static bool has_cpu(const struct doctor *d)
{
	return has_flag(d, "tme") && has_flag(d, "pconfig");
}

void doctor_check_mktme_cpu(struct doctor *d)
{
	if (has_cpu(d))
		doctor_ok(d, "mktme.cpu", "the CPU has TME and PCONFIG");
	else
		doctor_warn(d, "mktme.cpu", "",
			    "no MKTME: the CPU, or the kernel that lists its "
			    "flags, has no %s",
			    has_flag(d, "tme") ? "pconfig" : "tme");
}

/* What the firmware has chosen, if the CPU has it and the MSR can be read. */
void doctor_check_mktme_firmware(struct doctor *d)
{
	AUTO(fd_closep) int fd = -1;
	unsigned int bits, tdx;
	char path[512];
	uint64_t v;

	if (!has_flag(d, "tme"))
		return;
	snprintf(path, sizeof(path), "%s/dev/cpu/0/msr", d->root);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || pread(fd, &v, sizeof(v), MSR_TME_ACTIVATE) != sizeof(v)) {
		doctor_warn(d, "mktme.firmware",
			    "as root, with the module msr: sudo modprobe msr",
			    "the number of KeyIDs cannot be read: %s",
			    strerror(errno));
		return;
	}
	/* lock 0, enable 1, KeyID bits 35:32, those of TDX 39:36 */
	bits = v >> 32 & 15;
	tdx = v >> 36 & 15;
	if ((v & 3) != 3 || !bits || bits <= tdx)
		doctor_warn(d, "mktme.firmware",
			    "switch on TME and MKTME (TME-MK) in the "
			    "firmware's set-up",
			    "TME is %s, with %u bits of KeyID (%u of them for "
			    "TDX)",
			    (v & 3) == 3 ? "on" : "off", bits, tdx);
	else
		doctor_ok(d, "mktme.firmware", "%u KeyIDs",
			  (1u << (bits - tdx)) - 1);
}

void doctor_check_mktme_kernel(struct doctor *d)
{
	int r = d->keys->ops->probe_type(d->keys);

	d->has_mktme = !r;
	if (!r)
		doctor_ok(d, "mktme.kernel",
			  "keys of type mktme can be made: guest memory can "
			  "be " MKTME_PROTECTS);
	else if (r == -EACCES)
		doctor_warn(d, "mktme.kernel",
			    "for --protect mktme: run as root, or with "
			    "CAP_SYS_RESOURCE",
			    "the kernel has keys of type mktme, which you may "
			    "not make");
	else if (r == -ENODEV)
		doctor_warn(d, "mktme.kernel",
			    "for --protect mktme: a kernel with the MKTME "
			    "patches of 2018 or 2019; no distribution has them",
			    "the kernel has no keys of type mktme");
	else
		doctor_warn(d, "mktme.kernel",
			    "in a container its seccomp profile must allow "
			    "add_key and keyctl",
			    "the key service does not answer: %s",
			    strerror(-r));
}

void doctor_check_mktme_syscall(struct doctor *d)
{
	struct host_config c;
	struct err err = {0};
	char path[512];
	int r;

	if (!d->has_mktme)
		return; /* and no call of any number is made */
	snprintf(path, sizeof(path), "%s" HOST_CONFIG_PATH, d->root);
	r = host_config_read(path, &c, &err);
	if (!r)
		r = key_broker_check(d->keys, c.mktme_syscall, &err);
	if (r < 0)
		doctor_warn(d, "mktme.syscall",
			    "mktme-syscall = N in /etc/coffer.conf, with the N "
			    "of encrypt_mprotect in the kernel's "
			    "syscall_64.tbl",
			    "%.200s", err.msg);
	else
		doctor_ok(d, "mktme.syscall", "encrypt_mprotect is call %llu",
			  (unsigned long long)c.mktme_syscall);
}

static int count(void *arg, const struct key_info *k)
{
	*(unsigned int *)arg += !strcmp(k->type, MKTME_KEY_TYPE);
	return 0;
}

void doctor_check_mktme_keys(struct doctor *d)
{
	unsigned int n = 0;

	if (d->has_mktme && !d->keys->ops->list(d->keys, count, &n))
		doctor_ok(d, "mktme.keys",
			  "%u keys can be seen; coffer mktme keys lists them",
			  n);
}
