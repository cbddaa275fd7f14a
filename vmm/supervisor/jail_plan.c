/* vmm/supervisor/jail_plan.c - users without accounts, and limits. */
#include "vmm/supervisor/jail_plan.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/config.h"
#include "vmm/memlock.h"

enum {
	/* Descriptors of a machine with every device, without connections. */
	FILES = 1024,
	/* A vsock connection has one on each side (devices/virtio/vsock.h). */
	FILES_VSOCK = FILES + 2 * 4096,
	/* Threads of devices, of the engine for disks, io_uring's workers. */
	THREADS = 64,
	/* io_uring's own pages, which Linux counts as locked since 6.13. */
	RING_LOCKED = 1 << 20,
};

void jail_plan_init(struct jail_plan *p)
{
	*p = (struct jail_plan){.lock_fd = -1};
}

void jail_plan_release(struct jail_plan *p)
{
	fd_closep(&p->lock_fd);
	p->lock_fd = -1;
}

/* --- users --------------------------------------------------------------- */

int jail_plan_lock(int fd, unsigned int first, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		unsigned int at = (first + i) % count;
		struct flock l = {
			.l_type = F_WRLCK,
			.l_whence = SEEK_SET,
			.l_start = at,
			.l_len = 1,
		};

		if (!fcntl(fd, F_OFD_SETLK, &l))
			return (int)at;
		if (errno != EAGAIN && errno != EACCES)
			return -errno;
	}
	return -EUSERS;
}

static int dynamic_user(struct jail_plan *p, struct err *err)
{
	int r;

	/* Ours alone: who can lock the bytes decides who gets a user. */
	if ((mkdir("/run", 0755) < 0 && errno != EEXIST) ||
	    (mkdir(JAIL_UID_DIR, 0700) < 0 && errno != EEXIST))
		return err_set_kind(err, ERR_HOST, -errno,
				    "jail: %s: %s; make it, or name a user by "
				    "--user",
				    JAIL_UID_DIR, strerror(errno));
	p->lock_fd = open(JAIL_UID_FILE,
			  O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (p->lock_fd < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "jail: %s: %s; name a user by --user",
				    JAIL_UID_FILE, strerror(errno));
	r = jail_plan_lock(p->lock_fd, (unsigned int)getpid() % JAIL_UID_COUNT,
			   JAIL_UID_COUNT);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "jail: %s: %s (each guest has a user of "
				    "its own; name one by --user)",
				    JAIL_UID_FILE, strerror(-r));
	p->msg.uid = p->msg.gid = (uint32_t)(JAIL_UID_FIRST + r);
	return 0;
}

static bool to_id(const char *text, uint32_t *ret)
{
	char *end;
	unsigned long v;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	v = strtoul(text, &end, 10);
	if (errno || *end || v >= UINT32_MAX)
		return false;
	*ret = (uint32_t)v;
	return true;
}

/* NAME or UID, with :GROUP or :GID, or else the user's own group. */
static int named_user(const char *user, struct jail_plan *p, struct err *err)
{
	AUTO(freep) char *name = strdup(user);
	char *group = name ? strchr(name, ':') : NULL;
	const struct passwd *pw = NULL;
	const struct group *gr;
	bool known;

	if (!name)
		return err_set(err, -ENOMEM, "out of memory");
	if (group)
		*group++ = 0;
	known = to_id(name, &p->msg.uid);
	if (known)
		p->msg.gid = p->msg.uid;
	else if ((pw = getpwnam(name)))
		p->msg.uid = pw->pw_uid, p->msg.gid = pw->pw_gid;
	if (group && !to_id(group, &p->msg.gid)) {
		gr = getgrnam(group);
		if (!gr)
			return err_set_kind(err, ERR_USAGE, -EINVAL,
					    "--user: there is no group '%s'",
					    group);
		p->msg.gid = gr->gr_gid;
	}
	if (!known && !pw)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--user: there is no user '%s'", name);
	if (!p->msg.uid || !p->msg.gid)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--user: %s is root; a guest must not have "
				    "its rights",
				    user);
	return 0;
}

static int choose_user(const struct run_config *c, struct jail_plan *p,
		       struct err *err)
{
	if (geteuid() != 0) {
		if (!c->user)
			return 0; /* a user namespace with nobody else in it */
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--user: only root can change the user");
	}
	p->msg.flags |= MONITOR_JAIL_USER;
	return c->user ? named_user(c->user, p, err) : dynamic_user(p, err);
}

/* --- limits -------------------------------------------------------------- */

static uint32_t raise_files(uint32_t n)
{
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) < 0)
		return 0; /* as it is */
	if (l.rlim_max < n)
		n = (uint32_t)l.rlim_max;
	if (l.rlim_cur < n) {
		l.rlim_cur = n;
		setrlimit(RLIMIT_NOFILE, &l);
	}
	return n;
}

unsigned int jail_plan_threads(const struct run_config *c)
{
	return (unsigned int)c->cpus + THREADS;
}

static void set_limits(const struct run_config *c, struct monitor_msg_jail *m)
{
	m->n_files = raise_files(c->devices.vsock.path ? FILES_VSOCK : FILES);
	m->n_procs = jail_plan_threads(c);
	m->log_level = (uint32_t)log_get_level();
	/* KVM pins all of a protected guest; nobody else locks anything. */
	if (protect_is_sev(c->devices.protect))
		m->locked_bytes = memlock_need(c->memory.size,
					       c->firmware_file.size +
						       c->nvram_file.size);
	if (c->devices.disks.n) /* else disks get threads, and are slow */
		m->locked_bytes += RING_LOCKED;
}

int jail_plan_make(const struct run_config *c, struct jail_plan *ret,
		   struct err *err)
{
	int r = 0;

	jail_plan_init(ret);
	set_limits(c, &ret->msg);
	if (c->jail == JAIL_CHOICE_OFF) {
		if (!c->user)
			return 0;
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--user: contradicts --jail off");
	}
	ret->msg.flags = MONITOR_JAIL_ON;
	r = choose_user(c, ret, err);
	if (r < 0)
		jail_plan_release(ret);
	return r;
}
