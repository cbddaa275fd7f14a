/*
 * tests/fuzz/fuzz_ovmf_footer.c - the end of a firmware image that somebody
 * else made.
 *
 * The input is the tail of an image. To reach the entries, the footer's GUID is
 * put where it belongs when the first byte says so.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/ovmf_footer.h"
#include "tests/fake/fake_flash.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ovmf_footer f = {0};
	uint8_t *tail;

	if (!size || size > OVMF_FOOTER_TAIL_MAX)
		return 0;
	tail = malloc(size); /* of its own, so that each overrun is seen */
	assert(tail);
	memcpy(tail, data, size);
	if ((data[0] & 1) && size >= 48)
		memcpy(tail + size - 48, fake_flash_guid(FAKE_FLASH_FOOTER),
		       16);
	if (!ovmf_footer_parse(tail, size, &f, NULL)) {
		assert(!f.hashes.size || f.hashes.size >= 176);
		assert((uint64_t)f.hashes.base + f.hashes.size <= UINT32_MAX);
		assert((uint64_t)f.secret.base + f.secret.size <= UINT32_MAX);
	}
	free(tail);
	return 0;
}
