/* vmm/supervisor/cgroup_own.c - two files of /proc become one path. */
#include "vmm/supervisor/cgroup_own.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum { TEXT_MAX = 256 * 1024 };

/* Where in @line the field number @n (from 0) begins, or NULL. */
static const char *field(const char *line, size_t len, unsigned int n,
			 size_t *ret_len)
{
	const char *end = line + len;

	for (; n; n--) {
		line = memchr(line, ' ', (size_t)(end - line));
		if (!line)
			return NULL;
		line++;
	}
	*ret_len = strcspn(line, " \n");
	return line;
}

/* Names with blanks are written as \040; nobody mounts cgroups on those. */
static bool is_v2(const char *line, size_t len)
{
	static const char kind[] = " - cgroup2 ";

	return memmem(line, len, kind, sizeof(kind) - 1) != NULL;
}

/* The part of the tree that is mounted, and where, of the first such mount. */
static bool find_mount(const char *mountinfo, const char **root,
		       size_t *root_len, const char **at, size_t *at_len)
{
	for (const char *line = mountinfo; *line;) {
		size_t len = strcspn(line, "\n");

		if (is_v2(line, len)) {
			*root = field(line, len, 3, root_len);
			*at = field(line, len, 4, at_len);
			return *root && *at;
		}
		line += len + (line[len] == '\n');
	}
	return false;
}

/* "0::/a/b": the one line of version 2. */
static const char *find_group(const char *cgroup, size_t *ret_len)
{
	for (const char *line = cgroup; *line;) {
		size_t len = strcspn(line, "\n");

		if (len > 3 && !strncmp(line, "0::", 3)) {
			*ret_len = len - 3;
			return line + 3;
		}
		line += len + (line[len] == '\n');
	}
	return NULL;
}

int cgroup_own_path(const char *cgroup, const char *mountinfo, char *ret,
		    size_t size, struct err *err)
{
	size_t root_len, at_len, group_len;
	const char *root, *at, *group = find_group(cgroup, &group_len);
	int n;

	if (!group || !find_mount(mountinfo, &root, &root_len, &at, &at_len))
		return err_set_kind(
			err, ERR_HOST, -ENODEV,
			"this host has no cgroup v2 (systemd: boot "
			"it with systemd.unified_cgroup_hierarchy)");
	if (root_len == 1)
		root_len = 0; /* "/": all of the tree */
	if (group_len < root_len || strncmp(group, root, root_len) != 0 ||
	    (group[root_len] != '/' && group_len != root_len))
		return err_set_kind(err, ERR_HOST, -ENODEV,
				    "our cgroup %.*s is not in what is mounted "
				    "at %.*s",
				    (int)group_len, group, (int)at_len, at);
	group += root_len;
	group_len -= root_len;
	if (group_len == 1)
		group_len = 0;
	n = snprintf(ret, size, "%.*s%.*s", (int)at_len, at, (int)group_len,
		     group);
	if (n < 0 || (size_t)n >= size)
		return err_set_kind(err, ERR_HOST, -ENAMETOOLONG,
				    "the name of our cgroup is too long");
	return 0;
}

static char *read_all(const char *path)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	AUTO(freep) char *text = malloc(TEXT_MAX);
	size_t len = 0;
	ssize_t n;

	if (fd < 0 || !text)
		return NULL;
	while ((n = read(fd, text + len, TEXT_MAX - 1 - len)) > 0)
		len += (size_t)n;
	if (n < 0)
		return NULL;
	text[len] = 0;
	return TAKE(text);
}

int cgroup_own(char *ret, size_t size, struct err *err)
{
	AUTO(freep) char *cgroup = read_all("/proc/self/cgroup");
	AUTO(freep)
	char *mounts = cgroup ? read_all("/proc/self/mountinfo") : NULL;

	if (!mounts)
		return err_set_kind(err, ERR_HOST, -errno, "/proc/self: %s",
				    strerror(errno));
	return cgroup_own_path(cgroup, mounts, ret, size, err);
}
