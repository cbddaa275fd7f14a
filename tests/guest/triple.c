/* tests/guest/triple.c - a fault without any handler for it. */
#include "tests/guest/guest.h"

int payload_main(void)
{
	static const struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idt = {0, 0};

	__asm__ volatile("lidt %0; ud2" : : "m"(idt));
	return 1;
}
