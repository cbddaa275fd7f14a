/* mem/host_mem.c - asks the kernel about memory and huge page pools. */
#include "mem/host_mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/own.h"

/* The first @size - 1 bytes of a file of the kernel, as a string. */
static int read_text(const char *path, char *buf, size_t size)
{
	AUTO(fd_closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, buf, size - 1);
	if (n < 0)
		return -errno;
	buf[n] = 0;
	return 0;
}

int host_mem_parse_available(const char *meminfo, uint64_t *ret)
{
	static const char key[] = "MemAvailable:";
	const char *line = strstr(meminfo, key);
	uint64_t kib;
	char *end;

	if (!line)
		return -ENODATA;
	line += strlen(key);
	kib = strtoull(line, &end, 10);
	if (end == line || strncmp(end, " kB", 3) != 0 ||
	    !checked_mul(kib, 1024, ret))
		return -ENODATA;
	return 0;
}

int host_mem_read(struct host_mem *ret)
{
	struct sysinfo si;

	if (sysinfo(&si) < 0)
		return -errno;
	ret->ram_bytes = (uint64_t)si.totalram * si.mem_unit;
	ret->swap_bytes = (uint64_t)si.totalswap * si.mem_unit;
	return 0;
}

uint64_t host_mem_available(void)
{
	uint64_t bytes = UINT64_MAX;
	char text[4096];

	if (!read_text("/proc/meminfo", text, sizeof(text)))
		(void)host_mem_parse_available(text, &bytes);
	return bytes;
}

static int read_pool(uint64_t size, const char *what, uint64_t *ret)
{
	char path[128], text[32], *end;
	uint64_t n;

	snprintf(path, sizeof(path),
		 "/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB/%s",
		 size / 1024, what);
	if (read_text(path, text, sizeof(text)) < 0)
		return -ENOENT;
	n = strtoull(text, &end, 10);
	if (end == text)
		return -ENOENT;
	*ret = n;
	return 0;
}

int host_hugepages_read(uint64_t size, struct host_hugepages *ret)
{
	struct host_hugepages hp;

	if (read_pool(size, "nr_hugepages", &hp.total) < 0 ||
	    read_pool(size, "free_hugepages", &hp.free) < 0 ||
	    read_pool(size, "resv_hugepages", &hp.reserved) < 0)
		return -ENOENT;
	*ret = hp;
	return 0;
}

const char *host_mem_size_str(uint64_t bytes, char buf[HOST_MEM_SIZE_STR])
{
	uint64_t n = bytes;
	const char *unit = "bytes";

	if (bytes && is_aligned(bytes, GIB(1))) {
		n = bytes / GIB(1);
		unit = "GiB";
	} else if (bytes && is_aligned(bytes, MIB(1))) {
		n = bytes / MIB(1);
		unit = "MiB";
	} else if (bytes && is_aligned(bytes, KIB(1))) {
		n = bytes / KIB(1);
		unit = "KiB";
	}
	snprintf(buf, HOST_MEM_SIZE_STR, "%" PRIu64 " %s", n, unit);
	return buf;
}
