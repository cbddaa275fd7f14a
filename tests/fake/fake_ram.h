/*
 * tests/fake/fake_ram.h - guest memory with a view, and the allocator with
 * which a test plays the guest's kernel.
 */
#ifndef TESTS_FAKE_FAKE_RAM_H
#define TESTS_FAKE_FAKE_RAM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "mem/mem_map.h"

struct dma_view;
struct fake_ram; /* opaque */
struct guest_mem;

enum { FAKE_RAM_BYTES = 64 << 20 };

/*
 * RAM of @bytes (0: FAKE_RAM_BYTES) at address 0. @confidential: the upper
 * three quarters, where fake_ram_alloc() takes from, are reported as shared
 * and the rest is private. Aborts the test when memory is gone.
 */
struct fake_ram *fake_ram_create(uint64_t bytes, bool confidential);
/* NULL is fine. */
void fake_ram_destroy(struct fake_ram *m);

struct guest_mem *fake_ram_mem(struct fake_ram *m);
struct dma_view *fake_ram_view(struct fake_ram *m);

/*
 * @len bytes (0: an address all the same), at a multiple of the next power of
 * two of @len, at most 4096; contents undefined. Aborts the test when RAM is
 * used up. Never hands out addresses below a quarter of RAM.
 */
gpa_t fake_ram_alloc(struct fake_ram *m, size_t len);
void fake_ram_free(struct fake_ram *m, gpa_t gpa, size_t len);

/* As the guest's CPU would: any page, private ones too. */
void fake_ram_read(struct fake_ram *m, gpa_t src, void *dst, size_t len);
void fake_ram_write(struct fake_ram *m, gpa_t dst, const void *src, size_t len);
uint16_t fake_ram_read16(struct fake_ram *m, gpa_t src);
void fake_ram_write16(struct fake_ram *m, gpa_t dst, uint16_t val);

#endif
