/* vmm/cli/doctor_kvm.c - is there a KVM, which one, and what it can do. */
#include <dirent.h>
#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/cli/doctor.h"
#include "vmm/kvm/kvm_sys.h"

static void device_path(const struct doctor *d, char *buf, size_t len)
{
	snprintf(buf, len, "%s/dev/kvm", d->root);
}

static void no_permission(struct doctor *d, const char *path)
{
	const struct group *g = NULL;
	char fix[DOCTOR_TEXT_MAX];
	struct stat st;

	if (!stat(path, &st) && (st.st_mode & S_IWGRP))
		g = getgrgid(st.st_gid);
	if (g)
		snprintf(fix, sizeof(fix),
			 "add yourself to its group: sudo usermod -aG %s "
			 "\"$USER\", then log in again",
			 g->gr_name);
	else
		snprintf(fix, sizeof(fix),
			 "give its group access: sudo chgrp kvm %.64s && sudo "
			 "chmod 660 %.64s; in a container pass the device and "
			 "its group through",
			 path, path);
	doctor_fail(d, "kvm.device", fix, "%s: no permission to open it", path);
}

void doctor_check_kvm_device(struct doctor *d)
{
	char path[512];
	int r;

	device_path(d, path, sizeof(path));
	r = kvm_sys_open(path, &d->kvm_fd, NULL);
	if (r >= 0)
		doctor_ok(d, "kvm.device", "%s opens", path);
	else if (r == -EACCES || r == -EPERM)
		no_permission(d, path);
	else if (r == -ENOENT)
		doctor_fail(d, "kvm.device",
			    "switch on SVM (AMD) or VT-x (Intel) in the "
			    "firmware's set-up, then: sudo modprobe kvm_amd or "
			    "kvm_intel; in a VM its host must allow nesting; "
			    "in a container pass /dev/kvm through",
			    "%s does not exist", path);
	else
		doctor_fail(d, "kvm.device",
			    "sudo modprobe kvm_amd or kvm_intel, and read what "
			    "dmesg says then",
			    "%s does not open: %s", path, strerror(-r));
}

void doctor_check_kvm_api(struct doctor *d)
{
	int v;

	if (d->kvm_fd < 0)
		return;
	v = kvm_sys_api_version(d->kvm_fd);
	if (v == KVM_SYS_API_VERSION)
		doctor_ok(d, "kvm.api", "KVM API version %d", v);
	else if (v < 0)
		doctor_fail(d, "kvm.api", "see what made the device node",
			    "/dev/kvm is not KVM: %s", strerror(-v));
	else
		doctor_fail(d, "kvm.api", "use a Linux kernel since 2.6.22",
			    "KVM API version %d, %d is needed", v,
			    KVM_SYS_API_VERSION);
}

/* Append "kvm_amd (nested=1)" to the list. */
static void append_module(const struct doctor *d, const char *name, char *list,
			  size_t len)
{
	size_t n = strlen(list);
	char path[512], nested[16];

	snprintf(path, sizeof(path), "/sys/module/%s/parameters/nested", name);
	if (doctor_read_line(d, path, nested, sizeof(nested)) < 0)
		snprintf(list + n, len - n, "%s%.32s", n ? ", " : "", name);
	else
		snprintf(list + n, len - n, "%s%.32s (nested=%s)",
			 n ? ", " : "", name, nested);
}

/*
 * Modules kvm_*, loaded or built in; a kernel may have both vendors' built in.
 * True when one of them is AMD's or Intel's.
 */
static bool list_modules(const struct doctor *d, char *list, size_t len)
{
	const struct dirent *e;
	bool usual = false;
	char path[512];
	DIR *dir;

	list[0] = 0;
	snprintf(path, sizeof(path), "%s/sys/module", d->root);
	dir = opendir(path);
	if (!dir)
		return false;
	while ((e = readdir(dir))) {
		if (strncmp(e->d_name, "kvm_", 4) != 0)
			continue;
		append_module(d, e->d_name, list, len);
		usual |= !strcmp(e->d_name, "kvm_amd") ||
			 !strcmp(e->d_name, "kvm_intel");
	}
	closedir(dir);
	return usual;
}

void doctor_check_kvm_module(struct doctor *d)
{
	char list[DOCTOR_TEXT_MAX / 2];
	bool usual = list_modules(d, list, sizeof(list));

	if (usual)
		doctor_ok(d, "kvm.module", "%s", list);
	else if (d->kvm_fd >= 0 || list[0])
		doctor_warn(d, "kvm.module",
			    "expect differences: such a KVM may run a stock "
			    "kernel very slowly or refuse some registers",
			    "neither kvm_amd nor kvm_intel, but %s",
			    list[0] ? list : "a KVM of another kind");
	/* else kvm.device has said it */
}

void doctor_check_kvm_required(struct doctor *d)
{
	char missing[DOCTOR_TEXT_MAX] = "";
	size_t n = 0, have = 0;

	if (d->kvm_fd < 0)
		return;
	for (size_t i = 0; i < kvm_n_caps; i++) {
		if (!kvm_caps[i].required)
			continue;
		if (d->kvm_cap(d->kvm_fd, kvm_caps[i].number) > 0)
			have++;
		else if (n < sizeof(missing))
			n += (size_t)snprintf(missing + n, sizeof(missing) - n,
					      "%s%s", n ? ", " : "",
					      kvm_caps[i].name);
	}
	if (n)
		doctor_fail(d, "kvm.required",
			    "use a newer Linux kernel, or a KVM that has them",
			    "this KVM lacks %.200s", missing);
	else
		doctor_ok(d, "kvm.required", "all %zu required capabilities",
			  have);
}

void doctor_check_kvm_optional(struct doctor *d)
{
	size_t have = 0, all = 0;

	if (d->kvm_fd < 0)
		return;
	for (size_t i = 0; i < kvm_n_caps; i++) {
		const struct kvm_cap_info *c = &kvm_caps[i];

		if (c->required)
			continue;
		all++;
		if (d->kvm_cap(d->kvm_fd, c->number) > 0)
			have++;
		else
			doctor_warn(d, "kvm.optional",
				    "a newer Linux kernel may have it",
				    "no %s: %s", c->name, c->lost);
	}
	doctor_ok(d, "kvm.optional", "%zu of %zu optional capabilities", have,
		  all);
}
