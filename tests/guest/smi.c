/*
 * tests/guest/smi.c - an SMI to ourselves. Nobody put a handler at SMBASE, so
 * what runs there is what RAM happens to hold.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

enum {
	ICR_LOW = 0x300,
	ICR_SMI = 2 << 8,
	ICR_SELF = 1 << 18,
	ICR_ASSERT = 1 << 14,
};

int payload_main(void)
{
	mmio_write32(MEM_LAPIC_BASE + ICR_LOW, ICR_SELF | ICR_ASSERT | ICR_SMI);
	return 0; /* a KVM without SMM ignores it */
}
