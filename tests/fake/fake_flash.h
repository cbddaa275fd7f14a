/*
 * tests/fake/fake_flash.h - a firmware image for tests: a reset vector, and a
 * table of GUIDs below it.
 *
 * fake_flash_begin(), blocks from the last to the first, fake_flash_end().
 */
#ifndef TESTS_FAKE_FAKE_FLASH_H
#define TESTS_FAKE_FAKE_FLASH_H

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "vmm/base/bytes.h"

enum fake_flash_block {
	FAKE_FLASH_FOOTER,
	FAKE_FLASH_RESET,
	FAKE_FLASH_SECRET,
	FAKE_FLASH_HASHES,
	FAKE_FLASH_OTHER,
};

struct fake_flash {
	uint8_t *image;
	size_t len;
	uint8_t *at; /* the table grows downwards from the footer */
};

static inline const char *fake_flash_guid(enum fake_flash_block b)
{
	static const char guids[][17] = {
		[FAKE_FLASH_FOOTER] =
			"\xde\x82\xb5\x96\xb2\x1f\xf7\x45\xba\xea\xa3\x66\xc5"
			"\x5a\x08\x2d",
		[FAKE_FLASH_RESET] =
			"\xde\x71\xf7\x00\x7e\x1a\xcb\x4f\x89\x0e\x68\xc7\x7e"
			"\x2f\xb4\x4e",
		[FAKE_FLASH_SECRET] =
			"\x61\xb3\x2e\x4c\x9b\x7d\xc3\x4c\x80\x81\x12\x7c\x90"
			"\xd3\xd2\x94",
		[FAKE_FLASH_HASHES] =
			"\x1f\x37\x55\x72\x3b\x3a\x04\x4b\x92\x7b\x1d\xa6\xef"
			"\xa8\xd4\x54",
		[FAKE_FLASH_OTHER] = "sixteen bytes at",
	};

	return guids[b];
}

static inline void fake_flash_begin(struct fake_flash *f, uint8_t *image,
				    size_t len)
{
	*f = (struct fake_flash){image, len, image + len - 32 - 18};
	memset(image, 0x90, len);
	memcpy(image + len - 16, "\xe9\x01\x00", 3); /* jmp */
}

static inline void fake_flash_block(struct fake_flash *f,
				    enum fake_flash_block b, const void *data,
				    uint16_t len)
{
	f->at -= 16;
	memcpy(f->at, fake_flash_guid(b), 16);
	f->at -= 2;
	store_le16(f->at, (uint16_t)(len + 18));
	f->at -= len;
	memcpy(f->at, data, len);
	assert(f->at > f->image);
}

static inline void fake_flash_u32(struct fake_flash *f, enum fake_flash_block b,
				  uint32_t val)
{
	val = htole32(val);
	fake_flash_block(f, b, &val, sizeof(val));
}

static inline void fake_flash_area(struct fake_flash *f,
				   enum fake_flash_block b, uint32_t base,
				   uint32_t size)
{
	uint8_t data[8];

	store_le32(data, base);
	store_le32(data + 4, size);
	fake_flash_block(f, b, data, sizeof(data));
}

static inline void fake_flash_end(struct fake_flash *f)
{
	uint8_t *end = f->image + f->len - 32;

	memcpy(end - 16, fake_flash_guid(FAKE_FLASH_FOOTER), 16);
	store_le16(end - 18, (uint16_t)(end - f->at));
}

/* As edk2 had it before the table: a reset block alone. */
static inline void fake_flash_old(uint8_t *image, size_t len, uint32_t reset)
{
	uint8_t *end = image + len - 32;

	memcpy(end - 16, fake_flash_guid(FAKE_FLASH_RESET), 16);
	store_le16(end - 18, 22);
	store_le32(end - 22, reset);
}

#endif
