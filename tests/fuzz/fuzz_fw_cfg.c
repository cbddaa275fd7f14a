/*
 * tests/fuzz/fuzz_fw_cfg.c - a hostile guest at the ports of fw_cfg.
 *
 * The input is a list of records: one byte says what, then its operands. After
 * each, what must hold whatever the guest does: nothing was written to a page
 * that is not shared.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "devices/legacy/fw_cfg.h"
#include "mem/dma_view.h"
#include "tests/fake/fake_legacy.h"
#include "tests/fake/fake_ram.h"
#include "tests/fuzz/fuzz_input.h"
#include "vmm/base/bytes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum {
	RAM = 4 << 20,
	SHARED = RAM / 4, /* fake_ram: above it all is shared */
	MAX_RECORDS = 64,
	LEN_MAX = 1 << 16,
};

static void request(struct fake_ram *ram, struct fw_cfg *f,
		    struct fuzz_input *in_)
{
	uint8_t req[FW_CFG_DMA_LEN];
	uint64_t at = SHARED + fuzz_u16(in_), to = fuzz_u64(in_);
	uint32_t control = fuzz_u32(in_), len = fuzz_u32(in_);

	if (len > LEN_MAX && to < RAM) /* it would be slow, not wrong */
		len %= LEN_MAX;
	store_be32(req, control);
	store_be32(req + 4, len);
	store_be64(req + 8, to);
	fake_ram_write(ram, at, req, sizeof(req));
	out(fw_cfg_bus_dev(f), 4, 4, 0);
	out(fw_cfg_bus_dev(f), 8, 4, htobe32((uint32_t)at));
}

static void port(struct fw_cfg *f, struct fuzz_input *in_)
{
	static const unsigned int widths[] = {1, 2, 4, 1};
	uint8_t what = fuzz_u8(in_);
	unsigned int width = widths[what & 3];
	uint64_t off = fuzz_u8(in_) % (FW_CFG_PORTS - width + 1);

	if (what & 4)
		out(fw_cfg_bus_dev(f), off, width, fuzz_u32(in_));
	else
		in(fw_cfg_bus_dev(f), off, width);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t page[4096], now[4096];
	struct fuzz_input in_ = {data, size};
	struct fake_ram *ram = fake_ram_create(RAM, true);
	struct fw_cfg *f;
	int r = fw_cfg_create(fake_ram_view(ram), &f, NULL);

	assert(!r);
	memset(page, 0xa5, sizeof(page));
	fake_ram_write(ram, SHARED - sizeof(page), page, sizeof(page));
	r = fw_cfg_add_file(f, "etc/file", page, sizeof(page), NULL);
	assert(!r);
	for (int i = 0; i < MAX_RECORDS && fuzz_more(&in_); i++) {
		if (fuzz_u8(&in_) & 1)
			request(ram, f, &in_);
		else
			port(f, &in_);
		fake_ram_read(ram, SHARED - sizeof(page), now, sizeof(now));
		assert(!memcmp(page, now, sizeof(page)));
	}
	fw_cfg_destroy(f);
	fake_ram_destroy(ram);
	return 0;
}
