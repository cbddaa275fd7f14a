/*
 * vmm/supervisor/cgroup_own.h - which directory of cgroup v2 a process is in
 * (cgroups(7), "Cgroups version 2"; proc(5), mountinfo).
 */
#ifndef VMM_SUPERVISOR_CGROUP_OWN_H
#define VMM_SUPERVISOR_CGROUP_OWN_H

#include <stddef.h>

struct err;

/*
 * From the texts of /proc/PID/cgroup and /proc/PID/mountinfo: the path of its
 * cgroup into @ret (@size bytes). Pure.
 * -ENODEV      no cgroup v2 is mounted, or it is mounted without ours
 * -ENAMETOOLONG
 */
int cgroup_own_path(const char *cgroup, const char *mountinfo, char *ret,
		    size_t size, struct err *err);
/* The same of this process. Errors of reading /proc as well. */
int cgroup_own(char *ret, size_t size, struct err *err);

#endif
