/*
 * vmm/supervisor/guest_cgroup.h - a cgroup for the monitor of one guest, with
 * limits, for as long as its supervisor lives (Linux,
 * Documentation/admin-guide/cgroup-v2.rst).
 *
 * It is a directory `coffer-PID-N` in one that was delegated to us. A lock on
 * it (flock(2)) says that its supervisor lives: what has none was left by one
 * that was killed, and the next start removes it.
 */
#ifndef VMM_SUPERVISOR_GUEST_CGROUP_H
#define VMM_SUPERVISOR_GUEST_CGROUP_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/base/own.h"

struct err;
struct guest_cgroup; /* opaque */

/*
 * What cgroup v2 does otherwise than an ordinary directory; the rest is files
 * that are read. 0 or a negative errno.
 */
struct guest_cgroup_ops {
	bool (*is_v2)(int dir);
	/* The kernel puts files into it, and takes them away. */
	int (*make)(int dir, const char *name);
	int (*remove)(int dir, const char *name);
	/* One request to the file @name. */
	int (*write)(int dir, const char *name, const char *text);
	/* The path of the cgroup that we are in, as cgroup_own(). */
	int (*own)(char *ret, size_t size, struct err *err);
};
const struct guest_cgroup_ops *guest_cgroup_kernel(void);

#define GUEST_CGROUP_AUTO "auto"

struct guest_cgroup_params {
	/*
	 * A directory that was delegated to us, or GUEST_CGROUP_AUTO: the one
	 * that we are in. Since no cgroup with controllers for its children
	 * may have processes besides the root, we then move into a child, too.
	 */
	const char *where;
	uint64_t memory_max; /* bytes */
	uint64_t pids_max;
	uint64_t cpu_weight; /* 1..10000; 0: not set */
};

/*
 * Removes what others left, then makes one and sets its limits. Missing
 * controllers are enabled in its parent, and stay so where it was named.
 * -ENODEV      not cgroup v2, or a controller is not there
 * -EBUSY       the parent has processes of its own
 * -EACCES      it was not delegated to this user
 * or what else the kernel says; messages name the directory and what to do.
 */
int guest_cgroup_create(const struct guest_cgroup_params *p,
			const struct guest_cgroup_ops *ops,
			struct guest_cgroup **ret, struct err *err);
/* Removes it; nobody may be in it. Moves us back. NULL is fine. */
void guest_cgroup_destroy(struct guest_cgroup *g);
DEFINE_CLEANUP(struct guest_cgroup, guest_cgroup_destroy)

/* The directory, for CLONE_INTO_CGROUP (clone3(2)); borrowed. */
int guest_cgroup_fd(const struct guest_cgroup *g);
/* Has the kernel ended something in @fd for memory? Also when in doubt: no. */
bool guest_cgroup_out_of_memory(int fd);

#endif
