/*
 * tests/unit/bundle_fixture.h - bundles to spoil: trees built node by node,
 * so that a test can say what is wrong with one.
 */
#ifndef TESTS_UNIT_BUNDLE_FIXTURE_H
#define TESTS_UNIT_BUNDLE_FIXTURE_H

#include <libfdt.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "vmm/base/err.h"
#include "vmm/bundle/bundle.h"
#include "vmm/bundle/bundle_write.h"

static const char kernel_bytes[] = "this would be a kernel";
static const char ramdisk_bytes[] = "and this its initial RAM disk";

/* A bundle with everything but a firmware and a signature. */
static inline struct bundle good_bundle(void)
{
	struct hash256 *h = hash256_nettle_create();
	struct bundle b = {
		.image[BUNDLE_KERNEL] = {kernel_bytes,
					 sizeof(kernel_bytes),
					 {0}},
		.image[BUNDLE_RAMDISK] = {ramdisk_bytes,
					  sizeof(ramdisk_bytes),
					  {0}},
		.description = "a test",
		.machine = "q35-coffer-1",
		.cmdline = "console=ttyS0 quiet",
		.protect = "sev",
		.memory = UINT64_C(0x180000000),
		.cpus = 2,
		.have_policy = true,
		.policy = 1,
	};

	for (size_t i = 0; i < BUNDLE_PARTS; i++)
		if (b.image[i].len)
			hash256_of(h, b.image[i].data, b.image[i].len,
				   b.image[i].sha256);
	hash256_destroy(h);
	return b;
}

/* Its file, in a block of exactly its size, so that ASan sees every step
 * beyond. */
static inline void *file_of(const struct bundle *b, size_t *ret_len)
{
	void *big, *exact;

	assert_int_equal(bundle_write(b, &big, ret_len, NULL), 0);
	exact = malloc(*ret_len);
	assert_non_null(exact);
	memcpy(exact, big, *ret_len);
	free(big);
	return exact;
}

/* A copy of a file with room for changes; *len is its new size. */
static inline void *opened(const void *file, size_t *len)
{
	size_t room = *len + 4096;
	void *fdt = malloc(room);

	assert_non_null(fdt);
	assert_int_equal(fdt_open_into(file, fdt, (int)room), 0);
	*len = room;
	return fdt;
}

static inline size_t packed(void *fdt)
{
	assert_int_equal(fdt_pack(fdt), 0);
	return fdt_totalsize(fdt);
}

#endif
