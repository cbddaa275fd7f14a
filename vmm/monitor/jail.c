/* vmm/monitor/jail.c - the steps into the jail, in their order. */
#include "vmm/monitor/jail.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/base/log.h"
#include "vmm/monitor/jail_landlock.h"
#include "vmm/monitor/monitor_proto.h"

enum { CAP_NUMBERS = 64 }; /* more than any kernel has */

/* One step of the way in, with a place for a test to fail it. */
static int step(int r, const char *name, struct err *err)
{
	return r < 0 ? r : fault_point(name, err);
}

static int failed(struct err *err, const char *what)
{
	int r = -errno;

	return err_set_kind(err, ERR_HOST, r, "jail: %s: %s", what,
			    strerror(-r));
}

/* --- an empty root ------------------------------------------------------- */

/*
 * The current directory becomes the root. pivot_root(2) also takes the old one
 * away; on an initial RAM disk or in a chroot it says EINVAL, and then the old
 * one stays under ours, where nobody without CAP_SYS_CHROOT comes to.
 */
static int change_root(struct err *err)
{
	if (!syscall(SYS_pivot_root, ".", ".")) {
		if (umount2(".", MNT_DETACH) < 0)
			return failed(err, "umount");
	} else if (errno != EINVAL) {
		return failed(err, "pivot_root");
	} else if (mount(".", "/", NULL, MS_MOVE, NULL) < 0) {
		return failed(err, "moving the root");
	}
	if (chroot(".") < 0 || chdir("/") < 0)
		return failed(err, "chroot");
	return 0;
}

/*
 * /proc is a directory that every host has: what is mounted there does not
 * matter, since nobody else is in this mount namespace.
 */
static int empty_root(struct err *err)
{
	static const char where[] = "/proc";
	const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
	int r;

	/*
	 * Nothing we mount may appear on the host. In a chroot / is no mount,
	 * and then the one we mount on has to be.
	 */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 &&
	    (errno != EINVAL ||
	     mount(NULL, where, NULL, MS_REC | MS_PRIVATE, NULL) < 0))
		return failed(err, "making mounts private");
	if (mount("none", where, "tmpfs", flags,
		  "size=4k,nr_inodes=2,mode=555"))
		return failed(err, "mounting an empty root");
	if (chdir(where) < 0)
		return failed(err, "chdir");
	r = change_root(err);
	if (r < 0)
		return r;
	if (mount(NULL, "/", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | flags,
		  NULL) < 0)
		return failed(err, "making the root read-only");
	return 0;
}

/* --- limits -------------------------------------------------------------- */

/* Lowered where it is higher; where the hard limit is lower, that stays. */
static int limit(int what, uint64_t most, const char *name, struct err *err)
{
	struct rlimit l;

	if (getrlimit((__rlimit_resource_t)what, &l) < 0)
		return failed(err, name);
	if (l.rlim_max > most)
		l.rlim_max = most;
	l.rlim_cur = l.rlim_max;
	if (setrlimit((__rlimit_resource_t)what, &l) < 0)
		return failed(err, name);
	return 0;
}

static int set_limits(const struct monitor_msg_jail *j, struct err *err)
{
	int r = limit(RLIMIT_CORE, 0, "RLIMIT_CORE", err);

	if (!r && j->n_files)
		r = limit(RLIMIT_NOFILE, j->n_files, "RLIMIT_NOFILE", err);
	if (!r && (j->flags & MONITOR_JAIL_ON))
		r = limit(RLIMIT_NPROC, j->n_procs, "RLIMIT_NPROC", err);
	if (!r)
		r = limit(RLIMIT_MEMLOCK, j->locked_bytes, "RLIMIT_MEMLOCK",
			  err);
	return r;
}

/* --- privileges ---------------------------------------------------------- */

/* Only who has CAP_SETPCAP has something in the bounding set to lose. */
static bool has_setpcap(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct now[_LINUX_CAPABILITY_U32S_3] = {0};

	return !syscall(SYS_capget, &head, now) &&
	       now[0].effective & BIT32(CAP_SETPCAP);
}

static int drop_bounding_set(struct err *err)
{
	for (unsigned long cap = 0; cap < CAP_NUMBERS; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0) {
			if (errno == EINVAL) /* past the last one */
				break;
			return failed(err, "dropping capabilities");
		}
	/* user 0 of a user namespace is not special to exec, either */
	if (prctl(PR_SET_SECUREBITS,
		  SECBIT_NOROOT | SECBIT_NOROOT_LOCKED |
			  SECBIT_NO_SETUID_FIXUP_LOCKED |
			  SECBIT_KEEP_CAPS_LOCKED |
			  SECBIT_NO_CAP_AMBIENT_RAISE |
			  SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED,
		  0, 0, 0) < 0)
		return failed(err, "PR_SET_SECUREBITS");
	return 0;
}

static int change_user(const struct monitor_msg_jail *j, struct err *err)
{
	if (setgroups(0, NULL) < 0)
		return failed(err, "setgroups");
	if (setresgid(j->gid, j->gid, j->gid) < 0)
		return failed(err, "setresgid");
	if (setresuid(j->uid, j->uid, j->uid) < 0)
		return failed(err, "setresuid");
	return 0;
}

static int drop_capabilities(struct err *err)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {0};

	if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
		return failed(err, "PR_CAP_AMBIENT");
	if (syscall(SYS_capset, &head, none) < 0)
		return failed(err, "capset");
	return 0;
}

/* A change of user has undone what clone and exec had set. */
static int arm(struct err *err)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return failed(err, "PR_SET_DUMPABLE");
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return failed(err, "PR_SET_PDEATHSIG");
	return 0;
}

/* --- all ----------------------------------------------------------------- */

static int enter_namespaces(const struct monitor_msg_jail *j, struct err *err)
{
	static const char host[] = "coffer";
	int r = step(empty_root(err), "empty root", err);

	/* the host's name is no business of ours */
	if (!r && (sethostname(host, sizeof(host) - 1) < 0 ||
		   setdomainname("", 0) < 0))
		return failed(err, "sethostname");
	if (!r)
		r = step(drop_bounding_set(err), "bounding set", err);
	if (!r && (j->flags & MONITOR_JAIL_USER))
		r = step(change_user(j, err), "user", err);
	return r;
}

/*
 * A session keyring of our own, which is empty: keys of the user who started
 * us, among them that of the guest's memory, are then not possessed by us
 * (keyrings(7)). Where a container forbids the call, seccomp's list is left.
 */
static void leave_session_keyring(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0)
		log_debug("jail: no session keyring of our own: %s",
			  strerror(errno));
}

int jail_enter(const struct monitor_msg_jail *j, struct err *err)
{
	int r = 0;

	leave_session_keyring();
	if (j->flags & MONITOR_JAIL_ON)
		r = enter_namespaces(j, err);
	else if (has_setpcap()) /* root's, who stays user 0 */
		r = step(drop_bounding_set(err), "bounding set", err);
	if (!r)
		r = step(set_limits(j, err), "limits", err);
	if (!r)
		r = step(drop_capabilities(err), "capabilities", err);
	if (!r)
		r = arm(err);
	if (r < 0)
		return r;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return failed(err, "PR_SET_NO_NEW_PRIVS");
	return jail_landlock(err);
}
