/* vmm/cli/doctor_host.c - what else of the host a guest can make use of. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/io_uring.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "vmm/base/bits.h"
#include "vmm/base/own.h"
#include "vmm/cli/doctor.h"
#include "vmm/quantity.h"

/* io_uring rings were charged to this limit before Linux 5.12. */
enum { MEMLOCK_SMALL = 64 << 10 };

void doctor_check_kernel(struct doctor *d)
{
	struct utsname u;

	if (uname(&u) < 0)
		return;
	doctor_ok(d, "host.kernel", "Linux %s on %s, %ld CPUs online",
		  u.release, u.machine, sysconf(_SC_NPROCESSORS_ONLN));
}

void doctor_check_memory(struct doctor *d)
{
	uint64_t total = 0, available = 0;
	char path[512], line[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/proc/meminfo", d->root);
	f = fopen(path, "re");
	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		if (!strncmp(line, "MemTotal:", 9))
			total = strtoull(line + 9, NULL, 10);
		else if (!strncmp(line, "MemAvailable:", 13))
			available = strtoull(line + 13, NULL, 10);
	}
	fclose(f);
	doctor_ok(d, "host.memory",
		  "%" PRIu64 " MiB available of %" PRIu64 " MiB",
		  available / 1024, total / 1024);
}

static const char *limit_text(rlim_t v, char buf[static QUANTITY_TEXT_MAX])
{
	return v == RLIM_INFINITY ? "unlimited" : quantity_format_size(v, buf);
}

void doctor_check_memlock(struct doctor *d)
{
	char soft[QUANTITY_TEXT_MAX], hard[QUANTITY_TEXT_MAX];
	struct rlimit l;

	if (getrlimit(RLIMIT_MEMLOCK, &l) < 0)
		return;
	if (l.rlim_cur != RLIM_INFINITY && l.rlim_cur < MEMLOCK_SMALL)
		doctor_warn(d, "host.memlock",
			    "raise it: ulimit -l, or LimitMEMLOCK= of a "
			    "systemd unit",
			    "locked memory is limited to %s (hard limit %s)",
			    limit_text(l.rlim_cur, soft),
			    limit_text(l.rlim_max, hard));
	else
		doctor_ok(d, "host.memlock",
			  "locked memory is limited to %s (hard limit %s)",
			  limit_text(l.rlim_cur, soft),
			  limit_text(l.rlim_max, hard));
}

static void check_hugepages(struct doctor *d, const char *name, const char *dir,
			    const char *size)
{
	char path[128], total[32], idle[32], fix[DOCTOR_TEXT_MAX];

	snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%s/nr_hugepages",
		 dir);
	snprintf(fix, sizeof(fix),
		 "for --memory SIZE,hugepages=%s: echo N | sudo tee %s", size,
		 path);
	if (doctor_read_line(d, path, total, sizeof(total)) < 0) {
		doctor_warn(d, name, "",
			    "no huge pages of %s on this CPU or kernel", size);
		return;
	}
	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/%s/free_hugepages", dir);
	if (doctor_read_line(d, path, idle, sizeof(idle)) < 0)
		snprintf(idle, sizeof(idle), "?");
	if (!strcmp(idle, "0"))
		doctor_warn(d, name, fix, "0 free of %s huge pages of %s",
			    total, size);
	else
		doctor_ok(d, name, "%s free of %s huge pages of %s", idle,
			  total, size);
}

void doctor_check_hugepages(struct doctor *d)
{
	check_hugepages(d, "host.hugepages-2M", "hugepages-2048kB", "2M");
	check_hugepages(d, "host.hugepages-1G", "hugepages-1048576kB", "1G");
}

void doctor_check_thp(struct doctor *d)
{
	static const char path[] =
		"/sys/kernel/mm/transparent_hugepage/enabled";
	char line[128];

	if (doctor_read_line(d, path, line, sizeof(line)) < 0)
		doctor_warn(d, "host.thp",
			    "use a kernel with CONFIG_TRANSPARENT_HUGEPAGE",
			    "no transparent huge pages: guests run slower");
	else if (strstr(line, "[never]"))
		doctor_warn(d, "host.thp",
			    "echo madvise | sudo tee "
			    "/sys/kernel/mm/transparent_hugepage/enabled",
			    "transparent huge pages are off: guests run "
			    "slower");
	else
		doctor_ok(d, "host.thp", "transparent huge pages: %s", line);
}

/* @path opens read-write, or what is lost and what brings it back. */
static void check_device(struct doctor *d, const char *name, const char *path,
			 const char *what, const char *module)
{
	char full[512], fix[DOCTOR_TEXT_MAX];
	AUTO(fd_closep) int fd = -1;
	int e;

	snprintf(full, sizeof(full), "%s%s", d->root, path);
	fd = open(full, O_RDWR | O_CLOEXEC);
	e = errno;
	if (fd >= 0) {
		doctor_ok(d, name, "%s opens", full);
		return;
	}
	if (e == EACCES || e == EPERM)
		snprintf(fix, sizeof(fix),
			 "for %s: let your user or group open it", what);
	else
		snprintf(fix, sizeof(fix), "for %s: sudo modprobe %s", what,
			 module);
	doctor_warn(d, name, fix, "%s does not open: %s", full, strerror(e));
}

void doctor_check_tun(struct doctor *d)
{
	check_device(d, "host.tun", "/dev/net/tun", "network by tap", "tun");
}

void doctor_check_vhost_net(struct doctor *d)
{
	check_device(d, "host.vhost-net", "/dev/vhost-net",
		     "network in the kernel", "vhost_net");
}

void doctor_check_vhost_vsock(struct doctor *d)
{
	check_device(d, "host.vhost-vsock", "/dev/vhost-vsock",
		     "vsock in the kernel", "vhost_vsock");
}

void doctor_check_io_uring(struct doctor *d)
{
	struct io_uring_params p = {0};
	AUTO(fd_closep) int fd = -1;
	char line[32] = "";
	int e;

	fd = (int)syscall(SYS_io_uring_setup, 1, &p);
	e = errno;
	if (fd >= 0) {
		doctor_ok(d, "host.io_uring", "a ring can be made");
		return;
	}
	doctor_read_line(d, "/proc/sys/kernel/io_uring_disabled", line,
			 sizeof(line));
	if (line[0] && strcmp(line, "0") != 0)
		doctor_warn(d, "host.io_uring",
			    "for fast disks: sudo sysctl "
			    "kernel.io_uring_disabled=0",
			    "kernel.io_uring_disabled is %s", line);
	else
		doctor_warn(d, "host.io_uring",
			    "for fast disks: use Linux 5.10 or later, and let "
			    "the container's seccomp profile allow io_uring",
			    "no ring can be made: %s", strerror(e));
}

/* 0 when an unprivileged process gets a user namespace, else its errno. */
static int try_userns(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (!pid)
		_exit(unshare(CLONE_NEWUSER) < 0 ? errno : 0);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EINTR;
}

void doctor_check_userns(struct doctor *d)
{
	char line[32] = "";
	int e = try_userns();

	if (!e) {
		doctor_ok(d, "host.userns", "user namespaces can be made");
		return;
	}
	doctor_read_line(d, "/proc/sys/kernel/unprivileged_userns_clone", line,
			 sizeof(line));
	doctor_warn(d, "host.userns",
		    !strcmp(line, "0")
			    ? "for a locked-down guest without root: sudo "
			      "sysctl kernel.unprivileged_userns_clone=1"
			    : "for a locked-down guest without root: check "
			      "user.max_user_namespaces, AppArmor, and the "
			      "container's seccomp profile",
		    "no user namespace can be made: %s", strerror(e));
}

void doctor_check_landlock(struct doctor *d)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	if (abi > 0)
		doctor_ok(d, "host.landlock", "Landlock ABI version %ld", abi);
	else
		doctor_warn(d, "host.landlock",
			    "use Linux 5.13 or later with landlock in its "
			    "lsm= list",
			    "no Landlock: %s", strerror(errno));
}

void doctor_check_cgroup(struct doctor *d)
{
	char line[256] = "";
	int r = doctor_read_line(d, "/sys/fs/cgroup/cgroup.controllers", line,
				 sizeof(line));

	if (!r || r == -ENODATA)
		doctor_ok(d, "host.cgroup", "cgroup v2: %.200s",
			  line[0] ? line : "no controllers");
	else
		doctor_warn(d, "host.cgroup",
			    "to limit guests: boot with "
			    "systemd.unified_cgroup_hierarchy=1",
			    "no cgroup v2 at /sys/fs/cgroup");
}
