/* mem/dma_window.c - maps shared pages, and empty memory in place of others. */
#include "mem/dma_window.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

struct dma_window {
	const struct guest_mem_region *region;
	uint8_t *base;
};

int dma_window_create(const struct guest_mem_region *r, struct dma_window **ret,
		      struct err *err)
{
	struct dma_window *w = calloc(1, sizeof(*w));
	void *p;

	assert(r->fd >= 0);
	if (!w)
		return err_set(err, -ENOMEM, "out of memory");
	p = mmap(NULL, r->len, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (p == MAP_FAILED) {
		int code = errno;

		free(w);
		return err_set_kind(err, ERR_HOST, -code,
				    "cannot map guest memory a second time, "
				    "for devices: %s",
				    strerror(code));
	}
	w->region = r;
	w->base = p;
	*ret = w;
	return 0;
}

void dma_window_destroy(struct dma_window *w)
{
	if (!w)
		return;
	munmap(w->base, w->region->len);
	free(w);
}

uint8_t *dma_window_base(const struct dma_window *w)
{
	return w->base;
}

/* In one step of the kernel's: whoever uses the addresses sees no gap. */
static int replace(struct dma_window *w, uint64_t off, uint64_t len, int flags,
		   int fd, uint64_t fd_off)
{
	void *p;

	assert(is_aligned(off | len, GUEST_MEM_PAGE) &&
	       range_within(off, len, w->region->len));
	p = mmap(w->base + off, len, PROT_READ | PROT_WRITE, flags | MAP_FIXED,
		 fd, (off_t)fd_off);
	return p == MAP_FAILED ? -errno : 0;
}

int dma_window_open(struct dma_window *w, uint64_t off, uint64_t len)
{
	return replace(w, off, len, MAP_SHARED | MAP_NORESERVE, w->region->fd,
		       w->region->fd_off + off);
}

int dma_window_close(struct dma_window *w, uint64_t off, uint64_t len)
{
	return replace(w, off, len, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
		       -1, 0);
}
