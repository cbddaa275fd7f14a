/* mem/dma_view.c - decides which guest pages a device may touch. */
#include "mem/dma_view.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

enum { PAGE_SHIFT = 12, WORD_BITS = 64 };

/* One RAM region, and a bit for each of its pages: 1 is shared. */
struct view_region {
	gpa_t base;
	uint64_t len;
	_Atomic uint64_t *shared;
};

/*
 * Readers take no lock: in DMA_VIEW_ALL an access costs a branch, in
 * DMA_VIEW_SHARED one load per 64 pages.
 */
struct dma_view {
	const struct guest_mem *mem;
	enum dma_view_mode mode;
	enum dma_view_unreported unreported;
	struct view_region region[GUEST_MEM_MAX_REGIONS];
	size_t n_regions;
	atomic_bool reported; /* set after the bits of the first report */
	atomic_uint_fast64_t refused;
	atomic_uint_fast64_t revocations;

	pthread_mutex_t lock; /* writers of the bits, and what follows */
	uint64_t shared_pages;
	uint64_t reports;
};

static int add_region(struct dma_view *v, const struct guest_mem_region *r)
{
	struct view_region *vr = &v->region[v->n_regions];
	uint64_t words = align_up(r->len >> PAGE_SHIFT, WORD_BITS) / WORD_BITS;

	vr->shared = calloc(words, sizeof(*vr->shared));
	if (!vr->shared)
		return -ENOMEM;
	vr->base = r->base;
	vr->len = r->len;
	v->n_regions++;
	return 0;
}

int dma_view_create(const struct guest_mem *mem, enum dma_view_mode mode,
		    enum dma_view_unreported unreported, struct dma_view **ret,
		    struct err *err)
{
	AUTO(dma_view_destroyp) struct dma_view *v = calloc(1, sizeof(*v));

	if (!v)
		return err_set(err, -ENOMEM, "out of memory");
	pthread_mutex_init(&v->lock, NULL);
	v->mem = mem;
	v->mode = mode;
	v->unreported = unreported;
	for (size_t i = 0; i < guest_mem_n_regions(mem); i++) {
		const struct guest_mem_region *r = guest_mem_region(mem, i);

		if (r->type == GUEST_MEM_RAM && add_region(v, r) < 0)
			return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = TAKE(v);
	return 0;
}

void dma_view_destroy(struct dma_view *v)
{
	if (!v)
		return;
	for (size_t i = 0; i < v->n_regions; i++)
		free(v->region[i].shared);
	pthread_mutex_destroy(&v->lock);
	free(v);
}

static struct view_region *find(struct dma_view *v, gpa_t gpa)
{
	for (size_t i = 0; i < v->n_regions; i++) {
		struct view_region *r = &v->region[i];

		if (gpa >= r->base && gpa - r->base < r->len)
			return r;
	}
	return NULL;
}

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

/*
 * Split [gpa, gpa + len) by region: the pages [*ret_page, *ret_end) of the
 * region that holds @gpa, and how many bytes that covers. NULL: not RAM.
 */
static struct view_region *pages_at(struct dma_view *v, gpa_t gpa, uint64_t len,
				    uint64_t *ret_page, uint64_t *ret_end,
				    uint64_t *ret_bytes)
{
	struct view_region *r = find(v, gpa);
	uint64_t off, n;

	if (!r)
		return NULL;
	off = gpa - r->base;
	n = len < r->len - off ? len : r->len - off;
	*ret_page = off >> PAGE_SHIFT;
	*ret_end = ((off + n - 1) >> PAGE_SHIFT) + 1;
	*ret_bytes = n;
	return r;
}

/* @len > 0 */
static bool all_shared(struct dma_view *v, gpa_t gpa, uint64_t len)
{
	uint64_t page, end, bytes, word, mask;

	for (; len; gpa += bytes, len -= bytes) {
		struct view_region *r =
			pages_at(v, gpa, len, &page, &end, &bytes);

		if (!r)
			return false;
		while (page < end) {
			mask = word_mask(&page, end, &word);
			if ((atomic_load_explicit(&r->shared[word],
						  memory_order_acquire) &
			     mask) != mask)
				return false;
		}
	}
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
	uint64_t page, end, bytes;

	for (; len; gpa += bytes, len -= bytes)
		if (!pages_at(v, gpa, len, &page, &end, &bytes))
			return false;
	return true;
}

/* Under the lock; the range is RAM. */
static void set_bits(struct dma_view *v, gpa_t gpa, uint64_t len, bool shared)
{
	uint64_t page, end, bytes, word, mask, old;

	for (; len; gpa += bytes, len -= bytes) {
		struct view_region *r =
			pages_at(v, gpa, len, &page, &end, &bytes);

		assert(r);
		while (page < end) {
			mask = word_mask(&page, end, &word);
			if (shared) {
				old = atomic_fetch_or(&r->shared[word], mask);
				v->shared_pages +=
					(uint64_t)__builtin_popcountll(~old &
								       mask);
			} else {
				old = atomic_fetch_and(&r->shared[word], ~mask);
				v->shared_pages -=
					(uint64_t)__builtin_popcountll(old &
								       mask);
			}
		}
	}
}

/* After the bits. Whoever sees the new number sees them. */
static void revoked(struct dma_view *v)
{
	atomic_fetch_add_explicit(&v->revocations, 1, memory_order_release);
}

int dma_view_report(struct dma_view *v, gpa_t gpa, uint64_t len,
		    bool is_private)
{
	uint64_t end;
	bool first;

	if (!len || !is_aligned(gpa | len, GUEST_MEM_PAGE) ||
	    !checked_add(gpa, len, &end) || !is_ram(v, gpa, len))
		return -EINVAL;
	pthread_mutex_lock(&v->lock);
	v->reports++;
	if (v->mode == DMA_VIEW_SHARED)
		set_bits(v, gpa, len, !is_private);
	/* the first report takes back all that it does not share */
	first = !atomic_exchange_explicit(&v->reported, true,
					  memory_order_release);
	if (v->mode == DMA_VIEW_SHARED && (is_private || first))
		revoked(v);
	pthread_mutex_unlock(&v->lock);
	return 0;
}

void dma_view_reset(struct dma_view *v)
{
	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < v->n_regions; i++)
		set_bits(v, v->region[i].base, v->region[i].len, false);
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
	ret->shared_bytes = v->shared_pages << PAGE_SHIFT;
	if (v->mode == DMA_VIEW_ALL ||
	    (!ret->reported && v->unreported == DMA_UNREPORTED_ALLOW))
		ret->shared_bytes = ram;
	ret->private_bytes = ram - ret->shared_bytes;
	pthread_mutex_unlock(&v->lock);
}

/* --- accesses ----------------------------------------------------------- */

int dma_view_read(struct dma_view *v, gpa_t src, void *dst, size_t len)
{
	int r;

	if (!allowed(v, src, len))
		return refuse(v);
	r = guest_mem_read(v->mem, src, dst, len);
	return r == -EFAULT ? refuse(v) : r;
}

int dma_view_write(struct dma_view *v, gpa_t dst, const void *src, size_t len)
{
	int r;

	if (!allowed(v, dst, len))
		return refuse(v);
	r = guest_mem_write(v->mem, dst, src, len);
	return r == -EFAULT ? refuse(v) : r;
}

/* A naturally aligned 16-bit word, or NULL. */
static uint16_t *word16(struct dma_view *v, gpa_t gpa, bool write)
{
	uint64_t n;
	void *p;

	if (!is_aligned(gpa, 2) || !allowed(v, gpa, 2))
		return NULL;
	p = guest_mem_piece(v->mem, gpa, 2, write, &n);
	assert(!p || n == 2); /* regions are made of whole pages */
	return p;
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
		uint8_t *p = guest_mem_piece(v->mem, gpa, len, write, &bytes);
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
