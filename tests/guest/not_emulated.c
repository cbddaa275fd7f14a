/*
 * tests/guest/not_emulated.c - an instruction on a device's memory that KVM's
 * emulator does not have (x87, packed decimal): the guest's own end.
 */
#include "mem/mem_map.h"
#include "tests/guest/guest.h"

int payload_main(void)
{
	volatile uint8_t *p = (volatile uint8_t *)(uintptr_t)MEM_IOAPIC_BASE;

	__asm__ volatile("clts; fninit; fbld %0" : : "m"(*p) : "memory");
	return 1;
}
