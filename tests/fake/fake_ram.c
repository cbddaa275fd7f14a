/* tests/fake/fake_ram.c - see fake_ram.h. */
#include "tests/fake/fake_ram.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "mem/dma_view.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/own.h"

enum { CLASS_MIN_SHIFT = 4, N_CLASSES = 24 }; /* 16 bytes .. 128 MiB */

/* Freed blocks of one size; kept here so that a guest write cannot harm. */
struct free_list {
	gpa_t *gpa;
	size_t n, cap;
};

struct fake_ram {
	struct guest_mem *mem;
	struct dma_view *view;
	gpa_t next, end; /* never handed out yet */
	struct free_list free[N_CLASSES];
};

struct fake_ram *fake_ram_create(uint64_t bytes, bool confidential)
{
	static const struct guest_mem_opts o = {.backing = GUEST_MEM_ANON};
	struct fake_ram *m = calloc(1, sizeof(*m));
	int r;

	assert(m);
	if (!bytes)
		bytes = FAKE_RAM_BYTES;
	r = guest_mem_create(&o, &m->mem, NULL);
	if (!r)
		r = guest_mem_add_ram(m->mem, 0, bytes, NULL);
	if (!r)
		r = dma_view_create(
			m->mem, confidential ? DMA_VIEW_SHARED : DMA_VIEW_ALL,
			DMA_UNREPORTED_REFUSE, &m->view, NULL);
	assert(!r);
	m->next = align_up(bytes / 4, GUEST_MEM_PAGE);
	m->end = bytes;
	if (confidential)
		r = dma_view_report(m->view, m->next, m->end - m->next, false);
	assert(!r);
	return m;
}

void fake_ram_destroy(struct fake_ram *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < N_CLASSES; i++)
		free(m->free[i].gpa);
	dma_view_destroy(m->view);
	guest_mem_destroy(m->mem);
	free(m);
}

struct guest_mem *fake_ram_mem(struct fake_ram *m)
{
	return m->mem;
}

struct dma_view *fake_ram_view(struct fake_ram *m)
{
	return m->view;
}

static unsigned int class_of(size_t len)
{
	unsigned int c = 0;

	while (BIT64(c + CLASS_MIN_SHIFT) < len)
		c++;
	assert(c < N_CLASSES);
	return c;
}

gpa_t fake_ram_alloc(struct fake_ram *m, size_t len)
{
	unsigned int c = class_of(len);
	struct free_list *f = &m->free[c];
	uint64_t size = BIT64(c + CLASS_MIN_SHIFT);
	gpa_t at;

	if (f->n)
		return f->gpa[--f->n];
	at = align_up(m->next, size < GUEST_MEM_PAGE ? size : GUEST_MEM_PAGE);
	assert(at <= m->end && size <= m->end - at);
	m->next = at + size;
	return at;
}

void fake_ram_free(struct fake_ram *m, gpa_t gpa, size_t len)
{
	struct free_list *f = &m->free[class_of(len)];

	if (f->n == f->cap) {
		f->cap = f->cap ? f->cap * 2 : 64;
		f->gpa = realloc(f->gpa, f->cap * sizeof(*f->gpa));
		assert(f->gpa);
	}
	f->gpa[f->n++] = gpa;
}

void fake_ram_read(struct fake_ram *m, gpa_t src, void *dst, size_t len)
{
	const void *p = len ? guest_mem_ptr(m->mem, src, len) : NULL;

	assert(p || !len);
	if (len)
		memcpy(dst, p, len);
}

void fake_ram_write(struct fake_ram *m, gpa_t dst, const void *src, size_t len)
{
	void *p = len ? guest_mem_ptr(m->mem, dst, len) : NULL;

	assert(p || !len);
	if (len)
		memcpy(p, src, len);
}

uint16_t fake_ram_read16(struct fake_ram *m, gpa_t src)
{
	const uint16_t *p = guest_mem_ptr(m->mem, src, 2);

	assert(p && is_aligned(src, 2));
	return __atomic_load_n(p, __ATOMIC_ACQUIRE);
}

void fake_ram_write16(struct fake_ram *m, gpa_t dst, uint16_t val)
{
	uint16_t *p = guest_mem_ptr(m->mem, dst, 2);

	assert(p && is_aligned(dst, 2));
	__atomic_store_n(p, val, __ATOMIC_RELEASE);
}
