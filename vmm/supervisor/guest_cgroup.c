/* vmm/supervisor/guest_cgroup.c - make, limit, remove. */
#include "vmm/supervisor/guest_cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/supervisor/cgroup_own.h"

enum {
	NAME_LEN = 32,
	TRIES = 64, /* names, when others have ours */
	TEXT_LEN = 256,
	/* The kernel's threads of a VM leave a moment after it. */
	REMOVE_TRIES = 200,
	REMOVE_PAUSE_MS = 10,
};

/* One of our directories, and our lock on it. */
struct leaf {
	int fd; /* -1: none */
	char name[NAME_LEN];
};

struct guest_cgroup {
	const struct guest_cgroup_ops *ops;
	int parent;
	struct leaf guest;
	struct leaf self;	/* ours, when we had to leave the parent */
	char enabled[TEXT_LEN]; /* "-memory -pids": undoes what we did */
};

/* --- the kernel's -------------------------------------------------------- */

static bool kernel_is_v2(int dir)
{
	struct statfs s;

	return !fstatfs(dir, &s) && s.f_type == CGROUP2_SUPER_MAGIC;
}

static int kernel_make(int dir, const char *name)
{
	return mkdirat(dir, name, 0755) < 0 ? -errno : 0;
}

static int kernel_remove(int dir, const char *name)
{
	return unlinkat(dir, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

static int kernel_write(int dir, const char *name, const char *text)
{
	AUTO(fd_closep) int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	size_t len = strlen(text);

	if (fd < 0)
		return -errno;
	return write(fd, text, len) == (ssize_t)len ? 0 : -errno;
}

const struct guest_cgroup_ops *guest_cgroup_kernel(void)
{
	static const struct guest_cgroup_ops ops = {
		.is_v2 = kernel_is_v2,
		.make = kernel_make,
		.remove = kernel_remove,
		.write = kernel_write,
		.own = cgroup_own,
	};

	return &ops;
}

/* --- its files ----------------------------------------------------------- */

static int read_text(int dir, const char *name, char text[static TEXT_LEN])
{
	AUTO(fd_closep) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, text, TEXT_LEN - 1);

	if (n < 0)
		return -errno;
	text[n] = 0;
	return 0;
}

static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);

	while (*text) {
		size_t n = strcspn(text, " \n");

		if (n == len && !memcmp(text, word, n))
			return true;
		text += n + (text[n] != 0);
	}
	return false;
}

/* --- our directories ----------------------------------------------------- */

/* "coffer-PID-N" and nothing else. */
static bool is_our_name(const char *name)
{
	static const char prefix[] = "coffer-";
	static const char digits[] = "0123456789";
	size_t n;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0)
		return false;
	name += sizeof(prefix) - 1;
	n = strspn(name, digits);
	if (!n || name[n] != '-')
		return false;
	name += n + 1;
	n = strspn(name, digits);
	return n && !name[n];
}

/*
 * Lock the directory @name. False: another supervisor has it, or it was
 * removed before we had the lock.
 */
static bool lock_leaf(struct guest_cgroup *g, const char *name, int *ret)
{
	AUTO(fd_closep)
	int fd = openat(g->parent, name,
			O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat mine, there;

	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &mine) < 0)
		return false;
	if (fstatat(g->parent, name, &there, AT_SYMLINK_NOFOLLOW) < 0 ||
	    mine.st_ino != there.st_ino || mine.st_dev != there.st_dev)
		return false;
	*ret = TAKE_FD(fd);
	return true;
}

static int make_leaf(struct guest_cgroup *g, struct leaf *l)
{
	for (unsigned int i = 0; i < TRIES; i++) {
		int r;

		snprintf(l->name, sizeof(l->name), "coffer-%d-%u",
			 (int)getpid(), i);
		r = g->ops->make(g->parent, l->name);
		if (!r && lock_leaf(g, l->name, &l->fd))
			return 0;
		if (r < 0 && r != -EEXIST)
			return r;
	}
	return -EEXIST;
}

static void remove_leaf(struct guest_cgroup *g, struct leaf *l)
{
	const struct timespec pause = {.tv_nsec = REMOVE_PAUSE_MS * 1000000L};
	int r = -EBUSY;

	if (l->fd < 0)
		return;
	for (int i = 0; i < REMOVE_TRIES && r == -EBUSY; i++) {
		if (i)
			nanosleep(&pause, NULL);
		r = g->ops->remove(g->parent, l->name);
	}
	if (r < 0)
		log_warn("cgroup %s: cannot be removed: %s; the next start "
			 "tries again",
			 l->name, strerror(-r));
	fd_closep(&l->fd);
	l->fd = -1;
}

/*
 * What supervisors left that were killed. One in use is locked, and one with
 * processes in it cannot be removed. True: others are still in the parent.
 */
static bool sweep(struct guest_cgroup *g)
{
	int fd = openat(g->parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	bool others = false;
	struct dirent *e;

	if (!d) {
		fd_closep(&fd);
		return true;
	}
	while ((e = readdir(d))) {
		AUTO(fd_closep) int lock = -1;

		if (!is_our_name(e->d_name) || !strcmp(e->d_name, g->self.name))
			continue;
		if (!lock_leaf(g, e->d_name, &lock) ||
		    g->ops->remove(g->parent, e->d_name) < 0)
			others = true;
		else
			log_debug("cgroup %s: left behind, removed", e->d_name);
	}
	closedir(d);
	return others;
}

/* --- controllers --------------------------------------------------------- */

static int enable(struct guest_cgroup *g, const char *words)
{
	return g->ops->write(g->parent, "cgroup.subtree_control", words);
}

/* We are the one process that is in the parent's way. */
static int leave_parent(struct guest_cgroup *g)
{
	int r = make_leaf(g, &g->self);

	if (!r)
		r = g->ops->write(g->self.fd, "cgroup.procs", "0");
	return r;
}

static void return_to_parent(struct guest_cgroup *g)
{
	if (g->self.fd < 0)
		return;
	/* Guests of others beside us would lose their limits. */
	if (sweep(g))
		return;
	if (g->enabled[0])
		enable(g, g->enabled);
	if (!g->ops->write(g->parent, "cgroup.procs", "0"))
		remove_leaf(g, &g->self);
}

/* Which controllers the guest needs and the parent does not yet pass on. */
static int missing(const struct guest_cgroup_params *p, struct guest_cgroup *g,
		   char words[static TEXT_LEN], struct err *err)
{
	const char *const need[] = {"memory", "pids",
				    p->cpu_weight ? "cpu" : NULL};
	char has[TEXT_LEN] = "", on[TEXT_LEN] = "";
	int r = read_text(g->parent, "cgroup.controllers", has);

	if (!r)
		r = read_text(g->parent, "cgroup.subtree_control", on);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "its controllers: %s",
				    strerror(-r));
	words[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(need) && need[i]; i++) {
		size_t n = strlen(words), m = strlen(g->enabled);

		if (!has_word(has, need[i]))
			return err_set_kind(
				err, ERR_HOST, -ENODEV,
				"the controller '%s' is not delegated to it "
				"(systemd: Delegate=yes; or the host has it in "
				"cgroup v1)",
				need[i]);
		if (has_word(on, need[i]))
			continue;
		snprintf(words + n, TEXT_LEN - n, "+%s ", need[i]);
		snprintf(g->enabled + m, TEXT_LEN - m, "-%s ", need[i]);
	}
	return 0;
}

static int pass_on(const struct guest_cgroup_params *p, struct guest_cgroup *g,
		   struct err *err)
{
	char words[TEXT_LEN] = "";
	int r = missing(p, g, words, err);

	if (r < 0 || !words[0])
		return r;
	r = enable(g, words);
	if (r == -EBUSY && !strcmp(p->where, GUEST_CGROUP_AUTO)) {
		r = leave_parent(g);
		if (!r)
			r = enable(g, words);
	}
	if (r < 0)
		g->enabled[0] = 0;
	if (r == -EBUSY)
		return err_set_kind(
			err, ERR_HOST, r,
			"it has processes of its own, and the kernel does not "
			"divide such a one; start coffer in one for itself "
			"(systemd-run --scope -p Delegate=yes)");
	if (r < 0)
		return err_set_kind(err, r == -EACCES ? ERR_PERM : ERR_HOST, r,
				    "enabling controllers: %s", strerror(-r));
	return 0;
}

/* --- limits -------------------------------------------------------------- */

static int limit(const struct guest_cgroup *g, const char *file, uint64_t value,
		 struct err *err)
{
	char text[NAME_LEN];
	int r;

	snprintf(text, sizeof(text), "%" PRIu64, value);
	r = g->ops->write(g->guest.fd, file, text);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "%s to %s: %s", text,
				    file, strerror(-r));
	return 0;
}

static int set_limits(const struct guest_cgroup_params *p,
		      struct guest_cgroup *g, struct err *err)
{
	int r = limit(g, "memory.max", p->memory_max, err);

	if (!r)
		r = limit(g, "pids.max", p->pids_max, err);
	if (!r && p->cpu_weight)
		r = limit(g, "cpu.weight", p->cpu_weight, err);
	return r;
}

/* --- life ---------------------------------------------------------------- */

static int open_parent(const struct guest_cgroup_params *p,
		       struct guest_cgroup *g, char *path, size_t size,
		       struct err *err)
{
	int r = 0;

	if (strcmp(p->where, GUEST_CGROUP_AUTO) != 0)
		snprintf(path, size, "%s", p->where);
	else
		r = g->ops->own(path, size, err);
	if (r < 0)
		return r;
	g->parent = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (g->parent < 0)
		return err_set_kind(err, errno == EACCES ? ERR_PERM : ERR_HOST,
				    -errno, "%s", strerror(errno));
	if (!g->ops->is_v2(g->parent))
		return err_set_kind(err, ERR_HOST, -ENODEV,
				    "this is no directory of cgroup v2");
	return 0;
}

int guest_cgroup_create(const struct guest_cgroup_params *p,
			const struct guest_cgroup_ops *ops,
			struct guest_cgroup **ret, struct err *err)
{
	AUTO(guest_cgroup_destroyp) struct guest_cgroup *g = NULL;
	char path[4096] = "";
	int r;

	g = calloc(1, sizeof(*g));
	if (!g)
		return err_set(err, -ENOMEM, "out of memory");
	g->ops = ops;
	g->parent = g->guest.fd = g->self.fd = -1;
	r = open_parent(p, g, path, sizeof(path), err);
	if (!r) {
		sweep(g);
		r = pass_on(p, g, err);
	}
	if (!r) {
		r = make_leaf(g, &g->guest);
		if (r < 0)
			err_set_kind(err, r == -EACCES ? ERR_PERM : ERR_HOST, r,
				     "making a cgroup in it: %s%s",
				     strerror(-r),
				     r == -EACCES ? "; it is not delegated to "
						    "this user"
						  : "");
	}
	if (!r)
		r = set_limits(p, g, err);
	if (r < 0) {
		err_prefix(err, "--cgroup: %s", path[0] ? path : p->where);
		return r;
	}
	log_debug("cgroup: %s/%s", path, g->guest.name);
	*ret = TAKE(g);
	return 0;
}

void guest_cgroup_destroy(struct guest_cgroup *g)
{
	if (!g)
		return;
	remove_leaf(g, &g->guest);
	return_to_parent(g);
	fd_closep(&g->guest.fd);
	fd_closep(&g->self.fd);
	fd_closep(&g->parent);
	free(g);
}

int guest_cgroup_fd(const struct guest_cgroup *g)
{
	return g->guest.fd;
}

bool guest_cgroup_out_of_memory(int fd)
{
	static const char key[] = "\noom_kill ";
	char text[TEXT_LEN] = "";
	const char *at;

	if (read_text(fd, "memory.events", text) < 0)
		return false;
	at = strstr(text, key);
	return at && at[sizeof(key) - 1] != '0';
}
