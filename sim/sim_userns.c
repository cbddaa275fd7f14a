/* sim/sim_userns.c - enters a user namespace of our own. */
#include "sim/sim_userns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

static bool may_trace(void)
{
	struct __user_cap_header_struct hdr = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {0};

	return !syscall(SYS_capget, &hdr, data) &&
	       data[0].effective & 1U << CAP_SYS_PTRACE;
}

static int write_file(const char *path, const char *text)
{
	AUTO(fd_closep) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return write(fd, text, strlen(text)) < 0 ? -errno : 0;
}

/* The same number inside as outside. */
static int map_self(const char *path, unsigned int id)
{
	char text[64];

	snprintf(text, sizeof(text), "%u %u 1\n", id, id);
	return write_file(path, text);
}

int sim_userns_enter(struct err *err)
{
	unsigned int uid = geteuid(), gid = getegid();
	int r;

	if (may_trace())
		return 0;
	if (unshare(CLONE_NEWUSER) < 0)
		return err_set_kind(err, ERR_PERM, -errno,
				    "cannot enter a user namespace: %s; allow "
				    "them (sysctl kernel.unprivileged_userns_"
				    "clone, user.max_user_namespaces) or run "
				    "as root",
				    strerror(errno));
	r = map_self("/proc/self/uid_map", uid);
	/* Without it a group cannot be mapped. */
	if (r >= 0)
		r = write_file("/proc/self/setgroups", "deny");
	if (r >= 0)
		r = map_self("/proc/self/gid_map", gid);
	if (r < 0)
		return err_set_kind(err, ERR_PERM, r,
				    "cannot set up a user namespace: %s",
				    strerror(-r));
	return 0;
}
