/*
 * tests/fuzz/fuzz_s0_parsers.c - what stage0 reads of the host's and the
 * owner's bytes. The first byte chooses the parser; the rest is its input.
 */
#include <stdlib.h>
#include <string.h>

#include "firmware/stage0/s0_hashes.h"
#include "firmware/stage0/s0_kernel.h"
#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_ram.h"
#include "firmware/stage0/s0_secret.h"
#include "tests/fuzz/fuzz_input.h"
#include "vmm/base/checked.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void hashes(const uint8_t *data, size_t size)
{
	uint8_t table[S0_HASHES_TABLE_LEN] = {0};
	struct s0_hashes h;

	memcpy(table, data, size < sizeof(table) ? size : sizeof(table));
	s0_hashes_parse(table, &h);
}

static void ram(const uint8_t *data, size_t size)
{
	struct s0_ram r;

	if (s0_ram_parse(data, size, &r) != STAGE0_OK)
		return;
	check(r.low_end > 0 && r.low_end <= UINT64_C(0xc0000000));
	check(r.high_end >= UINT64_C(1) << 32 && r.high_end <= UINT64_C(1)
								       << 39);
}

/* Wherever a header wants to go: above stage0, in RAM, and apart. */
static void kernel(const uint8_t *data, size_t size)
{
	struct fuzz_input in = {data, size};
	struct s0_ram r = {.high_end = UINT64_C(1) << 32};
	uint32_t code_len = fuzz_u32(&in), initrd_len = fuzz_u32(&in);
	struct bzimage bz;
	struct s0_place p;

	r.low_end = fuzz_u32(&in) % 0xc0000000;
	if (in.len > S0_SETUP_MAX ||
	    s0_kernel_parse(in.data, (uint32_t)in.len, code_len, &bz) !=
		    STAGE0_OK)
		return;
	check(bz.hdr_len <= BZIMAGE_HDR_MAX && bz.code_len <= code_len);
	if (s0_kernel_place(&bz, &r, code_len, initrd_len, &p) != STAGE0_OK)
		return;
	check(p.kernel >= S0_LOW_END && p.kernel + bz.init_size <= r.low_end &&
	      p.kernel + code_len <= r.low_end);
	if (initrd_len)
		check(p.initrd >= p.kernel + bz.init_size &&
		      p.initrd >= p.kernel + code_len &&
		      p.initrd + initrd_len <= r.low_end &&
		      p.initrd + initrd_len - 1 <= bz.initrd_addr_max);
}

static void secrets(const uint8_t *data, size_t size)
{
	uint8_t *out = malloc(S0_SECRET_CPIO_MAX);
	size_t len;

	check(out);
	if (s0_secret_to_cpio(data, size, out, &len) == STAGE0_OK && len)
		check(len <= S0_SECRET_CPIO_MAX && !memcmp(out, "070701", 6));
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	void (*const parse[])(const uint8_t *, size_t) = {hashes, ram, kernel,
							  secrets};

	if (size)
		parse[data[0] % 4](data + 1, size - 1);
	return 0;
}
