/* sim/sim_key_memory.c - what encrypt_mprotect does to pages. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "sim/sim_key_host.h"

enum {
	PAGE = 4096,
	POISON = 0xa5,
	AT_ONCE = 512, /* entries of pagemap */
};

/* Bits 63 and 62 of pagemap: present, swapped. */
#define PAGE_EXISTS (UINT64_C(3) << 62)

/* Private, and of no file (names in brackets are no files). */
static bool is_anonymous(const char *line)
{
	char perms[5], path[8] = "";
	uint64_t inode;

	if (sscanf(line, "%*s %4s %*s %*s %" SCNu64 " %7s", perms, &inode,
		   path) < 2)
		return false;
	return perms[3] == 'p' && !inode && (!*path || *path == '[');
}

int sim_key_check_range(pid_t tid, uint64_t addr, uint64_t len)
{
	uint64_t at = addr, start, end;
	char path[64], line[512];
	bool anonymous = true;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", (int)tid);
	f = fopen(path, "re");
	if (!f)
		return -EFAULT;
	while (at < addr + len && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%" SCNx64 "-%" SCNx64, &start, &end) != 2 ||
		    end <= at)
			continue;
		if (start > at)
			break;
		anonymous &= is_anonymous(line);
		at = end;
	}
	fclose(f);
	if (at < addr + len)
		return -ENOMEM;
	return anonymous ? 0 : -EINVAL;
}

int sim_key_drop_pages(struct sim_proc *p, uint64_t addr, uint64_t len,
		       bool poison)
{
	uint64_t entry[AT_ONCE], page = addr / PAGE, last = (addr + len) / PAGE;
	AUTO(fd_closep) int fd = -1;
	uint8_t bytes[PAGE];
	char path[64];

	memset(bytes, poison ? POISON : 0, sizeof(bytes));
	snprintf(path, sizeof(path), "/proc/%d/pagemap", (int)p->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -EFAULT;
	while (page < last) {
		size_t n =
			last - page < AT_ONCE ? (size_t)(last - page) : AT_ONCE;

		if (pread(fd, entry, n * 8, (off_t)(page * 8)) !=
		    (ssize_t)(n * 8))
			return -EFAULT;
		for (size_t i = 0; i < n; i++)
			if ((entry[i] & PAGE_EXISTS) &&
			    sim_proc_poke(p, (page + i) * PAGE, bytes, PAGE) <
				    0)
				return -EFAULT;
		page += n;
	}
	return 0;
}
