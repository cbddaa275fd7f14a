/* mem/dma_region.c - a bit for each page, and what is mapped follows it. */
#include "mem/dma_region.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mem/dma_view.h"
#include "mem/dma_window.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"

enum { PAGE_SHIFT = 12, WORD_BITS = 64 };

struct dma_region {
	gpa_t base;
	uint64_t n_pages;
	_Atomic uint64_t *shared; /* a bit for each page */
	uint64_t n_shared;
	struct dma_window *window; /* or NULL */
	uint64_t n_runs;	   /* of shared pages; kept with a window */
};

void dma_region_destroy(struct dma_region *r)
{
	if (!r)
		return;
	dma_window_destroy(r->window);
	free(r->shared);
	free(r);
}
DEFINE_CLEANUP(struct dma_region, dma_region_destroy)

int dma_region_create(const struct guest_mem_region *g, bool window,
		      struct dma_region **ret, struct err *err)
{
	AUTO(dma_region_destroyp) struct dma_region *r = calloc(1, sizeof(*r));
	int code = 0;

	if (!r)
		return err_set(err, -ENOMEM, "out of memory");
	r->base = g->base;
	r->n_pages = g->len >> PAGE_SHIFT;
	r->shared = calloc(align_up(r->n_pages, WORD_BITS) / WORD_BITS,
			   sizeof(*r->shared));
	if (!r->shared)
		return err_set(err, -ENOMEM, "out of memory");
	/* hugetlb pages cannot be mapped in parts */
	if (window && g->fd >= 0 && g->page == GUEST_MEM_PAGE)
		code = dma_window_create(g, &r->window, err);
	if (!code)
		*ret = TAKE(r);
	return code;
}

gpa_t dma_region_gpa(const struct dma_region *r)
{
	return r->base;
}

uint64_t dma_region_len(const struct dma_region *r)
{
	return r->n_pages << PAGE_SHIFT;
}

uint8_t *dma_region_window(const struct dma_region *r)
{
	return r->window ? dma_window_base(r->window) : NULL;
}

uint64_t dma_region_shared_pages(const struct dma_region *r)
{
	return r->n_shared;
}

/* --- bits ---------------------------------------------------------------- */

/*
 * The bits of the pages [*page, end) that lie in one word, which is *ret_word;
 * *page moves behind them.
 */
static uint64_t word_mask(uint64_t *page, uint64_t end, uint64_t *ret_word)
{
	uint64_t first = *page % WORD_BITS;
	uint64_t n = WORD_BITS - first;

	if (n > end - *page)
		n = end - *page;
	*ret_word = *page / WORD_BITS;
	*page += n;
	return (n == WORD_BITS ? UINT64_MAX : BIT64(n) - 1) << first;
}

bool dma_region_is_shared(const struct dma_region *r, uint64_t page,
			  uint64_t end)
{
	while (page < end) {
		uint64_t word, mask = word_mask(&page, end, &word);

		if ((atomic_load_explicit(&r->shared[word],
					  memory_order_acquire) &
		     mask) != mask)
			return false;
	}
	return true;
}

static bool is_shared(const struct dma_region *r, uint64_t page)
{
	return dma_region_is_shared(r, page, page + 1);
}

/* The next page from @page on that is shared, or is not; @end if none. */
static uint64_t next_page(const struct dma_region *r, uint64_t page,
			  uint64_t end, bool shared)
{
	while (page < end && is_shared(r, page) != shared) {
		uint64_t w = atomic_load(&r->shared[page / WORD_BITS]);

		/* a whole word of the others at once */
		if (page % WORD_BITS == 0 && w == (shared ? 0 : UINT64_MAX))
			page += WORD_BITS;
		else
			page++;
	}
	return page < end ? page : end;
}

/* How many runs of shared pages begin in [page, end]. */
static uint64_t count_runs(const struct dma_region *r, uint64_t page,
			   uint64_t end)
{
	uint64_t n = 0;

	if (end < r->n_pages)
		end++;
	if (page && is_shared(r, page - 1))
		page = next_page(r, page, end, false);
	while ((page = next_page(r, page, end, true)) < end) {
		n++;
		page = next_page(r, page, end, false);
	}
	return n;
}

/* Runs when all of [page, end) is @shared. */
static uint64_t runs_with(const struct dma_region *r, uint64_t page,
			  uint64_t end, bool shared)
{
	bool before = page && is_shared(r, page - 1);
	bool after = end < r->n_pages && is_shared(r, end);
	uint64_t begin = shared ? !before : after;

	return r->n_runs - count_runs(r, page, end) + begin;
}

static uint64_t bits(uint64_t v)
{
	return (uint64_t)__builtin_popcountll(v);
}

static void set_bits(struct dma_region *r, uint64_t page, uint64_t end,
		     bool shared)
{
	if (r->window)
		r->n_runs = runs_with(r, page, end, shared);
	while (page < end) {
		uint64_t word, mask = word_mask(&page, end, &word);

		if (shared)
			r->n_shared +=
				bits(~atomic_fetch_or(&r->shared[word], mask) &
				     mask);
		else
			r->n_shared -=
				bits(atomic_fetch_and(&r->shared[word], ~mask) &
				     mask);
	}
}

/* --- changes ------------------------------------------------------------- */

int dma_region_prepare(struct dma_region *r, uint64_t page, uint64_t end,
		       bool shared)
{
	if (!r->window)
		return 0;
	if (runs_with(r, page, end, shared) > DMA_VIEW_RUNS_MAX)
		return -ENOSPC;
	return shared ? dma_window_open(r->window, page << PAGE_SHIFT,
					(end - page) << PAGE_SHIFT)
		      : 0;
}

void dma_region_share(struct dma_region *r, uint64_t page, uint64_t end)
{
	set_bits(r, page, end, true);
}

static void unmap(struct dma_region *r, uint64_t page, uint64_t end)
{
	/* the bits guard them in any case */
	if (r->window && dma_window_close(r->window, page << PAGE_SHIFT,
					  (end - page) << PAGE_SHIFT) < 0)
		log_debug("dma: private pages stay mapped for devices");
}

/* What was never shared is not mapped, and goes on to fault. */
void dma_region_take(struct dma_region *r, uint64_t page, uint64_t end)
{
	while ((page = next_page(r, page, end, true)) < end) {
		uint64_t stop = next_page(r, page, end, false);

		set_bits(r, page, stop, false);
		unmap(r, page, stop);
		page = stop;
	}
}

int dma_region_open_all(struct dma_region *r)
{
	return r->window
		       ? dma_window_open(r->window, 0, r->n_pages << PAGE_SHIFT)
		       : 0;
}

void dma_region_close_private(struct dma_region *r, uint64_t page, uint64_t end)
{
	while ((page = next_page(r, page, end, false)) < end) {
		uint64_t stop = next_page(r, page, end, true);

		unmap(r, page, stop);
		page = stop;
	}
}
