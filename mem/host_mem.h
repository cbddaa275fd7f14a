/* mem/host_mem.h - how much memory this host has, and in what pages. */
#ifndef MEM_HOST_MEM_H
#define MEM_HOST_MEM_H

#include <stddef.h>
#include <stdint.h>

struct host_mem {
	uint64_t ram_bytes;  /* sysinfo(2): works in an empty root, too */
	uint64_t swap_bytes; /* the same */
};

struct host_hugepages {
	uint64_t total;	   /* pages in the pool */
	uint64_t free;	   /* in the pool and not mapped */
	uint64_t reserved; /* of the free ones, promised to somebody */
};

/* Negative errno of sysinfo(2). */
int host_mem_read(struct host_mem *ret);

/*
 * MemAvailable of /proc/meminfo: what can be taken without swapping.
 * UINT64_MAX where /proc cannot be read.
 */
uint64_t host_mem_available(void);

/*
 * The pool of pages of @size bytes. -ENOENT: this host has no pages of that
 * size, or /sys cannot be read.
 */
int host_hugepages_read(uint64_t size, struct host_hugepages *ret);

/*
 * "1536 MiB", "2 GiB", "4097 bytes": the largest unit that is exact, into
 * @buf, which is returned.
 */
enum { HOST_MEM_SIZE_STR = 32 };
const char *host_mem_size_str(uint64_t bytes, char buf[HOST_MEM_SIZE_STR]);

/* MemAvailable in the text of /proc/meminfo. -ENODATA: no such line. */
int host_mem_parse_available(const char *meminfo, uint64_t *ret);

#endif
