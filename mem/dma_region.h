/*
 * mem/dma_region.h - which pages of one RAM region the guest shares with its
 * devices: dma_view's other half. Pages are counted from 0 in the region, and a
 * range is [page, end).
 *
 * One thread at a time may change a region (dma_view's lock); any thread may
 * ask meanwhile, and meets a page as it was before or is after a change.
 */
#ifndef MEM_DMA_REGION_H
#define MEM_DMA_REGION_H

#include <stdbool.h>
#include <stdint.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct dma_region; /* opaque */
struct err;
struct guest_mem_region;

/*
 * Nothing is shared. @g is borrowed. @window: private pages are not to be
 * mapped for devices (dma_window.h), where @g is a memfd in base pages.
 */
int dma_region_create(const struct guest_mem_region *g, bool window,
		      struct dma_region **ret, struct err *err);
/* NULL is fine. */
void dma_region_destroy(struct dma_region *r);

gpa_t dma_region_gpa(const struct dma_region *r);
uint64_t dma_region_len(const struct dma_region *r); /* bytes */
/* Where devices find the region; NULL: where everybody does. */
uint8_t *dma_region_window(const struct dma_region *r);
uint64_t dma_region_shared_pages(const struct dma_region *r);
/* Is every page shared? */
bool dma_region_is_shared(const struct dma_region *r, uint64_t page,
			  uint64_t end);

/*
 * Before a change: is there room for it, and map what is going to be shared.
 * -ENOSPC      more runs of shared pages than DMA_VIEW_RUNS_MAX, which would
 *              use up the host's mappings; without a window there is no limit
 * other        errno of mmap(2)
 */
int dma_region_prepare(struct dma_region *r, uint64_t page, uint64_t end,
		       bool shared);
/* Share what was prepared. */
void dma_region_share(struct dma_region *r, uint64_t page, uint64_t end);
/* Make it private, and no longer map what was shared of it. */
void dma_region_take(struct dma_region *r, uint64_t page, uint64_t end);

/*
 * Map all of it, or no longer what is not shared: devices may use all until
 * the guest's first report. Negative errno of mmap(2).
 */
int dma_region_open_all(struct dma_region *r);
void dma_region_close_private(struct dma_region *r, uint64_t page,
			      uint64_t end);

#endif
