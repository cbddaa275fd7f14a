/*
 * tests/fuzz/fuzz_pflash.c - a hostile guest writes to flash.
 *
 * The input is a list of writes: two bytes where, one how wide, then the value.
 * At the end, back in read array, the window holds what is in the file.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/legacy/pflash.h"
#include "tests/fake/fake_legacy.h"
#include "tests/fuzz/fuzz_input.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LEN = 3 * PFLASH_BLOCK, MAX_WRITES = 512 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const unsigned int widths[] = {1, 2, 4, 8};
	struct fuzz_input in_ = {data, size};
	uint8_t *window = malloc(LEN), *file = malloc(LEN);
	int fd = memfd_create("flash", MFD_CLOEXEC), r;
	struct pflash *f = NULL;

	assert(window && file && fd >= 0);
	r = ftruncate(fd, LEN);
	assert(!r);
	r = pflash_create(fd, window, LEN, &f, NULL);
	assert(!r);
	for (int i = 0; i < MAX_WRITES && fuzz_more(&in_); i++) {
		uint64_t off = fuzz_u16(&in_);
		unsigned int width = widths[fuzz_u8(&in_) & 3];

		off %= LEN - width + 1;
		out(pflash_bus_dev(f), off, width, fuzz_take(&in_, width));
		in(pflash_bus_dev(f), off, width);
	}
	/* Whatever it waited for, the second one is a command. */
	out(pflash_bus_dev(f), 0, 1, 0xff);
	out(pflash_bus_dev(f), 0, 1, 0xff);
	r = (int)pread(fd, file, LEN, 0);
	assert(r == LEN);
	assert(!memcmp(window, file, LEN));
	pflash_destroy(f);
	close(fd);
	free(window);
	free(file);
	return 0;
}
