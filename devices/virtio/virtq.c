/* devices/virtio/virtq.c - the device's side of the rings. */
#include "devices/virtio/virtq.h"

#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

/* virtio 1.2, 2.7.5 "The Virtqueue Descriptor Table" */
enum {
	DESC_LEN = 16,
	DESC_F_NEXT = 1,
	DESC_F_WRITE = 2,
	DESC_F_INDIRECT = 4,
};

/* virtio 1.2, 2.7.6 and 2.7.8: the available ring and the used ring */
enum {
	RING_FLAGS = 0,
	RING_IDX = 2,
	RING_ENTRIES = 4,
	AVAIL_ENTRY_LEN = 2,
	USED_ENTRY_LEN = 8,
	EVENT_LEN = 2,
	AVAIL_F_NO_INTERRUPT = 1,
	USED_F_NO_NOTIFY = 1,
};

enum {
	/*
	 * Entries of an indirect table that we accept, whatever the queue's
	 * size: Linux makes tables longer than a small queue.
	 */
	INDIRECT_MAX = VIRTQ_SIZE_MAX,
	IOV_FIRST = 16, /* entries, the first time a chain needs storage */
	/* every buffer in as many pieces as memory has regions */
	IOV_MAX_ENTRIES =
		(VIRTQ_SIZE_MAX + INDIRECT_MAX) * GUEST_MEM_MAX_REGIONS,
	BUSY_WORDS = VIRTQ_SIZE_MAX / 64,
};

struct virtq {
	struct dma_view *view; /* borrowed */
	struct virtq_irq *irq; /* borrowed */
	uint16_t max;
	bool enabled;
	bool kicks;   /* the driver shall kick for the next chain */
	int broken;   /* what every pop answers until the queue is disabled */
	uint32_t era; /* counts enablings: chains of older ones are stale */
	struct virtq_layout l;
	/* The areas; good while the view has revoked nothing since. */
	const uint8_t *desc, *avail;
	uint8_t *used;
	uint64_t revocations;
	struct dma_span span; /* where the last buffers were; as good */

	/* Free-running, as the indices of the rings. */
	uint16_t next_avail;	   /* the next to pop */
	uint16_t seen_avail;	   /* the driver's index when last read */
	uint16_t next_used;	   /* the next to push */
	uint16_t flushed;	   /* as the driver was told */
	uint64_t busy[BUSY_WORDS]; /* heads in flight */
};

/* A descriptor, read once. */
struct desc {
	uint64_t addr;
	uint32_t len;
	uint16_t flags, next;
};

static int break_queue(struct virtq *q, int r)
{
	q->broken = r;
	return r;
}

/* --- the rings in guest memory ------------------------------------------ */

static uint16_t load16(const uint8_t *p)
{
	return le16toh(__atomic_load_n((const uint16_t *)(const void *)p,
				       __ATOMIC_ACQUIRE));
}

static void store16(uint8_t *p, uint16_t val)
{
	__atomic_store_n((uint16_t *)(void *)p, htole16(val), __ATOMIC_RELEASE);
}

static const uint8_t *used_event(const struct virtq *q)
{
	return q->avail + RING_ENTRIES + (size_t)q->l.size * AVAIL_ENTRY_LEN;
}

static uint8_t *avail_event(const struct virtq *q)
{
	return q->used + RING_ENTRIES + (size_t)q->l.size * USED_ENTRY_LEN;
}

/* The host's address of an area, which has to be in one piece there. */
static int map_area(struct virtq *q, gpa_t gpa, uint64_t len, bool write,
		    uint8_t **ret)
{
	struct iovec iov;
	size_t n = 0;
	int r = dma_view_map(q->view, gpa, len, write, &iov, 1, &n);

	if (r < 0)
		return r == -E2BIG ? -EFAULT : r;
	*ret = iov.iov_base;
	return 0;
}

static int map_rings(struct virtq *q)
{
	uint64_t n = q->l.size, event = q->l.event_idx ? EVENT_LEN : 0;
	uint8_t *desc, *avail;
	int r;

	/* first the number: what changes from here on is noticed */
	q->revocations = dma_view_revocations(q->view);
	q->span.len = 0;
	r = map_area(q, q->l.desc, n * DESC_LEN, false, &desc);
	if (!r)
		r = map_area(q, q->l.driver,
			     RING_ENTRIES + n * AVAIL_ENTRY_LEN + event, false,
			     &avail);
	if (!r)
		r = map_area(q, q->l.device,
			     RING_ENTRIES + n * USED_ENTRY_LEN + event, true,
			     &q->used);
	if (r < 0)
		return r;
	q->desc = desc;
	q->avail = avail;
	return 0;
}

/*
 * May the rings be touched? To be asked once by everything that does; it
 * breaks the queue when not.
 */
static bool rings_ok(struct virtq *q)
{
	int r;

	if (q->broken)
		return false;
	if (dma_view_revocations(q->view) == q->revocations)
		return true;
	r = map_rings(q);
	if (r < 0)
		break_queue(q, r);
	return !r;
}

/* @at is in guest memory. */
static struct desc read_desc(const uint8_t *at)
{
	uint64_t addr = load_le64(at), rest = load_le64(at + 8);

	/* the compiler must not go back to the guest's copy */
	__asm__ volatile("" : "+r"(addr), "+r"(rest));
	return (struct desc){
		.addr = addr,
		.len = (uint32_t)rest,
		.flags = (uint16_t)(rest >> 32),
		.next = (uint16_t)(rest >> 48),
	};
}

/*
 * Look at the driver's index again. More than a queue full that we have not
 * given back is impossible: each chain takes a descriptor at least.
 */
static int load_avail(struct virtq *q)
{
	uint16_t idx = load16(q->avail + RING_IDX);

	if ((uint16_t)(idx - q->next_used) > q->l.size ||
	    (uint16_t)(idx - q->next_avail) > (uint16_t)(idx - q->next_used))
		return break_queue(q, -EPROTO);
	q->seen_avail = idx;
	return 0;
}

/*
 * Tell the driver to kick for the chain after those we have seen, and look
 * whether it has come meanwhile (virtio 1.2, 2.7.10 "Available Buffer
 * Notification Suppression"). 1: it has.
 */
static int arm_kicks(struct virtq *q)
{
	int r;

	if (q->l.event_idx)
		store16(avail_event(q), q->next_avail);
	else
		store16(q->used + RING_FLAGS, 0);
	/* our store before our load, as the driver's are the other way */
	atomic_thread_fence(memory_order_seq_cst);
	r = load_avail(q);
	return r < 0 ? r : q->seen_avail != q->next_avail;
}

/* --- chains ------------------------------------------------------------- */

static int grow(struct virtq_chain *c)
{
	size_t cap = c->iov_cap ? c->iov_cap * 2 : IOV_FIRST;
	struct iovec *iov;

	if (cap > IOV_MAX_ENTRIES)
		return -EPROTO;
	iov = realloc(c->iov, cap * sizeof(*iov));
	if (!iov)
		return -ENOMEM;
	c->iov = iov;
	c->iov_cap = cap;
	return 0;
}

/*
 * Append the buffer of @d to @iov[*n..max), as dma_view_map(), without asking
 * the view. False: it is not near the last ones, or empty, or there is no room.
 */
static bool add_near(const struct virtq *q, const struct desc *d,
		     struct iovec *iov, size_t max, size_t *n)
{
	uint8_t *p = d->len ? dma_span_at(&q->span, d->addr, d->len) : NULL;
	struct iovec *last = *n ? &iov[*n - 1] : NULL;

	if (!p)
		return false;
	if (last && (uint8_t *)last->iov_base + last->iov_len == p) {
		last->iov_len += d->len;
		return true;
	}
	if (*n >= max)
		return false;
	/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): virtq_pop() */
	iov[(*n)++] = (struct iovec){p, d->len};
	return true;
}

/* The same anywhere; the view says whether it is allowed. */
static int add_far(struct virtq *q, struct virtq_chain *c, const struct desc *d,
		   bool write, size_t *n)
{
	size_t first = write ? c->n_out : 0;
	int r;

	do
		r = dma_view_map(q->view, d->addr, d->len, write,
				 c->iov + first, c->iov_cap - first, n);
	while (r == -E2BIG && !(r = grow(c)));
	if (!r)
		dma_view_span(q->view, d->addr, &q->span);
	return r;
}

/* Append the buffer of @d to its part of @c. */
static int add_buffer(struct virtq *q, struct virtq_chain *c,
		      const struct desc *d)
{
	bool write = d->flags & DESC_F_WRITE;
	size_t *n = write ? &c->n_in : &c->n_out;
	/* the parts stay apart even where their memory is adjacent */
	size_t first = write ? c->n_out : 0;
	int r = 0;

	if (!write && c->n_in)
		return -EPROTO;
	if (c->out_len + c->in_len + d->len > UINT32_MAX)
		return -EPROTO;
	if (!add_near(q, d, c->iov + first, c->iov_cap - first, n))
		r = add_far(q, c, d, write, n);
	if (r < 0)
		return r;
	*(write ? &c->in_len : &c->out_len) += d->len;
	return 0;
}

/*
 * Of many devices nearly every chain is this: one buffer, near the last one.
 * False: it is another.
 */
static bool add_only(const struct virtq *q, struct virtq_chain *c,
		     const struct desc *d)
{
	bool write = d->flags & DESC_F_WRITE;
	uint8_t *p;

	if (d->flags & (DESC_F_NEXT | DESC_F_INDIRECT) || !d->len)
		return false;
	p = dma_span_at(&q->span, d->addr, d->len);
	if (!p)
		return false;
	c->iov[0] = (struct iovec){p, d->len};
	c->n_out = !write;
	c->n_in = write;
	c->out_len = write ? 0 : d->len;
	c->in_len = write ? d->len : 0;
	return true;
}

/*
 * The table that @d points at: @d is the last of its chain, and so is the
 * last one of the table (virtio 1.2, 2.7.5.3 "Indirect Descriptors").
 */
static int add_indirect(struct virtq *q, struct virtq_chain *c,
			const struct desc *d)
{
	uint32_t n = d->len / DESC_LEN, i = 0;
	uint8_t *table;
	int r;

	if (!q->l.indirect || d->flags & DESC_F_NEXT || !n ||
	    d->len % DESC_LEN || n > INDIRECT_MAX)
		return -EPROTO;
	r = map_area(q, d->addr, d->len, false, &table);
	if (r < 0)
		return r;
	for (uint32_t steps = 0; steps < n; steps++) {
		struct desc e = read_desc(table + (size_t)i * DESC_LEN);

		if (e.flags & DESC_F_INDIRECT)
			return -EPROTO;
		r = add_buffer(q, c, &e);
		if (r < 0)
			return r;
		if (!(e.flags & DESC_F_NEXT))
			return 0;
		i = e.next;
		if (i >= n)
			return -EPROTO;
	}
	return -EPROTO; /* a loop */
}

static int add_chain(struct virtq *q, struct virtq_chain *c)
{
	struct desc d = read_desc(q->desc + (size_t)c->head * DESC_LEN);

	if (add_only(q, c, &d))
		return 0;
	c->n_out = c->n_in = 0;
	c->out_len = c->in_len = 0;
	for (uint16_t steps = 1;; steps++) {
		int r;

		if (d.flags & DESC_F_INDIRECT)
			return add_indirect(q, c, &d);
		r = add_buffer(q, c, &d);
		if (r < 0)
			return r;
		if (!(d.flags & DESC_F_NEXT))
			return 0;
		if (d.next >= q->l.size || steps == q->l.size)
			return -EPROTO; /* outside, or a loop */
		d = read_desc(q->desc + (size_t)d.next * DESC_LEN);
	}
}

/* Mark @head as in flight; false when it is already. */
static bool take_head(struct virtq *q, uint16_t head)
{
	uint64_t *word = &q->busy[head / 64], bit = BIT64(head % 64);

	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}

static int pop_head(struct virtq *q, uint16_t *ret)
{
	size_t slot = q->next_avail & (q->l.size - 1u);

	*ret = load16(q->avail + RING_ENTRIES + slot * AVAIL_ENTRY_LEN);
	if (*ret >= q->l.size || !take_head(q, *ret))
		return -EPROTO;
	q->next_avail++;
	return 0;
}

/* 1: a chain is there; 0: none, and if kicks are on, one comes with a kick. */
static int look(struct virtq *q)
{
	int r = 0;

	if (q->broken)
		return q->broken;
	if (!q->enabled)
		return 0;
	if (!rings_ok(q))
		return q->broken;
	if (q->next_avail != q->seen_avail)
		return 1;
	r = load_avail(q);
	if (r < 0)
		return r;
	if (q->next_avail != q->seen_avail)
		return 1;
	return q->kicks && q->l.event_idx ? arm_kicks(q) : 0;
}

int virtq_pop(struct virtq *q, struct virtq_chain *c)
{
	int r = look(q);

	if (r <= 0)
		return r;
	c->era = q->era;
	/* so that an empty chain, too, has an array to add offsets to */
	r = c->iov ? 0 : grow(c);
	if (!r)
		r = pop_head(q, &c->head);
	if (!r)
		r = add_chain(q, c);
	return r < 0 ? break_queue(q, r) : 1;
}

/* --- giving back -------------------------------------------------------- */

void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written)
{
	size_t slot = q->next_used & (q->l.size - 1u);
	uint8_t *e;

	if (!q->enabled || c->era != q->era)
		return;
	assert(q->busy[c->head / 64] & BIT64(c->head % 64));
	q->busy[c->head / 64] &= ~BIT64(c->head % 64);
	q->next_used++;
	if (!rings_ok(q))
		return;
	e = q->used + RING_ENTRIES + slot * USED_ENTRY_LEN;
	store_le32(e, c->head);
	store_le32(e + 4, written);
}

/*
 * Does the driver want an interrupt for what was pushed since the last flush
 * (virtio 1.2, 2.7.7 "Used Buffer Notification Suppression")?
 */
static bool wants_interrupt(const struct virtq *q)
{
	uint16_t v;

	if (!q->l.event_idx)
		return !(load16(q->avail + RING_FLAGS) & AVAIL_F_NO_INTERRUPT);
	v = load16(used_event(q));
	return (uint16_t)(q->next_used - v - 1) <
	       (uint16_t)(q->next_used - q->flushed);
}

void virtq_flush(struct virtq *q)
{
	bool wanted;

	if (!q->enabled || q->flushed == q->next_used || !rings_ok(q))
		return;
	store16(q->used + RING_IDX, q->next_used);
	/* our store before our load, as the driver's are the other way */
	atomic_thread_fence(memory_order_seq_cst);
	wanted = wants_interrupt(q);
	q->flushed = q->next_used;
	if (wanted)
		q->irq->ops->interrupt(q->irq);
}

/* --- kicks -------------------------------------------------------------- */

void virtq_kicks_off(struct virtq *q)
{
	bool was_on = q->kicks;

	q->kicks = false;
	/* with the event index it is enough not to move it */
	if (was_on && q->enabled && !q->l.event_idx && rings_ok(q))
		store16(q->used + RING_FLAGS, USED_F_NO_NOTIFY);
}

bool virtq_kicks_on(struct virtq *q)
{
	q->kicks = true;
	if (!q->enabled)
		return false;
	if (!rings_ok(q))
		return true; /* the next pop says so */
	return q->next_avail != q->seen_avail || arm_kicks(q);
}

/* --- enabling ----------------------------------------------------------- */

static bool area_ok(gpa_t gpa, uint64_t len, uint64_t align)
{
	uint64_t end;

	return is_aligned(gpa, align) && checked_add(gpa, len, &end);
}

int virtq_enable(struct virtq *q, const struct virtq_layout *l)
{
	uint64_t n = l->size;
	int r;

	if (!is_power_of_two(n) || n > q->max ||
	    !area_ok(l->desc, n * DESC_LEN, 16) ||
	    !area_ok(l->driver, RING_ENTRIES + n * AVAIL_ENTRY_LEN, 2) ||
	    !area_ok(l->device, RING_ENTRIES + n * USED_ENTRY_LEN, 4))
		return -EINVAL;
	virtq_disable(q);
	q->l = *l;
	r = map_rings(q);
	if (r < 0)
		return r;
	q->next_avail = q->seen_avail = 0;
	q->next_used = q->flushed = 0;
	memset(q->busy, 0, sizeof(q->busy));
	q->kicks = true;
	q->enabled = true;
	q->era++;
	return 0;
}

void virtq_disable(struct virtq *q)
{
	q->enabled = false;
	q->broken = 0;
}

bool virtq_enabled(const struct virtq *q)
{
	return q->enabled;
}

const struct virtq_layout *virtq_layout(const struct virtq *q)
{
	return q->enabled ? &q->l : NULL;
}

/* --- life --------------------------------------------------------------- */

int virtq_create(struct dma_view *view, uint16_t max, struct virtq_irq *irq,
		 struct virtq **ret, struct err *err)
{
	struct virtq *q;

	assert(is_power_of_two(max) && max <= VIRTQ_SIZE_MAX);
	q = calloc(1, sizeof(*q));
	if (!q)
		return err_set(err, -ENOMEM, "out of memory");
	q->view = view;
	q->irq = irq;
	q->max = max;
	*ret = q;
	return 0;
}

void virtq_destroy(struct virtq *q)
{
	free(q);
}

uint16_t virtq_max_size(const struct virtq *q)
{
	return q->max;
}
