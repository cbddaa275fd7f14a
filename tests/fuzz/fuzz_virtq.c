/*
 * tests/fuzz/fuzz_virtq.c - a driver that does anything with a queue, its
 * rings, and the pages they are in. The input is a list of steps.
 */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "devices/virtio/virtq.h"
#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "tests/fake/fake_ram.h"
#include "tests/fake/fake_ring.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RAM = 256 << 10,
	SIZE = 8,
	SLOTS = 12, /* more than a queue of SIZE may have in flight */
	STEPS = 2000,
};

struct world {
	struct fake_ram *ram;
	struct fake_ring *ring;
	struct virtq *q;
	struct virtq_irq irq;
	gpa_t table; /* an indirect one of SIZE entries, or more */
	struct virtq_chain slot[SLOTS];
	bool used[SLOTS]; /* slot is in flight, of this era */
	struct fuzz_input in;
};

static void on_interrupt(struct virtq_irq *irq)
{
	(void)irq;
}

static const struct virtq_irq_ops irq_ops = {.interrupt = on_interrupt};

/* An address that is likely to be interesting. */
static gpa_t any_gpa(struct world *w)
{
	uint8_t how = fuzz_u8(&w->in);

	switch (how % 4) {
	case 0: /* within RAM */
		return fuzz_u32(&w->in) % RAM;
	case 1: /* around its end */
		return RAM - 16 + how / 4;
	case 2: /* around the end of all addresses */
		return UINT64_MAX - fuzz_u16(&w->in);
	default:
		return fuzz_u64(&w->in);
	}
}

/* --- what must hold ----------------------------------------------------- */

static void check_part(const struct world *w, const struct iovec *iov, size_t n,
		       uint64_t len)
{
	const struct guest_mem_region *r =
		guest_mem_region(fake_ram_mem(w->ram), 0);
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i++) {
		size_t off = (size_t)((char *)iov[i].iov_base - (char *)r->hva);

		assert(iov[i].iov_len && off < RAM &&
		       iov[i].iov_len <= RAM - off);
		sum += iov[i].iov_len;
	}
	assert(sum == len);
}

static void check_chain(const struct world *w, const struct virtq_chain *c)
{
	unsigned int in_flight = 0;

	check_part(w, c->iov, c->n_out, c->out_len);
	check_part(w, c->iov + c->n_out, c->n_in, c->in_len);
	assert(c->out_len + c->in_len <= UINT32_MAX);
	for (size_t i = 0; i < SLOTS; i++) {
		in_flight += w->used[i];
		assert(!w->used[i] || &w->slot[i] == c ||
		       w->slot[i].head != c->head);
	}
	assert(in_flight <= virtq_layout(w->q)->size);
}

/* --- steps -------------------------------------------------------------- */

static void pop(struct world *w)
{
	int r;

	for (size_t i = 0; i < SLOTS; i++) {
		if (w->used[i])
			continue;
		r = virtq_pop(w->q, &w->slot[i]);
		assert(r <= 1);
		if (r < 0)
			assert(virtq_pop(w->q, &w->slot[i]) == r);
		w->used[i] = r > 0;
		if (r > 0)
			check_chain(w, &w->slot[i]);
		return;
	}
}

static void push(struct world *w)
{
	uint8_t i = fuzz_u8(&w->in) % SLOTS;

	if (!w->used[i])
		return;
	virtq_push(w->q, &w->slot[i], fuzz_u32(&w->in));
	w->used[i] = false;
}

/* Copies of parts of a chain, small ones so that steps stay quick. */
static void copy(struct world *w)
{
	uint8_t i = fuzz_u8(&w->in) % SLOTS, buf[64] = {0};
	uint64_t off = fuzz_u32(&w->in), len = fuzz_u8(&w->in) % sizeof(buf);
	struct iovec iov[4];
	int n;

	if (!w->used[i])
		return;
	(void)virtq_chain_read(&w->slot[i], off, buf, (size_t)len);
	(void)virtq_chain_write(&w->slot[i], off, buf, (size_t)len);
	n = virtq_chain_slice(&w->slot[i], off & 1, off, len, iov, 4);
	if (n >= 0)
		check_part(w, iov, (size_t)n, len);
}

static void disable(struct world *w)
{
	virtq_disable(w->q);
	for (size_t i = 0; i < SLOTS; i++) {
		/* stale: dropped by the next push */
		if (w->used[i])
			virtq_push(w->q, &w->slot[i], 0);
		w->used[i] = false;
	}
}

static void enable(struct world *w)
{
	struct virtq_layout l = *fake_ring_layout(w->ring);
	uint8_t how = fuzz_u8(&w->in);

	if (how & 1)
		l.size = fuzz_u16(&w->in);
	if (how & 2)
		l.desc = any_gpa(w);
	if (how & 4)
		l.driver = any_gpa(w);
	if (how & 8)
		l.device = any_gpa(w);
	l.indirect = how & 16;
	l.event_idx = how & 32;
	disable(w);
	if (!(how & 64))
		fake_ring_reset(w->ring);
	if (!virtq_enable(w->q, &l))
		assert(l.size && l.size <= 2 * SIZE);
}

static void set_desc(struct world *w)
{
	uint8_t i = fuzz_u8(&w->in);
	uint16_t flags = fuzz_u8(&w->in);
	gpa_t addr = flags & FAKE_DESC_INDIRECT ? w->table : any_gpa(w);
	uint32_t len = fuzz_u32(&w->in);

	if (flags & 0x10)
		len %= 256;
	fake_ring_set_desc(w->ring, i & 0x80 ? w->table : 0, i % SIZE, addr,
			   len, flags & 7, fuzz_u8(&w->in));
}

static void share(struct world *w)
{
	gpa_t page = fuzz_u8(&w->in) % (RAM / 4096) * (gpa_t)4096;

	(void)dma_view_report(fake_ram_view(w->ram), page, 4096,
			      fuzz_u8(&w->in) & 1);
}

static void step(struct world *w)
{
	switch (fuzz_u8(&w->in) % 13) {
	case 0:
		set_desc(w);
		break;
	case 1:
		fake_ring_publish(w->ring, fuzz_u8(&w->in));
		break;
	case 2:
		fake_ring_set_avail_idx(w->ring, fuzz_u16(&w->in));
		break;
	case 3:
	case 4:
		pop(w);
		break;
	case 5:
		push(w);
		break;
	case 6:
		virtq_flush(w->q);
		break;
	case 7:
		virtq_kicks_off(w->q);
		break;
	case 8:
		(void)virtq_kicks_on(w->q);
		break;
	case 9:
		enable(w);
		break;
	case 10:
		share(w);
		break;
	case 11:
		copy(w);
		break;
	case 12:
		disable(w);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w = {.in = {data, size}, .irq.ops = &irq_ops};
	int r;

	w.ram = fake_ram_create(RAM, true);
	w.ring = fake_ring_create(w.ram, SIZE, true, true);
	w.table = fake_ram_alloc(w.ram, 4096);
	for (size_t i = 0; i < SLOTS; i++)
		virtq_chain_init(&w.slot[i]);
	r = virtq_create(fake_ram_view(w.ram), 2 * SIZE, &w.irq, &w.q, NULL);
	assert(!r);
	r = virtq_enable(w.q, fake_ring_layout(w.ring));
	assert(!r);
	for (unsigned int i = 0; i < STEPS && fuzz_more(&w.in); i++)
		step(&w);
	for (size_t i = 0; i < SLOTS; i++)
		virtq_chain_free(&w.slot[i]);
	virtq_destroy(w.q);
	fake_ring_destroy(w.ring);
	fake_ram_destroy(w.ram);
	return 0;
}
