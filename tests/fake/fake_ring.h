/*
 * tests/fake/fake_ring.h - the driver's side of one split virtqueue, over
 * fake_ram. Well-behaved through the first half of the functions, as hostile
 * as you like through the second.
 */
#ifndef TESTS_FAKE_FAKE_RING_H
#define TESTS_FAKE_FAKE_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "devices/virtio/virtq.h"
#include "mem/mem_map.h"

struct fake_ram;
struct fake_ring; /* opaque */

/* One buffer of a chain; @data NULL: its contents do not matter. */
struct fake_buf {
	const void *data;
	uint32_t len;
	bool write; /* for the device to write to */
};
#define FAKE_OUT(data, len) ((struct fake_buf){(data), (uint32_t)(len), false})
#define FAKE_IN(len) ((struct fake_buf){NULL, (uint32_t)(len), true})

/* A chain that came back. */
struct fake_used {
	uint16_t head;
	uint32_t written; /* as the device says */
	size_t in_len;	  /* size of the writable part */
};

/* Rings of @size entries, empty. @m is borrowed. */
struct fake_ring *fake_ring_create(struct fake_ram *m, uint16_t size,
				   bool indirect, bool event_idx);
/* NULL is fine. */
void fake_ring_destroy(struct fake_ring *r);
/* Forget everything, as after a reset; buffers out there are freed. */
void fake_ring_reset(struct fake_ring *r);
const struct virtq_layout *fake_ring_layout(const struct fake_ring *r);

/*
 * Put a chain of @n buffers, readable ones first, into memory of its own and
 * into the available ring. Returns its head; -ENOSPC when there are not
 * enough descriptors.
 * @indirect    through an indirect table
 */
int fake_ring_offer(struct fake_ring *r, const struct fake_buf *buf, size_t n,
		    bool indirect);
/* Would a driver kick now? As it is after the last offers. */
bool fake_ring_wants_kick(struct fake_ring *r);

/*
 * The next chain from the used ring, false when there is none. The first
 * @cap bytes of its writable part go to @in (at most as many as it has);
 * its descriptors and buffers are free again. Asserts that the device gave
 * back a chain it had.
 */
bool fake_ring_take(struct fake_ring *r, struct fake_used *ret, void *in,
		    size_t cap);
/* Chains to be taken, chains the device has, free descriptors. */
unsigned int fake_ring_n_used(struct fake_ring *r);
unsigned int fake_ring_n_out(const struct fake_ring *r);
unsigned int fake_ring_n_free(const struct fake_ring *r);

/*
 * Ask not to be interrupted, or to be for the next used entry (and, with
 * event index, only when @after more than what was taken have come). The
 * initial state is on, with 0.
 */
void fake_ring_irq(struct fake_ring *r, bool on, uint16_t after);

/* --- raw access: nothing is checked, nothing is remembered --------------- */

enum {
	FAKE_DESC_NEXT = 1,
	FAKE_DESC_WRITE = 2,
	FAKE_DESC_INDIRECT = 4,
};

/* Entry @i of the table at @table, or of the ring's own (0). */
void fake_ring_set_desc(struct fake_ring *r, gpa_t table, uint16_t i,
			uint64_t addr, uint32_t len, uint16_t flags,
			uint16_t next);
/* Write @head to available slot @slot % size. */
void fake_ring_set_avail(struct fake_ring *r, uint16_t slot, uint16_t head);
/* Set the available index; offers go on from there. */
void fake_ring_set_avail_idx(struct fake_ring *r, uint16_t idx);
/* The above for the next slot, and the index one further. */
void fake_ring_publish(struct fake_ring *r, uint16_t head);
uint16_t fake_ring_avail_idx(struct fake_ring *r);
uint16_t fake_ring_used_idx(struct fake_ring *r);
/* What the device has written: flags of the used ring, and avail_event. */
uint16_t fake_ring_used_flags(struct fake_ring *r);
uint16_t fake_ring_avail_event(struct fake_ring *r);
/* Entry @slot % size of the used ring. */
void fake_ring_used(struct fake_ring *r, uint16_t slot, uint32_t *ret_id,
		    uint32_t *ret_len);

#endif
