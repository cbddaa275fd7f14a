/*
 * devices/virtio/virtq.h - a split virtqueue, seen from the device (virtio 1.2,
 * 2.7 "Split Virtqueues").
 *
 * The driver puts the head of a descriptor chain into the available ring; the
 * device pops it, does the work, pushes it to the used ring, and flushes. All
 * three areas and the buffers are guest memory, reached through the dma_view,
 * and hostile: an index may jump, a chain may loop, lengths may lie, anything
 * may change at any time. So every guest byte is read once, a chain is bounded
 * by the queue size (and an indirect table likewise), and what a pop hands out
 * is a private copy.
 *
 *   descriptor: address, length, flags (NEXT, WRITE, INDIRECT), next
 *   a chain is: device-readable buffers, then device-writable ones
 *
 * A queue is used by the thread of its device only.
 */
#ifndef DEVICES_VIRTIO_VIRTQ_H
#define DEVICES_VIRTIO_VIRTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/uio.h>

#include "mem/mem_map.h"
#include "vmm/base/checked.h"
#include "vmm/base/own.h"

struct dma_view;
struct err;
struct virtq; /* opaque */

enum {
	VIRTQ_SIZE_MAX = 1024, /* ours; the specification allows 32768 */
	/* Feature bits that change the ring (virtio 1.2, 6) */
	VIRTIO_F_INDIRECT_DESC = 28,
	VIRTIO_F_EVENT_IDX = 29,
};

/* Whoever turns "the driver wants to know" into an interrupt. */
struct virtq_irq;
struct virtq_irq_ops {
	void (*interrupt)(struct virtq_irq *irq);
};
struct virtq_irq {
	const struct virtq_irq_ops *ops;
};

/* Where the driver has put the three areas. */
struct virtq_layout {
	uint16_t size;	/* entries: a power of two, 1..max */
	gpa_t desc;	/* 16-byte aligned */
	gpa_t driver;	/* available ring, 2-byte aligned */
	gpa_t device;	/* used ring, 4-byte aligned */
	bool indirect;	/* VIRTIO_F_INDIRECT_DESC negotiated */
	bool event_idx; /* VIRTIO_F_EVENT_IDX negotiated */
};

/*
 * A request. Storage grows as needed and is kept for the next pop, so reuse
 * one per request slot: virtq_chain_init(), any number of pop and push,
 * virtq_chain_free().
 */
struct virtq_chain {
	uint16_t head;
	/*
	 * iov[0..n_out) the device reads, iov[n_out..n_out + n_in) it writes;
	 * not NULL after a pop
	 */
	size_t n_out, n_in;
	uint64_t out_len, in_len; /* bytes of each part */
	struct iovec *iov;
	/* virtq's: storage, and which enabling of the queue it is from */
	size_t iov_cap;
	uint32_t era;
};

void virtq_chain_init(struct virtq_chain *c);
void virtq_chain_free(struct virtq_chain *c);

/* As below, wherever the bytes are. */
int virtq_chain_read_any(const struct virtq_chain *c, uint64_t off, void *buf,
			 size_t len);
int virtq_chain_write_any(const struct virtq_chain *c, uint64_t off,
			  const void *buf, size_t len);
int virtq_chain_slice_any(const struct virtq_chain *c, bool writable,
			  uint64_t off, uint64_t len, struct iovec *iov,
			  size_t max);

/*
 * Where [off, off + len) of a part begins if the part's first piece has it all,
 * as is the rule; NULL if not, and for no bytes.
 */
static inline void *virtq_chain_first(const struct virtq_chain *c,
				      bool writable, uint64_t off, uint64_t len)
{
	const struct iovec *iov = writable ? c->iov + c->n_out : c->iov;

	if (!len || !(writable ? c->n_in : c->n_out) ||
	    !range_within(off, len, iov->iov_len))
		return NULL;
	return (char *)iov->iov_base + off;
}

/*
 * Copy @len bytes at @off of the part the device reads (writes). Any thread
 * that owns the chain. -ERANGE: past its end; nothing is copied.
 */
static inline int virtq_chain_read(const struct virtq_chain *c, uint64_t off,
				   void *buf, size_t len)
{
	const void *first = virtq_chain_first(c, false, off, len);

	if (!first)
		return virtq_chain_read_any(c, off, buf, len);
	memcpy(buf, first, len);
	/* the compiler must not go back to the guest's copy */
	__asm__ volatile("" : : : "memory");
	return 0;
}

static inline int virtq_chain_write(const struct virtq_chain *c, uint64_t off,
				    const void *buf, size_t len)
{
	void *first = virtq_chain_first(c, true, off, len);

	if (!first)
		return virtq_chain_write_any(c, off, buf, len);
	memcpy(first, buf, len);
	return 0;
}

/*
 * The pieces of [off, off + len) of the readable (@writable: writable) part,
 * for readv(2) and writev(2). Returns how many entries of @iov were filled;
 * -ERANGE past the end, -E2BIG more than @max.
 */
static inline int virtq_chain_slice(const struct virtq_chain *c, bool writable,
				    uint64_t off, uint64_t len,
				    struct iovec *iov, size_t max)
{
	void *first = virtq_chain_first(c, writable, off, len);

	if (!first || !max)
		return virtq_chain_slice_any(c, writable, off, len, iov, max);
	iov[0] = (struct iovec){first, (size_t)len};
	return 1;
}

/* @view, @irq borrowed. @max: largest size offered, a power of two. */
int virtq_create(struct dma_view *view, uint16_t max, struct virtq_irq *irq,
		 struct virtq **ret, struct err *err);
void virtq_destroy(struct virtq *q);
DEFINE_CLEANUP(struct virtq, virtq_destroy)

uint16_t virtq_max_size(const struct virtq *q);
/*
 * Start using the rings, with indices 0.
 * -EINVAL      size or alignment is wrong, or an area wraps
 * -EFAULT      an area is not in memory that the device may touch
 */
int virtq_enable(struct virtq *q, const struct virtq_layout *l);
/* Stop: pop gives 0 and push does nothing until the next enable. */
void virtq_disable(struct virtq *q);
bool virtq_enabled(const struct virtq *q);
/* Where the rings are while it is enabled; NULL while it is not. */
const struct virtq_layout *virtq_layout(const struct virtq *q);

/*
 * Take the next chain. Chains in flight never have the same head, there are
 * at most as many as the queue has entries, and the bytes of one, both parts
 * together, are at most UINT32_MAX. Empty buffers are left out.
 * 1            *c is filled; give it back with virtq_push() exactly once
 * 0            none is there, or the queue is not enabled
 * -EPROTO      the driver broke a rule of the ring (index jump, loop, bad
 *              descriptor, nested indirect table, readable after writable)
 * -EFAULT      ring or buffer in memory that the device may not touch
 * -ENOMEM      no storage for a long chain
 * After an error the queue is broken: every pop repeats it until the queue is
 * disabled. The transport then sets DEVICE_NEEDS_RESET (virtio 1.2, 2.1).
 */
int virtq_pop(struct virtq *q, struct virtq_chain *c);

/*
 * Give a chain back, in any order, with the bytes written into its writable
 * part. The driver sees it after virtq_flush(). A chain popped before the
 * queue was disabled is dropped.
 */
void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written);
/* Publish what was pushed and interrupt, if the driver wants that. */
void virtq_flush(struct virtq *q);

/*
 * Do not kick us while we are at it (a hint), and: kick us for the next chain.
 * virtq_kicks_on() returns true when a chain came in between: go on popping.
 * A queue starts with kicks on, and while they are, a virtq_pop() that finds
 * nothing has asked for the next kick. Whoever turns them off turns them on
 * again before it waits for one.
 */
void virtq_kicks_off(struct virtq *q);
bool virtq_kicks_on(struct virtq *q);

#endif
