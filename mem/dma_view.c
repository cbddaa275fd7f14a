/* mem/dma_view.c - decides which guest pages a device may touch. */
#include "mem/dma_view.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mem/dma_region.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"

enum { PAGE_SHIFT = 12 };

/*
 * Readers take no lock: in DMA_VIEW_ALL an access costs a branch, in
 * DMA_VIEW_SHARED one load per 64 pages.
 */
struct dma_view {
	const struct guest_mem *mem;
	enum dma_view_mode mode;
	enum dma_view_unreported unreported;
	struct dma_region *region[GUEST_MEM_MAX_REGIONS];
	size_t n_regions;
	atomic_bool reported; /* set after the bits of the first report */
	atomic_uint_fast64_t refused;
	atomic_uint_fast64_t revocations;

	pthread_mutex_t lock; /* changes of the regions, and what follows */
	uint64_t reports;
};

/* All of RAM, until the guest says what it shares. */
static int open_unreported(struct dma_view *v)
{
	int r = 0;

	if (v->mode == DMA_VIEW_ALL || v->unreported == DMA_UNREPORTED_REFUSE)
		return 0;
	for (size_t i = 0; i < v->n_regions && !r; i++)
		r = dma_region_open_all(v->region[i]);
	return r;
}

static int add_regions(struct dma_view *v, struct err *err)
{
	for (size_t i = 0; i < guest_mem_n_regions(v->mem); i++) {
		const struct guest_mem_region *g = guest_mem_region(v->mem, i);
		int r;

		if (g->type != GUEST_MEM_RAM)
			continue;
		r = dma_region_create(g, v->mode == DMA_VIEW_SHARED,
				      &v->region[v->n_regions], err);
		if (r < 0)
			return r;
		v->n_regions++;
	}
	return 0;
}

int dma_view_create(const struct guest_mem *mem, enum dma_view_mode mode,
		    enum dma_view_unreported unreported, struct dma_view **ret,
		    struct err *err)
{
	AUTO(dma_view_destroyp) struct dma_view *v = calloc(1, sizeof(*v));
	int r;

	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&v->lock, NULL);
	v->mem = mem;
	v->mode = mode;
	v->unreported = unreported;
	r = add_regions(v, err);
	if (r < 0)
		return r;
	r = open_unreported(v);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "cannot map guest memory a second time, "
				    "for devices: %s",
				    strerror(-r));
	*ret = TAKE(v);
	return 0;
}

void dma_view_destroy(struct dma_view *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n_regions; i++)
		dma_region_destroy(v->region[i]);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

static struct dma_region *find(struct dma_view *v, gpa_t gpa)
{
	for (size_t i = 0; i < v->n_regions; i++) {
		struct dma_region *r = v->region[i];

		if (gpa >= dma_region_gpa(r) &&
		    gpa - dma_region_gpa(r) < dma_region_len(r))
			return r;
	}
	return NULL;
}

/* A piece of guest memory in one region. */
struct pages {
	struct dma_region *region;
	uint64_t page, end; /* the pages it touches */
	uint64_t bytes;
};

/*
 * The first piece of [gpa, gpa + len). False: no RAM begins there.
 */
static bool pages_at(struct dma_view *v, gpa_t gpa, uint64_t len,
		     struct pages *ret)
{
	struct dma_region *r = find(v, gpa);
	uint64_t off, left;

	if (!r)
		return false;
	off = gpa - dma_region_gpa(r);
	left = dma_region_len(r) - off;
	ret->region = r;
	ret->bytes = len < left ? len : left;
	ret->page = off >> PAGE_SHIFT;
	ret->end = ((off + ret->bytes - 1) >> PAGE_SHIFT) + 1;
	return true;
}

/* @len > 0 */
static bool all_shared(struct dma_view *v, gpa_t gpa, uint64_t len)
{
	struct pages p;

	for (; len; gpa += p.bytes, len -= p.bytes)
		if (!pages_at(v, gpa, len, &p) ||
		    !dma_region_is_shared(p.region, p.page, p.end))
			return false;
	return true;
}

/*
 * May a device touch [gpa, gpa + len)? Whether memory is there at all is for
 * guest_mem to say, but a range that wraps is refused here.
 */
static bool allowed(struct dma_view *v, gpa_t gpa, uint64_t len)
{
	uint64_t end;

	if (v->mode == DMA_VIEW_ALL || !len)
		return true;
	if (!checked_add(gpa, len, &end))
		return false;
	if (!atomic_load_explicit(&v->reported, memory_order_acquire) &&
	    v->unreported == DMA_UNREPORTED_ALLOW)
		return true;
	return all_shared(v, gpa, len);
}

static int refuse(struct dma_view *v)
{
	atomic_fetch_add_explicit(&v->refused, 1, memory_order_relaxed);
	return -EFAULT;
}

/* --- reports ------------------------------------------------------------ */

static bool is_ram(struct dma_view *v, gpa_t gpa, uint64_t len)
{
	struct pages p;

	for (; len; gpa += p.bytes, len -= p.bytes)
		if (!pages_at(v, gpa, len, &p))
			return false;
	return true;
}

/* After the change. Whoever sees the new number sees it. */
static void revoked(struct dma_view *v)
{
	atomic_fetch_add_explicit(&v->revocations, 1, memory_order_release);
}

/* The range is RAM; an error may leave it prepared in part. */
static int prepare(struct dma_view *v, gpa_t gpa, uint64_t len, bool shared)
{
	struct pages p;
	int r = 0;

	for (; len && !r && pages_at(v, gpa, len, &p);
	     gpa += p.bytes, len -= p.bytes)
		r = dma_region_prepare(p.region, p.page, p.end, shared);
	return r;
}

/* Undo that. Until the first report all of it may be open anyway. */
static void unprepare(struct dma_view *v, gpa_t gpa, uint64_t len)
{
	struct pages p;

	for (; len && atomic_load(&v->reported) && pages_at(v, gpa, len, &p);
	     gpa += p.bytes, len -= p.bytes)
		dma_region_close_private(p.region, p.page, p.end);
}

static void change(struct dma_view *v, gpa_t gpa, uint64_t len, bool shared)
{
	struct pages p;

	for (; len && pages_at(v, gpa, len, &p); gpa += p.bytes, len -= p.bytes)
		if (shared)
			dma_region_share(p.region, p.page, p.end);
		else
			dma_region_take(p.region, p.page, p.end);
}

static void close_all_private(struct dma_view *v)
{
	for (size_t i = 0; i < v->n_regions; i++)
		dma_region_close_private(v->region[i], 0,
					 dma_region_len(v->region[i]) >>
						 PAGE_SHIFT);
}

/* Under the lock; the range is RAM. */
static int report(struct dma_view *v, gpa_t gpa, uint64_t len, bool is_private)
{
	int r = prepare(v, gpa, len, !is_private);
	bool first;

	if (r < 0) {
		unprepare(v, gpa, len);
		return r;
	}
	change(v, gpa, len, !is_private);
	/* the first report takes back all that it does not share */
	first = !atomic_exchange_explicit(&v->reported, true,
					  memory_order_release);
	if (is_private || first)
		revoked(v);
	if (first && v->unreported == DMA_UNREPORTED_ALLOW)
		close_all_private(v);
	return 0;
}

int dma_view_report(struct dma_view *v, gpa_t gpa, uint64_t len,
		    bool is_private)
{
	uint64_t end;
	int r = 0;

	if (!len || !is_aligned(gpa | len, GUEST_MEM_PAGE) ||
	    !checked_add(gpa, len, &end) || !is_ram(v, gpa, len))
		return -EINVAL;
	pthread_mutex_lock(&v->lock);
	v->reports++;
	if (v->mode == DMA_VIEW_SHARED)
		r = report(v, gpa, len, is_private);
	else
		atomic_store(&v->reported, true);
	pthread_mutex_unlock(&v->lock);
	return r;
}

void dma_view_reset(struct dma_view *v)
{
	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < v->n_regions; i++)
		dma_region_take(v->region[i], 0,
				dma_region_len(v->region[i]) >> PAGE_SHIFT);
	if (open_unreported(v) < 0)
		log_debug("dma: not all of RAM is mapped for devices");
	atomic_store_explicit(&v->reported, false, memory_order_release);
	if (v->mode == DMA_VIEW_SHARED)
		revoked(v);
	pthread_mutex_unlock(&v->lock);
}

uint64_t dma_view_revocations(struct dma_view *v)
{
	return atomic_load_explicit(&v->revocations, memory_order_acquire);
}

void dma_view_counters(struct dma_view *v, struct dma_view_counters *ret)
{
	uint64_t ram = guest_mem_ram_bytes(v->mem);

	pthread_mutex_lock(&v->lock);
	ret->reported = atomic_load(&v->reported);
	ret->reports = v->reports;
	ret->refused = atomic_load(&v->refused);
	ret->window = v->n_regions && dma_region_window(v->region[0]);
	ret->shared_bytes = 0;
	for (size_t i = 0; i < v->n_regions; i++)
		ret->shared_bytes += dma_region_shared_pages(v->region[i])
				     << PAGE_SHIFT;
	if (v->mode == DMA_VIEW_ALL ||
	    (!ret->reported && v->unreported == DMA_UNREPORTED_ALLOW))
		ret->shared_bytes = ram;
	ret->private_bytes = ram - ret->shared_bytes;
	pthread_mutex_unlock(&v->lock);
}

/* --- accesses ----------------------------------------------------------- */

/*
 * Where a device finds @gpa, as guest_mem_piece(): in the window, if it has
 * one. It is allowed to.
 */
static uint8_t *piece(struct dma_view *v, gpa_t gpa, uint64_t len, bool write,
		      uint64_t *ret_len)
{
	struct dma_region *r = v->mode == DMA_VIEW_ALL ? NULL : find(v, gpa);
	uint8_t *base = r ? dma_region_window(r) : NULL;
	uint64_t off, left;

	if (!base)
		return guest_mem_piece(v->mem, gpa, len, write, ret_len);
	off = gpa - dma_region_gpa(r);
	left = dma_region_len(r) - off;
	*ret_len = len < left ? len : left;
	return base + off;
}

/* Is every byte there? */
static bool covered(struct dma_view *v, gpa_t gpa, uint64_t len, bool write)
{
	uint64_t n, end;

	if (!checked_add(gpa, len, &end))
		return false;
	for (; len; gpa += n, len -= n)
		if (!piece(v, gpa, len, write, &n))
			return false;
	return true;
}

int dma_view_read(struct dma_view *v, gpa_t src, void *dst, size_t len)
{
	uint8_t *to = dst;
	uint64_t n;

	if (len > GUEST_MEM_COPY_MAX)
		return -E2BIG;
	if (!allowed(v, src, len) || !covered(v, src, len, false))
		return refuse(v);
	for (; len; src += n, to += n, len -= n) {
		const uint8_t *p = piece(v, src, len, false, &n);

		memcpy(to, p, n);
	}
	return 0;
}

int dma_view_write(struct dma_view *v, gpa_t dst, const void *src, size_t len)
{
	const uint8_t *from = src;
	uint64_t n;

	if (len > GUEST_MEM_COPY_MAX)
		return -E2BIG;
	if (!allowed(v, dst, len) || !covered(v, dst, len, true))
		return refuse(v);
	for (; len; dst += n, from += n, len -= n) {
		uint8_t *p = piece(v, dst, len, true, &n);

		memcpy(p, from, n);
	}
	return 0;
}

/* A naturally aligned 16-bit word, or NULL. */
static uint16_t *word16(struct dma_view *v, gpa_t gpa, bool write)
{
	uint64_t n;
	uint8_t *p;

	if (!is_aligned(gpa, 2) || !allowed(v, gpa, 2))
		return NULL;
	p = piece(v, gpa, 2, write, &n);
	assert(!p || n == 2); /* regions are made of whole pages */
	return (uint16_t *)(void *)p;
}

int dma_view_load_le16_acquire(struct dma_view *v, gpa_t gpa, uint16_t *ret)
{
	const uint16_t *p = word16(v, gpa, false);

	if (!p)
		return refuse(v);
	*ret = le16toh(__atomic_load_n(p, __ATOMIC_ACQUIRE));
	return 0;
}

int dma_view_store_le16_release(struct dma_view *v, gpa_t gpa, uint16_t val)
{
	uint16_t *p = word16(v, gpa, true);

	if (!p)
		return refuse(v);
	__atomic_store_n(p, htole16(val), __ATOMIC_RELEASE);
	return 0;
}

/* @iov[*n..max) and the entry before; -EFAULT or -E2BIG may leave a part. */
static int append(struct dma_view *v, gpa_t gpa, uint64_t len, bool write,
		  struct iovec *iov, size_t max, size_t *n)
{
	uint64_t bytes;

	for (; len; gpa += bytes, len -= bytes) {
		uint8_t *p = piece(v, gpa, len, write, &bytes);
		struct iovec *last = *n ? &iov[*n - 1] : NULL;

		if (!p)
			return -EFAULT;
		if (last && (uint8_t *)last->iov_base + last->iov_len == p) {
			last->iov_len += bytes;
			continue;
		}
		if (*n >= max)
			return -E2BIG;
		iov[(*n)++] = (struct iovec){p, bytes};
	}
	return 0;
}

void dma_view_span(struct dma_view *v, gpa_t gpa, struct dma_span *ret)
{
	struct dma_region *r = v->mode == DMA_VIEW_ALL ? find(v, gpa) : NULL;
	uint64_t n;

	*ret = (struct dma_span){0};
	if (!r)
		return;
	ret->gpa = dma_region_gpa(r);
	ret->host =
		guest_mem_piece(v->mem, ret->gpa, dma_region_len(r), true, &n);
	ret->len = n;
}

int dma_view_map(struct dma_view *v, gpa_t gpa, uint64_t len, bool write,
		 struct iovec *iov, size_t max, size_t *n)
{
	struct iovec before = *n ? iov[*n - 1] : (struct iovec){0};
	size_t count = *n;
	uint64_t end;
	int r;

	if (!checked_add(gpa, len, &end) || !allowed(v, gpa, len))
		return refuse(v);
	r = append(v, gpa, len, write, iov, max, &count);
	if (r < 0 && *n)
		iov[*n - 1] = before; /* it may have grown */
	if (r == -EFAULT)
		return refuse(v);
	if (r < 0)
		return r;
	*n = count;
	return 0;
}
