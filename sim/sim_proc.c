/* sim/sim_proc.c - reads and writes another process. */
#include "sim/sim_proc.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/kcmp.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "vmm/base/own.h"

enum { PAGE = 4096, LINE_LEN = 512, CAP_IPC_LOCK_BIT = 14 };

static struct sim_proc *proc_of(struct sim_target *t)
{
	return container_of(t, struct sim_proc, target);
}

/* /proc/TID/@name */
static const char *proc_path(char *buf, size_t size, pid_t tid,
			     const char *name)
{
	snprintf(buf, size, "/proc/%d/%s", (int)tid, name);
	return buf;
}

static void file_closep(FILE **f)
{
	if (*f)
		fclose(*f);
}

static FILE *open_proc(pid_t tid, const char *name)
{
	char path[64];

	return fopen(proc_path(path, sizeof(path), tid, name), "re");
}

bool sim_proc_is_valid(const struct sim_proc *p)
{
	uint64_t id = p->id;

	return p->listener < 0 ||
	       !ioctl(p->listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id);
}

/* --- memory -------------------------------------------------------------- */

static int proc_read(struct sim_target *t, uint64_t addr, void *buf, size_t len)
{
	struct sim_proc *p = proc_of(t);
	struct iovec here = {buf, len};
	struct iovec there = {(void *)(uintptr_t)addr, len};
	ssize_t n = process_vm_readv(p->tid, &here, 1, &there, 1, 0);

	return n == (ssize_t)len && sim_proc_is_valid(p) ? 0 : -EFAULT;
}

static int proc_write(struct sim_target *t, uint64_t addr, const void *buf,
		      size_t len)
{
	struct sim_proc *p = proc_of(t);
	struct iovec here = {(void *)(uintptr_t)buf, len};
	struct iovec there = {(void *)(uintptr_t)addr, len};

	if (!len)
		return 0;
	if (!sim_proc_is_valid(p))
		return -EFAULT;
	return process_vm_writev(p->tid, &here, 1, &there, 1, 0) == (ssize_t)len
		       ? 0
		       : -EFAULT;
}

int sim_proc_poke(struct sim_proc *p, uint64_t addr, const void *buf,
		  size_t len)
{
	AUTO(fd_closep) int fd = -1;
	char path[64];

	if (!proc_write(&p->target, addr, buf, len))
		return 0;
	fd = open(proc_path(path, sizeof(path), p->tid, "mem"),
		  O_RDWR | O_CLOEXEC);
	if (fd < 0 || !sim_proc_is_valid(p))
		return -EFAULT;
	return pwrite(fd, buf, len, (off_t)addr) == (ssize_t)len ? 0 : -EFAULT;
}

int sim_proc_read_text(struct sim_proc *p, uint64_t addr, char *buf,
		       size_t size)
{
	size_t len = 0;

	while (len < size) {
		/* Never over the end of a page: the next may be missing. */
		size_t n = PAGE - (size_t)((addr + len) % PAGE);

		if (n > size - len)
			n = size - len;
		if (proc_read(&p->target, addr + len, buf + len, n) < 0)
			return -EFAULT;
		if (memchr(buf + len, 0, n))
			return 0;
		len += n;
	}
	return -ENAMETOOLONG;
}

/* A line of maps: "start-end perms ...". */
static bool parse_range(const char *line, uint64_t *start, uint64_t *end,
			char perms[static 5])
{
	return sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s", start, end, perms) ==
	       3;
}

static bool proc_is_writable(struct sim_target *t, uint64_t addr, uint64_t len)
{
	AUTO(file_closep) FILE *f = open_proc(proc_of(t)->tid, "maps");
	uint64_t at = addr, start, end;
	char line[LINE_LEN], perms[5];

	while (f && at < addr + len && fgets(line, sizeof(line), f)) {
		if (!parse_range(line, &start, &end, perms) || end <= at)
			continue;
		if (start > at || perms[0] != 'r' || perms[1] != 'w')
			return false;
		at = end;
	}
	return at >= addr + len;
}

/* The size of the host's pages at @addr; 4096 when it cannot be known. */
static uint64_t page_size_at(pid_t tid, uint64_t addr)
{
	AUTO(file_closep) FILE *f = open_proc(tid, "smaps");
	uint64_t start, end, kib;
	char line[LINE_LEN], perms[5];
	bool inside = false;

	while (f && fgets(line, sizeof(line), f)) {
		if (parse_range(line, &start, &end, perms))
			inside = addr >= start && addr < end;
		else if (inside &&
			 sscanf(line, "KernelPageSize: %" SCNu64 " kB", &kib) ==
				 1)
			return kib << 10;
	}
	return PAGE;
}

/*
 * Physical addresses are not for us to see, so only one page counts as
 * contiguous: a small one, or one of hugetlbfs.
 */
static bool proc_is_contiguous(struct sim_target *t, uint64_t addr,
			       uint64_t len)
{
	uint64_t size;

	if (addr / PAGE == (addr + len - 1) / PAGE)
		return true;
	size = page_size_at(proc_of(t)->tid, addr);
	return size && addr / size == (addr + len - 1) / size;
}

/* --- limits -------------------------------------------------------------- */

/* In the user namespace that plays the host's first one: ours. */
static bool is_in_our_userns(pid_t tid)
{
	char path[64];
	struct stat ours, theirs;

	return !stat("/proc/self/ns/user", &ours) &&
	       !stat(proc_path(path, sizeof(path), tid, "ns/user"), &theirs) &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

bool sim_proc_has_cap(pid_t tid, unsigned int bit)
{
	AUTO(file_closep) FILE *f = open_proc(tid, "status");
	char line[LINE_LEN];
	uint64_t caps;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "CapEff: %" SCNx64, &caps) == 1)
			return caps >> bit & 1 && is_in_our_userns(tid);
	return false;
}

static uint64_t proc_memlock(struct sim_target *t)
{
	pid_t tid = proc_of(t)->tid;
	AUTO(file_closep) FILE *f = open_proc(tid, "limits");
	char line[LINE_LEN];
	uint64_t bytes;

	if (sim_proc_has_cap(tid, CAP_IPC_LOCK_BIT))
		return UINT64_MAX;
	while (f && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "Max locked memory", 17) != 0)
			continue;
		if (sscanf(line + 17, "%" SCNu64, &bytes) == 1)
			return bytes;
		return UINT64_MAX; /* unlimited */
	}
	return 0;
}

pid_t sim_proc_tgid(pid_t tid)
{
	AUTO(file_closep) FILE *f = open_proc(tid, "status");
	char line[LINE_LEN];
	int tgid;

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Tgid: %d", &tgid) == 1)
			return tgid;
	return -ESRCH;
}

bool sim_proc_has_our_root(pid_t tid)
{
	char path[64];
	struct stat ours, theirs;

	return !stat("/", &ours) &&
	       !stat(proc_path(path, sizeof(path), tid, "root"), &theirs) &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* --- descriptors --------------------------------------------------------- */

bool sim_proc_same_file(pid_t a, uint32_t fd_a, pid_t b, uint32_t fd_b)
{
	return syscall(SYS_kcmp, a, b, KCMP_FILE, (unsigned long)fd_a,
		       (unsigned long)fd_b) == 0;
}

static bool proc_is_sev(struct sim_target *t, uint32_t fd, int *ret_mode)
{
	const struct sim_proc *p = proc_of(t);

	for (int mode = 0; mode < SIM_SEV_FILES; mode++)
		if (sim_proc_same_file(p->tid, fd, getpid(),
				       (uint32_t)p->sev_files[mode])) {
			*ret_mode = mode;
			return true;
		}
	return false;
}

int sim_proc_get_fd(pid_t tid, uint32_t fd)
{
	pid_t tgid = sim_proc_tgid(tid);
	AUTO(fd_closep) int pidfd = -1;
	int copy;

	if (tgid < 0)
		return tgid;
	pidfd = pidfd_open(tgid, 0);
	if (pidfd < 0)
		return -errno;
	copy = pidfd_getfd(pidfd, (int)fd, 0);
	return copy < 0 ? -errno : copy;
}

/* What the link of a descriptor in /proc says. */
static bool read_link(pid_t tid, uint32_t fd, char *buf, size_t size)
{
	AUTO(fd_closep) int copy = -1;
	char path[64];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", (int)tid, fd);
	n = readlink(path, buf, size - 1);
	if (n < 0 && errno == EACCES) { /* it is not dumpable */
		copy = sim_proc_get_fd(tid, fd);
		if (copy < 0)
			return false;
		snprintf(path, sizeof(path), "/proc/self/fd/%d", copy);
		n = readlink(path, buf, size - 1);
	}
	if (n >= 0)
		buf[n] = 0;
	return n >= 0;
}

enum sim_fd_kind sim_proc_fd_kind(pid_t tid, uint32_t fd, uint32_t *ret_vcpu)
{
	char link[64];

	if (!read_link(tid, fd, link, sizeof(link)))
		return SIM_FD_OTHER;
	if (!strcmp(link, "anon_inode:kvm-vm"))
		return SIM_FD_VM;
	if (sscanf(link, "anon_inode:kvm-vcpu:%" SCNu32, ret_vcpu) == 1)
		return SIM_FD_VCPU;
	/* A jail may have it under another name, or none. */
	return !strncmp(link, "/dev/kvm", 8) || !strcmp(link, "/kvm")
		       ? SIM_FD_KVM
		       : SIM_FD_OTHER;
}

static const struct sim_target_ops ops = {
	.read = proc_read,
	.write = proc_write,
	.is_writable = proc_is_writable,
	.is_contiguous = proc_is_contiguous,
	.memlock = proc_memlock,
	.is_sev = proc_is_sev,
};

void sim_proc_init(struct sim_proc *p, pid_t tid, int listener, uint64_t id,
		   const int sev_files[static SIM_SEV_FILES])
{
	*p = (struct sim_proc){.target.ops = &ops,
			       .tid = tid,
			       .listener = listener,
			       .id = id,
			       .sev_files = sev_files};
}
