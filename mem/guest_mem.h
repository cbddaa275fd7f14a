/* mem/guest_mem.h - the one door through which host code touches guest RAM. */
#ifndef MEM_GUEST_MEM_H
#define MEM_GUEST_MEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct err;
struct guest_mem; /* opaque; one per VM */
struct mem_crypt;

enum { GUEST_MEM_PAGE = 4096, GUEST_MEM_MAX_REGIONS = 16 };

enum guest_mem_backing {
	GUEST_MEM_ANON = 0, /* private anonymous: the default; MKTME needs it */
	GUEST_MEM_MEMFD,    /* shared memfd, sealed against shrinking */
};

struct guest_mem_opts {
	enum guest_mem_backing backing;
	/*
	 * 0: base pages, with transparent huge pages where the host allows
	 * them; MIB(2) or GIB(1): hugetlb pages of that size, and every RAM
	 * region a multiple of it.
	 */
	uint64_t hugepage_size;
	bool prefault; /* back every page before guest_mem_add_ram() returns */
	/*
	 * Puts every region, ROM included, under a key before a byte of it is
	 * used; borrowed. NULL: nobody. GUEST_MEM_ANON in base pages only.
	 */
	struct mem_crypt *crypt;
};

enum guest_mem_type {
	GUEST_MEM_RAM,
	GUEST_MEM_ROM, /* the guest cannot write it; the host loads it */
};

/* A region as KVM needs it. Valid until guest_mem_destroy(). */
struct guest_mem_region {
	gpa_t base;
	uint64_t len;
	enum guest_mem_type type;
	void *hva;	 /* start of the mapping, page-aligned */
	int fd;		 /* memfd, or -1; owned by the map */
	uint64_t fd_off; /* offset of the region in fd */
	uint64_t page;	 /* bytes of the smallest page it is mapped in */
};

/* Empty map. *ret is owned by the caller: guest_mem_destroy(). -ENOMEM. */
int guest_mem_create(const struct guest_mem_opts *opts, struct guest_mem **ret,
		     struct err *err);
/* Unmaps everything. NULL is fine. No vCPU or device may still hold the map. */
void guest_mem_destroy(struct guest_mem *m);
DEFINE_CLEANUP(struct guest_mem, guest_mem_destroy)

/*
 * Add @len bytes of zeroed memory at @base, before the first vCPU runs.
 * @base, @len  multiples of 4096 (of hugepage_size for RAM on hugetlb);
 *              len > 0; base + len <= 2^46.
 * -EINVAL      misaligned or out of range
 * -EEXIST      overlaps a region added earlier
 * -ENOSPC      more than GUEST_MEM_MAX_REGIONS
 * -ENOMEM      the host has not that much (the message says how much, and for
 *              hugetlb how many pages are free and how to get more)
 */
int guest_mem_add_ram(struct guest_mem *m, gpa_t base, uint64_t len,
		      struct err *err);
/* The same for ROM; always private anonymous memory in base pages. */
int guest_mem_add_rom(struct guest_mem *m, gpa_t base, uint64_t len,
		      struct err *err);

/*
 * Lay out @bytes of RAM as the machine wants it: below MEM_RAM_LOW_MAX from 0,
 * the rest from MEM_RAM_HIGH_BASE. @bytes MEM_RAM_MIN..MEM_RAM_MAX, a multiple
 * of 4096. Errors as guest_mem_add_ram().
 */
int guest_mem_add_machine_ram(struct guest_mem *m, uint64_t bytes,
			      struct err *err);

/*
 * All regions are there: opts.crypt checks that it has them all, and no more
 * are added (-EBUSY). Before anything is loaded. 0 at once without a crypt.
 */
int guest_mem_crypt_done(struct guest_mem *m, struct err *err);

size_t guest_mem_n_regions(const struct guest_mem *m);
/* @i < guest_mem_n_regions(); regions are sorted by base. */
const struct guest_mem_region *guest_mem_region(const struct guest_mem *m,
						size_t i);
/* Bytes of RAM in all. */
uint64_t guest_mem_ram_bytes(const struct guest_mem *m);

/*
 * Copy @len bytes (0..GUEST_MEM_COPY_MAX) from the guest into @dst, across
 * adjacent regions if need be. Any thread. The guest may write meanwhile:
 * validate the copy, never read twice.
 * -EFAULT      some byte is in no region; @dst is then untouched
 * -E2BIG       len > GUEST_MEM_COPY_MAX
 */
#define GUEST_MEM_COPY_MAX (1u << 20)
int guest_mem_read(const struct guest_mem *m, gpa_t src, void *dst, size_t len);
/* The same towards the guest. ROM counts as no region (-EFAULT). */
int guest_mem_write(const struct guest_mem *m, gpa_t dst, const void *src,
		    size_t len);

/*
 * Load before the guest runs (kernel, initrd, tables, firmware), ROM included.
 * No length limit. -EFAULT when some byte is in no region; nothing is written
 * then.
 */
int guest_mem_load(struct guest_mem *m, gpa_t dst, const void *src,
		   uint64_t len);
/*
 * The same from @fd at @off by pread(2), straight into guest memory.
 * -EFAULT as above; -ENODATA when the file ends before @len bytes; or the
 * errno of pread.
 */
int guest_mem_load_fd(struct guest_mem *m, gpa_t dst, int fd, uint64_t off,
		      uint64_t len);

/*
 * Host address of [gpa, gpa + len), which lies in one region, or NULL. For
 * the launch code and dma_view only; devices use a dma_view.
 */
void *guest_mem_ptr(const struct guest_mem *m, gpa_t gpa, uint64_t len);
/*
 * Host address of @gpa, and in *ret_len how many of @len bytes follow it in
 * the same region; NULL when no region holds @gpa, or for @write no RAM.
 * For dma_view only.
 */
void *guest_mem_piece(const struct guest_mem *m, gpa_t gpa, uint64_t len,
		      bool write, uint64_t *ret_len);

#endif
