/* tests/fake/fake_ring.c - see fake_ring.h. */
#include "tests/fake/fake_ring.h"

#include <assert.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fake/fake_ram.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

/* virtio 1.2, 2.7 "Split Virtqueues" */
enum {
	DESC_LEN = 16,
	AVAIL_IDX = 2,
	AVAIL_ENTRIES = 4,
	USED_IDX = 2,
	USED_ENTRIES = 4,
	USED_LEN = 8,
	AVAIL_F_NO_INTERRUPT = 1,
	USED_F_NO_NOTIFY = 1,
};

struct mem_buf {
	gpa_t gpa;
	uint32_t len;
	bool write;
};

/* A chain the device has; by its head. */
struct chain {
	bool out;
	size_t n; /* buffers */
	struct mem_buf *buf;
	gpa_t table; /* indirect, or 0 */
	uint16_t n_desc, last;
};

struct fake_ring {
	struct fake_ram *m; /* borrowed */
	struct virtq_layout l;
	uint16_t avail_idx, taken, kicked;
	uint16_t free_head, n_free;
	uint16_t *next; /* of each descriptor, while it is free or out */
	unsigned int n_out;
	struct chain *chain; /* size of them */
};

static size_t driver_len(const struct fake_ring *r)
{
	return AVAIL_ENTRIES + 2u * r->l.size + 2;
}

static size_t device_len(const struct fake_ring *r)
{
	return USED_ENTRIES + (size_t)USED_LEN * r->l.size + 2;
}

static void zero(struct fake_ring *r, gpa_t gpa, size_t len)
{
	void *z = calloc(1, len);

	assert(z);
	fake_ram_write(r->m, gpa, z, len);
	free(z);
}

static void free_chain(struct fake_ring *r, struct chain *c)
{
	for (size_t i = 0; i < c->n; i++)
		fake_ram_free(r->m, c->buf[i].gpa, c->buf[i].len);
	if (c->table)
		fake_ram_free(r->m, c->table, c->n * DESC_LEN);
	free(c->buf);
	*c = (struct chain){0};
}

void fake_ring_reset(struct fake_ring *r)
{
	for (uint16_t i = 0; i < r->l.size; i++) {
		free_chain(r, &r->chain[i]);
		r->next[i] = (uint16_t)(i + 1);
	}
	r->avail_idx = r->taken = r->kicked = 0;
	r->free_head = 0;
	r->n_free = r->l.size;
	r->n_out = 0;
	zero(r, r->l.desc, (size_t)r->l.size * DESC_LEN);
	zero(r, r->l.driver, driver_len(r));
	zero(r, r->l.device, device_len(r));
}

struct fake_ring *fake_ring_create(struct fake_ram *m, uint16_t size,
				   bool indirect, bool event_idx)
{
	struct fake_ring *r = calloc(1, sizeof(*r));

	assert(r && is_power_of_two(size));
	r->m = m;
	r->l.size = size;
	r->l.indirect = indirect;
	r->l.event_idx = event_idx;
	r->l.desc = fake_ram_alloc(m, (size_t)size * DESC_LEN);
	r->l.driver = fake_ram_alloc(m, driver_len(r));
	r->l.device = fake_ram_alloc(m, device_len(r));
	r->next = calloc(size, sizeof(*r->next));
	r->chain = calloc(size, sizeof(*r->chain));
	assert(r->next && r->chain);
	fake_ring_reset(r);
	return r;
}

void fake_ring_destroy(struct fake_ring *r)
{
	if (!r)
		return;
	for (uint16_t i = 0; i < r->l.size; i++)
		free_chain(r, &r->chain[i]);
	fake_ram_free(r->m, r->l.desc, (size_t)r->l.size * DESC_LEN);
	fake_ram_free(r->m, r->l.driver, driver_len(r));
	fake_ram_free(r->m, r->l.device, device_len(r));
	free(r->next);
	free(r->chain);
	free(r);
}

const struct virtq_layout *fake_ring_layout(const struct fake_ring *r)
{
	return &r->l;
}

/* --- offering ----------------------------------------------------------- */

static void place(struct fake_ring *r, struct chain *c,
		  const struct fake_buf *buf, size_t n)
{
	c->n = n;
	c->buf = calloc(n, sizeof(*c->buf));
	assert(c->buf);
	for (size_t i = 0; i < n; i++) {
		c->buf[i] = (struct mem_buf){
			.gpa = fake_ram_alloc(r->m, buf[i].len),
			.len = buf[i].len,
			.write = buf[i].write,
		};
		if (buf[i].data)
			fake_ram_write(r->m, c->buf[i].gpa, buf[i].data,
				       buf[i].len);
	}
}

static uint16_t desc_flags(const struct chain *c, size_t i)
{
	return (uint16_t)((c->buf[i].write ? FAKE_DESC_WRITE : 0) |
			  (i + 1 < c->n ? FAKE_DESC_NEXT : 0));
}

static void write_table(struct fake_ring *r, struct chain *c, uint16_t head)
{
	c->table = fake_ram_alloc(r->m, c->n * DESC_LEN);
	for (size_t i = 0; i < c->n; i++)
		fake_ring_set_desc(r, c->table, (uint16_t)i, c->buf[i].gpa,
				   c->buf[i].len, desc_flags(c, i),
				   (uint16_t)(i + 1));
	fake_ring_set_desc(r, 0, head, c->table, (uint32_t)(c->n * DESC_LEN),
			   FAKE_DESC_INDIRECT, 0);
}

static void write_descs(struct fake_ring *r, struct chain *c, uint16_t head)
{
	uint16_t d = head;

	for (size_t i = 0; i < c->n; i++, d = r->next[d])
		fake_ring_set_desc(r, 0, d, c->buf[i].gpa, c->buf[i].len,
				   desc_flags(c, i), r->next[d]);
}

int fake_ring_offer(struct fake_ring *r, const struct fake_buf *buf, size_t n,
		    bool indirect)
{
	uint16_t need = indirect ? 1 : (uint16_t)n, head = r->free_head;
	struct chain *c;

	assert(n && n <= UINT16_MAX);
	if (need > r->n_free)
		return -ENOSPC;
	c = &r->chain[head];
	assert(!c->out);
	c->out = true;
	c->n_desc = need;
	c->last = head;
	for (uint16_t i = 1; i < need; i++)
		c->last = r->next[c->last];
	r->free_head = r->next[c->last];
	r->n_free = (uint16_t)(r->n_free - need);
	r->n_out++;
	place(r, c, buf, n);
	if (indirect)
		write_table(r, c, head);
	else
		write_descs(r, c, head);
	fake_ring_publish(r, head);
	return head;
}

bool fake_ring_wants_kick(struct fake_ring *r)
{
	uint16_t old = r->kicked;

	atomic_thread_fence(memory_order_seq_cst);
	r->kicked = r->avail_idx;
	if (!r->l.event_idx)
		return r->avail_idx != old &&
		       !(fake_ring_used_flags(r) & USED_F_NO_NOTIFY);
	return (uint16_t)(r->avail_idx - fake_ring_avail_event(r) - 1) <
	       (uint16_t)(r->avail_idx - old);
}

/* --- taking ------------------------------------------------------------- */

static size_t copy_written(struct fake_ring *r, const struct chain *c,
			   uint8_t *in, size_t cap)
{
	size_t total = 0;

	for (size_t i = 0; i < c->n; i++) {
		size_t n = c->buf[i].len;

		if (!c->buf[i].write)
			continue;
		if (total < cap)
			fake_ram_read(r->m, c->buf[i].gpa, in + total,
				      n < cap - total ? n : cap - total);
		total += n;
	}
	return total;
}

bool fake_ring_take(struct fake_ring *r, struct fake_used *ret, void *in,
		    size_t cap)
{
	uint32_t id, len;
	struct chain *c;

	if (!fake_ring_n_used(r))
		return false;
	fake_ring_used(r, r->taken, &id, &len);
	assert(id < r->l.size && r->chain[id].out);
	c = &r->chain[id];
	r->taken++;
	*ret = (struct fake_used){.head = (uint16_t)id, .written = len};
	ret->in_len = copy_written(r, c, in, cap);
	assert(len <= ret->in_len);
	r->next[c->last] = r->free_head;
	r->free_head = (uint16_t)id;
	r->n_free = (uint16_t)(r->n_free + c->n_desc);
	r->n_out--;
	free_chain(r, c);
	if (r->l.event_idx) /* as Linux does: wake us for the next */
		fake_ring_irq(r, true, 0);
	return true;
}

unsigned int fake_ring_n_used(struct fake_ring *r)
{
	return (uint16_t)(fake_ring_used_idx(r) - r->taken);
}

unsigned int fake_ring_n_out(const struct fake_ring *r)
{
	return r->n_out;
}

unsigned int fake_ring_n_free(const struct fake_ring *r)
{
	return r->n_free;
}

void fake_ring_irq(struct fake_ring *r, bool on, uint16_t after)
{
	fake_ram_write16(r->m, r->l.driver, on ? 0 : AVAIL_F_NO_INTERRUPT);
	if (!r->l.event_idx)
		return;
	/* off: an index that is not met for half a turn */
	fake_ram_write16(r->m,
			 r->l.driver + AVAIL_ENTRIES + (gpa_t)2 * r->l.size,
			 (uint16_t)(r->taken + (on ? after : 0x8000)));
}

/* --- raw ---------------------------------------------------------------- */

void fake_ring_set_desc(struct fake_ring *r, gpa_t table, uint16_t i,
			uint64_t addr, uint32_t len, uint16_t flags,
			uint16_t next)
{
	uint8_t d[DESC_LEN];

	store_le64(d, addr);
	store_le32(d + 8, len);
	store_le16(d + 12, flags);
	store_le16(d + 14, next);
	fake_ram_write(r->m, (table ? table : r->l.desc) + (gpa_t)i * DESC_LEN,
		       d, sizeof(d));
}

void fake_ring_set_avail(struct fake_ring *r, uint16_t slot, uint16_t head)
{
	fake_ram_write16(r->m,
			 r->l.driver + AVAIL_ENTRIES +
				 (gpa_t)2 * (slot & (r->l.size - 1u)),
			 head);
}

void fake_ring_set_avail_idx(struct fake_ring *r, uint16_t idx)
{
	r->avail_idx = idx;
	fake_ram_write16(r->m, r->l.driver + AVAIL_IDX, idx);
}

void fake_ring_publish(struct fake_ring *r, uint16_t head)
{
	fake_ring_set_avail(r, r->avail_idx, head);
	fake_ring_set_avail_idx(r, (uint16_t)(r->avail_idx + 1));
}

uint16_t fake_ring_avail_idx(struct fake_ring *r)
{
	return r->avail_idx;
}

uint16_t fake_ring_used_idx(struct fake_ring *r)
{
	return fake_ram_read16(r->m, r->l.device + USED_IDX);
}

uint16_t fake_ring_used_flags(struct fake_ring *r)
{
	return fake_ram_read16(r->m, r->l.device);
}

uint16_t fake_ring_avail_event(struct fake_ring *r)
{
	return fake_ram_read16(r->m, r->l.device + USED_ENTRIES +
					     (gpa_t)USED_LEN * r->l.size);
}

void fake_ring_used(struct fake_ring *r, uint16_t slot, uint32_t *ret_id,
		    uint32_t *ret_len)
{
	uint8_t e[USED_LEN];

	fake_ram_read(r->m,
		      r->l.device + USED_ENTRIES +
			      (gpa_t)USED_LEN * (slot & (r->l.size - 1u)),
		      e, sizeof(e));
	*ret_id = load_le32(e);
	*ret_len = load_le32(e + 4);
}
