/*
 * tests/guest/memory.c - the sizes in CMOS are those of the memory that works:
 * the last bytes below 4 GiB hold what is written, the next ones are not there.
 */
#include "tests/guest/guest.h"

static uint32_t cmos(uint8_t reg)
{
	outb(0x70, reg);
	return inb(0x71);
}

int payload_main(void)
{
	/* 64 KiB units above 16 MiB */
	uint64_t top =
		((uint64_t)(cmos(0x35) << 8 | cmos(0x34)) << 16) + (16u << 20);

	CHECK(top >= 16u << 20 && top <= 2u << 30);
	mmio_write64(top - 8, 0x0123456789abcdef);
	CHECK(mmio_read64(top - 8) == 0x0123456789abcdef);
	if (top < 2u << 30) {
		mmio_write32(top, 0);
		CHECK(mmio_read32(top) == 0xffffffff);
	}
	/* the answer: MiB in all, mod 64, so that the test can compare */
	return (int)(top >> 20 & 0x3f);
}
