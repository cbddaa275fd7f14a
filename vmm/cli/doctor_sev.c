/* vmm/cli/doctor_sev.c - every layer that AMD SEV needs, from CPU to limits. */
#include <cpuid.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/doctor.h"
#include "vmm/kvm/kvm_sev.h"
#include "vmm/kvm/sev_dev.h"

/* AMD APM vol. 3, E.4.17 "Function 8000_001Fh" */
struct leaf {
	unsigned int eax, ebx, ecx, edx;
};

bool doctor_cpuid_sev(unsigned int regs[static 4])
{
	return __get_cpuid(0x8000001f, &regs[0], &regs[1], &regs[2], &regs[3]);
}

static bool read_leaf(const struct doctor *d, struct leaf *l)
{
	unsigned int r[4];

	if (!d->sev_leaf(r) || !(r[0] & BIT32(1)))
		return false;
	*l = (struct leaf){r[0], r[1], r[2], r[3]};
	return true;
}

void doctor_check_sev_cpu(struct doctor *d)
{
	struct leaf l;

	if (!read_leaf(d, &l)) {
		doctor_warn(d, "sev.cpu", "",
			    "this CPU has no AMD SEV (CPUID 0x8000001F)");
		return;
	}
	doctor_ok(d, "sev.cpu", "SEV; C-bit %u, addresses lose %u bits",
		  l.ebx & 0x3f, l.ebx >> 6 & 0x3f);
	if (l.eax & BIT32(3))
		doctor_ok(d, "sev.cpu-es", "SEV-ES%s",
			  l.eax & BIT32(4) ? "; also SEV-SNP" : "");
	else
		doctor_warn(d, "sev.cpu-es", "",
			    "this CPU generation has no SEV-ES");
}

/* Highest ASID in ECX; EDX is the lowest of a guest that is not SEV-ES. */
void doctor_check_sev_asids(struct doctor *d)
{
	static const char fix[] =
		"set 'minimum SEV non-ES ASID' in the host's firmware setup: "
		"SEV-ES guests get the ASIDs below it, plain SEV the others";
	struct leaf l;

	if (!read_leaf(d, &l))
		return;
	if (l.edx <= 1)
		doctor_warn(d, "sev.asids", fix,
			    "%u ASIDs, all for plain SEV: none for SEV-ES",
			    l.ecx);
	else if (l.edx > l.ecx)
		doctor_warn(d, "sev.asids", fix,
			    "%u ASIDs, all for SEV-ES: none for plain SEV",
			    l.ecx);
	else
		doctor_ok(d, "sev.asids",
			  "%u ASIDs: %u for plain SEV, %u for SEV-ES", l.ecx,
			  l.ecx - l.edx + 1, l.edx - 1);
}

/* The value of @key in a file of "KEY NUMBER" lines; -1: none. */
static long misc_value(const struct doctor *d, const char *path,
		       const char *key)
{
	char full[512], word[64];
	long v, found = -1;
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", d->root, path);
	f = fopen(full, "re");
	if (!f)
		return -1;
	while (fscanf(f, "%63s %ld", word, &v) == 2)
		if (!strcmp(word, key))
			found = v;
	fclose(f);
	return found;
}

/* Linux, Documentation/admin-guide/cgroup-v2.rst, "Misc" */
static void check_use(struct doctor *d, const char *name, const char *key,
		      const char *what)
{
	long all = misc_value(d, "/sys/fs/cgroup/misc.capacity", key);
	long used = misc_value(d, "/sys/fs/cgroup/misc.current", key);

	if (all < 0)
		return;
	if (used < 0)
		doctor_ok(d, name,
			  "%ld ASIDs for %s guests in all; this kernel does "
			  "not say how many are in use",
			  all, what);
	else if (used >= all)
		doctor_warn(d, name, "end a protected guest",
			    "all %ld ASIDs for %s guests are in use", all,
			    what);
	else
		doctor_ok(d, name, "%ld of %ld ASIDs for %s guests are free",
			  all - used, all, what);
}

void doctor_check_sev_use(struct doctor *d)
{
	check_use(d, "sev.free", "sev", "SEV");
	check_use(d, "sev.free-es", "sev_es", "SEV-ES");
}

static void check_parameter(struct doctor *d, const char *name,
			    const char *parameter)
{
	char path[128], line[16], fix[DOCTOR_TEXT_MAX];
	int r;

	snprintf(path, sizeof(path), "/sys/module/kvm_amd/parameters/%s",
		 parameter);
	snprintf(fix, sizeof(fix),
		 "modprobe -r kvm_amd; modprobe kvm_amd %s=1, or boot with "
		 "kvm_amd.%s=1; if it stays off, look for 'SEV' in dmesg",
		 parameter, parameter);
	r = doctor_read_line(d, path, line, sizeof(line));
	if (r < 0)
		doctor_warn(d, name, "load kvm_amd of a kernel that has SEV",
			    "kvm_amd is not loaded, or has no parameter %s",
			    parameter);
	else if (line[0] == 'Y' || line[0] == '1')
		doctor_ok(d, name, "kvm_amd has %s=%s", parameter, line);
	else
		doctor_warn(d, name, fix, "kvm_amd has %s=%s", parameter, line);
}

void doctor_check_sev_module(struct doctor *d)
{
	check_parameter(d, "sev.module", "sev");
	check_parameter(d, "sev.module-es", "sev_es");
}

static void check_platform(struct doctor *d, const struct sev_dev *dev)
{
	struct sev_platform_status s;
	struct err e = {0};

	if (sev_dev_status(dev, &s, &e) < 0) {
		doctor_warn(d, "sev.platform", "look for 'ccp' in dmesg",
			    "%.200s", e.msg);
		return;
	}
	doctor_ok(d, "sev.platform",
		  "API %u.%u build %u, state %s, %s, %u guests", s.api_major,
		  s.api_minor, s.build, sev_platform_state_name(s.state),
		  s.owned ? "owned" : "self-owned", s.guests);
	if (s.state == SEV_PLATFORM_UNINIT)
		doctor_ok(d, "sev.platform-es",
			  "not initialised yet: the first guest does that");
	else if (s.es)
		doctor_ok(d, "sev.platform-es", "initialised with SEV-ES");
	else
		doctor_warn(d, "sev.platform-es",
			    "load kvm_amd with sev_es=1, and see sev.asids",
			    "initialised without SEV-ES");
}

void doctor_check_sev_device(struct doctor *d)
{
	char path[512];
	struct sev_dev dev;
	struct err e = {0};

	snprintf(path, sizeof(path), "%s/dev/sev", d->root);
	if (d->sev_open(path, &dev, &e) < 0) {
		doctor_warn(d, "sev.device",
			    e.code == -ENOENT
				    ? "load the ccp module; look for 'ccp' and "
				      "'SEV API' in dmesg"
				    : "let your group open it by a udev rule",
			    "%s does not open: %s", path, strerror(-e.code));
		return;
	}
	if (!dev.is_device)
		doctor_warn(d, "sev.device", "",
			    "%s is SIMULATED: it protects nothing", path);
	else if (!dev.writable)
		doctor_warn(d, "sev.device",
			    "let your group write to it by a udev rule",
			    "%s opens, but not for writing: no guest can be "
			    "launched",
			    path);
	else
		doctor_ok(d, "sev.device", "%s opens", path);
	check_platform(d, &dev);
	sev_dev_close(&dev);
}

void doctor_check_sev_kvm(struct doctor *d)
{
	struct kvm_sev_choice c;
	struct err e = {0};
	int r;

	if (d->kvm_fd < 0)
		return;
	r = d->sev_usable(d->kvm_fd);
	if (r < 0) {
		doctor_warn(d, "sev.kvm",
			    r == -ENOTTY ? "see sev.cpu, sev.module and "
					   "sev.device"
					 : "",
			    "KVM has SEV disabled: %s", strerror(-r));
		return;
	}
	doctor_ok(d, "sev.kvm", "KVM answers for SEV");
	for (int es = 0; es <= 1; es++) {
		const char *name = es ? "sev.way-es" : "sev.way";

		if (kvm_sev_choose_from(
			    d->kvm_cap(d->kvm_fd, DOCTOR_CAP_VM_TYPES), es, &c,
			    &e) < 0)
			doctor_warn(d, name, "see sev.asids and sev.module",
				    "%.200s", e.msg);
		else
			doctor_ok(d, name, "%s guests are made by %s",
				  es ? "SEV-ES" : "SEV",
				  c.init2 ? "KVM_SEV_INIT2"
				  : es	  ? "KVM_SEV_ES_INIT"
					  : "KVM_SEV_INIT");
	}
}
