/* tests/guest/smp.c - wakes every other CPU; returns how many there are. */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

#define AP_BASE 0x8000u
#define ICR_LOW (MEM_LAPIC_BASE + 0x300)

extern const uint8_t ap_start[], ap_end[];
extern const uint8_t ap_count_offset[];

static void delay(unsigned int n)
{
	for (volatile unsigned int i = 0; i < n; i++)
		inb(0x80);
}

int payload_main(void)
{
	volatile uint16_t *count =
		(volatile uint16_t *)(AP_BASE + (uint64_t)ap_count_offset);
	uint32_t r[4], expect;
	uint16_t last;

	cpuid(1, 0, r);
	CHECK(r[2] >> 31); /* the hypervisor bit */
	cpuid(0xb, 1, r);
	expect = r[1] & 0xffff;
	for (uint32_t i = 0; i < (uint32_t)(ap_end - ap_start); i++)
		mmio_write8(AP_BASE + i, ap_start[i]);
	mmio_write32(MEM_LAPIC_BASE + 0xf0, 0x1ff); /* APIC on */
	mmio_write32(ICR_LOW, 0x000c4500);	    /* INIT, all others */
	delay(100);
	mmio_write32(ICR_LOW, 0x000c4600 | AP_BASE >> 12); /* SIPI */
	do {
		last = *count;
		delay(2000);
	} while (*count != last || (*count + 1u < expect && last == 0));
	CHECK(*count + 1u == expect);
	return *count + 1;
}
