/*
 * mem/dma_window.h - a second mapping of guest RAM, for devices only, in which
 * only what the guest has shared is mapped.
 *
 * The dma_view decides what a device may touch. The window is the line behind
 * it: even a bug of ours cannot reach a private page through an address that a
 * device was given. It needs RAM that can be mapped twice, a memfd. The first
 * mapping stays as it is, because KVM reaches the guest's memory through it
 * (Linux, virt/kvm/kvm_main.c, hva_to_pfn()).
 *
 * A page that was never open faults. One that was closed again does not: a
 * request under way, or a pointer that a hostile guest has made stale, meets
 * empty memory of ours there instead, and the monitor lives on.
 */
#ifndef MEM_DMA_WINDOW_H
#define MEM_DMA_WINDOW_H

#include <stdint.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct dma_window; /* opaque */
struct err;
struct guest_mem;
struct guest_mem_region;

/*
 * A window for @r, all of it closed. @r is borrowed, has a memfd, and is
 * mapped in pages of 4096 bytes.
 * -ENOMEM and other errors of mmap(2): no room for it
 */
int dma_window_create(const struct guest_mem_region *r, struct dma_window **ret,
		      struct err *err);
/* NULL is fine. Nobody may hold an address in it any more. */
void dma_window_destroy(struct dma_window *w);
DEFINE_CLEANUP(struct dma_window, dma_window_destroy)

/* Where offset 0 of the region is; the same for as long as the window is. */
uint8_t *dma_window_base(const struct dma_window *w);

/*
 * Map, or no longer map, [off, off + len) of the region: multiples of 4096
 * within it. One thread at a time; others may use addresses meanwhile. Each
 * costs the kernel up to two mappings, of which it has not many
 * (vm.max_map_count): the caller bounds the number of pieces.
 * Negative errno of mmap(2): nothing has changed
 */
int dma_window_open(struct dma_window *w, uint64_t off, uint64_t len);
int dma_window_close(struct dma_window *w, uint64_t off, uint64_t len);

#endif
