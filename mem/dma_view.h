/*
 * mem/dma_view.h - guest memory as a device may see it.
 *
 * A plain guest lets its devices touch all of RAM. A confidential guest shares
 * pages one by one (bounce buffers, rings); everything else is private, and a
 * descriptor that points at a private page is an error, never a read of
 * ciphertext and never a write that corrupts the guest. Every device access
 * goes through a view, so that this is checked in one place.
 *
 * Where RAM is a memfd in base pages, the view of a confidential guest hands
 * out addresses in a mapping of its own that has only the shared pages in it
 * (dma_window.h).
 */
#ifndef MEM_DMA_VIEW_H
#define MEM_DMA_VIEW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "mem/mem_map.h"
#include "vmm/base/own.h"

struct dma_view; /* opaque; shared by all devices of a VM */
struct err;
struct guest_mem;

enum dma_view_mode {
	DMA_VIEW_ALL,	 /* plain guest: all RAM is reachable */
	DMA_VIEW_SHARED, /* confidential guest: only what it has shared */
};

/*
 * What happens in DMA_VIEW_SHARED before the guest's first report: Linux first
 * reports all RAM as private and then each page it shares.
 */
enum dma_view_unreported {
	DMA_UNREPORTED_ALLOW,  /* all RAM is reachable until a report comes */
	DMA_UNREPORTED_REFUSE, /* nothing is: --dma strict */
};

struct dma_view_counters {
	uint64_t shared_bytes;	/* RAM that is reachable now */
	uint64_t private_bytes; /* RAM that is not */
	uint64_t refused;	/* accesses refused since creation */
	uint64_t reports;	/* by the guest, since creation */
	bool reported;		/* at all, since creation or reset */
	bool window;		/* private pages are not mapped for devices */
};

/*
 * Runs of adjacent shared pages in one region, where there is a window. Linux
 * has some tens; each costs the host up to two mappings.
 */
enum { DMA_VIEW_RUNS_MAX = 8192 };

/* @mem is borrowed, complete, and outlives the view. -ENOMEM. */
int dma_view_create(const struct guest_mem *mem, enum dma_view_mode mode,
		    enum dma_view_unreported unreported, struct dma_view **ret,
		    struct err *err);
/* NULL is fine. */
void dma_view_destroy(struct dma_view *v);
DEFINE_CLEANUP(struct dma_view, dma_view_destroy)

/*
 * The guest reports [gpa, gpa + len) as private or shared
 * (KVM_HC_MAP_GPA_RANGE). Any thread. Accesses that begin after it returned
 * see it; one that is under way may still end, and a guest that takes a page
 * back while a device uses it has to expect that.
 * @gpa, @len   multiples of 4096; len > 0
 * -EINVAL      misaligned, or some byte is not RAM; nothing changes then
 * -ENOSPC      more than DMA_VIEW_RUNS_MAX; likewise
 * -ENOMEM      the host cannot map what is shared; likewise
 * With the first report, all pages that were not reported become private.
 * In DMA_VIEW_ALL the report is counted and changes nothing.
 */
int dma_view_report(struct dma_view *v, gpa_t gpa, uint64_t len,
		    bool is_private);

/*
 * Nothing is reported any more (machine reset). What was counted since
 * creation stays.
 */
void dma_view_reset(struct dma_view *v);

/*
 * Copy between the guest and the host, any thread, len up to
 * GUEST_MEM_COPY_MAX.
 * -EFAULT      some byte is not RAM or not shared; nothing is copied, and it
 *              counts as one refused access
 * -E2BIG       len too large
 */
int dma_view_read(struct dma_view *v, gpa_t src, void *dst, size_t len);
int dma_view_write(struct dma_view *v, gpa_t dst, const void *src, size_t len);

/*
 * Naturally aligned 16-bit ring indices, with acquire and release order
 * against the other accesses. -EFAULT as above, and for a misaligned @gpa.
 */
int dma_view_load_le16_acquire(struct dma_view *v, gpa_t gpa, uint16_t *ret);
int dma_view_store_le16_release(struct dma_view *v, gpa_t gpa, uint16_t val);

/*
 * Append the host addresses of [gpa, gpa + len) to @iov[*n..max) and advance
 * *n, merging with the entry before where the memory is adjacent. The entries
 * are for one request and are not kept after it.
 * @write       the device is going to write there (ROM is refused)
 * -EFAULT      as above; -E2BIG: more than @max entries. *n and the entries
 *              before it are untouched then.
 * @len 0 appends nothing.
 */
int dma_view_map(struct dma_view *v, gpa_t gpa, uint64_t len, bool write,
		 struct iovec *iov, size_t max, size_t *n);

/*
 * A number that changes whenever something that was reachable no longer is.
 * Whoever keeps host addresses from dma_view_map() beyond one request (rings)
 * reads it first, and again before every use: the same number means that they
 * still hold. Any thread, no lock.
 */
uint64_t dma_view_revocations(struct dma_view *v);

/*
 * A stretch of RAM that a device may read and write at will for as long as
 * dma_view_revocations(), read before, stays the same: for whoever maps many
 * small buffers. What is not in it goes through dma_view_map().
 */
struct dma_span {
	gpa_t gpa;
	uint64_t len;
	uint8_t *host;
};

/* The host's address of [gpa, gpa + len), @len > 0, or NULL: not all in @s. */
static inline uint8_t *dma_span_at(const struct dma_span *s, gpa_t gpa,
				   uint64_t len)
{
	uint64_t off = gpa - s->gpa;

	return off < s->len && len <= s->len - off ? s->host + off : NULL;
}

/*
 * The span around @gpa, of length 0 where there is none: @gpa is not RAM, or
 * pages are shared one by one. Any thread, no lock.
 */
void dma_view_span(struct dma_view *v, gpa_t gpa, struct dma_span *ret);

void dma_view_counters(struct dma_view *v, struct dma_view_counters *ret);

#endif
